"""Vigenere: a text whose letters are shifted by the letters of a key."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.algorithmic._words import ALPHABET, common_words, invented_word, rotate
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Vigenere"]


@register("rlvr/Vigenere-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class Vigenere(Problem):
    """Encipher or decipher a text with a key word.

    Difficulty 1 has one word and a key of 2 letters, 10 has 12 words and a key of 8. The hardness is the number of
    letters of the text and the key.
    """

    verifier: ClassVar[str] = "exact_text"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a text, a key and a direction."""
        words = common_words(rng, level(difficulty, 1, 12))
        key = invented_word(rng, level(difficulty, 2, 8))
        plain = " ".join(words)
        cipher = _shift(plain, key, 1)
        deciphers = bool(rng.random() < 0.5)
        given, wanted = (cipher, plain) if deciphers else (plain, cipher)
        sign = "-" if deciphers else "+"
        shifts = cycle(ALPHABET.index(letter) for letter in key)
        steps = [
            " ".join(f"{a}{sign}{next(shifts)}={b}" for a, b in zip(left, right, strict=True))
            for left, right in zip(given.split(), wanted.split(), strict=True)
        ]
        return Task(
            prompt=ask(
                f"In a Vigenère cipher each letter of the text is moved along the alphabet by the letter of the key under "
                f"it (a: 0, b: 1, ..., z: 25; after z comes a). The key is repeated as often as it is needed and skips "
                f"spaces. The key is {key}. {'Decipher' if deciphers else 'Encipher'} this text:\n\n{given}\n",
                f"the {'deciphered' if deciphers else 'enciphered'} text",
                "some text",
            ),
            answer=wanted,
            metadata={"words": len(words), "key": len(key), "hardness": len(plain) + len(key)},
            solution="\n".join([*steps, wanted]),
        )


def _shift(text: str, key: str, sign: int) -> str:
    letters = cycle(key)
    return "".join(ch if ch == " " else rotate(ch, sign * ALPHABET.index(next(letters))) for ch in text)
