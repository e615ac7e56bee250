"""Puzzles: one solution by brute force, claims without idle talk, and worked solutions that follow."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr_gym import ConfigError, load_problem
from rlvr_gym.envs.logic._case_analysis import CaseAnalysis, phrase, solutions, truth_table
from rlvr_gym.envs.logic.knights_and_knaves import NAMES
from rlvr_gym.verifiers.knights import holds


def fitting(claims):
    """All solutions by brute force over ``holds``, which shares nothing with the generator's bit sets."""
    worlds = itertools.product([False, True], repeat=len(claims))
    return [list(w) for w in worlds if all(holds(claim, w) == w[i] for i, claim in enumerate(claims))]


@pytest.mark.parametrize("people", range(2, 9))
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_exactly_one_solution(people, depth):
    source = load_problem("KnightsAndKnaves", people=people, depth=depth).source(people)
    for index in range(8):
        answer = source[index].answer
        assert fitting(answer["claims"]) == [answer["knights"]]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 10))
def test_only_the_solution_is_right(seed, difficulty):
    problem = load_problem("KnightsAndKnaves", difficulty=difficulty)
    task = problem.source(seed)[0]
    names, knights = task.answer["names"], task.answer["knights"]
    verifier = problem.make_verifier()
    for changed in range(len(names) + 1):
        roles = ["knight" if knight != (i == changed) else "knave" for i, knight in enumerate(knights)]
        answer = ", ".join(f"{name} is a {role}" for name, role in zip(names, roles, strict=True))
        assert verifier.verify(answer, task).correct == (changed == len(names))


def test_worked_solutions_end_in_the_solution_and_use_only_true_steps():
    problem = load_problem("KnightsAndKnaves", difficulty=(1, 10))
    for task in itertools.islice(problem.source(3), 60):
        last = task.solution.rpartition("Everything fits: ")[2].removesuffix(".")
        assert sorted(last.split(", ")) == sorted(problem.answer_text(task).split(", "))
        # outside of suppositions, whatever is said of a person is so
        certain = task.solution.partition("Suppose")[0]
        for name, role in re.findall(r"So (\w+) is a (\w+)", certain):
            assert f"{name} is a {role}" in problem.answer_text(task)


def test_a_puzzle_without_solution_is_refused():
    with pytest.raises(ValueError, match="no solution"):
        CaseAnalysis(["Ann", "Bob"], [["knave", 0], ["knight", 0]]).shortest()


def test_truth_tables_are_those_of_holds():
    for task in itertools.islice(load_problem("KnightsAndKnaves", people=4, depth=3).source(0), 20):
        for claim in task.answer["claims"]:
            table = truth_table(claim, 4)
            for world in range(16):
                assert bool(table >> world & 1) == holds(claim, [bool(world >> i & 1) for i in range(4)])
        tables = [truth_table(claim, 4) for claim in task.answer["claims"]]
        assert solutions(tables).bit_count() == 1


def test_claims_are_news():
    """Nobody says what is always or never true, nor "I am a knight" in other words."""
    for task in itertools.islice(load_problem("KnightsAndKnaves", people=3, depth=2).source(1), 50):
        for speaker, claim in enumerate(task.answer["claims"]):
            values = {(holds(claim, w), w[speaker]) for w in itertools.product([False, True], repeat=3)}
            assert len({value for value, _ in values}) == 2
            assert len(values) > 2


def test_names_are_not_parts_of_each_other():
    assert not [(a, b) for a in NAMES for b in NAMES if a != b and a.casefold() in b.casefold()]


def test_wording():
    claim = [
        "implies",
        ["not", ["and", ["knight", 0], ["knave", 1]]],
        ["iff", ["knight", 1], ["or", ["knave", 0], ["knight", 2]]],
    ]
    assert phrase(claim, ["Ann", "Bob", "Cid"], speaker=1) == (
        "if (it is not the case that (Ann is a knight and I am a knave)), "
        "then (I am a knight if and only if (Ann is a knave or Cid is a knight))"
    )


@pytest.mark.parametrize(
    "wrong", [{"people": 1}, {"people": 9}, {"depth": 4}, {"depth": -1}, {"difficulty": 11}]
)
def test_settings(wrong):
    with pytest.raises(ConfigError):
        load_problem("KnightsAndKnaves", **wrong)
