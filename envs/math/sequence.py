"""Terms of a sequence whose rule is stated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero, pick
from rlvr_gym.envs.math._algebra import signed_sum
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Sequence"]


@register("rlvr/Sequence-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class Sequence(Problem):
    """Work out a term, or a sum of terms, of a sequence with a stated rule.

    Difficulty d gives the term a(4) to a(14); second-order rules come in at 3, rules with cases at 5.
    """

    verifier: ClassVar[str] = "integer"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a rule and first terms until the wanted value is not 0 or 1."""
        last = level(difficulty, 4, 14) + integer(rng, 0, 1)
        rules = [_first_order, _second_order, _with_cases][: 1 + (difficulty >= 3) + (difficulty >= 5)]
        summed = difficulty >= 4 and rng.random() < 0.3
        value = 0
        while value in (0, 1):
            rule, terms, steps = pick(rng, rules)(rng, last)
            value = sum(terms) if summed else terms[-1]
        if summed:
            steps.append(" + ".join(f"({t})" if t < 0 else str(t) for t in terms) + f" = {value}")
        what = f"the sum a(1) + ... + a({last})" if summed else f"a({last})"
        return Task(
            prompt=ask(
                f"A sequence is given by {rule}. Find {what}.",
                "it as a whole number",
                "-42",
                "58",
                answer=str(value),
            ),
            answer=str(value),
            metadata={"index": last, "hardness": sum(map(len, steps))},
            solution="\n".join(steps),
        )


Sequel = tuple[str, list[int], list[str]]


def _first_order(rng: np.random.Generator, last: int) -> Sequel:
    start, factor, shift, slope = (
        integer(rng, 1, 9),
        pick(rng, (2, 3, -2, 1)),
        nonzero(rng, 9),
        integer(rng, 0, 3),
    )
    slope = slope or (factor == 1) * 2
    terms, steps = [start], []
    tail = signed_sum([(factor, "a(n-1)"), (slope, "n"), (shift, "")])
    for n in range(2, last + 1):
        terms.append(factor * terms[-1] + slope * n + shift)
        steps.append(
            f"a({n}) = {signed_sum([(factor, f'*({terms[-2]})'), (slope * n, ''), (shift, '')])} = {terms[-1]}"
        )
    return f"a(1) = {start} and a(n) = {tail} for n > 1", terms, [s.replace("= *(", "= (") for s in steps]


def _second_order(rng: np.random.Generator, last: int) -> Sequel:
    first, second = integer(rng, 1, 5), integer(rng, 1, 7)
    p, q = pick(rng, (1, 2, 3)), pick(rng, (1, -1, 2, -2))
    terms, steps = [first, second], []
    for n in range(3, last + 1):
        terms.append(p * terms[-1] + q * terms[-2])
        steps.append(f"a({n}) = {p} * ({terms[-2]}) + ({q}) * ({terms[-3]}) = {terms[-1]}")
    rule = signed_sum([(p, "a(n-1)"), (q, "a(n-2)")])
    return f"a(1) = {first}, a(2) = {second} and a(n) = {rule} for n > 2", terms, steps


def _with_cases(rng: np.random.Generator, last: int) -> Sequel:
    start, factor, shift = integer(rng, 5, 40), pick(rng, (3, 5)), pick(rng, (1, 3, 5, 7))
    terms, steps = [start], []
    for n in range(2, last + 1):
        before = terms[-1]
        even = before % 2 == 0
        terms.append(before // 2 if even else factor * before + shift)
        how = f"{before} / 2" if even else f"{factor} * {before} + {shift}"
        steps.append(f"a({n}) = {how} = {terms[-1]}, as {before} is {'even' if even else 'odd'}")
    rule = f"a(n) = a(n-1)/2 if a(n-1) is even and a(n) = {factor}a(n-1) + {shift} if it is odd, for n > 1"
    return f"a(1) = {start}, {rule}", terms, steps
