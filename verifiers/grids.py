"""Reading answers that are grids, assignments, groupings or selections.

Every parser is total, bounded and linear: any text gives a value or None. What is forgiven is presentation (white
space, separators, brackets, quotes, Markdown tables and fences, JSON, LaTeX arrays), never content: a character
that is no symbol of the puzzle makes the answer unreadable.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Generic, TypeVar

from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier

__all__ = [
    "RuleVerifier",
    "grid_text",
    "normalized",
    "parse_assignment",
    "parse_bits",
    "parse_grid",
    "parse_groups",
    "parse_selection",
    "words_of",
]

MAX_CHARS = 6_000
"""A longer answer is not read: the largest puzzle's answer has a few hundred characters."""

T = TypeVar("T")

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[\w-]*[ \t]*$", re.MULTILINE)
_LATEX = re.compile(r"\\(?:begin|end)\{[a-z]{1,12}\*?\}(?:\{[clr| ]{0,40}\})?|\\hline|\\left|\\right|\\quad")
_ROW_LABEL = re.compile(r"(?:row|r)[ \t]?(\d{1,2})[ \t]?[:.)][ \t]*", re.IGNORECASE)
_FRAME = frozenset(
    "-+=_:|\u2500\u2501\u2502\u2503\u250c\u2510\u2514\u2518\u251c\u2524\u252c\u2534\u253c\u2550\u2551"
)
_NOISE = str.maketrans(dict.fromkeys("[](){}\"'`,|&\u2502\u2503\u2551", " "))
_PAIR = re.compile(
    r"([A-Za-z]\w{0,30})[*\"'`]*\s*(?::=|=>|->|\u2192|=|:|\bis\b)\s*[*\"'`]*([\w-]{1,40})", re.ASCII
)
_PLAIN_GRID = re.compile(r"[A-Za-z0-9 \n]+")
_PLAIN_ASSIGNMENT = re.compile(r"[A-Za-z]\w{0,30} ?= ?\w{1,40}(?:, [A-Za-z]\w{0,30} ?= ?\w{1,40})*", re.ASCII)
_NO_WHOLE_NUMBER = re.compile(r"\d\s*(?:\.\s*\d|-)|-\s*\d")
_BETWEEN_PAIRS = re.compile(r"(?:[\s,;.|&{}()\[\]\"'`*-]|\band\b)*")
_WORD = re.compile(r"[^\W_]+")
_ASCII_WORDS = "".join(c.lower() if c.isalnum() else " " for c in map(chr, range(128))).encode().ljust(256)
"""For ``bytes.translate``: lower case, and a space for what is in no word."""
_BITS = {"1": True, "true": True, "t": True, "yes": True, "0": False, "false": False, "f": False, "no": False}
_FENCE_WORDS = frozenset({"json", "markdown"})
_EMPTY = frozenset({"none", "none of them", "none of these", "no statement", "empty set", "nothing"})
_SELECTION_WORDS = frozenset(
    {"and", "statement", "statements", "conclusion", "conclusions", "number", "numbers"}
)


class RuleVerifier(AnswerVerifier, Generic[T]):
    """Reads an answer, then names the first rule that it breaks; an answer that breaks none is right.

    ``task.answer`` is a dict that holds the puzzle and, under ``"reference"``, one solution (None if there is
    none). Any solution scores: an answer that is not the reference is judged by the puzzle alone.
    """

    impossible: ClassVar[str] = ""
    """The words that say that there is no solution, where a task may have none."""
    _impossible_word: ClassVar[str] = ""
    """The first of them."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._impossible_word = cls.impossible.partition(" ")[0]

    @abstractmethod
    def read(self, answer: str, task: Task) -> T | None:
        """What the answer says; None if it cannot be read."""

    @abstractmethod
    def fault(self, value: T, task: Task) -> str | None:
        """The rule that a readable answer breaks; None if it breaks none."""

    def check(self, answer: str, task: Task) -> Verdict:
        """Unreadable, impossible and rule-breaking answers have different reasons."""
        shown = answer[:200]
        # to look for one word is much faster than to read all of them, and enough for nearly all answers
        if (
            self.impossible
            and self._impossible_word in answer.lower()
            and normalized(answer) == self.impossible
        ):
            return (
                Verdict.right(shown) if task.answer["reference"] is None else Verdict.wrong(extracted=shown)
            )
        value = self.read(answer, task) if len(answer) <= MAX_CHARS else None
        if value is None:
            return Verdict.wrong(Reason.UNPARSEABLE, shown)
        fault = self.fault(value, task)
        return Verdict.right(shown) if fault is None else Verdict.wrong(Reason.RULE_BROKEN, shown, rule=fault)


def words_of(text: str) -> list[str]:
    """The words of a text in lower case: what stands between punctuation, white space and Markdown."""
    if text.isascii():  # the same, many times faster
        return text.encode().translate(_ASCII_WORDS).decode().split()
    return _WORD.findall(text.lower())


def normalized(text: str) -> str:
    """The words of a short text in lower case with single spaces, without punctuation and Markdown."""
    return " ".join(words_of(text[:MAX_CHARS]))


def grid_text(rows: Sequence[Sequence[object]]) -> str:
    """Rows as lines, cells separated by spaces."""
    return "\n".join(" ".join(map(str, row)) for row in rows)


def parse_grid(text: str, rows: int, columns: int, symbols: Collection[str]) -> list[str] | None:
    """The rows of a grid of one-character cells, or None.

    Args:
        text: cells with or without separators, rows as lines, as JSON lists, as a Markdown table, or all in one
            line; a row may begin with ``Row 1:``.
        rows: how many rows there must be.
        columns: how many cells a row must have.
        symbols: what may stand in a cell; letters in lower case.
    """
    if len(text) > MAX_CHARS:
        return None
    if _PLAIN_GRID.fullmatch(text):  # as most answers are written
        lines = [cells for line in text.lower().split("\n") if (cells := line.replace(" ", ""))]
    else:
        found = _grid_lines(text)
        if found is None:
            return None
        lines = found
    if len(lines) == 1 and len(lines[0]) == rows * columns:
        lines = [lines[0][start : start + columns] for start in range(0, rows * columns, columns)]
    fits = len(lines) == rows and all(len(line) == columns for line in lines)
    return lines if fits and frozenset(symbols).issuperset("".join(lines)) else None


def _grid_lines(text: str) -> list[str] | None:
    """The cells of each line that has any, without what may stand around them; None if the rows' labels are wrong."""
    text = _LATEX.sub(" ", _FENCE.sub("", text)).replace("\\\\", "\n").replace("]", "\n").replace(";", "\n")
    lines: list[str] = []
    for line in text.lower().splitlines():
        line = line.translate(_NOISE).replace("**", " ").strip()
        label = _ROW_LABEL.match(line)
        if label is not None:
            if int(label[1]) != len(lines) + 1:
                return None
            line = line[label.end() :]
        cells = "".join(line.split())
        if cells and not _FRAME.issuperset(cells):
            lines.append(cells)
    return lines


