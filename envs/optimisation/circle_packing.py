"""CirclePacking: circles in a rectangle with the greatest sum of radii, checked in exact arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import lcm
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, pick, shuffled
from rlvr_gym.envs.optimisation._graded import ClassicProblem, GradedVerifier, Scale
from rlvr_gym.envs.optimisation._reading import parse_triples
from rlvr_gym.envs.optimisation._records import records
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier

__all__ = ["CirclePacking", "CirclePackingVerifier"]

PLAIN_SHARE = 0.95
"""What earns 0.1: 5 by 5 equal circles and a small one in a gap have 96.4 % of the best sum for 26 circles."""
PLACES = 10

Circle = list[Fraction]


@register_verifier("circle_packing")
class CirclePackingVerifier(GradedVerifier[list[Circle]]):
    """Any circles that lie in the rectangle and do not overlap, by the sum of their radii.

    All in whole numbers over a common denominator: there is no tolerance that could be used up.
    """

    slack = 1e-4

    def read(self, answer: str, task: Task) -> list[Circle] | None:
        """Rows of centre and radius."""
        return parse_triples(answer)

    def fault(self, value: list[Circle], task: Task) -> str | None:
        """The first rule that is broken."""
        if len(value) != task.answer["circles"]:
            return f"{task.answer['circles']} circles are asked for"
        unit = lcm(*(number.denominator for circle in value for number in circle))
        circles = [[int(number * unit) for number in circle] for circle in value]
        left, bottom, right, top = (side * unit for side in task.answer["box"])
        if any(r <= 0 for _, _, r in circles):
            return "a radius is not positive"
        if any(x - r < left or x + r > right or y - r < bottom or y + r > top for x, y, r in circles):
            return "a circle is not in the rectangle"
        pairs = combinations(circles, 2)
        overlap = any((a - x) ** 2 + (b - y) ** 2 < (c + r) ** 2 for (a, b, c), (x, y, r) in pairs)
        return "two circles overlap" if overlap else None

    def measure(self, value: list[Circle], task: Task) -> Fraction:
        """The sum of the radii."""
        return sum((r for _, _, r in value), Fraction(0))


@register("rlvr/CirclePacking-v0", family="optimisation")
@dataclass(frozen=True, kw_only=True)
class CirclePacking(ClassicProblem):
    """Pack circles of any sizes into a rectangle; the greatest sum of radii that is known is correct.

    Difficulty 1 has 3 or 4 circles and 10 has 25 or 26, in rectangles of four shapes (1:1, 3:4, 2:3, 1:2), of any
    size, anywhere in the plane. "Best known" is the best that our own search attained
    (``datasets/optimisation``); 26 circles in the unit square have 2.63598, where AlphaEvolve (2025) reported 2.635.
    Correct is what comes within 0.01 % of it or beats it; 95 % of it earns 0.1. The hardness is the number of contacts
    in the best packing.

    Attributes:
        classic: the unit square; each difficulty then has a single task, and 10 has 26 circles.
    """

    verifier: ClassVar[str] = "circle_packing"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Scales, turns and moves a packing out of our records."""
        count = level(difficulty, 4, 26)
        if self.classic:
            row = next(r for r in records("circle_packing") if r["n"] == count and r["shape"] == [1, 1])
            circles = [[Fraction(number) for number in circle] for circle in row["circles"]]
            return _task(circles, [0, 0, 1, 1])
        count -= integer(rng, 0, 1)
        row = pick(rng, [r for r in records("circle_packing") if r["n"] == count])
        circles = [[Fraction(number) for number in circle] for circle in row["circles"]]
        width, height = row["shape"]
        if rng.random() < 0.5:
            width, height = height, width
            circles = [[y, x, r] for x, y, r in circles]
        scale, left, bottom = integer(rng, 2, 60), integer(rng, -50, 50), integer(rng, -50, 50)
        moved = [[x * scale + left, y * scale + bottom, r * scale] for x, y, r in circles]
        return _task(shuffled(rng, moved), [left, bottom, left + width * scale, bottom + height * scale])

    def answer_text(self, task: Task) -> str:
        """The packing of our records."""
        return str(task.answer["reference"])


def _task(circles: list[Circle], box: list[int]) -> Task:
    left, bottom, right, top = box
    best = float(sum(r for _, _, r in circles))
    scale = Scale(best, best * PLAIN_SHARE, CirclePackingVerifier.slack)
    reference = ", ".join(f"({', '.join(map(decimal, circle))})" for circle in circles)
    touching, walls = contacts(circles, box)
    return Task(
        prompt=ask(
            f"Place {len(circles)} circles in the rectangle {left} <= x <= {right}, {bottom} <= y <= {top} such that the "
            "sum of their radii is as large as possible. The circles may have different sizes and may touch each other "
            "and the sides, but must not overlap or stick out. This is checked exactly, without any tolerance: leave a "
            "little room when you round.\n\n" + scale.text("the largest sum that is known", "95 % of it"),
            "the circles as (x, y, radius), in decimal numbers,",
            f"({left}.5, {bottom}.25, 0.125), ({right}.5, {top}.25, 0.2)",
        ),
        answer={
            "circles": len(circles),
            "box": box,
            "best": scale.best,
            "plain": scale.plain,
            "reference": reference,
        },
        metadata={"circles": len(circles), "hardness": touching + walls},
        solution=(
            f"In a good packing no circle can grow: each is held by others or by the sides. Moving circles about, and "
            f"solving for the radii each time, ends in one where {touching} pairs touch and circles touch the sides "
            f"{walls} times. From the largest to the smallest, the radii are "
            f"{', '.join(f'{float(r):.4f}' for r in sorted((c[2] for c in circles), reverse=True))}: the sum is "
            f"{best:.6f}.\nSo: {reference}"
        ),
    )


def decimal(value: Fraction) -> str:
    """A number with at most ten decimals as text, exactly."""
    whole, rest = divmod(abs(int(value * 10**PLACES)), 10**PLACES)
    return f"{'-' if value < 0 else ''}{whole}.{rest:0{PLACES}d}"


def contacts(circles: Sequence[Circle], box: Sequence[int]) -> tuple[int, int]:
    """How many pairs of circles touch, and how often circles touch the sides, to within a millionth of the width."""
    near = 1e-6 * min(box[2] - box[0], box[3] - box[1])
    x, y, r = np.array([[float(number) for number in circle] for circle in circles]).T
    i, j = np.triu_indices(len(x), 1)
    pairs = np.hypot(x[i] - x[j], y[i] - y[j]) - r[i] - r[j] < near
    walls = np.concatenate([x - r - box[0], y - r - box[1], box[2] - x - r, box[3] - y - r]) < near
    return int(pairs.sum()), int(walls.sum())
