"""Reading answers that are made of numbers: lists, factorisations, assignments, matrices.

Every parser here is total and bounded: any text gives a value or None, in time linear in its length. They forgive
presentation (white space, brackets, LaTeX spacing, ``x =`` before a number) and nothing else.
"""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar, Generic, TypeVar

from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier
from rlvr_gym.verifiers.rational import parse_rational

__all__ = [
    "IntegerVerifier",
    "MatrixVerifier",
    "MultisetVerifier",
    "ParsedVerifier",
    "ReducedFractionVerifier",
    "TupleVerifier",
    "integer_of",
    "parse_assignments",
    "parse_factors",
    "parse_matrix",
    "parse_numbers",
    "plain_integers",
    "plain_matrix",
    "tidy",
]

MAX_CHARS = 5_000
"""A longer answer is not read: no task of numbers needs one."""
MAX_ITEMS = 500

T = TypeVar("T")

_SYMBOLS = str.maketrans(
    {"\u2212": "-", "\u2013": "-", "\ufe63": "-", "\uff0d": "-", "\u00d7": "*", "\u00b7": "*", "\u22c5": "*"}
    | {"\u00a0": " ", "\u2009": " ", "\u202f": " ", "$": " "}
)
_SUPERSCRIPTS = dict(
    zip("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b", "0123456789-", strict=True)
)
_SUPERSCRIPT_RUN = re.compile(f"[{''.join(_SUPERSCRIPTS)}]+")
_LATEX_SPACE = re.compile(r"(?<!\\)\\(?:left|right|quad|qquad|displaystyle|[,;:! ])")
_LATEX_TIMES = re.compile(r"\\(?:cdot|times)(?![a-zA-Z])")
_LATEX_FRACTION = re.compile(r"\\[dt]?frac\s?\{\s?(-?\d{1,1000})\s?\}\s?\{\s?(-?\d{1,1000})\s?\}")
_LATEX_SHORT_FRACTION = re.compile(r"\\[dt]?frac\s?(\d)\s?(\d)", re.ASCII)
_NUMBER = re.compile(r"[+-]?\s?(?:\d+(?:\.\d*)?|\.\d+)(?:\s?/\s?[+-]?\d+)?", re.ASCII)
_NAMED = re.compile(r"\s*\\?[A-Za-z\u03bb]\w{0,8}\s*=\s*", re.ASCII)
_FACTOR = re.compile(r"\(?\s*(\d{1,300})\s*\)?\s*(?:(?:\^|\*\*)\s*[({]?\s*(\d{1,4})\s*[)}]?)?", re.ASCII)
_PRODUCT_SIGN = re.compile(r"(?<!\*)\*(?!\*)|,|(?<=\d)\s+(?=\d)")
_ENVIRONMENT = re.compile(r"\\begin\{([bpvBV]?matrix|array)\}(.*)\\end\{\1\}", re.DOTALL)
_ROW = re.compile(r"[\[(]([^\[\]()]*)[\])]")
_JOINT = re.compile(r"\band\b|\bor\b|;")
_LOOSE_SIGN = re.compile(r"\s*([=/])\s*")
_TIMES_LETTER = re.compile(r"(?<=[\d)}])\s*x\s*(?=[\d(])")
_RATIO = re.compile(r"([+-]?)\s?(\d{1,1000})(?:\s?/\s?(\d{1,1000}))?", re.ASCII)
_PLAIN_INTEGER = re.compile(r"-?\d{1,300}", re.ASCII)
# what follows a number or a row is no part of it, so nothing is to be tried again: "++"
_PLAIN_LIST = re.compile(r"-?\d{1,300}+(?:, ?-?\d{1,300}+){0,499}+", re.ASCII)
_PLAIN_RATIOS = re.compile(
    r"-?\d{1,300}+(?:/\d{1,300}+)?+(?:, ?-?\d{1,300}+(?:/\d{1,300}+)?+){0,499}+", re.ASCII
)
_PLAIN_ROWS = re.compile(r"\[\[[-\d, ]++(?:\], ?\n?\[[-\d, ]++)*+\]\]", re.ASCII)
"""Whether there are numbers between the brackets is left to the JSON parser."""
_JSON = json.JSONDecoder()
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"))


