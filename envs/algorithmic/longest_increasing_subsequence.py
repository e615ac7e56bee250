"""LIS, the longest increasing subsequence: the longest rising selection in a row of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.algorithmic._reading import parse_integers
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["LIS", "IncreasingSubsequenceVerifier"]


@register_verifier("increasing_subsequence")
class IncreasingSubsequenceVerifier(RuleVerifier[list[int]]):
    """Any strictly increasing subsequence of the greatest length."""

    def read(self, answer: str, task: Task) -> list[int] | None:
        """Whole numbers."""
        return parse_integers(answer.replace("<", ","))

    def fault(self, value: list[int], task: Task) -> str | None:
        """The first rule that is broken."""
        if any(a >= b for a, b in pairwise(value)):
            return "it does not increase"
        rest = iter(task.answer["numbers"])
        if not all(number in rest for number in value):  # each `in` goes on where the last one stopped
            return "the numbers do not stand in this order"
        length = task.answer["length"]
        return None if len(value) == length else f"{length} numbers are possible"


@register("rlvr/LIS-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class LIS(Problem):
    """Find a longest strictly increasing subsequence; every longest one counts.

    Difficulty 1 has 6 numbers and 10 has 28. The hardness is the number of pairs that increase.
    """

    verifier: ClassVar[str] = "increasing_subsequence"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws numbers below 100."""
        numbers = rng.integers(1, 100, size=level(difficulty, 6, 28)).tolist()
        chain, lines = _longest(numbers)
        reference = ", ".join(map(str, chain))
        rising = sum(a < b for j, b in enumerate(numbers) for a in numbers[:j])
        return Task(
            prompt=ask(
                f"Find a longest strictly increasing subsequence of these numbers, that is, choose as many as "
                f"possible so that each chosen one is greater than the one chosen before it, without changing the "
                f"order:\n\n{', '.join(map(str, numbers))}\n",
                "the chosen numbers in order",
                "100, 200, 300",
            ),
            answer={"numbers": numbers, "length": len(chain), "reference": reference},
            metadata={"numbers": len(numbers), "length": len(chain), "hardness": rising},
            solution="\n".join([*lines, f"So: {reference}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The subsequence that is met first."""
        return str(task.answer["reference"])


def _longest(numbers: Sequence[int]) -> tuple[list[int], list[str]]:
    """A longest chain, and for each number the longest chain that ends in it."""
    lengths: list[int] = []
    before: list[int | None] = []
    lines: list[str] = []
    for place, number in enumerate(numbers):
        smaller = [i for i in range(place) if numbers[i] < number]
        last = max(smaller, key=lambda i: lengths[i], default=None)
        lengths.append(1 if last is None else lengths[last] + 1)
        before.append(last)
        lines.append(
            f"{number}: length {lengths[-1]}" + ("." if last is None else f", after {numbers[last]}.")
        )
    at: int | None = max(range(len(numbers)), key=lambda i: lengths[i])
    chain: list[int] = []
    while at is not None:
        chain.append(numbers[at])
        at = before[at]
    return chain[::-1], lines