def parse_assignment(text: str, names: Collection[str]) -> dict[str, str] | None:
    """A value in lower case for each of ``names``: ``a = 1, b = 0``, one a line, or a JSON object.

    Names are words without underscores; ``x_1`` is read as ``x1``. None if a name is missing, unknown or given two values, or if anything else is said.
    """
    if len(text) > MAX_CHARS:
        return None
    canonical = {name.lower(): name for name in names}
    values: dict[str, str] = {}
    if _PLAIN_ASSIGNMENT.fullmatch(text):  # as most answers are written
        for part in text.lower().split(", "):
            said, _, value = part.partition("=")
            name = canonical.get(said.rstrip().replace("_", ""))
            value = value.lstrip()
            if name is None or values.setdefault(name, value) != value:
                return None
        return values if len(values) == len(canonical) else None
    text = _FENCE.sub("", text)
    position = 0
    for match in _PAIR.finditer(text):
        name = canonical.get(match[1].lower().replace("_", ""))
        value = match[2].lower()
        if (
            name is None
            or values.setdefault(name, value) != value
            or not _only_separators(text, position, match.start())
        ):
            return None
        position = match.end()
    return values if len(values) == len(canonical) and _only_separators(text, position, len(text)) else None


def _only_separators(text: str, start: int, end: int) -> bool:
    match = _BETWEEN_PAIRS.match(text, start, end)
    return match is not None and match.end() == end


def parse_bits(text: str, names: Sequence[str]) -> list[bool] | None:
    """The truth values (``1``/``0``, ``true``/``false``) that are assigned to exactly these names, in their order."""
    plain = _plain_bits(tuple(names)).fullmatch(text)
    if plain is not None:  # as most answers are written
        return [bit == "1" for bit in plain.groups()]
    values = parse_assignment(text, names)
    if values is None or not _BITS.keys() >= set(values.values()):
        return None
    return [_BITS[values[name]] for name in names]


@lru_cache(maxsize=256)
def _plain_bits(names: tuple[str, ...]) -> re.Pattern[str]:
    """``a=1, b=0``: all names in their order."""
    return re.compile(", ".join(rf"{re.escape(name)} ?= ?([01])" for name in names))


def parse_groups(
    words: Iterable[str], labels: Mapping[str, int], values: Collection[str], noise: Container[str] = ()
) -> dict[str, int] | None:
    """Which label each value stands behind: ``House 1: Ann, red`` gives ``{"ann": 0, "red": 0}``.

    Labels, values and noise are single words in lower case; a word that is a label and a value is a label.

    Args:
        words: what :func:`words_of` makes of lines, a Markdown table, or JSON; a value belongs to the last label
            before it.
        labels: the groups' names, and what the result holds for them.
        values: each must come exactly once.
        noise: other words that may occur, such as column headings.

    Returns:
        What ``labels`` holds for every value's label, or None.
    """
    found: dict[str, int] = {}
    current: int | None = None
    for word in words:
        if word in labels:
            current = labels[word]
        elif word in values:
            if current is None or word in found:
                return None
            found[word] = current
        elif word not in noise and word not in _FENCE_WORDS:
            return None
    return found if len(found) == len(values) else None


def parse_selection(text: str, count: int) -> frozenset[int] | None:
    """The chosen numbers out of 1 to ``count``: ``1, 3``, ``{1, 3}``, ``Statements 1 and 3``, ``none``; or None."""
    plain, numerals = text.split(", "), _numerals(count)
    if len(plain) <= count and numerals.keys() >= set(plain):  # as most answers are written
        return frozenset(map(numerals.__getitem__, plain))
    words = normalized(text).split() if len(text) <= MAX_CHARS else []
    if " ".join(words) in _EMPTY:
        return frozenset()
    numbers = [word for word in words if word not in _SELECTION_WORDS]
    if not numbers or _NO_WHOLE_NUMBER.search(text) or len(numbers) > count:
        return None
    if not all(word.isascii() and word.isdigit() and len(word) <= 3 for word in numbers):
        return None
    chosen = frozenset(map(int, numbers))
    return chosen if all(1 <= number <= count for number in chosen) else None


@lru_cache(maxsize=256)
def _numerals(count: int) -> dict[str, int]:
    """The numbers from 1 to ``count`` as they are written."""
    return {str(number): number for number in range(1, count + 1)}
