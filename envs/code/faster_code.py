"""Making a slow program fast."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

import numpy as np

from rlvr_gym.envs.code._judging import LIMITS, CodeProblem, SandboxVerifier, all_or_nothing
from rlvr_gym.envs.code._programs import call_text, draw_cases, fenced
from rlvr_gym.envs.code._slow import PAIRS, Pair
from rlvr_gym.envs.code._specs import count_nodes
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.code import (
    CodeSpec,
    Comparison,
    extract_program,
    function_cases,
    get_sandbox,
    judge_program,
    verdict_of,
)

__all__ = ["FasterCode", "FasterCodeVerifier"]

_MOST_CHARS = 50_000
_TIERS = ((0.2, 1.0), (0.5, 0.5))
"""At most this share of the slow program's time -> score."""
_UNSURE = 1.4
"""A share within this factor of a tier's border is measured again, more often."""
_CAREFUL_RUNS = 5


@register_verifier("faster_code")
class FasterCodeVerifier(SandboxVerifier):
    """A program that passes all tests scores 1 if it needs at most a fifth of the slow program's time, and 0.5 for half.

    Time is processor time, measured from outside, of both programs in turn in the same sandbox, with one process and
    one thread each. Counting lines or opcodes would be repeatable to the last digit, but a count is kept inside the
    process of the program that is counted, which could falsify it. Instead the verdict is made robust: the inputs are
    so large that programs of different classes of running time are factors apart; a share near a border is measured
    again and its median taken; and of the share only the tier is told.

    ``task.answer`` is the dict of a code specification whose ``reference`` is the slow program.
    """

    def examine(self, completion: str, task: Task) -> Verdict:
        """Runs the tests, then, if they pass, measures."""
        spec = CodeSpec.from_dict(task.answer)
        program = extract_program(completion)
        if not program.strip():
            return Verdict.wrong(Reason.NO_ANSWER)
        if len(program) > _MOST_CHARS:
            return Verdict.wrong(Reason.TOO_COMPLEX, program[:200], limit=_MOST_CHARS)
        if program.strip() == spec.reference.strip():
            return Verdict.wrong(Reason.WRONG, program[:2000], speed="not faster")  # the prompt's own program
        sandbox = get_sandbox()
        report = judge_program(program, spec, sandbox)
        tested = verdict_of(replace(report, relative_time=None), program)
        if not tested.correct:
            return all_or_nothing(tested)
        share = report.relative_time
        if share is not None and any(border / _UNSURE < share < border * _UNSURE for border, _ in _TIERS):
            share = judge_program(program, spec.with_(timing_runs=_CAREFUL_RUNS), sandbox).relative_time
        score = _score(share)
        details = {**tested.details, "speed": {1.0: "fast", 0.5: "faster"}.get(score, "not faster")}
        return Verdict.graded(score, tested.extracted, **details)


def _score(share: float | None) -> float:
    """The score for a share of the slow program's time; None if the program failed while it was measured."""
    return next((score for border, score in _TIERS if share is not None and share <= border), 0.0)


@register("rlvr/FasterCode-v0", family="code")
@dataclass(frozen=True, kw_only=True)
class FasterCode(CodeProblem):
    """Rewrite a slow function so that it gives the same and takes at most a fifth of the time on large inputs.

    There are fourteen functions: quadratic and exponential ones that can be linear, and the like. Half the time gives
    half the score. The hardness is the number of syntax nodes of the fast reference.
    """

    verifier: ClassVar[str] = "faster_code"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a pair of programs, small tests and a large one."""
        pairs = _ordered()
        width = 4
        first = round((len(pairs) - width) * (difficulty - 1) / 9)
        pair = pairs[first + int(rng.integers(width))]
        slow = pair.slow
        shown, hidden = draw_cases(slow, rng, 2, 8)
        fast = replace(slow, source=pair.fast)
        large = pair.large(rng)
        value = fast.function(*copy.deepcopy(large))
        spec = function_cases(
            slow.name,
            [(list(args), wanted) for args, wanted in [*hidden, (large, value)]],
            compare=Comparison("exact"),
            limits=LIMITS,
            reference=slow.source,
            timing_runs=1,
            stop_early=True,
        )
        examples = "".join(f"\n    {call_text(slow.name, call)}" for call in shown)
        return Task(
            prompt=(
                f"This function is right, but slow:\n\n{fenced(slow.source)}\n\n{slow.statement} For example:\n{examples}"
                f"\n\nWrite a function `{slow.name}` that takes and gives the same, and that takes at most a fifth of the "
                f"time when the input is large, such as {_size(large)}. Give the whole function, with its imports, in a "
                "Python code block (```python)."
            ),
            answer=spec.to_dict(),
            metadata={"function": slow.name, "hardness": count_nodes(pair.fast)},
            solution=f"The slow function does the same work again and again.\n\n{fenced(pair.fast)}",
        )


@lru_cache(maxsize=1)
def _ordered() -> tuple[Pair, ...]:
    return tuple(sorted(PAIRS, key=lambda pair: (count_nodes(pair.fast), pair.slow.name)))


def _size(args: tuple[object, ...]) -> str:
    """The large input in words."""
    told = [f"a list of {len(a)} numbers" if isinstance(a, list) and len(a) > 20 else repr(a) for a in args]
    return ", ".join(told)
