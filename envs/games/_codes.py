"""Codes of Mastermind: how a guess is answered, and which codes the answers leave open."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Clue", "Codes", "all_codes", "answer_of", "answers_to", "code_text", "say_rules", "still_open"]

Codes = NDArray[np.int8]
Clue = tuple[str, int, int]
"""A guess as digits, how many digits are in the right place, and how many more are in a wrong place."""

# each code's answer is one number, exact * _RADIX + elsewhere
_RADIX = 16


@lru_cache(maxsize=32)
def all_codes(places: int, digits: int) -> Codes:
    """Every code of this size, one a row, with digits from 1, in the order of the numbers that they look like."""
    grids = np.indices((digits,) * places, dtype=np.int8).reshape(places, -1)
    codes: Codes = np.ascontiguousarray(grids.T + 1)
    codes.flags.writeable = False
    return codes


def answers_to(guess: NDArray[np.int8], codes: Codes) -> NDArray[np.int64]:
    """The answer to one guess for each of the codes: ``exact * 16 + elsewhere``, [N]."""
    exact = (codes == guess).sum(axis=1)
    common = np.zeros(len(codes), dtype=np.int64)
    for digit in sorted(set(guess.tolist())):
        common += np.minimum((codes == digit).sum(axis=1), int((guess == digit).sum()))
    answers: NDArray[np.int64] = exact * _RADIX + (common - exact)
    return answers


def _digits(code: str) -> NDArray[np.int8]:
    return np.array([int(digit) for digit in code], dtype=np.int8)


def answer_of(guess: str, secret: str) -> Clue:
    """What is said about a guess; digits count as often as they are in both."""
    exact = sum(a == b for a, b in zip(guess, secret, strict=True))
    common = sum(min(guess.count(digit), secret.count(digit)) for digit in set(guess))
    return guess, exact, common - exact


def still_open(codes: Codes, clues: Sequence[Clue]) -> Codes:
    """The codes about which every clue would have been the same."""
    for guess, exact, elsewhere in clues:
        codes = codes[answers_to(_digits(guess), codes) == exact * _RADIX + elsewhere]
    return codes


def code_text(code: NDArray[np.int8]) -> str:
    """A code as digits."""
    return "".join(map(str, code.tolist()))


def say_rules(places: int, digits: int) -> str:
    """The rules as prompts state them."""
    return (
        f"A secret code has {places} digits from 1 to {digits}; a digit may come more than once. A guess is answered by "
        "the number of digits that are right and in the right place, and by the number of further digits that are in "
        "the code, but in another place (each digit counts as often as it is in both)."
    )
