"""Prime factorisation of whole numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level, pick
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier, parse_factors

__all__ = ["FactorsVerifier", "PrimeFactorization", "primes_below"]


def primes_below(limit: int) -> list[int]:
    """All primes below ``limit``, by the sieve of Eratosthenes."""
    sieve = bytearray([1]) * limit
    sieve[:2] = b"\0\0"
    for n in range(2, int(limit**0.5) + 1):
        if sieve[n]:
            sieve[n * n :: n] = bytes(len(range(n * n, limit, n)))
    return [n for n in range(limit) if sieve[n]]


_PRIMES = primes_below(1000)


@register_verifier("prime_factors")
class FactorsVerifier(ParsedVerifier[list[int]]):
    """``task.answer`` is the list of prime factors with repetition, which is unique up to order."""

    def read(self, answer: str, task: Task) -> list[int] | None:
        """A product of powers."""
        return parse_factors(answer)

    def holds(self, value: list[int], task: Task) -> bool:
        """The same primes as often; factors 1 are no primes."""
        return value == sorted(task.answer)


@register("rlvr/PrimeFactorization-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class PrimeFactorization(Problem):
    """Write a whole number as a product of primes.

    Difficulty d gives 2 to 6 prime factors (with repetition) out of the primes up to 11 (d = 1) to 113 (d = 10).
    """

    verifier: ClassVar[str] = "prime_factors"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws small primes and one from the upper half of the allowed ones, and multiplies them."""
        pool = _PRIMES[: level(difficulty, 5, 30)]
        small = [pick(rng, pool[: 2 + difficulty // 2]) for _ in range(level(difficulty, 1, 5))]
        factors = sorted([*small, pick(rng, pool[len(pool) // 2 :])])
        number = prod(factors)
        rest, steps = number, []
        for factor in factors[:-1]:
            steps.append(f"{rest} / {factor} = {rest // factor}")
            rest //= factor
        steps += [f"{rest} is prime.", f"{number} = {_power_text(factors)}"]
        return Task(
            prompt=ask(
                f"Find the prime factorisation of {number}.",
                "it as a product of powers of primes",
                "2^3 * 7^2 * 101",
            ),
            answer=factors,
            metadata={"number": number, "hardness": len(factors) * len(str(number)) + factors[-1] / 10},
            solution="\n".join(steps),
        )

    def answer_text(self, task: Task) -> str:
        """``2^3 * 5``."""
        factors: Any = task.answer
        return _power_text(factors)


def _power_text(factors: list[int]) -> str:
    return " * ".join(f"{p}^{k}" if k > 1 else str(p) for p, k in sorted(Counter(factors).items()))
