"""Probabilities with fair dice, as exact fractions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, pick
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["DiceProbability"]

_EXAMPLES = ("5/37", "2/41")


@register("rlvr/DiceProbability-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class DiceProbability(Problem):
    """Find the probability of an event with several dice, which may have different numbers of faces.

    Difficulty d gives 2 to 5 dice with 4 to 12 faces.
    """

    verifier: ClassVar[str] = "rational"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws dice and an event of which neither it nor its opposite is certain."""
        count = level(difficulty, 2, 5)
        kinds = (4, 6) if difficulty < 3 else (4, 6, 8) if difficulty < 6 else (6, 8, 10, 12)
        faces = (
            [pick(rng, kinds)] * count if difficulty < 5 else sorted(pick(rng, kinds) for _ in range(count))
        )
        events = (_sum_is, _sum_at_least, _highest, _some_face)
        chance = Fraction(0)
        while chance in (0, 1):
            event, steps, chance = pick(rng, events)(rng, faces)
        dice = ", ".join(map(str, faces[:-1])) + f" and {faces[-1]}"
        return Task(
            prompt=ask(
                f"Fair dice with {dice} faces (numbered from 1) are rolled once. What is the probability that {event}?",
                "the probability as an exact fraction",
                *_EXAMPLES,
                answer=str(chance),
            ),
            answer=str(chance),
            metadata={
                "dice": count,
                "hardness": 2 * sum(faces) + len(str(chance)) + sum(map(len, steps)) / 10,
            },
            solution="\n".join([*steps, f"The probability is {chance}."]),
        )


Event = tuple[str, list[str], Fraction]


def _ways(faces: list[int]) -> tuple[list[str], list[int]]:
    """In how many ways each sum comes about, one die after the other."""
    ways, steps = [1], []
    for n, sides in enumerate(faces, 1):
        longer = [0] * (len(ways) + sides)
        for total, count in enumerate(ways):
            for face in range(1, sides + 1):
                longer[total + face] += count
        ways = longer
        listed = ", ".join(f"{total}: {count}" for total, count in enumerate(ways) if count)
        steps.append(f"Sums of the first {n} dice and their numbers of ways: {listed}")
    return steps[1:], ways


def _sum_is(rng: np.random.Generator, faces: list[int]) -> Event:
    steps, ways = _ways(faces)
    target = integer(rng, len(faces) + 1, sum(faces) - 1)
    total = sum(ways)
    steps.append(f"{ways[target]} of {total} rolls have the sum {target}.")
    return f"their sum is {target}", steps, Fraction(ways[target], total)


def _sum_at_least(rng: np.random.Generator, faces: list[int]) -> Event:
    steps, ways = _ways(faces)
    target = integer(rng, len(faces) + 1, sum(faces) - 1)
    good, total = sum(ways[target:]), sum(ways)
    steps.append(f"{good} of {total} rolls have a sum of at least {target}.")
    return f"their sum is at least {target}", steps, Fraction(good, total)


def _highest(rng: np.random.Generator, faces: list[int]) -> Event:
    top = integer(rng, 2, max(faces))
    below, lower = Fraction(1), Fraction(1)
    for sides in faces:
        below *= Fraction(min(top, sides), sides)
        lower *= Fraction(min(top - 1, sides), sides)
    steps = [
        f"All dice show at most {top} with probability {below}.",
        f"All dice show at most {top - 1} with probability {lower}.",
        f"{below} - {lower} = {below - lower}",
    ]
    return f"the highest number that shows is exactly {top}", steps, below - lower


def _some_face(rng: np.random.Generator, faces: list[int]) -> Event:
    face = integer(rng, 1, min(faces))
    none = Fraction(1)
    for sides in faces:
        none *= Fraction(sides - 1, sides)
    steps = [
        "No die shows it: " + " * ".join(f"{sides - 1}/{sides}" for sides in faces) + f" = {none}",
        f"1 - {none} = {1 - none}",
    ]
    return f"at least one of them shows a {face}", steps, 1 - none
