"""Simultaneous congruences."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, prod
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier, integer_of

__all__ = ["ChineseRemainder", "CongruencesVerifier"]


@register_verifier("congruences")
class CongruencesVerifier(ParsedVerifier[int]):
    """``task.answer`` is ``{"congruences": [[remainder, modulus], ...], "value"}``; any solution is right."""

    def read(self, answer: str, task: Task) -> int | None:
        """A whole number."""
        return integer_of(answer)

    def holds(self, value: int, task: Task) -> bool:
        """Every congruence."""
        return all(value % modulus == remainder for remainder, modulus in task.answer["congruences"])


@register("rlvr/ChineseRemainder-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class ChineseRemainder(Problem):
    """Find a number with given remainders modulo pairwise coprime numbers.

    Difficulty d gives 2 to 5 congruences with moduli up to 16 (d = 1) to 60 (d = 10).
    """

    verifier: ClassVar[str] = "congruences"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws coprime moduli and remainders of at least 2, so that neither 0 nor 1 is a solution."""
        count, size = level(difficulty, 2, 5), level(difficulty, 16, 60)
        moduli: list[int] = []
        while len(moduli) < count:
            modulus = integer(rng, 7, size)
            if all(gcd(modulus, m) == 1 for m in moduli):
                moduli.append(modulus)
        congruences = [[integer(rng, 2, m - 1), m] for m in moduli]
        steps, value = _sieve(congruences)
        rules = "\n".join(f"x leaves the remainder {r} when divided by {m}" for r, m in congruences)
        example = next(n for n in (37, 41, 38) if any(n % m != r for r, m in congruences))
        return Task(
            prompt=ask(
                f"Find a whole number x such that\n{rules}\nAny such x is accepted.", "x", str(example)
            ),
            answer={"congruences": congruences, "value": value},
            metadata={"modulus": prod(moduli), "hardness": len(steps) * len(str(prod(moduli)))},
            solution="\n".join(steps),
        )

    def answer_text(self, task: Task) -> str:
        """The smallest solution that is not negative."""
        return str(task.answer["value"])


def _sieve(congruences: list[list[int]]) -> tuple[list[str], int]:
    """One congruence after the other: the step that fits the next one is found with an inverse."""
    value, modulus = congruences[0]
    steps = [f"x = {value} + {modulus}k"]
    for remainder, m in congruences[1:]:
        k = (remainder - value) * pow(modulus, -1, m) % m
        steps.append(f"{modulus}k = {(remainder - value) % m} (mod {m}) gives k = {k}")
        value, modulus = value + modulus * k, modulus * m
        steps.append(f"x = {value} + {modulus}k")
    return [*steps, f"The smallest one is {value}."], value
