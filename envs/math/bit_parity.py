"""Parity of bit strings: the smallest task where reasoning step by step decides between luck and certainty."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from operator import xor
from typing import ClassVar, Literal

import numpy as np

from rlvr_gym.envs._authoring import integer, level
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier

__all__ = ["BitParity", "ParityVerifier"]


_DIGITS = bytes.maketrans(b"\x00\x01", b"01")
_WORDS = ("even", "odd")
_STEPS = [[f"{bit}: {word}" for word in _WORDS] for bit in (0, 1)]
"""The line of the solution for a bit and the parity up to it."""


@register_verifier("parity")
class ParityVerifier(AnswerVerifier):
    """``task.answer`` is ``even`` or ``odd``; case is free."""

    def check(self, answer: str, task: Task) -> Verdict:
        """One of the two words, and nothing else."""
        word = answer.strip().strip(".\"'").lower()
        if word not in ("even", "odd"):
            return Verdict.wrong(Reason.UNPARSEABLE, answer[:200])
        return Verdict.right(word) if word == task.answer else Verdict.wrong(extracted=word)


@register("rlvr/BitParity-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class BitParity(Problem):
    """Is the number of ones in a bit string even or odd?

    A next-token learner finds parity without intermediate steps practically impossible, and with them easy. In
    the setting of "How RL after next-token prediction facilitates learning" (arXiv 2510.11495) demonstrations
    that are just an answer are plentiful and worked ones are rare: ``worked=0.1`` makes one task in ten carry a
    ``solution``, and reinforcement has to raise its share.

    Difficulty d gives strings of 6 to 60 bits. Guessing earns 1/2: that is the nature of the task.

    Attributes:
        prompt: ``"full"`` states the task in words, ``"terse"`` is the bits and ``=`` (for small policies).
        bits: the strings' length; 0 leaves it to the difficulty.
        worked: the share of tasks with a worked solution.
    """

    verifier: ClassVar[str] = "parity"
    prompt: Literal["full", "terse"] = "full"
    bits: int = 0
    worked: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 <= self.worked <= 1.0 or self.bits < 0:
            raise ConfigError(
                f"worked is a share from 0 to 1 and bits is not negative; got {self.worked!r} and {self.bits!r}."
            )

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws the bits; the solution keeps the parity so far."""
        length = self.bits or level(difficulty, 6, 58) + integer(rng, 0, 2)
        bits = rng.integers(0, 2, size=length).tolist()
        text = _digits(bits)
        parities = list(accumulate(bits, xor))
        if self.prompt == "terse":
            prompt, steps = f"{text}=", " ".join(_digits(parities))
        else:
            prompt = (
                f"Is the number of ones in {text} even or odd? Go through the bits and keep track, then give your "
                "answer in <answer> tags, in the form <answer>even or odd</answer> with only one of the two words."
            )
            steps = "\n".join([_STEPS[bit][parity] for bit, parity in zip(bits, parities, strict=True)])
        return Task(
            prompt=prompt,
            answer=_WORDS[parities[-1]],
            metadata={"ones": sum(bits), "hardness": length},
            solution=steps if rng.random() < self.worked else None,
        )


def _digits(bits: list[int]) -> str:
    return bytes(bits).translate(_DIGITS).decode()
