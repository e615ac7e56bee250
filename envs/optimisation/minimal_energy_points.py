"""MinimalEnergyPoints: charges on a sphere that repel each other (Thomson's problem and its relatives)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import sqrt
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rlvr_gym.envs._authoring import ask, level, pick
from rlvr_gym.envs.optimisation._graded import ClassicProblem, GradedVerifier, Scale
from rlvr_gym.envs.optimisation._reading import parse_triples
from rlvr_gym.envs.optimisation._records import records
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier

__all__ = ["MinimalEnergyPoints", "MinimalEnergyPointsVerifier"]

NEAR = Fraction(1, 1000)
"""How far from the sphere, and from the given point, a point may be before it is moved there."""
CLOSEST = 1e-9
PLACES = 7

Point = Sequence[float]
Floats = NDArray[np.float64]


@register_verifier("minimal_energy_points")
class MinimalEnergyPointsVerifier(GradedVerifier[list[list[Fraction]]]):
    """Any points by their energy, which is that of their projections to the sphere: being off it gains nothing."""

    slack = 1e-6

    def read(self, answer: str, task: Task) -> list[list[Fraction]] | None:
        """Rows of coordinates."""
        return parse_triples(answer)

    def fault(self, value: list[list[Fraction]], task: Task) -> str | None:
        """The first rule that is broken."""
        if len(value) != task.answer["points"]:
            return f"{task.answer['points']} points are asked for"
        if any(not (1 - NEAR) ** 2 <= sum(c * c for c in point) <= (1 + NEAR) ** 2 for point in value):
            return "a point is not on the sphere"
        if task.answer["given"] is not None and _given(value, task) is None:
            return "the given point is not there"
        points = _projected(value, task)
        if min(_square(a, b) for a, b in combinations(points, 2)) < CLOSEST**2:
            return "two points are one"
        return None

    def measure(self, value: list[list[Fraction]], task: Task) -> float:
        """The energy."""
        return energy(_projected(value, task), task.answer["power"])


def _given(points: list[list[Fraction]], task: Task) -> int | None:
    """Which point is the given one."""
    goal = [Fraction(c) for c in task.answer["given"]]
    for index, point in enumerate(points):
        if sum((a - b) ** 2 for a, b in zip(point, goal, strict=True)) <= NEAR**2:
            return index
    return None


def _projected(points: list[list[Fraction]], task: Task) -> list[Point]:
    """The points on the sphere, with the given point in its own place."""
    free: list[list[float]] = [[float(c) for c in point] for point in points]
    if task.answer["given"] is not None and (index := _given(points, task)) is not None:
        free[index] = [float(c) for c in task.answer["given"]]
    lengths = [sqrt(sum(c * c for c in point)) for point in free]
    return [[c / length for c in point] for point, length in zip(free, lengths, strict=True)]


def _square(a: Point, b: Point) -> float:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2


def energy(points: Sequence[Point], power: int) -> float:
    """The sum of ``1 / distance^power`` over all pairs."""
    return sum(float(_square(a, b) ** (-power / 2)) for a, b in combinations(points, 2))


@register("rlvr/MinimalEnergyPoints-v0", family="optimisation")
@dataclass(frozen=True, kw_only=True)
class MinimalEnergyPoints(ClassicProblem):
    """Spread points over a sphere so that their energy is small; the least energy that is known is correct.

    Difficulty 1 has 4 points and 10 has 32; the energy of a pair is one over its distance to the power 1 (Thomson's
    problem of 1904), 2 or 3. One point is given, which turns the sphere and nothing else. The least energies are those
    that our own search found (``datasets/optimisation``); for Thomson's problem they are the published ones. Correct is
    what comes within a millionth; a Fibonacci spiral earns 0.1. The hardness is the number of points plus the logarithm
    (base 2) of how many random starts it takes to find the minimum.

    Attributes:
        classic: Thomson's problem without a given point; each difficulty then has a single task.
    """

    verifier: ClassVar[str] = "minimal_energy_points"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Turns the best points of our records such that one is the given one."""
        count = level(difficulty, 4, 32)
        rows = [row for row in records("minimal_energy") if row["n"] == count]
        if self.classic:
            row = next(row for row in rows if row["power"] == 1)
            return _task(row, np.array(row["points"]), None)
        row = pick(rng, rows)
        goal = rng.normal(size=3)
        given = [f"{c:.6f}" for c in (goal / np.linalg.norm(goal)).tolist()]
        points = turned(np.array(row["points"]), np.array([float(c) for c in given]), rng)
        return _task(row, points, given)

    def answer_text(self, task: Task) -> str:
        """The points of our records, turned."""
        return str(task.answer["reference"])


