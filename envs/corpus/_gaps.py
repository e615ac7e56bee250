"""Words of a text that are taken out or changed, and reading lists of words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from rlvr_gym.envs.corpus._passages import Corpus, Passage
from rlvr_gym.errors import DataError
from rlvr_gym.verifiers.instruction_text import words_of

__all__ = ["LEAST_LETTERS", "Gapped", "gapped", "read_words", "replace_word"]

LEAST_LETTERS = 4
MAX_CHARS = 4_000

_SEPARATOR = re.compile(r"[,;\n]+")
_LABEL = re.compile(r"\s*(?:\(?\d{1,3}\)?\s*[.:)=-]\s*|\(\d{1,3}\)\s*|[-*\u2022]\s+)")
_WORD = re.compile(r"[^\W\d_][\w'\u2019-]*")


def read_words(answer: str) -> list[str] | None:
    """The words of a list, in lower case: ``a, b``, ``1. a 2. b`` in lines, ``["a", "b"]``; None if it is no such list."""
    if len(answer) > MAX_CHARS:
        return None
    pieces = [_LABEL.sub("", piece, count=1) for piece in _SEPARATOR.split(answer.strip(" \t\n.[](){}"))]
    words = [words_of(piece) for piece in pieces if piece.strip(" \t\"'`*_[](){}.")]
    return [word[0] for word in words] if words and all(len(word) == 1 for word in words) else None


@dataclass(frozen=True)
class Gapped:
    """A passage in which words can be left out.

    Attributes:
        passage: the passage.
        tokens: its text, split at white space.
        places: the tokens that are one word of four or more letters, and that word in small letters.
    """

    passage: Passage
    tokens: tuple[str, ...]
    places: Mapping[int, str]

    @cached_property
    def distinct(self) -> tuple[int, ...]:
        """The places of which each has another word: the last one of every word."""
        return tuple({word: place for place, word in self.places.items()}.values())

    def position(self, place: int) -> int:
        """Which word of the passage the token at ``place`` is."""
        return len(words_of(" ".join(self.tokens[:place])))


@lru_cache(maxsize=8)
def gapped(corpus: Corpus, *, letters: bool = False) -> tuple[Gapped, ...]:
    """The passages of a corpus in which words can be left out.

    Args:
        corpus: the corpus.
        letters: only words in small letters with at least three different ones, which can be mixed up: a name cannot
            be known.

    Raises:
        DataError: if there is none.
    """
    found = []
    for passage in corpus.passages:
        tokens = tuple(" ".join(passage.sentences).split())
        places = {i: word for i, token in enumerate(tokens) if (word := _single_word(token))}
        if letters:
            places = {i: w for i, w in places.items() if tokens[i].islower() and len(set(w)) > 2}
        if places:
            found.append(Gapped(passage, tokens, places))
    if not found:
        raise DataError("The text has no words of four or more letters that could be left out or mixed up.")
    return tuple(found)


def _single_word(token: str) -> str:
    """The word of a token that is one word of letters, with or without punctuation around it; else nothing."""
    match = _WORD.search(token)
    words = words_of(token)
    if match and len(words) == 1 and len(match[0]) >= LEAST_LETTERS and match[0].isalpha():
        return words[0]
    return ""


def replace_word(token: str, other: str) -> str:
    """The token with its word replaced, and the punctuation around it kept."""
    return _WORD.sub(lambda _: other, token, count=1)
