"""TSP: the shortest tour through all cities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import isqrt
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.algorithmic._graphs import LETTERS
from rlvr_gym.envs.algorithmic._reading import parse_names
from rlvr_gym.envs.optimisation._graded import GradedVerifier, Scale
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier

__all__ = ["TSP", "TSPVerifier"]

SIZE = 100
Distances = NDArray[np.int64]


@register_verifier("tsp")
class TSPVerifier(GradedVerifier[list[str]]):
    """Any tour through all cities, by its length; the start may be repeated at the end."""

    def read(self, answer: str, task: Task) -> list[str] | None:
        """Names of cities in order."""
        return parse_names(answer, task.answer["cities"])

    def fault(self, value: list[str], task: Task) -> str | None:
        """The first rule that is broken."""
        tour = _opened(value)
        if len(set(tour)) < len(tour):
            return "a city is visited twice"
        return None if len(tour) == len(task.answer["cities"]) else "a city is left out"

    def measure(self, value: list[str], task: Task) -> int:
        """The length of the closed tour."""
        cities = task.answer["cities"]
        tour = _opened(value)
        return sum(distance(cities[a], cities[b]) for a, b in zip(tour, [*tour[1:], tour[0]], strict=True))


def _opened(tour: list[str]) -> list[str]:
    return tour[:-1] if len(tour) > 1 and tour[0] == tour[-1] else tour


def distance(a: Sequence[int], b: Sequence[int]) -> int:
    """The Euclidean distance rounded to the nearest whole number, as TSPLIB's EUC_2D; computed in whole numbers."""
    square = (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2
    root = isqrt(square)
    return root + (square > root * (root + 1))  # sqrt(s) > r + 1/2 exactly if s > r^2 + r, as s is whole


@register("rlvr/TSP-v0", family="optimisation")
@dataclass(frozen=True, kw_only=True)
class TSP(Problem):
    """Find a short tour through cities in the plane; the shortest is correct, others earn a share.

    Difficulty 1 has 6 cities and each level one more, to 15, on a grid of 101 by 101 points; distances are rounded to
    whole numbers. The optimum is exact (dynamic programming over sets of cities; Held and Karp 1962). The tour of the
    nearest neighbours earns 0.1 and is never the best. The hardness is the number of cities plus the number of
    exchanges that improve that tour before the optimum.
    """

    verifier: ClassVar[str] = "tsp"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws cities until the nearest neighbours make no shortest tour."""
        count = level(difficulty, 6, 15)
        while True:
            places = [
                (p // (SIZE + 1), p % (SIZE + 1)) for p in rng.permutation((SIZE + 1) ** 2)[:count].tolist()
            ]
            table = np.array([[distance(a, b) for b in places] for a in places])
            start = nearest_neighbours(table)
            best_length, best = held_karp(table)
            if best_length < length(start, table):
                break
        lines = _reasoning(start, best, table)
        scale = Scale(best_length, length(start, table))
        listed = "\n".join(f"{LETTERS[i]}: ({x}, {y})" for i, (x, y) in enumerate(places))
        return Task(
            prompt=ask(
                "Find a tour as short as possible that visits each of these cities once and returns to the first. The "
                "distance of two cities is their Euclidean distance, rounded to the nearest whole number, and the "
                f"length of the tour is the sum of the rounded distances:\n\n{listed}\n\n"
                + scale.text(
                    "the length of the shortest tour", "the length of a tour that always takes the nearest"
                ),
                "the cities in order",
                "X, Y, Z",
            ),
            answer={
                "cities": {LETTERS[i]: list(place) for i, place in enumerate(places)},
                "best": scale.best,
                "plain": scale.plain,
                "reference": _named(best),
            },
            metadata={"cities": count, "hardness": count + len(lines)},
            solution="\n".join([*lines, f"So: {_named(best)}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The shortest tour that the dynamic programme found."""
        return str(task.answer["reference"])


def _named(tour: Sequence[int]) -> str:
    return ", ".join(LETTERS[i] for i in tour)


def length(tour: Sequence[int], table: Distances) -> int:
    """The length of a closed tour."""
    return int(table[list(tour), [*tour[1:], tour[0]]].sum())


def nearest_neighbours(table: Distances) -> list[int]:
    """The tour from city 0 that always goes to the nearest city that is left."""
    tour, left = [0], set(range(1, len(table)))
    while left:
        here = tour[-1]
        tour.append(min(left, key=lambda city: (table[here, city], city)))
        left.remove(tour[-1])
    return tour


@lru_cache(maxsize=16)
def _layers(cities: int) -> list[NDArray[np.int64]]:
    """All sets of ``cities`` cities as bit masks, by their number of members."""
    masks = np.arange(1 << cities)
    sizes = np.array([mask.bit_count() for mask in range(1 << cities)])
    return [masks[sizes == size] for size in range(cities + 1)]


def held_karp(table: Distances) -> tuple[int, list[int]]:
    """The length of a shortest tour and such a tour from city 0; ``n^2 2^(n - 1)`` steps in array operations."""
    others = len(table) - 1
    far = int(table.sum()) + 1
    # cost[c, mask]: the shortest way from city 0 through the cities of mask, the last of which is c
    cost = np.full((others, 1 << others), far, dtype=np.int64)
    for city in range(others):
        cost[city, 1 << city] = table[0, city + 1]
    between = table[1:, 1:]
    for masks in _layers(others)[2:]:
        for city in range(others):
            having = masks[masks >> city & 1 == 1]
            cost[city, having] = (cost[:, having ^ (1 << city)] + between[:, city, None]).min(axis=0)
    mask = (1 << others) - 1
    ends = cost[:, mask] + table[1:, 0]
    city = int(ends.argmin())
    total, tour = int(ends[city]), [city + 1]
    while mask := mask ^ (1 << city):
        city = int((cost[:, mask] + between[:, city]).argmin())
        tour.append(city + 1)
    return total, [0, *reversed(tour)]


def _reasoning(start: list[int], best: list[int], table: Distances) -> list[str]:
    """The tour of nearest neighbours, exchanges of two edges that shorten it, and the optimum."""
    tour = start
    lines = [f"Always to the nearest city: {_named(tour)}, length {length(tour, table)}."]
    while (shorter := _exchange(tour, table)) is not None:
        tour = shorter
        lines.append(f"Turning a part around: {_named(tour)}, length {length(tour, table)}.")
    if length(tour, table) > length(best, table):
        lines.append(
            "No part is worth turning now. The shortest ways through all sets of cities, built up city by city, give "
            f"{_named(best)}, length {length(best, table)}."
        )
    return lines


def _exchange(tour: list[int], table: Distances) -> list[int] | None:
    """The shortest tour with one part turned around, if that is shorter."""
    turned = [
        tour[: i + 1] + tour[i + 1 : j + 1][::-1] + tour[j + 1 :]
        for i, j in combinations(range(len(tour)), 2)
    ]
    best = min(turned, key=lambda other: length(other, table))
    return best if length(best, table) < length(tour, table) else None
