"""Cloze: words that are missing from a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level, pick, shuffled
from rlvr_gym.envs.corpus._gaps import LEAST_LETTERS, Gapped, gapped, read_words, replace_word
from rlvr_gym.envs.corpus._passages import Corpus, Passage, load_corpus
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier

__all__ = ["Cloze", "ClozeVerifier"]

EXAMPLES = ("quartz", "velvet", "harness", "cobalt")


@register_verifier("cloze")
class ClozeVerifier(AnswerVerifier):
    """``task.answer`` is ``{"words": [...]}``: the score is the share of the words that are right in their places.

    A list of another length scores nothing, so that no place can be tried twice.
    """

    def check(self, answer: str, task: Task) -> Verdict:
        """Compares word by word."""
        truth = [word.casefold() for word in task.answer["words"]]
        given = read_words(answer)
        if given is None:
            return Verdict.wrong(Reason.UNPARSEABLE, answer[:200])
        if len(given) != len(truth):
            return Verdict.wrong(Reason.BAD_FORMAT, answer[:200], given=len(given), expected=len(truth))
        right = [a == b for a, b in zip(given, truth, strict=True)]
        return Verdict.graded(sum(right) / len(right), answer[:200], right=right)


@register("rlvr/Cloze-v0", family="corpus")
@dataclass(frozen=True, kw_only=True)
class Cloze(Problem):
    """Put the missing words of a text back, chosen out of a list of words.

    Each word that is right in its place counts. Difficulty 1 leaves out 1 word and lists 4 others beside it, 10 leaves
    out 10 and lists 22 others. Words of four or more letters are left out. The hardness is the surprise of the missing
    words in bits under a bigram model of all other texts of the corpus.

    Attributes:
        data: a text file, a JSONL file or a folder; empty for the bundled corpus.
        split: ``"train"`` or ``"test"`` of the bundled corpus, or of a folder with ``<split>.jsonl``.
        bank: list the words that are missing, among others; else they have to be found without help.
    """

    data: str = ""
    split: str = "train"
    bank: bool = True

    verifier: ClassVar[str] = "cloze"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a passage and leaves words out."""
        corpus = load_corpus(self.data, self.split)
        text = pick(rng, gapped(corpus))
        places = shuffled(rng, tuple(text.places))[: level(difficulty, 1, 10)]
        places.sort()
        words = [text.places[i] for i in places]
        options = _bank(rng, corpus, text.passage, words) if self.bank else []
        one = len(words) == 1
        examples = [word for word in EXAMPLES if word not in words][: 2 if len(words) != 2 else 3]
        return Task(
            prompt=ask(
                _question(_with_gaps(text, places), options, one),
                "the word" if one else "the words in order, separated by commas",
                examples[0] if one else ", ".join(examples),
            ),
            answer={"words": words},
            metadata={
                "gaps": len(words),
                "hardness": sum(corpus.bits(text.passage, text.position(i)) for i in places),
            },
            solution="\n".join(_step(text, i, n) for n, i in enumerate(places, start=1)),
        )

    def answer_text(self, task: Task) -> str:
        """The words in order."""
        return ", ".join(task.answer["words"])


def _with_gaps(text: Gapped, places: list[int]) -> str:
    shown = list(text.tokens)
    for number, i in enumerate(places, start=1):
        shown[i] = replace_word(shown[i], f"__({number})__")
    return " ".join(shown)


def _question(shown: str, options: list[str], one: bool) -> str:
    listed = ""
    if options:
        again = "" if one else "; one may be needed more than once"
        listed = f"\n\nWhat is missing is among these words{again}: {', '.join(options)}."
    if one:
        return f"A word is missing from this text:\n\n{shown}{listed}\n\nWhich one? Capital letters do not matter."
    return (
        f"Words are missing from this text:\n\n{shown}{listed}\n\nWhich ones? Each word that is right in its place "
        "counts. Capital letters do not matter."
    )


def _bank(rng: np.random.Generator, corpus: Corpus, passage: Passage, words: list[str]) -> list[str]:
    """The missing words, and more than twice as many others that do not stand in the passage, in a random order."""
    extra: dict[str, None] = {}
    for _ in range(50 * len(words)):  # a small corpus may not have so many
        word = pick(rng, corpus.vocabulary) if corpus.vocabulary else ""
        if len(word) >= LEAST_LETTERS and word not in passage.counts:
            extra[word] = None
        if len(extra) == 2 * len(words) + 2:
            break
    return shuffled(rng, [*dict.fromkeys(words), *extra])


def _step(text: Gapped, place: int, number: int) -> str:
    """The gap with what stands around it."""
    before, after = (
        " ".join(text.tokens[max(0, place - 4) : place]),
        " ".join(text.tokens[place + 1 : place + 4]),
    )
    return f"Gap {number}: {before} [{text.places[place]}] {after}".strip()
