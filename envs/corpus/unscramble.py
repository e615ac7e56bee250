"""Unscramble: words with their letters mixed up, or a sentence with its words mixed up."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level, pick, shuffled
from rlvr_gym.envs.corpus._gaps import gapped, read_words, replace_word
from rlvr_gym.envs.corpus._passages import Corpus, load_corpus
from rlvr_gym.errors import ConfigError, DataError
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier
from rlvr_gym.verifiers.instruction_text import words_of

__all__ = ["Unscramble", "UnscrambleVerifier"]

MAX_CHARS = 4_000
LEAST_WORDS, MOST_WORDS = 4, 18
_END = re.compile(r"[.!?][\"'\u201d\u2019)]{0,3}$")


@register_verifier("unscramble")
class UnscrambleVerifier(AnswerVerifier):
    """Case and punctuation do not matter.

    ``task.answer`` is ``{"mode": "letters", "words": [...]}`` or ``{"mode": "words", "accepted": [sentence, ...]}``.
    """

    def check(self, answer: str, task: Task) -> Verdict:
        """Reads words and looks them up."""
        shown, truth = answer[:200], task.answer
        if len(answer) > MAX_CHARS:
            return Verdict.wrong(Reason.TOO_COMPLEX, shown)
        if truth["mode"] == "words":
            right = words_of(answer) in [words_of(sentence) for sentence in truth["accepted"]]
            return Verdict.right(shown) if right else Verdict.wrong(extracted=shown)
        given = read_words(answer)
        if given is None:
            return Verdict.wrong(Reason.UNPARSEABLE, shown)
        return Verdict.right(shown) if given == truth["words"] else Verdict.wrong(extracted=shown)


@register("rlvr/Unscramble-v0", family="corpus")
@dataclass(frozen=True, kw_only=True)
class Unscramble(Problem):
    """Put letters or words back into their order.

    In the mode ``letters``, 1 word of 4 to 6 letters (difficulty 1) up to 6 words of 7 to 9 letters (10) of a text are
    mixed up; the text around them tells which of several words with the same letters is meant. In the mode ``words``, a
    sentence of 4 up to 17 words or so is mixed up and the sentence before it is shown; any sentence of the corpus that is
    made of the same words is right, but no other order, as which of them are English no program can tell. The hardness is the
    binary logarithm of the number of different arrangements.

    Attributes:
        data: a text file, a JSONL file or a folder; empty for the bundled corpus.
        split: ``"train"`` or ``"test"`` of the bundled corpus, or of a folder with ``<split>.jsonl``.
        mode: ``"letters"``, ``"words"``, or ``"both"`` in turns by chance.
    """

    data: str = ""
    split: str = "train"
    mode: str = "both"

    verifier: ClassVar[str] = "unscramble"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode not in ("letters", "words", "both"):
            raise ConfigError(f"mode is letters, words or both; got {self.mode!r}.")

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Mixes up words or a sentence."""
        corpus = load_corpus(self.data, self.split)
        mode = pick(rng, ("letters", "words")) if self.mode == "both" else self.mode
        return _letters(rng, corpus, difficulty) if mode == "letters" else _words(rng, corpus, difficulty)

    def answer_text(self, task: Task) -> str:
        """The original."""
        return str(task.answer["reference"])


# --- letters ---


def _letters(rng: np.random.Generator, corpus: Corpus, difficulty: int) -> Task:
    size, count = level(difficulty, 4, 7), level(difficulty, 1, 6)
    text = pick(rng, gapped(corpus, letters=True))
    tokens, usable = text.tokens, text.places
    sized: list[int] = []
    others: list[int] = []
    for i in text.distinct:
        (sized if size <= len(usable[i]) < size + 3 else others).append(i)
    chosen = sorted([*shuffled(rng, sized), *shuffled(rng, others)][:count])
    words = [usable[i] for i in chosen]
    mixed = [_mix(rng, list(word), lambda order: "".join(order) not in corpus.counts) for word in words]
    shown = list(tokens)
    for i, letters in zip(chosen, mixed, strict=True):
        shown[i] = replace_word(shown[i], f"[{' '.join(letters)}]")
    several = len(words) > 1
    reference = ", ".join(words)
    return Task(
        prompt=ask(
            f"In this text the letters of {'some words' if several else 'a word'} are mixed up; they stand in "
            f"brackets:\n\n{' '.join(shown)}\n\nWhich {'words are they' if several else 'word is it'}? All letters are "
            "used, and capital letters do not matter.",
            "the words in order, separated by commas" if several else "the word",
            *(("quartz, velvet", "cobalt, juniper") if several else ("quartz", "cobalt")),
            answer=reference,
        ),
        answer={"mode": "letters", "words": words, "reference": reference},
        metadata={"mode": "letters", "hardness": sum(map(_arrangements, words))},
        solution="\n".join(
            f'{" ".join(letters)}: after "{" ".join(tokens[max(0, i - 3) : i])}" the letters {_tally(word)} make {word}.'
            for i, letters, word in zip(chosen, mixed, words, strict=True)
        ),
    )


