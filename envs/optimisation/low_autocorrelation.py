"""LowAutocorrelation: sequences of signs that look like none of their own shifts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.optimisation._graded import ClassicProblem, GradedVerifier, Scale
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier

__all__ = ["LowAutocorrelation", "LowAutocorrelationVerifier"]

MAX_CHARS = 500
MOST_FREE = 14
"""All sequences are tried, so that the optimum is exact: at most 2^14 of them (2^16 in the classic problem)."""

_ONE = re.compile(r"([+-]?)1(?![\d.])")
_NOISE = str.maketrans(dict.fromkeys(" \t\n,;.[](){}\"'`*$", ""))
_SAME = str.maketrans({"\u2212": "-", "\u2013": "-", "\uff0d": "-", "\uff0b": "+"})


@register_verifier("low_autocorrelation")
class LowAutocorrelationVerifier(GradedVerifier[list[int]]):
    """Any sequence of signs with the given signs in place, by its energy."""

    def read(self, answer: str, task: Task) -> list[int] | None:
        """``+ - + +``, ``+-++`` or ``1, -1, 1, 1``."""
        return parse_signs(answer)

    def fault(self, value: list[int], task: Task) -> str | None:
        """The first rule that is broken."""
        given = task.answer["given"]
        if len(value) != len(given):
            return f"{len(given)} signs are asked for"
        wrong = any(sign not in (0, found) for sign, found in zip(given, value, strict=True))
        return "a given sign is changed" if wrong else None

    def measure(self, value: list[int], task: Task) -> int:
        """The energy."""
        return energy(value)


def parse_signs(text: str) -> list[int] | None:
    """The signs as +1 and -1, or None."""
    if len(text) > MAX_CHARS:
        return None
    text = _ONE.sub(lambda m: m[1] or "+", text.translate(_SAME)).translate(_NOISE)
    return [1 if sign == "+" else -1 for sign in text] if text and set(text) <= {"+", "-"} else None


def energy(signs: Sequence[int]) -> int:
    """The sum over all shifts of the squared sum of products of a sign and its shifted neighbour."""
    return sum(
        sum(a * b for a, b in zip(signs, signs[shift:], strict=False)) ** 2 for shift in range(1, len(signs))
    )


@register("rlvr/LowAutocorrelation-v0", family="optimisation")
@dataclass(frozen=True, kw_only=True)
class LowAutocorrelation(ClassicProblem):
    """Complete a sequence of signs such that its autocorrelations are small; the least energy is correct.

    The low autocorrelation binary sequence problem (Golay 1977; radar and radio use such sequences) with some signs
    given. Difficulty 1 has 8 signs, 2 of them given, and 10 has 24 with 10 given; the optimum is exact, as all sequences
    are tried. Choosing one sign after the other such that the energy so far is small earns 0.1 and is never the best.
    The hardness is the number of signs plus the logarithm (base 2) of how many sequences there are for each best one.

    Attributes:
        classic: no sign is given, with 7 signs at difficulty 1 and 16 at 10; each difficulty then has a single task.
    """

    verifier: ClassVar[str] = "low_autocorrelation"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws given signs until the greedy choice is not the best."""
        if self.classic:
            return _task([0] * (difficulty + 6))
        length = level(difficulty, 8, 24)
        while True:
            given = np.zeros(length, dtype=int)
            places = rng.permutation(length)[: max(2, length - MOST_FREE)]
            given[places] = rng.integers(0, 2, size=len(places)) * 2 - 1
            task = _task(given.tolist())
            if task.answer["best"] < task.answer["plain"]:
                return task

    def answer_text(self, task: Task) -> str:
        """A sequence of least energy."""
        return str(task.answer["reference"])


def _task(given: list[int]) -> Task:
    best, share = least(given)
    start = greedy(given)
    scale = Scale(energy(best), energy(start))
    pattern = " ".join("?+-"[sign] for sign in given)
    blanks = f" Replace the question marks in this sequence: {pattern}." if any(given) else ""
    sums = [sum(a * b for a, b in zip(best, best[k:], strict=False)) for k in range(1, len(best))]
    return Task(
        prompt=ask(
            f"Find a sequence of {len(given)} signs (+ for 1, - for -1) with small autocorrelations.{blanks} For each shift "
            f"k from 1 to {len(given) - 1}, C(k) is the sum of the products of all pairs of signs that are k places apart. "
            "The energy is the sum of the squares of all C(k), and has to be as small as possible.\n\n"
            + scale.text(
                "the least possible energy", "the energy if each sign is chosen only by those before it"
            ),
            "the whole sequence",
            "+ + - +",
        ),
        answer={"given": given, "best": scale.best, "plain": scale.plain, "reference": _named(best)},
        metadata={"length": len(given), "hardness": len(given) - float(np.log2(share))},
        solution=(
            f"Sign after sign, each such that the energy so far is least: {_named(start)}, energy {energy(start)}.\n"
            f"Trying all sequences finds {_named(best)}, with C(1), C(2), ... = {', '.join(map(str, sums))}: the squares "
            f"add up to {energy(best)}.\nSo: {_named(best)}"
        ),
    )


def _named(signs: Sequence[int]) -> str:
    return " ".join("+" if sign > 0 else "-" for sign in signs)


def greedy(given: Sequence[int]) -> list[int]:
    """One sign after the other, each such that the energy of the sequence so far is least; + if both are alike."""
    signs: list[int] = []
    for sign in given:
        signs.append(sign or min((1, -1), key=lambda choice: energy([*signs, choice])))
    return signs


def least(given: Sequence[int]) -> tuple[list[int], float]:
    """A sequence of least energy, and the share of such among all that keep the given signs."""
    fixed = np.array(given, dtype=np.int16)
    free = np.flatnonzero(fixed == 0)
    signs: NDArray[np.int16] = np.tile(fixed, (1 << len(free), 1))
    signs[:, free] = 1 - 2 * (np.arange(len(signs))[:, None] >> np.arange(len(free)) & 1)
    energies = np.zeros(len(signs), dtype=np.int64)
    for shift in range(1, len(given)):
        energies += (signs[:, shift:] * signs[:, :-shift]).sum(axis=1, dtype=np.int64) ** 2
    best = int(energies.argmin())
    return signs[best].tolist(), float((energies == energies[best]).mean())