def tidy(text: str) -> str | None:
    """``text`` with the usual ways of writing signs and fractions made one; None if it is too long to be read."""
    if len(text) > MAX_CHARS:
        return None
    if (
        text.isascii() and "\\" not in text and "$" not in text
    ):  # nothing of what is looked for below is there
        return text.strip().removesuffix(".").strip()
    text = _LATEX_SPACE.sub(" ", text.translate(_SYMBOLS))
    text = _LATEX_TIMES.sub("*", text.replace(r"\{", "{").replace(r"\}", "}"))
    text = _SUPERSCRIPT_RUN.sub(lambda m: "^" + "".join(_SUPERSCRIPTS[ch] for ch in m.group()), text)
    text = _LATEX_FRACTION.sub(r"\1/\2", _LATEX_SHORT_FRACTION.sub(r"\1/\2", text))
    return text.strip().removesuffix(".").strip()


def _unwrap(text: str) -> str:
    """Without the pair of brackets around all of ``text``, if there is one."""
    text = text.strip()
    for opening, closing in _PAIRS:
        inner = text[1:-1]
        if (
            len(text) > 1
            and text == opening + inner + closing
            and opening not in inner
            and closing not in inner
        ):
            return inner.strip()
    return text


def _number(text: str) -> Fraction | None:
    # not parse_rational alone: in a list, "1 234" and "1,234" are no single number
    text = text.strip()
    return parse_rational(text) if _NUMBER.fullmatch(text) else None


def _unnamed(text: str) -> str:
    """Without an ``x =`` in front."""
    named = _NAMED.match(text)
    return text[named.end() :] if named else text


def plain_integers(text: str) -> list[int] | None:
    """The numbers of ``1, -2, 3``, as most answers are written; None for any other form, which may be readable too."""
    if len(text) > MAX_CHARS or _PLAIN_LIST.fullmatch(text) is None:
        return None
    try:
        numbers: list[int] = _JSON.raw_decode(f"[{text}]")[
            0
        ]  # the quickest way to read what the pattern lets through
    except ValueError:  # 007
        return list(map(int, text.split(",")))
    return numbers


def plain_matrix(text: str) -> list[list[int]] | None:
    """The rows of ``[[1, 2], [3, 4]]``; None for any other form, which may be readable too."""
    if len(text) > MAX_CHARS or _PLAIN_ROWS.fullmatch(text) is None:
        return None
    try:
        rows: list[list[int]] = _JSON.raw_decode(text)[0]
    except ValueError:  # 007, 1 2, or 5,000 digits
        return None
    return rows if len(set(map(len, rows))) == 1 and len(rows[0]) <= MAX_ITEMS else None


def integer_of(text: str) -> int | None:
    """The whole number that ``text`` is (``12``, ``x = 12``, ``12.0``), or None."""
    if _PLAIN_INTEGER.fullmatch(text):
        return int(text)
    clean = tidy(text)
    if clean is None:
        return None
    value = parse_rational(_unwrap(_unnamed(clean)))
    return value.numerator if value is not None and value.denominator == 1 else None


def _split(text: str) -> list[str] | None:
    text = _JOINT.sub(",", text)
    parts = text.split(",") if "," in text else _LOOSE_SIGN.sub(r"\1", text).split()
    return parts if 0 < len(parts) <= MAX_ITEMS else None


