"""BinPacking: all items in the fewest bins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, shuffled
from rlvr_gym.envs.algorithmic._reading import parse_number_groups
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["BinPacking", "BinPackingVerifier"]

MAX_STEPS = 150
"""Items whose search takes longer are drawn anew: the solution text would be too long."""


@register_verifier("bin_packing")
class BinPackingVerifier(RuleVerifier[list[list[int]]]):
    """Any packing into the least number of bins."""

    def read(self, answer: str, task: Task) -> list[list[int]] | None:
        """Groups of sizes."""
        return parse_number_groups(answer)

    def fault(self, value: list[list[int]], task: Task) -> str | None:
        """The first rule that is broken."""
        puzzle = task.answer
        if Counter(size for group in value for size in group) != Counter(puzzle["sizes"]):
            return "not every item comes exactly once"
        if any(sum(group) > puzzle["capacity"] for group in value):
            return "a bin is too full"
        return None if len(value) == puzzle["bins"] else f"{puzzle['bins']} bins are enough"


@register("rlvr/BinPacking-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class BinPacking(Problem):
    """Put items into as few bins as possible; every packing into that many counts.

    Difficulty 1 has 2 bins of 12 and 10 has 7 bins of 48, with two to four items each. So little room is left that
    one bin fewer cannot hold them. The hardness is the number of items plus the steps of a search, largest first.
    """

    verifier: ClassVar[str] = "bin_packing"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Cuts full bins into items and takes a little off some of them."""
        bins, capacity = level(difficulty, 2, 7), level(difficulty, 12, 48)
        while True:
            sizes = _draw(rng, bins, capacity)
            packed, lines = _pack(sizes, bins, capacity)
            if packed:
                break
        total = sum(sizes)
        bound = f"The sizes add up to {total}, more than {bins - 1} times {capacity}: at least {bins} bins."
        reference = ", ".join(f"[{', '.join(map(str, group))}]" for group in packed)
        return Task(
            prompt=ask(
                f"Items of the sizes {', '.join(map(str, sizes))} have to be put into bins. Each bin holds items of a "
                f"total size of at most {capacity}. Use as few bins as possible.",
                "the sizes in each bin",
                f"[{capacity}], [{capacity - 1}, 1]",
            ),
            answer={"sizes": sizes, "capacity": capacity, "bins": bins, "reference": reference},
            metadata={"items": len(sizes), "bins": bins, "hardness": len(sizes) + len(lines)},
            solution="\n".join([bound, *lines, f"So: {reference}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The packing that the search found."""
        return str(task.answer["reference"])


def _draw(rng: np.random.Generator, bins: int, capacity: int) -> list[int]:
    sizes: list[int] = []
    for _ in range(bins):
        pieces = integer(rng, 2, 4)
        cuts = np.sort(rng.permutation(capacity - 1)[: pieces - 1] + 1).tolist()
        sizes += [b - a for a, b in zip([0, *cuts], [*cuts, capacity], strict=True)]
    slack = integer(rng, 0, capacity - 1)
    for index in rng.integers(len(sizes), size=slack // 2).tolist():
        sizes[index] = max(1, sizes[index] - 1)
    return shuffled(rng, sizes)


def _pack(sizes: Sequence[int], bins: int, capacity: int) -> tuple[list[list[int]], list[str]]:
    """A packing and the steps to it; no packing if it is not found within the limit of steps."""
    order = sorted(sizes, reverse=True)
    groups: list[list[int]] = [[] for _ in range(bins)]
    loads = [0] * bins
    lines: list[str] = []

    def place(index: int) -> bool:
        if index == len(order):
            return True
        size, tried = order[index], set()
        # the fullest bin first; bins that are equally full are alike
        for number in sorted(range(bins), key=lambda b: -loads[b]):
            if loads[number] + size > capacity or loads[number] in tried or len(lines) >= MAX_STEPS:
                continue
            tried.add(loads[number])
            loads[number] += size
            groups[number].append(size)
            lines.append(f"{size} into bin {number + 1}, which then holds {loads[number]}.")
            if place(index + 1):
                return True
            loads[number] -= size
            groups[number].pop()
            lines.append(f"{size} does not work in bin {number + 1}.")
        return False

    return (groups if place(0) else []), lines
