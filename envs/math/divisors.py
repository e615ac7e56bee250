"""How many divisors a number has, and what they sum to."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, pick, shuffled
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Divisors"]

_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)


@register("rlvr/Divisors-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class Divisors(Problem):
    """Count or sum the divisors of a number: all, the even ones, or those that a given number divides.

    Difficulty d gives 2 to 5 different primes, exponents up to 2 to 4.
    """

    verifier: ClassVar[str] = "integer"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Chooses the factorisation; multiples of p^j are counted by lowering the exponents that are free."""
        count = level(difficulty, 2, 5)
        primes = sorted(shuffled(rng, _PRIMES[: count + 1 + difficulty // 3])[:count])
        powers = {p: integer(rng, 1, level(difficulty, 2, 4)) for p in primes}
        number = prod(p**k for p, k in powers.items())
        least = dict.fromkeys(primes, 0)
        condition = ""
        if difficulty >= 4 and rng.random() < 0.5:
            special = pick(rng, primes)
            least[special] = integer(rng, 1, powers[special])
            condition = f" that are multiples of {special ** least[special]}"
        summed = difficulty >= 3 and rng.random() < 0.5
        parts = [_part(p, least[p], k, summed) for p, k in powers.items()]
        value = prod(n for _, n in parts)
        what = (
            f"What is the sum of the positive divisors of {number}"
            if summed
            else (f"How many positive divisors of {number} are there")
        )
        factors = " * ".join(f"{p}^{k}" if k > 1 else str(p) for p, k in powers.items())
        steps = [f"{number} = {factors}", *(line for line, _ in parts)]
        steps.append(" * ".join(str(n) for _, n in parts) + f" = {value}")
        return Task(
            prompt=ask(f"{what}{condition}?", "the whole number", "15", "77", answer=str(value)),
            answer=str(value),
            metadata={"number": number, "hardness": sum(powers.values()) * (2 + summed) + 3 * count},
            solution="\n".join(steps),
        )


def _part(prime: int, low: int, high: int, summed: bool) -> tuple[str, int]:
    """What the exponents ``low`` to ``high`` of one prime contribute."""
    if summed:
        values = [prime**k for k in range(low, high + 1)]
        return f"{' + '.join(map(str, values))} = {sum(values)}", sum(values)
    return f"exponents of {prime} from {low} to {high}: {high - low + 1} ways", high - low + 1
