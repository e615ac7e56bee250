"""Words of five letters: how a guess of Wordle is marked, and how a good player splits a list."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["GREEN", "LETTERS", "Words", "best_word", "mark_word", "play_out", "still_possible", "word_list"]

LETTERS = 5
GREEN = "G" * LETTERS
_MARKS = "-YG"
_WEIGHTS = 3 ** np.arange(LETTERS)
_PATTERNS = 3**LETTERS

Words = NDArray[np.intp]
"""Places in :func:`word_list`."""


@cache
def word_list() -> tuple[str, ...]:
    """The words of ``datasets/words5``, sorted."""
    path = Path(__file__).parents[2] / "datasets" / "words5" / "words.txt"
    return tuple(path.read_text(encoding="ascii").split())


def mark_word(guess: str, secret: str) -> str:
    """``G`` for a right letter, ``Y`` for one that is elsewhere, ``-`` for the others; letters are used up, greens first."""
    unused = [s for g, s in zip(guess, secret, strict=True) if g != s]
    marks = ""
    for g, s in zip(guess, secret, strict=True):
        if g == s:
            marks += "G"
        elif g in unused:
            unused.remove(g)
            marks += "Y"
        else:
            marks += "-"
    return marks


@cache
def _patterns() -> NDArray[np.uint8]:
    """The marks of every word as a guess (first axis) for every word as the secret, as numbers to base 3."""
    secrets = np.array([list(word.encode()) for word in word_list()], dtype=np.uint8)
    return np.stack([_marks_of(guess, secrets) for guess in secrets])


def _marks_of(guess: NDArray[np.uint8], secrets: NDArray[np.uint8]) -> NDArray[np.uint8]:
    green = secrets == guess
    marks = green * 2
    for place, letter in enumerate(guess):
        unused = ((secrets == letter) & ~green).sum(axis=1)
        before = [i for i in range(place) if guess[i] == letter]
        used = (marks[:, before] == 1).sum(axis=1)
        marks[:, place] += ~green[:, place] & (unused > used)
    numbers: NDArray[np.uint8] = (marks @ _WEIGHTS).astype(np.uint8)
    return numbers


def _number(marks: str) -> int:
    return sum(_MARKS.index(mark) * 3**place for place, mark in enumerate(marks))


def still_possible(words: Words, record: list[tuple[str, str]]) -> Words:
    """The words about which every guess would have been marked in the same way."""
    listed = word_list()
    kept = [i for i in words.tolist() if all(mark_word(guess, listed[i]) == marks for guess, marks in record)]
    return np.array(kept, dtype=np.intp)


def best_word(words: Words) -> int:
    """The word, out of these, that leaves the fewest at worst; the first of equals."""
    return _best(words.tobytes())


@lru_cache(maxsize=64)  # the opening of the whole list takes some milliseconds
def _best(key: bytes) -> int:
    words = np.frombuffer(key, dtype=np.intp)
    rows = _patterns()[np.ix_(words, words)]
    worst = [int(np.bincount(row, minlength=_PATTERNS).max()) for row in rows]
    return int(words[int(np.argmin(worst))])


@lru_cache(maxsize=64)
def _play_out(key: bytes) -> tuple[int, int]:
    words = np.frombuffer(key, dtype=np.intp)
    guess = best_word(words)
    marks = _patterns()[guess, words]
    worst, total = 1, len(words)  # each word takes this guess
    for mark in np.unique(marks[words != guess]).tolist():
        below, sum_below = _play_out(words[marks == mark].tobytes())
        worst, total = max(worst, 1 + below), total + sum_below
    return worst, total


def play_out(words: Words) -> tuple[int, float]:
    """How many guesses :func:`best_word` needs at worst and in the mean, over all these words as secrets."""
    worst, total = _play_out(words.tobytes())
    return worst, total / len(words)
