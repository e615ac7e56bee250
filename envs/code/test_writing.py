"""Writing tests that tell a right program from wrong ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.code._judging import LIMITS, CodeProblem, SandboxVerifier
from rlvr_gym.envs.code._literals import NotLiteralError, read_assertions
from rlvr_gym.envs.code._mutation import kills, mutants
from rlvr_gym.envs.code._programs import Call, call_text, draw_cases, draw_program, fenced
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.code import extract_program, get_sandbox, read_record

__all__ = ["TestWriting", "TestWritingVerifier"]

_FEWEST_MUTANTS, _MOST_MUTANTS = 4, 8


@register_verifier("test_writing")
class TestWritingVerifier(SandboxVerifier):
    """The share of wrong programs that the assertions find, if the right program passes them all, and else 0.

    Assertions are read here as literals, not run, so that there is nothing in a test that could look at the program
    it tests; right and wrong programs are called in the sandbox, and the values compared outside. ``task.answer`` has
    ``entry``, ``reference``, ``mutants`` and ``limit``.
    """

    __test__ = False  # pytest: no test class

    def examine(self, completion: str, task: Task) -> Verdict:
        """Reads the assertions, runs the right program, then the wrong ones."""
        wanted = task.answer
        text = extract_program(completion)
        try:
            tests = read_assertions(text, wanted["entry"], wanted["limit"])
        except NotLiteralError as error:
            return Verdict.wrong(Reason.UNPARSEABLE, text[:2000], error=str(error))
        if not tests:
            return Verdict.wrong(Reason.NO_ANSWER)
        if not all(_outcomes(wanted["reference"], wanted["entry"], tests)):
            return Verdict.wrong(Reason.WRONG, text[:2000], error="the right program does not pass")
        survived = [all(_outcomes(mutant, wanted["entry"], tests)) for mutant in wanted["mutants"]]
        killed = len(survived) - sum(survived)
        return Verdict.graded(killed / len(survived), text[:2000], killed=killed, mutants=len(survived))


def _outcomes(program: str, entry: str, tests: list[tuple[list[Any], Any]]) -> list[bool]:
    """Whether a program passes each test; a call that raises, or is never answered, does not."""
    result = get_sandbox().call(program, entry, [args for args, _ in tests], LIMITS)
    records = [read_record(line) for line in result.records]
    passed = [
        not record.raised and bool(record.value == value)
        for record, (_, value) in zip(records, tests, strict=False)
    ]
    return passed + [False] * (len(tests) - len(passed))


@register("rlvr/TestWriting-v0", family="code")
@dataclass(frozen=True, kw_only=True)
class TestWriting(CodeProblem):
    """Write a few assertions that a right program passes and hidden wrong ones do not.

    The programs are references of FunctionSynthesis, and 4 to 8 copies with one small bug each, all of which the
    reference tests find; one assertion more than those need may be written. The score is the share of the wrong
    programs that are found. The hardness is the number of syntax nodes of the program and 3 for each assertion needed.
    """

    __test__ = False  # pytest: no test class
    verifier: ClassVar[str] = "test_writing"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a function, bugs that some call shows, and the calls that show them all."""
        while True:
            program = draw_program(rng, difficulty)
            calls = [call for calls in draw_cases(program, rng, 4, 14) for call in calls]
            wrong = _wrong_programs(program.source, program.name, calls, rng)
            if len(wrong) >= _FEWEST_MUTANTS:
                break
        chosen = _cover(calls, list(wrong.values()))
        limit = len(chosen) + 1
        tests = "\n".join(f"assert {call_text(program.name, call)}" for call in chosen)
        return Task(
            prompt=(
                f"The function `{program.signature}` has to do this:\n\n{program.statement}\n\nWrite tests for it: at "
                f"most {limit} lines of the form\n\n{fenced('assert function(arguments) == value')}\n\nwith "
                f"`{program.name}` as the function and Python literals as arguments and value, and nothing else but "
                "comments. A right program has to pass them all. They are also run against several programs that have a "
                "small bug each (a wrong operator, comparison, constant or condition, a missing step); your score is "
                "the share of these that fail. Think about edge cases, then give the tests in a Python code block "
                "(```python)."
            ),
            answer={
                "entry": program.name,
                "reference": program.source,
                "mutants": list(wrong),
                "limit": limit,
            },
            metadata={"function": program.name, "hardness": program.size + 3 * len(chosen)},
            solution=f"These calls tell the usual mistakes from the right program.\n\n{fenced(tests)}",
        )


def _wrong_programs(
    source: str, name: str, calls: list[Call], rng: np.random.Generator
) -> dict[str, list[bool]]:
    """Some mutants that a call finds, and which calls find each; those that few calls find come first."""
    options = mutants(source)
    found: dict[str, list[bool]] = {}
    for i in rng.permutation(len(options))[: 3 * _MOST_MUTANTS]:
        killed = kills(options[int(i)], name, calls)
        if killed is not None and any(killed):
            found[options[int(i)]] = killed
    subtle = sorted(found, key=lambda mutant: sum(found[mutant]))
    return {mutant: found[mutant] for mutant in subtle[:_MOST_MUTANTS]}


def _cover(calls: list[Call], killed: list[list[bool]]) -> list[Call]:
    """Few calls that find all mutants: always the one that finds most of those that are left."""
    left = set(range(len(killed)))
    chosen: list[Call] = []
    while left:
        best = max(range(len(calls)), key=lambda c: sum(killed[m][c] for m in left))
        chosen.append(calls[best])
        left -= {m for m in left if killed[m][best]}
    return chosen
