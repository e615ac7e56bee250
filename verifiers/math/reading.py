"""One answer, read in every way that does not depend on what it is compared with. Cached: golds come back often."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from rlvr_gym.verifiers.math.budgets import MAX_CHARS, TooComplex, Unreadable
from rlvr_gym.verifiers.math.nodes import BaseNum, Div, NamedSet, Node, Num, Ratio, Words
from rlvr_gym.verifiers.math.normalise import compact, is_words, normalise, plain_words, unwrapped
from rlvr_gym.verifiers.math.parser import parse_or_raise
from rlvr_gym.verifiers.math.words import (
    based_numeral,
    choice_letter,
    clock_minutes,
    named_node_text,
    phrase_class,
    spelled_number,
)

__all__ = ["Reading", "read"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says.

    Attributes:
        text: normalised.
        compact: without white space; equal ones are the same answer.
        plain: its words, case folded.
        is_words: whether ``plain`` says all: no mathematics was lost in it.
        node: its tree; None if it is no mathematics.
        too_complex: whether a budget kept it from being read.
        phrase: the class of a phrase such as "no solution".
        clock: seconds since midnight, and am or pm, of a time of day.
    """

    text: str
    compact: str
    plain: str
    is_words: bool
    node: Node | None
    too_complex: bool = False
    phrase: str | None = None
    clock: tuple[int, str | None] | None = None

    def choice(self, *, reference: bool) -> str | None:
        """The letter of a multiple choice answer."""
        return choice_letter(self.plain, self.text, reference=reference)


_LEAD = re.compile(
    r"(?:\\text\{\s?)?(?:the )?(?:final )?answer(?: is)?\s?:?\s?(?:\}\s?:?)?(?![a-z])", re.IGNORECASE
)


def read(text: str) -> Reading:
    """Reads an answer; never raises."""
    return _read_short(text) if len(text) <= 300 else _read(text)


def _read(text: str) -> Reading:
    if len(text) > MAX_CHARS:
        return Reading(text, text, "", False, None, True)
    normal = normalise(text)
    plain = plain_words(normal)
    phrase = phrase_class(plain)
    try:
        node, too_complex = _mathematics(normal, plain), False
    except TooComplex:
        node, too_complex = None, True
    if node == NamedSet("empty"):
        phrase = "none"
    if isinstance(node, Words):
        node = None
    return Reading(
        normal, compact(normal), plain, is_words(normal), node, too_complex, phrase, clock_minutes(plain)
    )


def _mathematics(normal: str, plain: str) -> Node | None:
    r"""The tree of a text; of ``\\text{3 hours}`` that of its inside; of ``seven`` the number."""
    numeral = based_numeral(unwrapped(normal))
    if numeral is not None:
        return BaseNum(*numeral)
    lead = _LEAD.match(normal)
    try:
        node = parse_or_raise(named_node_text(plain) or normal[lead.end() if lead else 0 :])
        if not isinstance(node, Words):
            return node
    except Unreadable:
        pass
    value = spelled_number(plain) if plain.replace("-", "").replace(" ", "").isalpha() else None
    if value is not None:
        return Num(value)
    if (shares := said_ratio(plain)) is not None:
        return shares
    if plain.startswith("negative ") and plain[9:10].isdigit():
        return parse_or_none("-" + plain[9:])
    bare = unwrapped(normal)
    if bare == normal or not any(char.isdigit() for char in bare):
        return None
    return parse_or_none(bare)


_SAID_RATIO = re.compile(r"(\d{1,12}) (out of|in|to) (\d{1,12})")


def said_ratio(plain: str) -> Node | None:
    """``3 out of 4`` and ``1 in 4`` as fractions, ``3 to 4`` as a ratio."""
    match = _SAID_RATIO.fullmatch(plain)
    if match is None:
        return None
    above, below = Num(Fraction(match.group(1))), Num(Fraction(match.group(3)))
    return Ratio((above, below)) if match.group(2) == "to" else Div(above, below)


def parse_or_none(text: str) -> Node | None:
    """The tree of a text, or None."""
    try:
        return parse_or_raise(text)
    except Unreadable:
        return None


_read_short = lru_cache(maxsize=8192)(_read)