def _tally(word: str) -> str:
    return ", ".join([f"{word.count(letter)} {letter}" for letter in sorted(set(word))])


# --- words ---


@lru_cache(maxsize=8)
def _sentences(corpus: Corpus) -> tuple[dict[int, list[tuple[str, str]]], dict[tuple[str, ...], list[str]]]:
    """Number of words -> (sentence before, sentence); and sorted words -> the sentences that are made of them."""
    by_size: dict[int, list[tuple[str, str]]] = {}
    same: dict[tuple[str, ...], list[str]] = {}
    for passage in corpus.passages:
        for i, sentence in enumerate(passage.sentences):
            words = words_of(sentence)
            options = same.setdefault(tuple(sorted(words)), [])
            if sentence not in options:
                options.append(sentence)
            if i and len(set(words)) > 2 and _END.search(sentence):
                by_size.setdefault(len(words), []).append((passage.sentences[i - 1], sentence))
    return by_size, same


@lru_cache(maxsize=64)
def _sized(corpus: Corpus, wanted: int) -> list[tuple[str, str]]:
    """The sentences of the two numbers of words that are nearest to ``wanted``, each with the one before."""
    by_size, _ = _sentences(corpus)
    sizes = sorted(by_size, key=lambda size: (abs(size - wanted), size))[:2]
    return [pair for size in sizes for pair in by_size[size]]


def _words(rng: np.random.Generator, corpus: Corpus, difficulty: int) -> Task:
    _, same = _sentences(corpus)
    sized = _sized(corpus, level(difficulty, LEAST_WORDS, MOST_WORDS - 1))
    if not sized:
        raise DataError("The text has no sentence of three or more different words; give a longer text.")
    before, sentence = pick(rng, sized)
    words = words_of(sentence)
    accepted = same[tuple(sorted(words))]
    known = [words if other == sentence else words_of(other) for other in accepted]
    mixed = _mix(rng, words, lambda order: list(order) not in known)
    return Task(
        prompt=ask(
            f"In a text, this sentence comes first:\n\n{before}\n\nThe words of the next sentence are mixed up:\n\n"
            f"{' '.join(mixed)}\n\nWhich sentence is it? All words are used; capital letters and punctuation do not matter.",
            "the sentence",
            "Nobody had seen the quartz.",
            "The velvet was lost.",
            answer=sentence,
        ),
        answer={"mode": "words", "accepted": accepted, "reference": sentence},
        metadata={"mode": "words", "hardness": _arrangements(words)},
        solution=f'The sentence before is: {before}\nIt can begin with "{" ".join(words[:2])}" and end with '
        f'"{" ".join(words[-2:])}".\nWith all {len(words)} words: {sentence}',
    )


# --- both ---


def _mix(rng: np.random.Generator, items: list[str], good: Callable[[list[str]], bool]) -> list[str]:
    """The items in an order that is no solution."""
    for _ in range(100):
        order = shuffled(rng, items)
        if good(order):
            return order
    return sorted(items, reverse=True)  # hardly ever: nearly all orders of so few items are words


def _arrangements(items: Sequence[str]) -> float:
    """The binary logarithm of the number of different orders of letters or words."""
    ways = math.lgamma(len(items) + 1) - sum(math.lgamma(n + 1) for n in Counter(items).values())
    return ways / math.log(2)
