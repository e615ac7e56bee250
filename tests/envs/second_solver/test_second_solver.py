"""Verifiers are true: other valid answers, by a second solver, score 1; what is one step beside them scores 0.

Each proof brings its own solver (NetworkX, OR-tools, PySAT, z3, SymPy, or plain search) and its own checker, and
reads only the puzzle as it is stored in the task. ``PROOFS`` is the registry; to prove another environment, add it
to one of the tables.
"""

from __future__ import annotations

import proofs_algebra
import proofs_choices
import proofs_graphs
import proofs_logic
import proofs_plans
import proofs_strings
import pytest

import rlvr_gym

MODULES = (proofs_algebra, proofs_choices, proofs_graphs, proofs_logic, proofs_plans, proofs_strings)
PROOFS = {name: proof for module in MODULES for name, proof in module.PROOFS.items()}
SOLUTIONS = 8
MUTATIONS = 60
"""Of each task; evenly out of all."""


def tasks_of(name, proof):
    for difficulty in proof.difficulties:
        problem = rlvr_gym.load_problem(name, difficulty=difficulty)
        source = problem.source(17)
        for index in range(proof.tasks):
            yield problem, source[index]


def score(verifier, task, answer):
    verdict = verifier.verify(f"<answer>{answer}</answer>", task)
    assert verdict.valid, verdict
    return verdict.score


def some_of(items, count):
    items = list(items)
    return items[:: len(items) // count + 1]


@pytest.mark.parametrize("name", sorted(PROOFS))
def test_other_answers_score_and_their_neighbours_do_not(name):
    proof = PROOFS[name]
    verifier = rlvr_gym.load_problem(name).make_verifier()
    different = wrong = infeasible = 0
    for problem, task in tasks_of(name, proof):
        puzzle, reference = task.answer, problem.answer_text(task)
        solutions = some_of(proof.solve(puzzle), SOLUTIONS)
        if not solutions:
            assert proof.impossible is not None, "the second solver finds no solution"
            assert score(verifier, task, proof.impossible) == 1.0
            infeasible += 1
            continue
        best = proof.objective(puzzle, solutions[0]) if proof.objective else None
        for solution in solutions:
            assert proof.holds(puzzle, solution), "the second solver and its checker disagree"
            assert score(verifier, task, proof.write(solution)) == 1.0, proof.write(solution)
        others = [s for s in solutions if proof.key(proof.write(s)) != proof.key(reference)]
        different += len(others)
        if proof.impossible is not None:
            assert score(verifier, task, proof.impossible) == 0.0
        for changed in some_of(proof.mutate(puzzle, (others or solutions)[0]), MUTATIONS):
            right = proof.holds(puzzle, changed)
            if right and proof.objective:
                right = proof.objective(puzzle, changed) == best
            assert score(verifier, task, proof.write(changed)) == float(right), (right, proof.write(changed))
            wrong += not right
    assert different >= 3, "there were hardly any answers beside the generator's"
    assert wrong >= 40, "there were hardly any wrong neighbours"
    assert infeasible or proof.impossible is None, "no task without a solution was drawn"


def test_enough_environments_are_proved():
    assert len(PROOFS) >= 30
