"""GolombRuler: the shortest ruler whose marks measure every distance at most once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level
from rlvr_gym.envs.algorithmic._reading import parse_integers
from rlvr_gym.envs.optimisation._graded import ClassicProblem, GradedVerifier, Scale
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier

__all__ = ["OPTIMAL_RULERS", "GolombRuler", "GolombRulerVerifier"]

MOST = 10**9
"""No mark may be further from 0: rulers of 16 marks need no more than 200."""

OPTIMAL_RULERS: dict[int, tuple[int, ...]] = {
    3: (0, 1, 3),
    4: (0, 1, 4, 6),
    5: (0, 1, 4, 9, 11),
    6: (0, 1, 4, 10, 12, 17),
    7: (0, 1, 4, 10, 18, 23, 25),
    8: (0, 1, 4, 9, 15, 22, 32, 34),
    9: (0, 1, 5, 12, 25, 27, 35, 41, 44),
    10: (0, 1, 6, 10, 23, 26, 34, 41, 53, 55),
    11: (0, 1, 4, 13, 28, 33, 47, 54, 64, 70, 72),
    12: (0, 2, 6, 24, 29, 40, 43, 55, 68, 75, 76, 85),
    13: (0, 2, 5, 25, 37, 43, 59, 70, 85, 89, 98, 99, 106),
    14: (0, 4, 6, 20, 35, 52, 59, 77, 78, 86, 89, 99, 122, 127),
    15: (0, 4, 20, 30, 57, 59, 62, 76, 100, 111, 123, 136, 144, 145, 151),
    16: (0, 1, 4, 11, 26, 32, 56, 68, 76, 115, 117, 134, 150, 163, 168, 177),
}
"""Shortest rulers by their number of marks, proved optimal by exhaustive searches (OEIS A003022)."""


@register_verifier("golomb_ruler")
class GolombRulerVerifier(GradedVerifier[list[int]]):
    """Any ruler with the right number of marks, different distances and none of the forbidden ones, by its length."""

    def read(self, answer: str, task: Task) -> list[int] | None:
        """Whole numbers in any order."""
        marks = parse_integers(answer)
        return sorted(marks) if marks and all(abs(mark) <= MOST for mark in marks) else None

    def fault(self, value: list[int], task: Task) -> str | None:
        """The first rule that is broken."""
        if len(value) != task.answer["marks"]:
            return f"{task.answer['marks']} marks are asked for"
        distances = [b - a for a, b in combinations(value, 2)]
        if len(set(distances)) < len(distances) or 0 in distances:
            return "a distance is measured twice, or two marks are one"
        found = set(distances) & set(task.answer["forbidden"])
        return f"the distance {min(found)} is forbidden" if found else None

    def measure(self, value: list[int], task: Task) -> int:
        """The distance of the outermost marks."""
        return value[-1] - value[0]


@register("rlvr/GolombRuler-v0", family="optimisation")
@dataclass(frozen=True, kw_only=True)
class GolombRuler(ClassicProblem):
    """Place marks so that all distances differ and some never occur; the shortest ruler is correct.

    Difficulty 1 asks for 4 marks and 10 for 9, with three to five forbidden distances; the optimum is proved by a
    search when the task is made. The greedy ruler (each mark as near as it can be) earns 0.1. The hardness is the
    number of marks plus the logarithm (base 2) of the nodes of the search.

    Attributes:
        classic: nothing is forbidden: Golomb's own problem, with 5 marks at difficulty 1 and 14 at 10 and the optimal
            lengths of the literature. Each difficulty then has a single task.
    """

    verifier: ClassVar[str] = "golomb_ruler"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws forbidden distances until the greedy ruler is not the shortest."""
        if self.classic:
            ruler = list(OPTIMAL_RULERS[difficulty + 4])
            return _task(ruler, [], greedy(len(ruler), []), nodes=0)
        marks = level(difficulty, 4, 9)
        while True:
            forbidden = np.sort(rng.permutation(3 * marks)[: integer(rng, 3, 5)] + 1).tolist()
            start = greedy(marks, forbidden)
            ruler, nodes = shortest(marks, forbidden, start)
            if ruler[-1] < start[-1]:
                return _task(ruler, forbidden, start, nodes)

    def answer_text(self, task: Task) -> str:
        """A shortest ruler."""
        return str(task.answer["reference"])


