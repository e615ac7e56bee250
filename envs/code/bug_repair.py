"""Finding and mending small bugs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs.code._judging import LIMITS, AllTestsVerifier, TestedProblem
from rlvr_gym.envs.code._mutation import kills, mutants
from rlvr_gym.envs.code._programs import Call, call_text, draw_cases, draw_program, fenced
from rlvr_gym.envs.code._specs import Program
from rlvr_gym.envs.code._tokens import edit_distance, program_tokens
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.code import Comparison, extract_program, function_cases

__all__ = ["BugRepair", "BugRepairVerifier"]


@register_verifier("bug_repair")
class BugRepairVerifier(AllTestsVerifier):
    """All tests have to pass, and few tokens may differ from the buggy program.

    ``task.answer`` is a code specification's dict with, in addition, ``buggy`` and ``edits``.
    """

    def judge(self, completion: str, task: Task) -> Verdict:
        """Measures the change, then runs the tests."""
        answer = dict(task.answer)
        buggy, limit = program_tokens(answer.pop("buggy")), answer.pop("edits")
        program = extract_program(completion)
        if not program.strip():
            return Verdict.wrong(Reason.NO_ANSWER)
        tokens = program_tokens(program)
        if tokens is None or buggy is None:
            return Verdict.wrong(Reason.SYNTAX_ERROR, program[:2000])
        if edit_distance(buggy, tokens, limit) > limit:
            return Verdict.wrong(Reason.RULE_BROKEN, program[:2000], error=f"more than {limit} tokens differ")
        return super().judge(completion, Task(task.prompt, answer, task.id))


@register("rlvr/BugRepair-v0", family="code")
@dataclass(frozen=True, kw_only=True)
class BugRepair(TestedProblem):
    """Mend a function that has small bugs, and change few tokens.

    The bugs are changed operators, comparisons, constants, conditions and missing steps in the reference of a
    FunctionSynthesis task: 1, from difficulty 5 up to 2, and from 8 up to 3. Each of them makes hidden tests fail. The
    tokens that differ (inserted, deleted or replaced; comments and layout do not count) may be at most 4 more than in
    the reference. The hardness is the number of syntax nodes and 20 for each bug.
    """

    verifier: ClassVar[str] = "bug_repair"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a function, and changes of it that matter."""
        wanted = 1 + (difficulty >= 5) + (difficulty >= 8)
        while True:
            program = draw_program(rng, difficulty)
            shown, hidden = draw_cases(program, rng, 3, 14)
            buggy, bugs = _with_bugs(program, hidden, wanted, rng)
            if bugs:
                break
        fixed, broken = program_tokens(program.source), program_tokens(buggy)
        assert fixed is not None
        assert broken is not None
        edits = edit_distance(broken, fixed, 200) + 4
        spec = function_cases(
            program.name,
            [(list(args), value) for args, value in hidden],
            compare=Comparison("exact"),
            limits=LIMITS,
            stop_early=self.stop_early,
        )
        examples = "".join(f"\n    {call_text(program.name, call)}" for call in shown)
        return Task(
            prompt=(
                f"The function `{program.name}` has to do this:\n\n{program.statement}\n\nBut it has "
                f"{'a bug' if bugs == 1 else f'{bugs} bugs'}:\n\n{fenced(buggy)}\n\nThis is what has to come out:\n"
                f"{examples}\n\nMend it, changing at most {edits} tokens (names, numbers, operators, ... that are "
                "inserted, deleted or replaced; comments and layout do not count). Give the whole program in a Python "
                "code block (```python)."
            ),
            answer=spec.to_dict() | {"buggy": buggy, "edits": edits},
            metadata={"function": program.name, "bugs": bugs, "hardness": program.size + 20 * bugs},
            solution=f"{_difference(buggy, program.source)}\n\n{fenced(program.source)}",
        )


def _with_bugs(program: Program, calls: list[Call], wanted: int, rng: np.random.Generator) -> tuple[str, int]:
    """A program with up to ``wanted`` bugs, each of which makes more tests fail; and their number."""
    source, bugs = program.source, 0
    seen = 0  # tests that fail
    for _ in range(wanted):
        options = mutants(source)
        for i in rng.permutation(len(options))[:25]:
            failed = sum(kills(options[int(i)], program.name, calls) or [])
            if failed > seen and options[int(i)] != program.source:  # so a further bug hides no earlier one
                source, bugs, seen = options[int(i)], bugs + 1, failed
                break
    return source, bugs


def _difference(buggy: str, fixed: str) -> str:
    """Which lines are mended, in words."""
    before, after = buggy.split("\n"), fixed.split("\n")
    changed = [(b, a) for b, a in zip(before, after, strict=False) if a != b]
    if len(before) != len(after) or not changed:
        return "A step is missing; it has to be put back."
    return "\n".join(f"`{b.strip()}` has to be `{a.strip()}`." for b, a in changed)
