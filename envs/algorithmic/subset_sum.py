"""SubsetSum: numbers with a given sum, or the statement that there are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.algorithmic._reading import parse_integers
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["SubsetSum", "SubsetSumVerifier"]

IMPOSSIBLE_SHARE = 0.25


@register_verifier("subset_sum")
class SubsetSumVerifier(RuleVerifier[list[int]]):
    """Any of the numbers that add up; "impossible" only if none do."""

    impossible = "impossible"

    def read(self, answer: str, task: Task) -> list[int] | None:
        """Whole numbers, or their sum as it is written: ``3 + 5``, ``3 + 5 = 8``."""
        terms, equals, total = answer.partition("=")
        if equals and parse_integers(total) != [task.answer["target"]]:
            return None
        return parse_integers(terms.replace("+", ","))

    def fault(self, value: list[int], task: Task) -> str | None:
        """The first rule that is broken."""
        if Counter(value) - Counter(task.answer["numbers"]):
            return "a number is not given, or not so often"
        return None if sum(value) == task.answer["target"] else f"the sum is {sum(value)}"


@register("rlvr/SubsetSum-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class SubsetSum(Problem):
    """Choose some of the given numbers so that they add up to a target; every such choice counts.

    Difficulty 1 has 5 numbers up to 30 and each level one more, up to half as large again, to 14 numbers up to 1150.
    One target of four cannot be reached, which the set of all sums shows. The hardness is the number of numbers, plus
    how many bits a number has.
    """

    verifier: ClassVar[str] = "subset_sum"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws numbers, and a target out of their sums or out of what is between them."""
        count, largest = level(difficulty, 5, 14), int(30 * 1.5 ** (difficulty - 1))
        numbers, target, tables = _draw(rng, count, largest, bool(rng.random() < IMPOSSIBLE_SHARE))
        chosen, lines = _explain(numbers, target, tables)
        reference = ", ".join(map(str, chosen)) if chosen else None
        return Task(
            prompt=ask(
                f"Choose some of the numbers {', '.join(map(str, numbers))} that add up to exactly {target}. Each may "
                f"be used once.",
                "the chosen numbers, or the word impossible if no choice adds up to it,",
                f"{largest + 7}, {largest + 12}",
            ),
            answer={"numbers": numbers, "target": target, "reference": reference},
            metadata={"numbers": count, "hardness": count + largest.bit_length()},
            solution="\n".join([*lines, f"So: {reference or SubsetSumVerifier.impossible}"]),
        )

    def answer_text(self, task: Task) -> str:
        """One choice."""
        return task.answer["reference"] or SubsetSumVerifier.impossible


def _draw(
    rng: np.random.Generator, count: int, largest: int, impossible: bool
) -> tuple[list[int], int, list[int]]:
    """Numbers, target, and for each prefix of the numbers the set of its sums, as bits of an int."""
    while True:
        numbers = (rng.permutation(largest - 1)[:count] + 2).tolist()
        tables = list(accumulate(numbers, lambda sums, number: sums | sums << number, initial=1))
        total = sum(numbers)
        if impossible:
            gaps = [
                t
                for t in rng.integers(total // 4, total * 3 // 4, size=20).tolist()
                if not tables[-1] >> t & 1
            ]
            if gaps:
                return numbers, gaps[0], tables
            continue
        size = int(rng.integers(2, count))
        return numbers, sum(numbers[i] for i in rng.permutation(count)[:size].tolist()), tables


def _explain(numbers: Sequence[int], target: int, tables: Sequence[int]) -> tuple[list[int], list[str]]:
    sums = tables[-1]
    if not sums >> target & 1:
        below = (sums & ((1 << target) - 1)).bit_length() - 1
        above = target + ((sums >> target) & -(sums >> target)).bit_length() - 1
        return [], [
            f"Adding one number after the other to the sums so far gives {sums.bit_count()} different sums.",
            f"The nearest to {target} are {below} and {above}.",
        ]
    chosen: list[int] = []
    lines: list[str] = []
    left = target
    for place in range(len(numbers) - 1, -1, -1):
        if tables[place] >> left & 1:
            if left:
                lines.append(f"Without {numbers[place]}: {left} can be made of the numbers before it.")
            continue
        chosen.append(numbers[place])
        left -= numbers[place]
        lines.append(f"With {numbers[place]}: {left} is left.")
    lines.append(f"{' + '.join(map(str, chosen))} = {target}.")
    return chosen, lines