def _task(row: dict[str, object], points: Floats, given: list[str] | None) -> Task:
    count, power, best = len(points), row["power"], row["energy"]
    starts, hits = row["starts"], row["hits"]
    assert isinstance(power, int)
    assert isinstance(best, float)
    assert isinstance(starts, int)
    assert isinstance(hits, int)
    plain = round(energy(spiral(count), power), 9)
    scale = Scale(best, plain, MinimalEnergyPointsVerifier.slack)
    reference = ", ".join(f"({', '.join(f'{c:.{PLACES}f}' for c in point)})" for point in points.tolist())
    one_over = "1 / d" + (f"^{power}" if power > 1 else "")
    rule = (
        f" One of the points has to be ({', '.join(given)}); a point within 0.001 of it counts as that point."
        if given
        else ""
    )
    return Task(
        prompt=ask(
            f"Place {count} points on the unit sphere (the points at distance 1 from the origin) such that the sum of "
            f"{one_over} over all pairs of points is as small as possible, where d is the distance of the two points. "
            f"Coordinates may be rounded: a point whose distance from the origin is between 0.999 and 1.001 is moved "
            f"to the sphere, along the line through the origin.{rule}\n\n"
            + scale.text("the smallest sum that is known", "the sum for a Fibonacci spiral"),
            "the points as (x, y, z), in decimal numbers,",
            "(1, 0, 0), (0, -1, 0)",
        ),
        answer={
            "points": count,
            "power": power,
            "given": given,
            "best": best,
            "plain": plain,
            "reference": reference,
        },
        metadata={"points": count, "power": power, "hardness": count + float(np.log2(starts / hits))},
        solution=f"{_reasoning(points, power, plain)}\nSo: {reference}",
    )


def _reasoning(points: Floats, power: int, plain: float) -> str:
    gaps = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(gaps, np.inf)
    near = gaps.min(axis=1)
    found = energy(points.tolist(), power)
    return (
        f"A Fibonacci spiral has {plain:.6f}. Letting the points push each other along the sphere until they rest, from "
        f"several starts, the best has {found:.6f}. There each point's nearest neighbour is between {near.min():.4f} and "
        f"{near.max():.4f} away, and the sum of all points is "
        f"{float(np.linalg.norm(points.sum(axis=0))):.4f} away from the origin."
    )


def spiral(count: int) -> list[Point]:
    """The Fibonacci spiral: equal steps in height, golden-angle steps around."""
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    height = 1 - (2 * np.arange(count) + 1) / count
    radius = np.sqrt(1 - height**2)
    points: list[Point] = np.stack([radius * np.cos(turn), radius * np.sin(turn), height], axis=1).tolist()
    return points


def turned(points: Floats, goal: Floats, rng: np.random.Generator) -> Floats:
    """The points ``[n, 3]``, turned at random such that one of them comes to ``goal``, in a random order."""
    order = rng.permutation(len(points))
    points, goal = points[order], goal / np.linalg.norm(goal)
    frame, target = (_frame(direction, rng) for direction in (points[0], goal))
    moved: Floats = points @ frame.T @ target
    return moved[rng.permutation(len(points))]


def _frame(direction: Floats, rng: np.random.Generator) -> Floats:
    """Three orthonormal rows, right-handed, the first of which is ``direction``."""
    second = np.cross(direction, rng.normal(size=3))
    second /= np.linalg.norm(second)
    return np.stack([direction, second, np.cross(direction, second)])
