"""Mastermind: find a secret code by guesses that are answered with two numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.games._codes import (
    Clue,
    Codes,
    all_codes,
    answer_of,
    answers_to,
    code_text,
    say_rules,
    still_open,
)
from rlvr_gym.envs.games._interactive import Game, illegal, offered
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Reply
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers.grids import parse_grid

__all__ = ["Mastermind"]

# places, digits, and the guesses that the oracle needs at worst: the tests try every secret of every size
SIZES = (
    (2, 4, 4),
    (3, 4, 5),
    (3, 5, 5),
    (3, 6, 6),
    (4, 5, 6),
    (4, 6, 6),
    (4, 7, 7),
    (4, 8, 8),
    (4, 9, 9),
    (5, 8, 9),
)
_TRIED = 24
"""Of so many open codes the oracle guesses the one that leaves the fewest at worst."""


@register("rlvr/Mastermind-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class Mastermind(Game):
    """Find a secret code by guesses that are answered with the numbers of right and of misplaced digits.

    There are as many turns as the oracle needs at worst, over all secrets, and ``spare`` more. The oracle guesses only
    codes that all answers leave open. An illegal guess costs its turn and is counted in the metric ``illegal_moves``.
    Difficulty 1 has 2 digits from 1 to 4 (16 codes), 10 has 5 digits from 1 to 8 (32,768). The hardness is the number
    of guesses that the oracle makes for this secret.

    Attributes:
        spare: turns beyond those of the oracle.
    """

    spare: int = 2

    verifier: ClassVar[str] = "exact_grid"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.spare < 0:
            raise ConfigError(f"spare is 0 or more; got {self.spare!r}.")

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws the secret."""
        places, digits, worst = SIZES[difficulty - 1]
        secret = code_text(rng.integers(1, digits + 1, size=places, dtype=np.int8))
        turns = worst + self.spare
        return Task(
            prompt=(
                f"{say_rules(places, digits)}\nFind the code in at most {turns} guesses; something that is no guess counts "
                f"as one. Give one guess of {places} digits in <answer> tags at a time, for example "
                f"<answer>{'0' * places}</answer> (which is no legal guess, because of the 0)."
            ),
            answer=[secret],
            metadata={
                "places": places,
                "digits": digits,
                "turns": turns,
                "hardness": _guesses(places, digits, secret),
            },
        )

    def answer_text(self, task: Task) -> str:
        """The secret."""
        return str(task.answer[0])

    def start(self, task: Task) -> list[Clue]:
        """No clue."""
        return []

    def reply(self, task: Task, state: Any, action: str) -> Reply:
        """The two numbers, or why this is no guess; the right guess goes to the verifier."""
        places, digits = task.metadata["places"], task.metadata["digits"]
        rows = parse_grid(offered(action), 1, places, "123456789"[:digits])
        if rows is None:
            return illegal(f"That is no guess: give {places} digits from 1 to {digits} in <answer> tags.")
        clue = answer_of(rows[0], task.answer[0])
        if clue[1] == places:
            return Reply(text=f"{rows[0]} is the code.", answer=action)
        state.append(clue)
        return Reply(text=f"{clue[0]}: {clue[1]} in the right place, {clue[2]} in another place.")

    def oracle(self, task: Task, state: Any) -> str:
        """A code that is still open, and that leaves few at worst."""
        codes = still_open(all_codes(task.metadata["places"], task.metadata["digits"]), state)
        guess = best_guess(codes) if state else _opening(task.metadata["places"], task.metadata["digits"])
        return f"Codes that are possible: {len(codes)}. <answer>{guess}</answer>"


def best_guess(codes: Codes) -> str:
    """Of some of the open codes, spread evenly, the first one whose most frequent answer is the rarest."""
    step = max(1, len(codes) // _TRIED)
    tried = codes[::step][:_TRIED]
    worst = [int(np.bincount(answers_to(guess, codes)).max()) for guess in tried]
    return code_text(tried[int(np.argmin(worst))])


@lru_cache(maxsize=32)
def _opening(places: int, digits: int) -> str:
    return best_guess(all_codes(places, digits))


def _guesses(places: int, digits: int, secret: str) -> int:
    codes, guess, count = all_codes(places, digits), _opening(places, digits), 1
    while guess != secret:
        codes = still_open(codes, [answer_of(guess, secret)])
        guess, count = best_guess(codes), count + 1
    return count
