"""WordSorting: words in alphabetical order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level, shuffled
from rlvr_gym.envs.algorithmic._reading import parse_names
from rlvr_gym.envs.algorithmic._words import invented_words
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["WordOrderVerifier", "WordSorting"]


@register_verifier("word_order")
class WordOrderVerifier(RuleVerifier[list[str]]):
    """All words in order."""

    def read(self, answer: str, task: Task) -> list[str] | None:
        """Words out of the list."""
        return parse_names(answer, task.answer["words"])

    def fault(self, value: list[str], task: Task) -> str | None:
        """What is wrong with the order."""
        if sorted(value) != sorted(task.answer["words"]):
            return "not every word comes exactly once"
        return (
            None
            if value == _sorted(task.answer["words"], task.answer["descending"])
            else "the order is another"
        )


@register("rlvr/WordSorting-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class WordSorting(Problem):
    """Sort invented words alphabetically, forwards or backwards.

    Difficulty 1 has 3 words and 10 has 21; words come in families that begin alike. The hardness is the number of
    words plus the number of letters that neighbours in the sorted order have in common at their beginnings.
    """

    verifier: ClassVar[str] = "word_order"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws words, every second one with the beginning of the one before."""
        words: list[str] = []
        lengths = [4 + int(4 * luck) for luck in rng.random(level(difficulty, 3, 21)).tolist()]
        for word in invented_words(rng, lengths):
            if len(words) % 2:
                word = words[-1][: 1 + difficulty // 4] + word[1 + difficulty // 4 :]
            if word not in words:
                words.append(word)
        words = shuffled(rng, words)
        descending = bool(rng.random() < 0.5)
        order = _sorted(words, descending)
        reference = ", ".join(order)
        shared = [_shared(a, b) for a, b in pairwise(order)]
        lines = [f"{order[0]} is first."]
        lines += [
            f"Then {b}: after {b[:n]}, {b[n : n + 1] or 'its end'} comes next."
            if n
            else f"Then {b}: {b[0]} comes next."
            for b, n in zip(order[1:], shared, strict=True)
        ]
        return Task(
            prompt=ask(
                f"Sort these words in {'reverse ' if descending else ''}alphabetical order:\n\n{', '.join(words)}\n",
                "all words in order",
                "apple, bread, cloud",
            ),
            answer={"words": words, "descending": descending, "reference": reference},
            metadata={"words": len(words), "hardness": len(words) + sum(shared)},
            solution="\n".join(lines),
        )

    def answer_text(self, task: Task) -> str:
        """The only order."""
        return str(task.answer["reference"])


def _sorted(words: list[str], descending: bool) -> list[str]:
    return sorted(words, reverse=descending)


def _shared(first: str, second: str) -> int:
    """How many letters two different words have in common at their beginnings."""
    place, end = 0, min(len(first), len(second))
    while place < end and first[place] == second[place]:
        place += 1
    return place
