"""Sort a list and put 42 at its start: the worked example of rewards for code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.code._judging import LIMITS, TestedProblem
from rlvr_gym.envs.code._programs import fenced
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers.code import Comparison, function_cases

__all__ = ["SortPrepend"]

_TESTS = 10


@register("rlvr/SortPrepend-v0", family="code")
@dataclass(frozen=True, kw_only=True)
class SortPrepend(TestedProblem):
    """Write a function that takes a list of numbers and returns it sorted, with 42 at the start.

    The tests have lists of up to 4 * difficulty numbers, the empty list and lists with repetitions and with 42 itself;
    from 4 there are negative numbers, from 7 fractions. The order is ascending; from 5 a task may ask for descending
    order, and from 8 for each number only once. Every test has to pass. The hardness is the mean length of the lists
    in the tests, and 5 for each of the two variations.
    """

    verifier: ClassVar[str] = "code_all_tests"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws the variations and the tests."""
        descending = difficulty >= 5 and bool(rng.random() < 0.5)
        once = difficulty >= 8 and bool(rng.random() < 0.5)
        lists = [[], [42], *(_numbers(rng, difficulty) for _ in range(_TESTS - 2))]
        spec = function_cases(
            "sort_prepend",
            [
                ([numbers], [42, *sorted(set(numbers) if once else numbers, reverse=descending)])
                for numbers in lists
            ],
            compare=Comparison("equal"),
            limits=LIMITS,
            stop_early=self.stop_early,
        )
        order = "descending" if descending else "ascending"
        kept = "set(numbers)" if once else "numbers"
        source = (
            f"def sort_prepend(numbers: list[float]) -> list[float]:\n"
            f"    return [42, *sorted({kept}{', reverse=True' if descending else ''})]"
        )
        return Task(
            prompt=(
                f"Write a Python function `sort_prepend` that takes a list of numbers and returns a list with 42 as its "
                f"first element, followed by the numbers sorted in {order} order"
                f"{', each different number only once' if once else ''}.\n\nComplete this:\n\n"
                f"{fenced(_STUB)}\n\nIt is tested on several lists. Give the whole function in a Python code block "
                "(```python)."
            ),
            answer=spec.to_dict(),
            metadata={"hardness": sum(map(len, lists)) / len(lists) + 5 * descending + 5 * once},
            solution=f"`sorted` sorts without changing its argument, and 42 goes in front.\n\n{fenced(source)}",
        )


_STUB = "def sort_prepend(numbers: list[float]) -> list[float]:\n    ..."


def _numbers(rng: np.random.Generator, difficulty: int) -> list[Any]:
    """A list in random order, with at least one number twice and sometimes 42 in it."""
    size = int(rng.integers(2, 4 * difficulty + 1))
    low = -99 if difficulty >= 4 else 0
    numbers: list[Any] = [int(v) for v in rng.integers(low, 100, size)]
    if difficulty >= 7:
        numbers = [v / 4 if rng.random() < 0.5 else v for v in numbers]
    numbers[int(rng.integers(size))] = 42 if rng.random() < 0.5 else numbers[0]
    return numbers