def parse_numbers(text: str) -> list[Fraction] | None:
    """The rational numbers of a list, in order: ``2, 3``, ``[2; 1/2]``, ``{2, 3}``, ``x = 2 or x = 3``, ``2 3``."""
    plain = plain_integers(text)
    if plain is not None:
        return list(map(Fraction, plain))
    if len(text) <= MAX_CHARS and _PLAIN_RATIOS.fullmatch(text) is not None:
        return _plain_ratios(text)
    clean = tidy(text)
    if clean is None:
        return None
    inner = _unnamed(clean)
    parts = _split(_unwrap(inner if inner.startswith(("[", "{", "(")) else clean))
    values = [_number(_unnamed(part)) for part in parts or []]
    found = [value for value in values if value is not None]
    return found if values and len(found) == len(values) else None


def _plain_ratios(text: str) -> list[Fraction] | None:
    """``1/2, -3``, written just so; None if it has a division by zero."""
    values: list[Fraction] = []
    for part in text.split(","):
        above, slash, below = part.partition("/")
        divisor = int(below) if slash else 1
        if not divisor:
            return None
        values.append(Fraction(int(above), divisor))
    return values


def parse_assignments(text: str) -> dict[str, Fraction] | None:
    """``x = 1, y = -3/2`` as a dict; a name that comes twice makes it unreadable."""
    clean = tidy(text)
    parts = _split(_unwrap(clean)) if clean is not None else None
    values: dict[str, Fraction] = {}
    for part in parts or []:
        name, sign, number = part.partition("=")
        value = _number(number)
        if not sign or value is None or name.strip() in values:
            return None
        values[name.strip()] = value
    return values or None


def parse_factors(text: str) -> list[int] | None:
    """The factors of a product of positive integers with repetition, sorted: ``2^3 * 5`` gives [2, 2, 2, 5].

    Also ``n = 2^3 * 5``, ``2**3 x 5`` and ``2, 2, 2, 5``.
    """
    clean = tidy(text)
    if clean is None:
        return None
    if "=" in clean:
        clean = clean.rpartition("=")[2]
    clean = _TIMES_LETTER.sub("*", clean)
    factors: list[int] = []
    for part in _PRODUCT_SIGN.split(_unwrap(clean)):
        match = _FACTOR.fullmatch(part.strip())
        if match is None:
            return None
        exponent = int(match[2]) if match[2] else 1
        if len(factors) + exponent > MAX_ITEMS:
            return None
        factors += [int(match[1])] * exponent
    return sorted(factors)


def parse_matrix(text: str) -> list[list[Fraction]] | None:
    r"""A matrix of rationals: ``[[1, 2], [3, 4]]``, ``\begin{pmatrix}1&2\\3&4\end{pmatrix}``, ``[1 2; 3 4]``, lines.

    None unless all rows are of one length.
    """
    plain = plain_matrix(text)
    if plain is not None:
        return [list(map(Fraction, row)) for row in plain]
    clean = tidy(text)
    if clean is None:
        return None
    environment = _ENVIRONMENT.search(clean)
    if environment is not None:
        if (
            clean.count(r"\begin") != 1
            or _unnamed(clean[: environment.start()])
            or clean[environment.end() :]
        ):
            return None
        rows = [[_number(c) for c in row.split("&")] for row in environment[2].split(r"\\") if row.strip()]
    else:
        rows = [[_number(c) for c in _split(row) or [""]] for row in _plain_rows(clean)]
    if not rows or len({len(row) for row in rows}) != 1:
        return None
    matrix = [[value for value in row if value is not None] for row in rows]
    return matrix if all(len(a) == len(b) for a, b in zip(matrix, rows, strict=True)) else None


def _plain_rows(text: str) -> list[str]:
    text = _unnamed(text)
    rows = _ROW.findall(text)
    if len(rows) > 1 or re.match(r"[\[({]\s*[\[(]", text):
        # nothing may stand between and around the rows but separators and one outer pair of brackets
        return rows if re.fullmatch(r"[\[({]?[\s,;]*[\])}]?", _ROW.sub("", text)) else []
    return [row for row in re.split(r"[;\n]", _unwrap(text)) if row.strip()]


