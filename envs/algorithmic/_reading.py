"""Reading answers that are made of names, pairs, groups or text; total, bounded and linear, like all parsers here."""

from __future__ import annotations

import re
from collections.abc import Collection

from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier, parse_numbers
from rlvr_gym.verifiers.grids import parse_grid

__all__ = [
    "GridVerifier",
    "TextVerifier",
    "parse_integers",
    "parse_names",
    "parse_number_groups",
    "parse_pairs",
    "plain_text",
    "scan",
]

_SEPARATORS = re.compile(r"(?:[\s,;.()\[\]{}\"'`*|]|\band\b)*", re.IGNORECASE)
_NAME = re.compile(r"[^\W_]{1,40}")
_PLAIN_NAMES = re.compile(r"[A-Za-z0-9]{1,40}(?:, [A-Za-z0-9]{1,40})*")
_ARROWS = re.compile(r"\\(?:right|leftright|long|longright)?arrow|\\to\b|[-=]+>|\u2192|\u2014|\u2013|-")
_LABEL = re.compile(r"\s*[A-Za-z][A-Za-z ]{2,30}[:=]\s*")
_PAIR = re.compile(
    r"([^\W_]{1,12})\s{0,3}(?:--?>?|\u2192|\u2013|\u2014)\s{0,3}([^\W_]{1,12})(?:\s{0,3}[:=]\s{0,3}(\d{1,9})(?!\d|\.\d))?"
    r"|[(\[{]\s{0,3}['\"]?([^\W_]{1,12})['\"]?\s{0,3}[,\s]\s{0,3}['\"]?([^\W_]{1,12})['\"]?\s{0,3}[)\]}]"
)
_GROUP = re.compile(r"[\[({]([^\[\](){}]*)[\])}]")
_GROUP_LABEL = re.compile(r"[A-Za-z]{1,12}[ \t]{0,3}\d{0,3}[ \t]{0,3}[:=]")
_NO_CONTENT = str.maketrans("", "", "[](){},;|`* \t\r\n")
_AROUND = "`*\"' \t\r\n"


def scan(text: str, pattern: re.Pattern[str]) -> list[re.Match[str]] | None:
    """All matches, if there is at least one and nothing but separators stands around and between them."""
    found: list[re.Match[str]] = []
    position = 0
    for match in pattern.finditer(text):
        between = _SEPARATORS.match(text, position, match.start())
        # two matches that touch, as in "A-B-C", are something else than two matches
        if between is None or between.end() != match.start() or (found and between.end() == position):
            return None
        found.append(match)
        position = match.end()
    tail = _SEPARATORS.match(text, position)
    return found if found and tail is not None and tail.end() == len(text) else None


def parse_names(text: str, names: Collection[str]) -> list[str] | None:
    """Names in order: ``A -> B``, ``A, B``, ``[A, B]``, ``Path: A B``; None if anything else is said.

    Names are words; their case does not count.
    """
    plain = text.split(", ")
    if set(names).issuperset(plain):  # as most answers are written
        return plain
    if _PLAIN_NAMES.fullmatch(text):
        words = text.lower().split(", ")
    else:
        label = _LABEL.match(text)
        text = _ARROWS.sub(" ", text[label.end() :] if label else text)
        words = [match.group().lower() for match in scan(text, _NAME) or []]
    canonical = {name.lower(): name for name in names}
    found = [canonical.get(word) for word in words if word != "and"]
    known = [name for name in found if name is not None]
    return known if found and len(known) == len(found) else None


def parse_pairs(text: str, names: Collection[str]) -> list[tuple[str, str, int | None]] | None:
    """Pairs of names, each with a number or None: ``A-B, C-D``, ``(A, B), (C, D)``, ``A->B=3``; or None."""
    canonical = {name.lower(): name for name in names}
    pairs: list[tuple[str, str, int | None]] = []
    for match in scan(text.strip().removeprefix("[").removesuffix("]"), _PAIR) or []:
        first, second = (
            canonical.get((part or "").lower()) for part in (match[1] or match[4], match[2] or match[5])
        )
        if first is None or second is None:
            return None
        pairs.append((first, second, int(match[3]) if match[3] else None))
    return pairs or None


def parse_integers(text: str) -> list[int] | None:
    """Whole numbers in order, in any form that :func:`parse_numbers` reads; or None."""
    numbers = parse_numbers(text)
    if numbers is None or any(number.denominator != 1 for number in numbers):
        return None
    return [number.numerator for number in numbers]


def parse_number_groups(text: str) -> list[list[int]] | None:
    """Groups of whole numbers: ``[1, 2], [3]``, ``1, 2 | 3`` or one group a line, with or without ``Bin 1:``."""
    text = _GROUP_LABEL.sub("\n", text)
    parts = _GROUP.findall(text)
    if parts:
        if _GROUP.sub("", text).translate(_NO_CONTENT):
            return None
    else:
        parts = [part for part in re.split(r"[|;\n]", text) if part.strip()]
    groups = [parse_integers(part) for part in parts]
    found = [group for group in groups if group is not None]
    return found if groups and len(found) == len(groups) else None


def plain_text(text: str) -> str:
    """Without surrounding quotes, Markdown and white space; runs of white space are one space."""
    return " ".join(text.strip(_AROUND).split())


@register_verifier("exact_text")
class TextVerifier(ParsedVerifier[str]):
    """``task.answer`` is a text; case and white space around words do not count."""

    def read(self, answer: str, task: Task) -> str | None:
        """The text in lower case."""
        return plain_text(answer).lower() or None

    def holds(self, value: str, task: Task) -> bool:
        """Equality."""
        return value == plain_text(str(task.answer)).lower()


@register_verifier("exact_grid")
class GridVerifier(ParsedVerifier[list[str]]):
    """``task.answer`` is a grid of digits, as a list of rows."""

    def read(self, answer: str, task: Task) -> list[str] | None:
        """Rows of digits of the right number and length."""
        return parse_grid(answer, len(task.answer), len(task.answer[0]), "0123456789")

    def holds(self, value: list[str], task: Task) -> bool:
        """Equality."""
        return bool(value == task.answer)
