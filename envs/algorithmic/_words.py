"""Words and texts that tasks are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["ALPHABET", "COMMON", "common_words", "invented_word", "invented_words", "rotate"]

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_COMMON = """
the and garden river stone window quiet morning bridge letter silver forest candle market winter summer
yellow orange simple copper travel mirror pocket shadow kitchen island valley harbor engine planet
meadow basket feather thunder blanket ladder button cotton hammer needle pepper rabbit saddle tunnel
velvet wagon zebra anchor banner castle dragon eagle falcon goblet hollow insect jacket kettle lantern
magnet nephew oyster parrot quarrel ribbon signal temple uncle violin walnut young apple bread cloud
dance earth flame grass house juice knife lemon music north ocean paper queen rain sand table under
voice water extra world over with from near green small large often never always seven eight three
between around behind before after brown proud brave
"""
COMMON = tuple(_COMMON.split())
"""Common English words of three to eight letters."""

_CONSONANTS, _VOWELS = "bcdfghklmnprstvw", "aeiou"
_TURNS = ((_CONSONANTS, _VOWELS) * 50, (_VOWELS, _CONSONANTS) * 50)
"""Where the letters of a word come from, which has at most a hundred."""


def common_words(rng: np.random.Generator, count: int) -> list[str]:
    """Words out of :data:`COMMON`, with repetition."""
    return [COMMON[i] for i in rng.integers(len(COMMON), size=count).tolist()]


def invented_words(rng: np.random.Generator, lengths: Sequence[int]) -> list[str]:
    """A word of each length: consonants and vowels in turns."""
    luck = iter(rng.random(len(lengths) + sum(lengths)).tolist())
    words: list[str] = []
    for length in lengths:
        pools = _TURNS[next(luck) >= 0.5][:length]
        words.append("".join([pool[int(x * len(pool))] for pool, x in zip(pools, luck, strict=False)]))
    return words


def invented_word(rng: np.random.Generator, length: int) -> str:
    """Consonants and vowels in turns."""
    return invented_words(rng, [length])[0]


def rotate(letter: str, shift: int) -> str:
    """The letter ``shift`` places later in the alphabet, around its end; anything else stays."""
    place = ALPHABET.find(letter)
    return ALPHABET[(place + shift) % 26] if place >= 0 else letter