class ParsedVerifier(AnswerVerifier, Generic[T]):
    """An answer is first read, then judged by a property: subclasses say how."""

    @abstractmethod
    def read(self, answer: str, task: Task) -> T | None:
        """What the answer says; None if it cannot be read."""

    @abstractmethod
    def holds(self, value: T, task: Task) -> bool:
        """Whether a readable answer is right."""

    def check(self, answer: str, task: Task) -> Verdict:
        """Unreadable and wrong are different reasons."""
        value = self.read(answer, task)
        if value is None:
            return Verdict.wrong(Reason.UNPARSEABLE, answer[:200])
        return (
            Verdict.right(answer[:200]) if self.holds(value, task) else Verdict.wrong(extracted=answer[:200])
        )


@register_verifier("integer")
class IntegerVerifier(ParsedVerifier[int]):
    """``task.answer`` is a whole number as text or int."""

    def read(self, answer: str, task: Task) -> int | None:
        """A whole number."""
        return integer_of(answer)

    def holds(self, value: int, task: Task) -> bool:
        """Equality."""
        return value == int(task.answer)


@register_verifier("reduced_fraction")
class ReducedFractionVerifier(ParsedVerifier[tuple[int, int]]):
    """``task.answer`` is a fraction as text; ``a/b`` must be in lowest terms, a whole number may stand alone."""

    def read(self, answer: str, task: Task) -> tuple[int, int] | None:
        """Numerator and denominator as they are written."""
        clean = tidy(answer)
        match = _RATIO.fullmatch(_unwrap(clean or ""))
        if match is None:
            return None
        below = int(match[3] or 1)
        return (int(match[1] + match[2]), below) if below else None

    def holds(self, value: tuple[int, int], task: Task) -> bool:
        """The same numerator and denominator as in lowest terms."""
        gold = parse_rational(str(task.answer))  # much faster than Fraction(text)
        return value == (Fraction(task.answer) if gold is None else gold).as_integer_ratio()


class NumbersVerifier(ParsedVerifier[Sequence[Fraction | int]]):
    """``task.answer`` is a list of rationals as text. ``ordered`` says whether order counts; repetition does."""

    ordered: ClassVar[bool]

    def read(self, answer: str, task: Task) -> Sequence[Fraction | int] | None:
        """A list of rationals."""
        return plain_integers(answer) or parse_numbers(answer)

    def holds(self, value: Sequence[Fraction | int], task: Task) -> bool:
        """The same numbers, as often."""
        gold = _gold_numbers(str(task.answer)) or []
        return value == gold if self.ordered else sorted(value) == sorted(gold)


@register_verifier("number_multiset")
class MultisetVerifier(NumbersVerifier):
    """Order is free: roots with multiplicity, eigenvalues."""

    ordered = False


@register_verifier("number_tuple")
class TupleVerifier(NumbersVerifier):
    """Order counts: points, vectors, digits."""

    ordered = True


@register_verifier("matrix")
class MatrixVerifier(ParsedVerifier[Sequence[Sequence[Fraction | int]]]):
    """``task.answer`` is a matrix of rationals as text."""

    def read(self, answer: str, task: Task) -> Sequence[Sequence[Fraction | int]] | None:
        """A matrix."""
        return plain_matrix(answer) or parse_matrix(answer)

    def holds(self, value: Sequence[Sequence[Fraction | int]], task: Task) -> bool:
        """The same shape and entries."""
        return value == _gold_matrix(str(task.answer))


# A task's answers are many, and those of a group come one after the other: its reference is read once.


@lru_cache(maxsize=1024)
def _gold_numbers(text: str) -> Sequence[Fraction | int] | None:
    return plain_integers(text) or parse_numbers(text)


@lru_cache(maxsize=1024)
def _gold_matrix(text: str) -> Sequence[Sequence[Fraction | int]] | None:
    return plain_matrix(text) or parse_matrix(text)
