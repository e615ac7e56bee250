"""Probabilities of drawing balls from an urn, as exact fractions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, pick, shuffled
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["UrnProbability"]

_COLOURS = ("red", "blue", "green", "white", "black", "yellow")


@register("rlvr/UrnProbability-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class UrnProbability(Problem):
    """Find the probability of an event when balls are drawn from an urn without putting them back.

    Difficulty d gives 2 to 5 colours, up to 5 to 12 balls of each, and 2 to 5 draws.
    """

    verifier: ClassVar[str] = "rational"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws an urn and an event of which neither it nor its opposite is certain."""
        colours = shuffled(rng, _COLOURS)[: level(difficulty, 2, 5)]
        size = level(difficulty, 5, 12)
        urn = {colour: integer(rng, 2, size) for colour in colours}
        draws = level(difficulty, 2, 5)
        events = (_exactly, _at_least_one, _all_alike, _exactly_two_kinds)[: 2 + difficulty // 3]
        good, total, steps, event = 0, comb(sum(urn.values()), draws), [""], ""
        while good in (0, total):
            event, steps, good = pick(rng, events)(rng, urn, draws)
        content = ", ".join(f"{n} {colour}" for colour, n in urn.items())
        chance = Fraction(good, total)
        return Task(
            prompt=ask(
                f"An urn holds these balls: {content}. {draws} balls are drawn at random without putting any back. "
                f"What is the probability that {event}?",
                "the probability as an exact fraction",
                "5/37",
                "2/41",
                answer=str(chance),
            ),
            answer=str(chance),
            metadata={
                "balls": sum(urn.values()),
                "hardness": len(urn) * draws + sum(urn.values()) / 5 + sum(map(len, steps)) / 15,
            },
            solution="\n".join(
                [
                    f"All draws: C({sum(urn.values())}, {draws}) = {total}",
                    *steps,
                    f"{good}/{total} = {chance}",
                ]
            ),
        )


Event = tuple[str, list[str], int]


def _exactly(rng: np.random.Generator, urn: dict[str, int], draws: int) -> Event:
    colour, wanted = pick(rng, list(urn)), integer(rng, 1, draws)
    n, others = urn[colour], sum(urn.values()) - urn[colour]
    good = comb(n, wanted) * comb(others, draws - wanted)
    step = f"C({n}, {wanted}) * C({others}, {draws - wanted}) = {good}"
    return f"exactly {wanted} of them {'is' if wanted == 1 else 'are'} {colour}", [step], good


def _at_least_one(rng: np.random.Generator, urn: dict[str, int], draws: int) -> Event:
    colour = pick(rng, list(urn))
    total, others = comb(sum(urn.values()), draws), sum(urn.values()) - urn[colour]
    steps = [f"None is {colour}: C({others}, {draws}) = {comb(others, draws)}"]
    good = total - comb(others, draws)
    return f"at least one of them is {colour}", [*steps, f"{total} - {comb(others, draws)} = {good}"], good


def _all_alike(rng: np.random.Generator, urn: dict[str, int], draws: int) -> Event:
    steps = [f"All {colour}: C({n}, {draws}) = {comb(n, draws)}" for colour, n in urn.items()]
    good = sum(comb(n, draws) for n in urn.values())
    return "all of them have the same colour", [*steps, f"Together: {good}"], good


def _exactly_two_kinds(rng: np.random.Generator, urn: dict[str, int], draws: int) -> Event:
    colours, steps, good = list(urn), [], 0
    for i, a in enumerate(colours):
        for b in colours[i + 1 :]:
            ways = comb(urn[a] + urn[b], draws) - comb(urn[a], draws) - comb(urn[b], draws)
            steps.append(f"{a} and {b}: C({urn[a] + urn[b]}, {draws}) without the uniform draws = {ways}")
            good += ways
    return "balls of exactly two colours are among them", [*steps, f"Together: {good}"], good
