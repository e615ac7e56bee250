"""Sorting: the fewest swaps that sort a row of numbers, made one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.algorithmic._reading import parse_pairs
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["Sorting", "SortingSwapsVerifier"]


@register_verifier("sorting_swaps")
class SortingSwapsVerifier(RuleVerifier[list[tuple[str, str, int | None]]]):
    """Any swaps that sort, as few as possible."""

    def read(self, answer: str, task: Task) -> list[tuple[str, str, int | None]] | None:
        """Pairs of places."""
        return parse_pairs(answer, [str(place + 1) for place in range(len(task.answer["numbers"]))])

    def fault(self, value: list[tuple[str, str, int | None]], task: Task) -> str | None:
        """The first rule that is broken."""
        numbers = list(task.answer["numbers"])
        for first, second, extra in value:
            if extra is not None:
                return "a swap has two places and nothing else"
            i, j = int(first) - 1, int(second) - 1
            numbers[i], numbers[j] = numbers[j], numbers[i]
        if numbers != sorted(numbers):
            return f"it ends with {numbers}"
        return None if len(value) == task.answer["swaps"] else f"{task.answer['swaps']} swaps are enough"


@register("rlvr/Sorting-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class Sorting(Problem):
    """Sort different numbers by the fewest swaps of two places; every shortest sequence of swaps counts.

    Difficulty 1 has 4 numbers and 10 has 16. A row of n numbers whose permutation has c cycles needs n - c swaps. The
    hardness is the number of swaps plus the number of numbers.
    """

    verifier: ClassVar[str] = "sorting_swaps"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws numbers until at least two swaps are needed."""
        count = level(difficulty, 4, 16)
        while True:
            numbers = (rng.permutation(99)[:count] + 1).tolist()
            swaps, lines = _cycle_sort(numbers)
            if len(swaps) > 1:
                break
        reference = ", ".join(f"{a}-{b}" for a, b in swaps)
        return Task(
            prompt=ask(
                f"Sort the numbers {', '.join(map(str, numbers))} in ascending order by swaps. A swap exchanges the "
                f"numbers at two places, which count from 1. Use as few swaps as possible.",
                "the swaps in order, each as two places,",
                f"{count + 1}-{count + 2}, {count + 1}-{count + 3}",
            ),
            answer={"numbers": numbers, "swaps": len(swaps), "reference": reference},
            metadata={"numbers": count, "swaps": len(swaps), "hardness": len(swaps) + count},
            solution="\n".join([*lines, f"So: {reference}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The swaps that put places right from left to right."""
        return str(task.answer["reference"])


def _cycle_sort(numbers: Sequence[int]) -> tuple[list[tuple[int, int]], list[str]]:
    """Each swap puts the number of one place right, which never takes more than n - c swaps."""
    row = list(numbers)
    swaps: list[tuple[int, int]] = []
    lines: list[str] = []
    for place, number in enumerate(sorted(numbers)):
        at = row.index(number)
        if at != place:
            row[place], row[at] = row[at], row[place]
            swaps.append((place + 1, at + 1))
            lines.append(f"Place {place + 1} needs {number}, at {at + 1}: {' '.join(map(str, row))}.")
    return swaps, lines
