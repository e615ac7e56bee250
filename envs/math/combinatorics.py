"""Counting arrangements, choices, paths and distributions."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, factorial, prod
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, pick
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Combinatorics"]

Counted = tuple[str, list[str], int]


@register("rlvr/Combinatorics-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class Combinatorics(Problem):
    """Count arrangements of letters, committees, lattice paths, distributions of balls and numerals.

    Difficulty d lets the sizes grow from about 4 to about 13; conditions (at least, not adjacent, through a
    point) come in from 4 on.
    """

    verifier: ClassVar[str] = "integer"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws one of the kinds of question; counts below 3 are drawn again."""
        size = level(difficulty, 4, 13)
        kinds = (_letters, _committee, _paths, _balls, _numerals, _circle)
        value = 0
        while value < 3:
            question, steps, value = pick(rng, kinds)(rng, size, difficulty >= 4)
        return Task(
            prompt=ask(question, "the whole number", "17", "19", answer=str(value)),
            answer=str(value),
            metadata={"size": size, "hardness": 3 * size + len(str(value)) + sum(map(len, steps)) / 10},
            solution="\n".join(steps),
        )


def _letters(rng: np.random.Generator, size: int, harder: bool) -> Counted:
    counts = [1] * integer(rng, 2, 4)
    while sum(counts) < size:
        counts[integer(rng, 0, len(counts) - 1)] += 1
    word = "".join(letter * n for letter, n in zip("ABCDE", counts, strict=False))
    below = prod(map(factorial, counts))
    total = factorial(size) // below
    divisor = " * ".join(f"{n}!" for n in counts)
    steps = [f"All arrangements: {size}! / ({divisor}) = {total}"]
    if not harder:
        return f"In how many different ways can the letters {word} be arranged in a row?", steps, total
    # as a block, the letters A count as a single one
    glued = factorial(size - counts[0] + 1) // (below // factorial(counts[0]))
    steps.append(f"All letters A in one block: {size - counts[0] + 1}! / (the other factorials) = {glued}")
    steps.append(f"{total} - {glued} = {total - glued}")
    question = (
        f"In how many different ways can the letters {word} be arranged in a row such that the letters A do not "
        "all stand next to each other?"
    )
    return question, steps, total - glued


def _committee(rng: np.random.Generator, size: int, harder: bool) -> Counted:
    women, men = integer(rng, 3, size), integer(rng, 3, size)
    chosen = integer(rng, 2, min(size // 2 + 1, women + men - 1))
    least = integer(rng, 1, chosen) if harder else 0
    who = f"From {women} women and {men} men a committee of {chosen} is chosen."
    ways = [(k, comb(women, k) * comb(men, chosen - k)) for k in range(least, chosen + 1)]
    total = sum(n for _, n in ways)
    if not harder:
        step = f"C({women + men}, {chosen}) = {total}"
        return f"{who} How many different committees are possible?", [step], total
    steps = [f"{k} women: C({women}, {k}) * C({men}, {chosen - k}) = {n}" for k, n in ways]
    steps.append(" + ".join(str(n) for _, n in ways) + f" = {total}")
    return f"{who} How many different committees have at least {least} women in them?", steps, total


def _paths(rng: np.random.Generator, size: int, harder: bool) -> Counted:
    right, up = integer(rng, 2, size), integer(rng, 2, size)
    total = comb(right + up, up)
    question = f"A path from (0, 0) to ({right}, {up}) takes steps of length 1 to the right or up."
    steps = [f"All paths: C({right + up}, {up}) = {total}"]
    if not harder:
        return f"{question} How many such paths are there?", steps, total
    x, y = integer(rng, 1, right - 1), integer(rng, 1, up)
    first, second = comb(x + y, y), comb(right - x + up - y, up - y)
    steps.append(f"To ({x}, {y}): C({x + y}, {y}) = {first}; from there: {second}")
    steps.append(f"{total} - {first} * {second} = {total - first * second}")
    return f"{question} How many such paths do not go through ({x}, {y})?", steps, total - first * second


def _balls(rng: np.random.Generator, size: int, harder: bool) -> Counted:
    boxes = integer(rng, 2, 2 + size // 3)
    least = integer(rng, 1, 2) if harder else 0
    balls = boxes * least + integer(rng, 3, size)
    rest = balls - boxes * least
    total = comb(rest + boxes - 1, boxes - 1)
    condition = f" such that each box holds at least {least}" if least else ""
    question = f"In how many ways can {balls} identical balls be put into {boxes} different boxes{condition}?"
    steps = [f"Put {least} into each box; {rest} balls are left."] if least else []
    steps.append(f"Stars and bars: C({rest} + {boxes - 1}, {boxes - 1}) = {total}")
    return question, steps, total


def _numerals(rng: np.random.Generator, size: int, harder: bool) -> Counted:
    length = integer(rng, 2, min(size // 2 + 1, 6) if not harder else size)
    if not harder:
        total = 9 * prod(range(9, 10 - length, -1))
        factors = " * ".join(map(str, (9, *range(9, 10 - length, -1))))
        return f"How many {length}-digit numbers have no repeated digit?", [f"{factors} = {total}"], total
    digit, wanted = integer(rng, 1, 9), integer(rng, 1, length)
    leading = comb(length - 1, wanted - 1) * 9 ** (length - wanted)
    inner = 8 * comb(length - 1, wanted) * 9 ** max(length - 1 - wanted, 0)
    steps = [
        f"Beginning with {digit}: C({length - 1}, {wanted - 1}) * 9^{length - wanted} = {leading}",
        f"Beginning with another digit: 8 * C({length - 1}, {wanted}) * 9^{max(length - 1 - wanted, 0)} = {inner}",
        f"{leading} + {inner} = {leading + inner}",
    ]
    times = "exactly once" if wanted == 1 else f"exactly {wanted} times"
    return f"How many {length}-digit numbers contain the digit {digit} {times}?", steps, leading + inner


def _circle(rng: np.random.Generator, size: int, harder: bool) -> Counted:
    people = integer(rng, 4, max(5, size))
    total = factorial(people - 1)
    question = (
        f"In how many ways can {people} people sit at a round table (turned seatings count as the same)"
    )
    steps = [f"One person fixes the turning: {people - 1}! = {total}"]
    if not harder:
        return f"{question}?", steps, total
    friends = integer(rng, 2, people - 2)
    together = factorial(friends) * factorial(people - friends)
    steps.append(f"With the {friends} friends in one block: {friends}! * {people - friends}! = {together}")
    steps.append(f"{total} - {together} = {total - together}")
    return (
        f"{question} if {friends} friends among them must not all sit in one block?",
        steps,
        total - together,
    )
