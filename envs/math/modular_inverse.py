"""Inverses modulo m."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier, integer_of

__all__ = ["ModularInverse", "ModularInverseVerifier"]


@register_verifier("modular_inverse")
class ModularInverseVerifier(ParsedVerifier[int]):
    """``task.answer`` is ``{"a", "modulus", "inverse"}``; every representative of the class is right."""

    def read(self, answer: str, task: Task) -> int | None:
        r"""A whole number; a trailing ``(mod m)`` or ``\pmod{m}`` is presentation."""
        head, sign, tail = answer.partition("mod")
        if sign and integer_of(tail.strip(" (){}")) != task.answer["modulus"]:
            return None
        return integer_of(head.rstrip(" (\\p") if sign else head)

    def holds(self, value: int, task: Task) -> bool:
        """The defining congruence."""
        return bool(value * task.answer["a"] % task.answer["modulus"] == 1)


@register("rlvr/ModularInverse-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class ModularInverse(Problem):
    """Find the inverse of a number modulo m.

    Difficulty d gives a modulus of about 30 * 3^(d - 1).
    """

    verifier: ClassVar[str] = "modular_inverse"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws until the numbers are coprime and the inverse is neither 1 nor -1."""
        size = 30 * 3 ** (difficulty - 1)
        while True:
            modulus = integer(rng, size, 2 * size)
            a = integer(rng, 3, modulus - 2)
            if gcd(a, modulus) == 1 and a * a % modulus != 1:
                break
        inverse = pow(a, -1, modulus)
        steps = _extended_euclid(a, modulus)
        example = next(n for n in (17, 19, 23) if n * a % modulus != 1)
        return Task(
            prompt=ask(
                f"Find a whole number x with {a} * x congruent to 1 modulo {modulus}. Any such x is accepted.",
                "x",
                str(example),
            ),
            answer={"a": a, "modulus": modulus, "inverse": inverse},
            metadata={"hardness": len(steps) * len(str(modulus))},
            solution="\n".join([*steps, f"x = {inverse}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The smallest positive inverse."""
        return str(task.answer["inverse"])


def _extended_euclid(a: int, modulus: int) -> list[str]:
    """Remainders as multiples of ``a`` modulo ``modulus``, down to 1."""
    high, low, x, y = modulus, a, 0, 1
    steps = []
    while low > 1:
        quotient = high // low
        high, low = low, high - quotient * low
        x, y = y, x - quotient * y
        steps.append(f"{low} = {y} * {a} (mod {modulus}), from the quotient {quotient}")
    return steps