def _task(ruler: list[int], forbidden: list[int], start: list[int], nodes: int) -> Task:
    marks, reference = len(ruler), ", ".join(map(str, ruler))
    scale = Scale(ruler[-1], start[-1])
    rule = f" None of the distances {', '.join(map(str, forbidden))} may occur." if forbidden else ""
    differences = ", ".join(str(b - a) for a, b in combinations(ruler, 2))
    return Task(
        prompt=ask(
            f"A Golomb ruler has marks at whole numbers such that the distances between any two marks are all "
            f"different. Find one with {marks} marks whose length (the distance between its first and last mark) is as "
            f"small as possible.{rule}\n\n"
            + scale.text(
                "the shortest possible length", "the length if each mark is put as near as it can be"
            ),
            "the positions of the marks",
            "0, 1, 3",
        ),
        answer={
            "marks": marks,
            "forbidden": forbidden,
            "best": scale.best,
            "plain": scale.plain,
            "reference": reference,
        },
        metadata={"marks": marks, "nodes": nodes, "hardness": marks + float(np.log2(nodes + 1))},
        solution=(
            f"Each mark as near as it can be: {', '.join(map(str, start))}, length {start[-1]}.\n"
            f"Larger gaps at first leave small distances for later: the gaps "
            f"{', '.join(str(b - a) for a, b in pairwise(ruler))} give length {ruler[-1]}.\n"
            f"All distances: {differences}. They are all different{' and none is forbidden' if forbidden else ''}.\n"
            f"So: {reference}"
        ),
    )


def greedy(marks: int, forbidden: Collection[int]) -> list[int]:
    """The ruler from 0 whose marks are each as near as they can be (the Mian–Chowla sequence if all is allowed)."""
    used, ruler, place = set(forbidden), [0], 0
    while len(ruler) < marks:
        place += 1
        new = {place - mark for mark in ruler}
        if not new & used:
            used |= new
            ruler.append(place)
    return ruler


def shortest(marks: int, forbidden: Collection[int], start: list[int]) -> tuple[list[int], int]:
    """A shortest ruler, and how many nodes the search had; ``start`` is a valid ruler.

    Depth first with bit sets (the shift algorithm of Rankin, 1993): bit ``d`` of ``used`` is a distance that is
    measured or forbidden, bit ``s`` of ``blocked`` a step from the last mark that would repeat one.
    """
    best, nodes = start, 0
    # the marks that are left, with the last one, are a ruler themselves
    rest = [0, 1, *(OPTIMAL_RULERS[n][-1] for n in range(3, marks + 1))]
    middle = (marks - 1) // 2

    def extend(ruler: list[int], steps: int, used: int, blocked: int) -> None:
        """Tries all next marks; bit ``d`` of ``steps`` is a distance from the last mark to an earlier one."""
        nonlocal best, nodes
        nodes += 1
        left, last = marks - len(ruler), ruler[-1]
        if not left:
            best = ruler
            return
        step = 1
        while last + step <= furthest(len(ruler)):
            if not blocked >> step & 1:
                moved = (steps << step) | (1 << step)
                extend([*ruler, last + step], moved, used | moved, (blocked >> step) | used | moved)
            step += 1

    def furthest(index: int) -> int:
        """How far away the mark of this index may be if the ruler is to be shorter than the best."""
        end = best[-1] - 1 - rest[marks - index - 1]
        # of a ruler and its mirror image, one has its middle mark in the first half
        return min(end, (best[-1] - 1) // 2 - rest[middle - index]) if index <= middle else end

    taken = sum(1 << distance for distance in forbidden)
    extend([0], 0, taken, taken)
    return best, nodes
