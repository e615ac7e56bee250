"""NextSegment: the words with which a text goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, pick
from rlvr_gym.envs.corpus._passages import Passage, load_corpus
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers.instruction_text import words_of
from rlvr_gym.verifiers.segment_prediction import FLOOR, SCORES

__all__ = ["NextSegment"]

LEAST_CONTEXT = 12
_MEASURES = {
    "exact": "Only exactly these words count.",
    "prefix": "The score is the share of the words that are right from the beginning on.",
    "token_f1": "The score is the F1 of the words that are right, in any order.",
}


@register("rlvr/NextSegment-v0", family="corpus")
@dataclass(frozen=True, kw_only=True)
class NextSegment(Problem):
    """Predict the next words of a text, up to the end of a sentence.

    The next-segment objective of RLPT (Li et al. 2025, arXiv 2509.19249), whose reward is a model's opinion; here it is
    a count of words. Difficulty 1 asks for the last 2 words of a sentence and 10 for the next 20, which may be more
    than one sentence. The hardness is the surprise of the segment in bits under a bigram model of all other texts of
    the corpus.

    Attributes:
        data: a text file, a JSONL file or a folder; empty for the bundled corpus.
        split: ``"train"`` or ``"test"`` of the bundled corpus, or of a folder with ``<split>.jsonl``.
        score: ``"prefix"``, ``"token_f1"`` (whatever the order) or ``"exact"``; values below a half count as 0.
        threshold: from which score on the task counts as solved, from 0.5 to 1.
        middle: also show the sentences after the segment (the middle-segment task of RLPT).
    """

    data: str = ""
    split: str = "train"
    score: str = "prefix"
    threshold: float = 0.8
    middle: bool = False

    verifier: ClassVar[str] = "segment_prediction"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.score not in SCORES or not FLOOR <= self.threshold <= 1:
            raise ConfigError(
                f"score is one of {', '.join(SCORES)} and threshold is from {FLOOR} to 1; got {self.score!r} and "
                f"{self.threshold!r}."
            )

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Cuts a passage before the last words of one of its sentences."""
        corpus = load_corpus(self.data, self.split)
        wanted = level(difficulty, 2, 20)
        passage = pick(rng, corpus.passages)
        last = integer(rng, 1, len(passage.sentences) - 1 - self.middle)
        # the segment ends where its sentence ends, and leaves something to go on from
        while (
            last < len(passage.sentences) - 1 - self.middle and _words(passage, last) < wanted + LEAST_CONTEXT
        ):
            last += 1
        tokens = " ".join(passage.sentences[: last + 1]).split()
        cut = _cut(tokens, min(wanted, max(2, _words(passage, last) - LEAST_CONTEXT)))
        context, segment = " ".join(tokens[:cut]), " ".join(tokens[cut:])
        end, size = _words(passage, last), len(words_of(segment))
        after = (
            f"\n\nAfter the missing words it goes on: {passage.sentences[last + 1]}" if self.middle else ""
        )
        return Task(
            prompt=ask(
                f"This is the beginning of a text:\n\n{context} ...{after}\n\nWhich {size} words come next, up to the end of "
                f"a sentence? Punctuation and capital letters do not matter. {_MEASURES[self.score]} Below one half it "
                f"counts as nothing, and from {self.threshold:g} on as solved.",
                "only these words",
                "until somebody opened the window",
                "because nobody had asked",
                answer=segment,
            ),
            answer={"segment": segment, "score": self.score, "threshold": self.threshold},
            metadata={
                "words": size,
                "hardness": sum(corpus.bits(passage, i) for i in range(end - size, end)),
            },
            solution=f"The text says: ... {' '.join(tokens[max(0, cut - 8) : cut])}\nIt goes on: {segment}",
        )

    def answer_text(self, task: Task) -> str:
        """The segment."""
        return str(task.answer["segment"])


def _words(passage: Passage, last: int) -> int:
    """How many words there are up to the end of a sentence."""
    return sum(len(words_of(sentence)) for sentence in passage.sentences[: last + 1])


def _cut(tokens: list[str], wanted: int) -> int:
    """Where the last ``wanted`` words begin; a token such as a dash has no word, one such as ``9:22`` has two."""
    found, cut = 0, len(tokens)
    while cut > 1 and found < wanted:
        cut -= 1
        found += len(words_of(tokens[cut]))
    return cut
