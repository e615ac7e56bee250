"""Counting the numbers up to a bound by what divides them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import lcm
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, pick
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["CountingMultiples"]


@register("rlvr/CountingMultiples-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class CountingMultiples(Problem):
    """How many numbers from 1 to n are divisible by at least one, by none, or by exactly one of some numbers?

    Difficulty d gives bounds up to about 60 * 2.3^d and 2 divisors, from 6 on 3.
    """

    verifier: ClassVar[str] = "integer"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws divisors none of which divides another; inclusion and exclusion gives the count."""
        top = int(60 * 2.3**difficulty)
        divisors: list[int] = []
        while len(divisors) < 2 + (difficulty >= 6):
            new = integer(rng, 2, level(difficulty, 9, 25))
            if all(new % d and d % new for d in divisors):
                divisors.append(new)
        bound = integer(rng, top // 2, top)
        kind = pick(
            rng, ("at least one", "none", "exactly one") if difficulty >= 3 else ("at least one", "none")
        )
        steps, value = _count(bound, sorted(divisors), kind)
        listed = ", ".join(map(str, divisors[:-1])) + f" and {divisors[-1]}"
        return Task(
            prompt=ask(
                f"How many of the whole numbers from 1 to {bound} are divisible by {kind} of the numbers {listed}?",
                "the whole number",
                "17",
                "19",
                answer=str(value),
            ),
            answer=str(value),
            metadata={"kind": kind, "hardness": sum(map(len, steps))},
            solution="\n".join(steps),
        )


def _count(bound: int, divisors: list[int], kind: str) -> tuple[list[str], int]:
    """By the sums S_k of the counts for all k-sets: the weights of S_1, S_2, ... depend on the kind."""
    steps, value = [], bound if kind == "none" else 0
    terms = [str(bound)] if kind == "none" else []
    for k in range(1, len(divisors) + 1):
        counts = []
        for chosen in combinations(divisors, k):
            multiple = lcm(*chosen)
            counts.append(bound // multiple)
            by = f"{' and '.join(map(str, chosen))}, so by {multiple}" if k > 1 else str(multiple)
            steps.append(f"Divisible by {by}: {counts[-1]}")
        sign = (-1) ** (k + (kind != "none"))
        weight = sign * (k if kind == "exactly one" else 1)
        value += weight * sum(counts)
        terms.append(f"{'-' if weight < 0 else '+'} {abs(weight)} * ({' + '.join(map(str, counts))})")
    return [*steps, f"{' '.join(terms).removeprefix('+ ')} = {value}"], value
