"""Answers that are words: choice letters, times of day, and phrases such as "no solution"."""

from __future__ import annotations

import re
from fractions import Fraction

__all__ = [
    "based_numeral",
    "choice_letter",
    "clock_minutes",
    "named_node_text",
    "phrase_class",
    "spelled_number",
]

_BARE_CHOICE = re.compile(r"\(?([A-Ja-j])(?:\)|\.|:)?")
_LEADING_CHOICE = re.compile(r"(?:\(([a-j])\)|([a-j])[).:])\s+(\S.*)")
_SAID_CHOICE = re.compile(r"(?:option|choice|answer)\s*:?\s*\(?([a-j])\)?\.?")
_OTHER_CHOICE = re.compile(r"\([a-j]\)|\b[a-j][).:]|\b(?:or|and|not|either|maybe|both|but|and/or)\b|[?]")
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?\s*(a\.?m\.?|p\.?m\.?|o'?clock)?")


def choice_letter(plain: str, original: str, *, reference: bool) -> str | None:
    """The letter of a multiple choice answer, or None.

    Args:
        plain: the words of the answer, case folded.
        original: the answer before folding.
        reference: a reference is a choice only if it is a capital or has a bracket: ``b`` may be a variable.
    """
    if len(plain) <= 3 and (match := _BARE_CHOICE.fullmatch(plain)) is not None:
        if reference and not (match.group(1).upper() in original or "(" in original or ")" in original):
            return None
        return match.group(1).lower()
    if len(plain) <= 12 and (match := _SAID_CHOICE.fullmatch(plain)) is not None:
        return match.group(1)
    if len(plain) <= 200 and (match := _LEADING_CHOICE.fullmatch(plain)) is not None:
        if _OTHER_CHOICE.search(match.group(3)):
            return None
        return match.group(1) or match.group(2)
    return None


def clock_minutes(plain: str) -> tuple[int, str | None] | None:
    """Seconds since midnight and ``am``, ``pm`` or None, for a time of day; None for anything else."""
    if len(plain) > 20 or (match := _CLOCK.fullmatch(plain.replace(" :", ":").replace(": ", ":"))) is None:
        return None
    hour, minute, second = (int(match.group(i) or 0) for i in (1, 2, 3))
    half = (match.group(4) or "").replace(".", "")[:1]
    if match.group(2) is None and not half:
        return None
    if hour > 24 or minute > 59 or second > 59 or (half in ("a", "p") and not 1 <= hour <= 12):
        return None
    if half in ("a", "p"):
        return (hour % 12 + 12 * (half == "p")) * 3600 + minute * 60 + second, half + "m"
    return hour * 3600 + minute * 60 + second, "pm" if hour > 12 else None


_PHRASES = {
    "none": """no solution|no solutions|no real solution|no real solutions|none|empty set|no such number|no such numbers|
        no such integer|no such integers|there is no solution|there are no solutions|there are no real solutions|
        no real roots|no roots|no such value|no such values|null set|no values|no value|has no solution|no integer solutions
        |no solution exists|no solutions exist|it has no solution|there is no real solution""",
    "undefined": """undefined|dne|does not exist|doesn't exist|not defined|limit does not exist|the limit does not exist
        |is undefined|it does not exist|d.n.e""",
    "infinitely many": """infinitely many|infinitely many solutions|infinite solutions|infinite number of solutions|
        there are infinitely many solutions|infinitely many real solutions|infinite many solutions|
        infinitely many values""",
}
_CLASS = {
    phrase.strip(): name
    for name, phrases in _PHRASES.items()
    for phrase in " ".join(phrases.split()).split("|")
}


def phrase_class(plain: str) -> str | None:
    """``none``, ``undefined`` or ``infinitely many``, for the usual ways to say so."""
    return _CLASS.get(plain)


_ALL_REALS = re.compile(
    r"(?:the )?(?:set of )?(?:all )?(?:the )?(?:real numbers|reals|real values|real)(?: of x)?(?: x)?"
    r"(?:,? (?:except|other than|excluding|except for|but) (?:x ?= ?)?(\S[^a-z]{0,40}))?"
)


def named_node_text(plain: str) -> str | None:
    """``all real numbers except 3`` as mathematics."""
    if len(plain) > 80 or "real" not in plain or (match := _ALL_REALS.fullmatch(plain)) is None:
        return None
    if "all" not in plain and match.group(1) is None and "set" not in plain:
        return None
    return r"\mathbb{R}" if match.group(1) is None else rf"\mathbb{{R}} \setminus \{{{match.group(1)}\}}"


_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SPELLED = {word: i for i, word in enumerate(_ONES)}
_SPELLED |= {
    ten + ("-" + one if one else ""): 10 * i + j
    for i, ten in enumerate(_TENS, 2)
    for j, one in enumerate(["", *_ONES[1:10]])
}


_PARTS = {"half": 2, "halves": 2, "quarter": 4, "quarters": 4} | {
    word + plural: i
    for i, word in enumerate(["third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"], 3)
    for plural in ("", "s")
}


def spelled_number(plain: str) -> Fraction | None:
    """The number that words name: ``forty-two``, ``negative three``, ``two thirds``, ``five hundred``."""
    sign, words = 1, plain.replace("-", " ").split()
    if words and words[0] in ("negative", "minus"):
        sign, words = -1, words[1:]
    if (
        2 <= len(words) <= 3
        and words[-1] in _PARTS
        and (above := _cardinal(" ".join(words[:-1]))) is not None
    ):
        return sign * Fraction(above, _PARTS[words[-1]])
    value = _cardinal(" ".join(words))
    return None if value is None else Fraction(sign * value)


def _cardinal(plain: str) -> int | None:
    words = plain.split()
    if len(words) > 4:
        return None
    scale = {"hundred": 100, "thousand": 1000, "million": 10**6}.get(words[-1], 1) if len(words) == 2 else 1
    if len(words) > (2 if scale > 1 else 1):
        words = ["-".join(words)]
    value = _SPELLED.get(words[0]) if words else None
    return None if value is None else value * scale


_BASED = re.compile(r"[({]{0,2}([0-9A-Fa-f]{1,64})[)}]{0,2}_\{{0,2}([0-9]{1,2}|[a-z]{3,9})\}{0,2}")
BASE_NAMES = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
               "eleven": 11, "twelve": 12, "sixteen": 16}  # fmt: skip


def based_numeral(text: str) -> tuple[str, int] | None:
    """Digits and base of ``1A_{16}`` or ``101_{two}``; ``a_1`` is a name and has no digit first or base above 10."""
    if "_" not in text or len(text) > 80 or (match := _BASED.fullmatch(text.replace(" ", ""))) is None:
        return None
    digits, written = match.groups()
    base = int(written) if written.isdigit() else BASE_NAMES.get(written, 0)
    if not 2 <= base <= 16 or any(int(digit, 16) >= base for digit in digits):
        return None
    if not any(digit.isdigit() for digit in digits) and (base != 16 or len(digits) < 2):
        return None  # a name with a subscript
    return digits.upper().lstrip("0") or "0", base
