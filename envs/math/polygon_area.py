"""Areas of polygons from the coordinates of their corners."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import atan2
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["PolygonArea"]


@register("rlvr/PolygonArea-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class PolygonArea(Problem):
    """Find the area of a polygon whose corners have whole coordinates.

    Difficulty d gives 3 to 8 corners with coordinates up to 5 to 40.
    """

    verifier: ClassVar[str] = "rational"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Corners in the order of their angles around one point, all different: the polygon is simple."""
        count, size = level(difficulty, 3, 8), level(difficulty, 5, 40)
        corners: list[tuple[int, int]] = []
        area = Fraction(0)
        while area in (0, 1):
            around: dict[float, tuple[int, int]] = {}
            while len(around) < count:
                x, y = integer(rng, -size, size), integer(rng, -size, size)
                if x or y:
                    around[round(atan2(y, x), 9)] = (x, y)
            shift = integer(rng, -size, size), integer(rng, -size, size)
            corners = [(x + shift[0], y + shift[1]) for _, (x, y) in sorted(around.items())]
            gaps = np.diff([*sorted(around), min(around) + 2 * np.pi])
            # a gap of more than half a turn would put the centre outside and could make edges cross
            area = _shoelace(corners)[1] if max(gaps) < np.pi - 1e-6 else Fraction(0)
        steps, area = _shoelace(corners)
        listed = ", ".join(f"({x}, {y})" for x, y in corners)
        return Task(
            prompt=ask(
                f"What is the area of the polygon with the corners {listed} (in this order)?",
                "it as a whole number, decimal or fraction",
                "7/3",
            ),
            answer=str(area),
            metadata={"corners": count, "hardness": sum(map(len, steps))},
            solution="\n".join(steps),
        )


def _shoelace(corners: list[tuple[int, int]]) -> tuple[list[str], Fraction]:
    parts, steps = [], []
    for (a, b), (c, d) in zip(corners, corners[1:] + corners[:1], strict=True):
        parts.append(a * d - c * b)
        steps.append(f"({a}) * ({d}) - ({c}) * ({b}) = {parts[-1]}")
    area = Fraction(abs(sum(parts)), 2)
    return [*steps, f"The sum is {sum(parts)}, half of its size is {area}."], area
