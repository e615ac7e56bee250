"""MastermindDeduce: the one code that fits a record of guesses and answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask
from rlvr_gym.envs.games._codes import Clue, Codes, all_codes, answer_of, code_text, say_rules, still_open
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["MastermindDeduce"]

_SIZES = ((3, 4), (3, 5), (3, 6), (4, 4), (4, 5), (4, 6), (4, 7), (4, 8), (5, 6), (5, 7))
_LISTED = 24
"""So many open codes are written out in the solution."""


@register("rlvr/MastermindDeduce-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class MastermindDeduce(Problem):
    """Find the code that a record of Mastermind guesses leaves open; it is unique, and no clue can be spared.

    Difficulty 1 has 3 digits from 1 to 4 (64 codes), 10 has 5 digits from 1 to 7 (16,807). The hardness is the number
    of codes that have to be looked at, when each clue is held against those that the clues before it leave open.
    """

    verifier: ClassVar[str] = "exact_grid"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a secret and guesses until one code is open, then takes out what is not needed."""
        places, digits = _SIZES[difficulty - 1]
        codes = all_codes(places, digits)
        secret = code_text(codes[int(rng.integers(len(codes)))])
        clues: list[Clue] = []
        left = codes
        while len(left) > 1:
            guess = code_text(codes[int(rng.integers(len(codes)))])
            after = still_open(left, [answer_of(guess, secret)])
            if guess != secret and len(after) < len(left):
                clues.append(answer_of(guess, secret))
                left = after
        clues = _needed(codes, clues)
        looked_at, lines = _explain(codes, clues)
        record = "\n".join(
            f"{guess}: {exact} in the right place, {elsewhere} in another place"
            for guess, exact, elsewhere in clues
        )
        return Task(
            prompt=ask(
                f"{say_rules(places, digits)}\n\nThese guesses were made:\n{record}\n\nExactly one code fits all of them. "
                "Which one?",
                f"the code, {places} digits,",
                code_text(codes[len(codes) // 3]),
                code_text(codes[len(codes) // 2]),
                answer=secret,
            ),
            answer=[secret],
            metadata={
                "places": places,
                "digits": digits,
                "clues": [list(clue) for clue in clues],
                "hardness": looked_at,
            },
            solution="\n".join(lines),
        )

    def answer_text(self, task: Task) -> str:
        """The code."""
        return str(task.answer[0])


def _needed(codes: Codes, clues: list[Clue]) -> list[Clue]:
    """The clues without which another code would fit, too; found by leaving out one at a time."""
    for clue in list(clues):
        others = [other for other in clues if other is not clue]
        if len(still_open(codes, others)) == 1:
            clues = others
    return clues


def _explain(codes: Codes, clues: list[Clue]) -> tuple[int, list[str]]:
    """How many codes are held against clues, and the reasoning in words."""
    looked_at, lines = 0, [f"There are {len(codes)} codes."]
    for clue in clues:
        looked_at += len(codes)
        codes = still_open(codes, [clue])
        some = f": {', '.join(map(code_text, codes))}" if len(codes) <= _LISTED else ""
        guess, exact, elsewhere = clue
        lines.append(
            f"With {exact} in the right place and {elsewhere} in another place for {guess}, {len(codes)} "
            f"{'code fits' if len(codes) == 1 else 'codes fit'}{some}."
        )
    return looked_at, [*lines, f"So the code is {code_text(codes[0])}."]
