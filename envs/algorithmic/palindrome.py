"""Palindrome: letters in an order that reads the same both ways, or the statement that there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level, pick, shuffled
from rlvr_gym.envs.algorithmic._reading import plain_text
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["Palindrome", "PalindromeVerifier"]

IMPOSSIBLE_SHARE = 0.2
LETTERS = "abcdefghiklmnoprstu"
"""Without x, y and z, which the example is made of."""


_SEPARATORS = str.maketrans("", "", " ,-")


@register_verifier("palindrome")
class PalindromeVerifier(RuleVerifier[str]):
    """Any palindrome of all the letters; "impossible" only if there is none."""

    impossible = "impossible"

    def read(self, answer: str, task: Task) -> str | None:
        """Letters, with or without spaces, commas or hyphens between them."""
        text = plain_text(answer).lower().translate(_SEPARATORS)
        return text if text.isascii() and text.isalpha() else None

    def fault(self, value: str, task: Task) -> str | None:
        """The first rule that is broken."""
        if sorted(value) != sorted(task.answer["letters"]):
            return "these are other letters"
        return None if value == value[::-1] else "it is no palindrome"


@register("rlvr/Palindrome-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class Palindrome(Problem):
    """Arrange letters to a palindrome; every one counts.

    Difficulty 1 has about 6 letters and 10 about 30. One task of five has more than one letter of which there is an
    odd number, and so no palindrome. The hardness is the number of letters plus the number of different ones.
    """

    verifier: ClassVar[str] = "palindrome"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws pairs of letters, perhaps one for the middle, and for no palindrome two or three that are odd."""
        *luck, odd_luck = rng.random(level(difficulty, 3, 15) + 1).tolist()
        pairs = [LETTERS[int(share * len(LETTERS))] for share in luck]
        middle = [pick(rng, LETTERS)] if odd_luck < 0.5 else []
        if rng.random() < IMPOSSIBLE_SHARE:
            middle = shuffled(rng, LETTERS)[: int(rng.integers(2, 4))]
        letters = "".join(shuffled(rng, [*pairs, *pairs, *middle]))
        counts = {letter: letters.count(letter) for letter in sorted(set(letters))}
        odd = [letter for letter, count in counts.items() if count % 2]
        half = "".join([letter * (count // 2) for letter, count in counts.items()])
        reference = half + "".join(odd) + half[::-1] if len(odd) < 2 else None
        lines = [f"{letter}: {count}{', odd' if count % 2 else ''}." for letter, count in counts.items()]
        if reference:
            lines.append(f"One of each pair: {half}; in the middle: {''.join(odd) or 'nothing'}.")
        else:
            lines.append(f"Only one letter can be in the middle, but {', '.join(odd)} are odd.")
        return Task(
            prompt=ask(
                f"Arrange all of these letters so that they read the same forwards and backwards:\n\n{' '.join(letters)}\n",
                "the palindrome, or the word impossible if there is none,",
                "xyzyx",
            ),
            answer={"letters": letters, "reference": reference},
            metadata={"letters": len(letters), "hardness": len(letters) + len(counts)},
            solution="\n".join([*lines, f"So: {reference or PalindromeVerifier.impossible}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The palindrome whose first half is sorted."""
        return task.answer["reference"] or PalindromeVerifier.impossible
