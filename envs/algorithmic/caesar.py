"""Caesar: a text whose letters are all shifted by the same amount."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level
from rlvr_gym.envs.algorithmic._words import ALPHABET, common_words, rotate
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Caesar"]


@register("rlvr/Caesar-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class Caesar(Problem):
    """Decipher a text whose letters are shifted along the alphabet.

    Difficulty 1 has 2 words and 10 has 20. Up to difficulty 5 the shift is given; from 6 on it has to be found from
    one word and its cipher. The hardness is the number of letters, plus ten if the shift is not given.
    """

    verifier: ClassVar[str] = "exact_text"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws words and a shift."""
        words = common_words(rng, level(difficulty, 2, 20))
        shift = integer(rng, 1, 25)
        cipher = _shift(" ".join(words), shift).split()
        lines = [f"{a} is {b}." for a, b in zip(cipher, words, strict=True)]
        if difficulty <= 5:
            told = (
                f"Each letter was replaced by the one {shift} places later in the alphabet (after z comes a)."
            )
        else:
            known = common_words(rng, 1)[0]
            told = (
                f"Each letter was replaced by the one a fixed number of places later in the alphabet (after z comes a). "
                f"By the same rule, {known} becomes {_shift(known, shift)}."
            )
            first = ALPHABET.index(known[0]) + 1
            lines.insert(
                0, f"{known[0]} (letter {first}) becomes {rotate(known[0], shift)}: the shift is {shift}."
            )
        text = " ".join(words)
        return Task(
            prompt=ask(
                f"{told} Decipher this text:\n\n{' '.join(cipher)}\n", "the deciphered text", "a plain text"
            ),
            answer=text,
            metadata={"words": len(words), "hardness": len(text) + 10 * (difficulty > 5)},
            solution="\n".join(lines),
        )


def _shift(word: str, shift: int) -> str:
    return word.translate(str.maketrans(ALPHABET, ALPHABET[shift:] + ALPHABET[:shift]))
