"""Points, lines and areas in the plane, with rational coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, nonzero, pick
from rlvr_gym.envs.math._algebra import signed_sum
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["CoordinateGeometry"]

Point = tuple[Fraction, Fraction]
Found = tuple[str, list[str], Point]


@register("rlvr/CoordinateGeometry-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class CoordinateGeometry(Problem):
    """Find a point: division of a segment, centroid, intersection, foot of a perpendicular, mirror image, centre.

    Difficulty d gives coordinates up to 5 to 23; every second step brings a harder
    construction in and leaves an easier one out.
    """

    verifier: ClassVar[str] = "number_tuple"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a construction; degenerate ones and the origin are drawn again."""
        size = 3 + 2 * difficulty
        kinds = (_division, _centroid, _intersection, _foot, _mirror, _circumcentre)
        allowed = kinds[(difficulty - 1) // 2 : (difficulty - 1) // 2 + 2]
        while True:
            found = pick(rng, allowed)(rng, size)
            if found is not None and any(found[2]):
                break
        question, steps, point = found
        answer = _text(point)
        return Task(
            prompt=ask(
                question,
                "the point as a pair of whole numbers or fractions",
                "(7/13, -4)",
                "(1/17, 5)",
                answer=answer,
            ),
            answer=answer,
            metadata={"hardness": sum(map(len, steps))},
            solution="\n".join([*steps, f"The point is {answer}."]),
        )


def _text(point: Point) -> str:
    return f"({point[0]}, {point[1]})"


def _point(rng: np.random.Generator, size: int) -> Point:
    return Fraction(integer(rng, -size, size)), Fraction(integer(rng, -size, size))


def _line(rng: np.random.Generator, size: int) -> tuple[int, int, int]:
    """``ax + by = c``."""
    return nonzero(rng, size // 2 + 1), nonzero(rng, size // 2 + 1), integer(rng, -size, size)


def _equation(a: int | Fraction, b: int | Fraction, c: int | Fraction) -> str:
    return f"{signed_sum([(a, 'x'), (b, 'y')])} = {c}"


def _division(rng: np.random.Generator, size: int) -> Found | None:
    a, b = _point(rng, size), _point(rng, size)
    m, n = integer(rng, 1, size // 2), integer(rng, 1, size // 2)
    share = Fraction(m, m + n)
    result = (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]))
    steps = [
        f"{name}: {p} + {share} * ({q - p}) = {r}" for name, p, q, r in zip("xy", a, b, result, strict=True)
    ]
    question = (
        f"The point P lies on the segment from A{_text(a)} to B{_text(b)} with AP : PB = {m} : {n}. Find P."
    )
    return (question, steps, result) if a != b else None


def _centroid(rng: np.random.Generator, size: int) -> Found | None:
    points = [_point(rng, size) for _ in range(3)]
    xs, ys = zip(*points, strict=True)
    result = (sum(xs, Fraction(0)) / 3, sum(ys, Fraction(0)) / 3)
    steps = [f"{name}: ({' + '.join(f'({v})' for v in vs)}) / 3" for name, vs in (("x", xs), ("y", ys))]
    listed = ", ".join(name + _text(p) for name, p in zip("ABC", points, strict=True))
    return f"Find the centroid of the triangle with the corners {listed}.", steps, result


def _meet(first: tuple[Fraction, ...], second: tuple[Fraction, ...]) -> tuple[list[str], Point] | None:
    """Cramer's rule for two lines ``ax + by = c``."""
    (a, b, c), (d, e, f) = first, second
    below = a * e - b * d
    if not below:
        return None
    x, y = (c * e - b * f) / below, (a * f - c * d) / below
    steps = [
        f"{_equation(a, b, c)} and {_equation(d, e, f)}",
        f"x = ({c * e - b * f}) / ({below}) = {x}",
        f"y = ({a * f - c * d}) / ({below}) = {y}",
    ]
    return steps, (x, y)


def _exact(*values: int | Fraction) -> tuple[Fraction, ...]:
    return tuple(map(Fraction, values))


def _intersection(rng: np.random.Generator, size: int) -> Found | None:
    first, second = _line(rng, size), _line(rng, size)
    met = _meet(_exact(*first), _exact(*second))
    question = f"Where do the lines {_equation(*first)} and {_equation(*second)} meet?"
    return (question, *met) if met else None


def _perpendicular(rng: np.random.Generator, size: int) -> tuple[str, Point, list[str], Point] | None:
    """A line in writing, a point off it, and the way to the foot of the perpendicular."""
    (a, b, c), p = _line(rng, size), _point(rng, size)
    met = _meet(_exact(a, b, c), _exact(b, -a, b * p[0] - a * p[1]))
    if met is None or met[1] == p:
        return None
    return _equation(a, b, c), p, ["The perpendicular through P meets the line:", *met[0]], met[1]


def _foot(rng: np.random.Generator, size: int) -> Found | None:
    drawn = _perpendicular(rng, size)
    if drawn is None:
        return None
    line, p, steps, foot = drawn
    return f"Find the foot of the perpendicular from P{_text(p)} to the line {line}.", steps, foot


def _mirror(rng: np.random.Generator, size: int) -> Found | None:
    drawn = _perpendicular(rng, size)
    if drawn is None:
        return None
    line, p, steps, foot = drawn
    image = (2 * foot[0] - p[0], 2 * foot[1] - p[1])
    question = f"Find the mirror image of P{_text(p)} in the line {line}."
    return question, [*steps, f"2 * F - P = {_text(image)}"], image


def _circumcentre(rng: np.random.Generator, size: int) -> Found | None:
    a, b, c = (_point(rng, size) for _ in range(3))
    lines = [
        _exact(2 * (q[0] - a[0]), 2 * (q[1] - a[1]), q[0] ** 2 + q[1] ** 2 - a[0] ** 2 - a[1] ** 2)
        for q in (b, c)
    ]
    met = _meet(lines[0], lines[1])
    if met is None:
        return None
    question = f"Find the centre of the circle through A{_text(a)}, B{_text(b)} and C{_text(c)}."
    return question, ["The perpendicular bisectors of AB and AC meet there:", *met[0]], met[1]
