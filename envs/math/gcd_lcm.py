"""Greatest common divisors and least common multiples."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, lcm
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["GcdLcm"]


@register("rlvr/GcdLcm-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class GcdLcm(Problem):
    """Find the greatest common divisor or the least common multiple of two to four numbers.

    Difficulty d gives numbers of up to 3 to 8 digits (smaller ones for multiples); a third number comes in at 5, a
    fourth at 9.
    """

    verifier: ClassVar[str] = "integer"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Chooses the common divisor first, so that it is seldom 1."""
        multiple = rng.random() < 0.5
        count = 2 + (difficulty >= 5) + (difficulty >= 9)
        size = (1.8 if multiple else 2.5) ** difficulty
        common = integer(rng, 2, int(12 + size))
        numbers: list[int] = []
        while len(numbers) < count:
            number = common * integer(rng, 2, int(24 + size))
            if number not in numbers:
                numbers.append(number)
        value = lcm(*numbers) if multiple else gcd(*numbers)
        steps = _combine(numbers, multiple)
        name = "least common multiple" if multiple else "greatest common divisor"
        listed = ", ".join(map(str, numbers[:-1])) + f" and {numbers[-1]}"
        return Task(
            prompt=ask(
                f"What is the {name} of {listed}?", "it as a whole number", "35", "84", answer=str(value)
            ),
            answer=str(value),
            metadata={
                "kind": "lcm" if multiple else "gcd",
                "hardness": len(steps) + sum(len(str(n)) for n in numbers),
            },
            solution="\n".join(steps),
        )


def _combine(numbers: list[int], multiple: bool) -> list[str]:
    """Euclid's steps for one number after the other."""
    steps, value = [], numbers[0]
    for number in numbers[1:]:
        a, b = max(value, number), min(value, number)
        while b:
            steps.append(f"{a} = {a // b} * {b} + {a % b}")
            a, b = b, a % b
        steps.append(f"gcd({value}, {number}) = {a}")
        if multiple:
            steps.append(f"lcm({value}, {number}) = {value} / {a} * {number} = {value // a * number}")
        value = value // a * number if multiple else a
    return steps
