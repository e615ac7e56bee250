"""Exact rational numbers: an answer is right if it is the same number, however it is written."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier

__all__ = ["RationalVerifier", "parse_rational"]

MAX_DIGITS = 1000

_GROUPED = r"\d{1,3}(?:,\d{3})+|\d{1,3}(?:[ _]\d{3})+|\d+"
_DECIMAL = re.compile(rf"([+-]?)\s?(?:({_GROUPED})(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d{{1,4}}))?")
_LATEX_FRACTION = re.compile(r"([+-]?)\s?\\[dt]?frac\s?\{\s?([+-]?\d+)\s?\}\s?\{\s?([+-]?\d+)\s?\}")
_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\ufe63": "-", "\uff0d": "-"})


def parse_rational(text: str) -> Fraction | None:
    """The number that ``text`` is, or None if it is none: ``-3``, ``1,234.50``, ``3/4``, ``\\frac{3}{4}``, ``1e3``.

    Linear time; numbers of more than 1,000 digits are not read. Only ASCII and full-width digits count: a
    look-alike digit of another script is no digit.
    """
    text = text.strip().translate(_MINUS).removeprefix("$").removesuffix(".").strip()
    if not text or len(text) > MAX_DIGITS:
        return None
    if any(ch.isdigit() and not ch.isascii() for ch in text):
        text = "".join(unicodedata.normalize("NFKC", c) if "\uff10" <= c <= "\uff19" else c for c in text)
        if not text.isascii():
            return None
    if (match := _LATEX_FRACTION.fullmatch(text)) is not None:
        numerator, denominator = int(match[2]), int(match[3])
        sign = -1 if match[1] == "-" else 1
        return Fraction(sign * numerator, denominator) if denominator else None
    above, slash, below = text.partition("/")
    value = _decimal(above.strip())
    if not slash or value is None:
        return value
    divisor = _decimal(below.strip())
    return value / divisor if divisor else None


def _decimal(text: str) -> Fraction | None:
    match = _DECIMAL.fullmatch(text)
    if match is None or not text.isascii():
        return None
    sign, whole, decimals, bare, exponent = match.groups()
    decimals = (decimals if whole is not None else bare) or ""
    digits = re.sub(r"[, _]", "", whole or "0")
    scale = int(exponent or 0)
    if abs(scale) > MAX_DIGITS:
        return None
    value = Fraction(int(digits + decimals), 10 ** len(decimals)) * Fraction(10) ** scale
    return -value if sign == "-" else value


@register_verifier("rational")
class RationalVerifier(AnswerVerifier):
    """``task.answer`` is a number as text or int; the answer must be exactly that number."""

    def check(self, answer: str, task: Task) -> Verdict:
        """Compares as Fractions: ``0.5``, ``1/2`` and ``2/4`` are the same, ``0.5000001`` is not."""
        value = parse_rational(answer)
        if value is None:
            # "12 + 5 = 17": a chain of equations ends in its result
            value = parse_rational(answer.rpartition("=")[2])
        if value is None:
            return Verdict.wrong(Reason.UNPARSEABLE, answer[:200])
        gold = parse_rational(str(task.answer))
        if gold is None:
            return Verdict.failed(Reason.VERIFIER_ERROR, error=f"the reference {task.answer!r} is no number")
        return Verdict.right(answer[:200]) if value == gold else Verdict.wrong(extracted=answer[:200])
