"""RunLength: runs of equal letters, written as their lengths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["RunLength"]

LETTERS = "abcdef"


@register("rlvr/RunLength-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class RunLength(Problem):
    """Encode a text as lengths of runs, or decode it.

    Difficulty 1 has 3 runs of at most 4 letters, 10 has 24 runs of at most 12. The hardness is the number of runs
    plus the number of letters.
    """

    verifier: ClassVar[str] = "exact_text"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws runs; neighbours have different letters."""
        count = level(difficulty, 3, 24)
        lengths = rng.integers(1, level(difficulty, 4, 12) + 1, size=count).tolist()
        steps = rng.integers(1, len(LETTERS), size=count).tolist()
        place, runs = int(rng.integers(len(LETTERS))), []
        for length, step in zip(lengths, steps, strict=True):
            place = (place + step) % len(LETTERS)
            runs.append((length, LETTERS[place]))
        plain = "".join(letter * length for length, letter in runs)
        encoded = "".join(f"{length}{letter}" for length, letter in runs)
        decodes = bool(rng.random() < 0.5)
        given, wanted = (encoded, plain) if decodes else (plain, encoded)
        example = "wwwx" if decodes else "3w1x"
        lines = [
            f"{length}{letter} is {letter * length}" if decodes else f"{letter * length} is {length}{letter}"
            for length, letter in runs
        ]
        return Task(
            prompt=ask(
                f"In run-length encoding, each run of equal letters is written as its length and the letter: wwwx "
                f"becomes 3w1x. {'Decode' if decodes else 'Encode'} this text:\n\n{given}\n",
                f"the {'decoded' if decodes else 'encoded'} text",
                example,
            ),
            answer=wanted,
            metadata={"runs": count, "hardness": count + len(plain)},
            solution="\n".join(lines),
        )
