"""LetterCounting: how often letters occur in a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level, pick
from rlvr_gym.envs.algorithmic._words import common_words
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["LetterCounting"]


@register("rlvr/LetterCounting-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class LetterCounting(Problem):
    """Count a letter (from difficulty 6 on, two letters together) in a text.

    Difficulty 1 has 3 words and 10 has 39. The hardness is the number of letters to be looked at, for each letter
    that is counted.
    """

    verifier: ClassVar[str] = "integer"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws words, and letters out of them."""
        words = common_words(rng, level(difficulty, 3, 39))
        text = " ".join(words)
        letters = sorted(set(text) - {" "})
        wanted = {pick(rng, letters)}
        while len(wanted) < (2 if difficulty >= 6 else 1):
            wanted.add(pick(rng, letters))
        first, *others = wanted
        counts = [word.count(first) for word in words]
        for other in others:
            counts = [n + word.count(other) for n, word in zip(counts, words, strict=True)]
        total = sum(counts)
        shown = " and ".join(sorted(wanted))
        together = " together" if len(wanted) > 1 else ""
        found = [f"{word}: {count}" for word, count in zip(words, counts, strict=True) if count]
        return Task(
            prompt=ask(
                f"How often do{'' if together else 'es'} the letter{'s' if together else ''} {shown} occur{together} "
                f"in this text?\n\n{text}\n",
                "the number",
                "12",
                "17",
                answer=str(total),
            ),
            answer=str(total),
            metadata={"words": len(words), "hardness": len(wanted) * (len(text) - len(words) + 1)},
            solution=f"{', '.join(found)}; nowhere else.\n{' + '.join([str(c) for c in counts if c])} = {total}",
        )
