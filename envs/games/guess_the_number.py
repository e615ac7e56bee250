"""Guess the number: the smallest conversation with a verifiable end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from rlvr_gym.errors import ConfigError
from rlvr_gym.extraction import extract_answer
from rlvr_gym.problem import Dialogue, Reply
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers.rational import parse_rational

__all__ = ["GuessTheNumber"]

_LARGEST = (7, 15, 31, 63, 127, 255, 511, 1023, 4095, 16383)


@dataclass(slots=True)
class _Interval:
    """What the replies so far leave open."""

    low: int
    high: int

    @property
    def middle(self) -> int:
        return (self.low + self.high) // 2


@register("rlvr/GuessTheNumber-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class GuessTheNumber(Dialogue):
    """Find a secret number by guesses that are answered with "higher" or "lower".

    There are as many turns as binary search needs at worst, and ``spare`` more. An illegal guess is told, costs its
    turn, and is counted in the metric ``illegal_guesses``. Difficulty 1 to 10 goes from 7 to 16,383 numbers; the
    hardness is the number of guesses that binary search makes for this secret.

    Attributes:
        largest: the secret is from 1 to this; 0 leaves it to the difficulty.
        spare: turns beyond those of binary search.
        prompt: ``"full"`` states the rules in words; ``"terse"`` is for small policies that learn them from
            demonstrations: a prompt such as ``1-100 in 8``, and one sign as the reply, ``>`` for higher.
    """

    largest: int = 0
    spare: int = 1
    prompt: Literal["full", "terse"] = "full"

    verifier: ClassVar[str] = "rational"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.largest != 0 and not 2 <= self.largest <= 10**9:
            raise ConfigError(f"largest is 0 or goes from 2 to 10**9; got {self.largest!r}.")
        if self.spare < 0:
            raise ConfigError(f"spare is 0 or more; got {self.spare!r}.")
        if self.prompt not in ("full", "terse"):
            raise ConfigError(f"prompt is 'full' or 'terse'; got {self.prompt!r}.")

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws the secret."""
        largest = self.largest or _LARGEST[difficulty - 1]
        secret = int(rng.integers(1, largest + 1))
        return Task(
            prompt=self._say(largest),
            answer=str(secret),
            metadata={"largest": largest, "hardness": _binary_search(secret, largest)},
        )

    def _say(self, largest: int) -> str:
        """The prompt."""
        if self.prompt == "terse":
            return f"1-{largest} in {self._turns(largest)}"
        return (
            f"I am thinking of a whole number from 1 to {largest}. Guess it in at most {self._turns(largest)} "
            "guesses; after each one I say whether my number is higher or lower. Give one number in <answer> "
            "tags at a time, for example <answer>0</answer> (which is out of range)."
        )

    def _turns(self, largest: int) -> int:
        return largest.bit_length() + self.spare

    def turn_limit(self, task: Task) -> int:
        """What binary search needs at worst, and the spare turns."""
        return self._turns(task.metadata["largest"])

    def start(self, task: Task) -> _Interval:
        """Everything is open."""
        return _Interval(1, task.metadata["largest"])

    def reply(self, task: Task, state: Any, action: str) -> Reply:
        """Higher, lower, or why this is no guess; the right guess goes to the verifier."""
        secret, largest = int(task.answer), task.metadata["largest"]
        guess, terse = _read_guess(action), self.prompt == "terse"
        if guess is None or not 1 <= guess <= largest:
            wanted = f"That is no guess: give one whole number from 1 to {largest} in <answer> tags."
            return Reply(text="no" if terse else wanted, metrics={"illegal_guesses": 1.0})
        if guess == secret:
            return Reply(text="=" if terse else f"{guess} is right.", answer=action)
        if guess < secret:
            state.low = max(state.low, guess + 1)
            return Reply(text=">" if terse else f"My number is higher than {guess}.")
        state.high = min(state.high, guess - 1)
        return Reply(text="<" if terse else f"My number is lower than {guess}.")

    def oracle(self, task: Task, state: Any) -> str:
        """Binary search."""
        if self.prompt == "terse":
            return f"<answer>{state.middle}</answer>"
        return f"It is between {state.low} and {state.high}. <answer>{state.middle}</answer>"


def _read_guess(action: str) -> int | None:
    """The one whole number that is offered."""
    candidates = extract_answer(action).candidates
    number = parse_rational(candidates[0]) if len(candidates) == 1 else None
    return int(number) if number is not None and number.denominator == 1 else None


def _binary_search(secret: int, largest: int) -> int:
    interval, guesses = _Interval(1, largest), 1
    while (guess := interval.middle) != secret:
        guesses += 1
        if guess < secret:
            interval.low = guess + 1
        else:
            interval.high = guess - 1
    return guesses
