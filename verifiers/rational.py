"""Exact rational numbers: an answer is right if it is the same number, however it is written."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from functools import lru_cache

from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier

__all__ = ["RationalVerifier", "parse_rational"]

MAX_CHARS = 1000
MAX_EXPONENT = 1000
MAX_EQUATION_SIDES = 8
MAX_UNIT_WORDS = 4

# A group of thousands does not begin with 0: "0,500" is half in many countries, and not 500.
_WHOLE = r"[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{0,2}(?:[ _]\d{3})+|\d+"
_PLAIN = re.compile(r"-?\d{1,300}", re.ASCII)
_PLAIN_RATIO = re.compile(r"(-?\d{1,300}+)(?:/(-?\d{1,300}+))?", re.ASCII)
_DECIMAL = re.compile(rf"([+-]?)\s?(?:({_WHOLE})(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d{{1,4}}))?")
_LATEX_FRACTION = re.compile(
    r"([+-]?)\s?\\[dt]?frac\s?(?:(\d)\s?(\d)|\{\s?([+-]?\d+)\s?\}\s?\{\s?([+-]?\d+)\s?\})"
)
_MIXED = re.compile(r"([+-]?)\s?(\d+) (\d+)\s?/\s?(\d+)")
_CURRENCY = re.compile(r"([+-]?)\s?[$€£¥]\s?")
_WITH_UNIT = re.compile(r"([^A-Za-z%]*[\d.$€£¥])\s*([A-Za-z%][A-Za-z% .'-]*)")
_SAME_CHARACTER = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2013\ufe63\uff0d", "-"),  # minus sign, en dash, small and full-width hyphen
        **dict.fromkeys("\u00a0\u2009\u202f", " "),  # spaces that group digits in print
    }
)
_LATEX_NOISE = re.compile(r"\\[!,;: ]|\{(,)\}|\\([$%])|\\(?:text|mathrm|mbox)\s?\{([^{}\\]*)\}")
_MARKS = re.compile(r"[\\{$]")
"""Without these, an ASCII text has no LaTeX and no currency."""
_UNIT_CHARACTER = re.compile(r"[A-Za-z%]")
_SINGULAR = {"feet": "foot", "inches": "inch", "halves": "half", "pennies": "penny", "centuries": "century"}
# Words (as _unit_words leaves them, without a final s) that change the number in front of them: no units, even if the question has them.
_SCALES = frozenset(
    re.findall(
        r"\w+",
        """half third quarter fourth fifth tenth hundredth thousandth dozen score ten hundred thousand million billion
        trillion squared cubed e k m bn pair couple time more les fewer not or and minu plu""",
    )
)
# Units of one kind: where a question uses two of them, a number with one of them may be right in the other one only.
_KINDS = tuple(
    frozenset(kind.split())
    for kind in (
        "dollar cent penny quarter dime nickel euro pound",
        "second minute hour day week month year decade century",
        "inch foot yard mile centimeter meter kilometer centimetre metre kilometre cm km",
        "ounce gram kilogram pound ton kg",
        "cup pint quart gallon liter litre milliliter millilitre ml ounce",
        "percent fraction ratio",
    )
)


def parse_rational(text: str) -> Fraction | None:
    r"""The number that ``text`` is, or None if it is none.

    Reads ``-3``, ``1,234.50``, ``1 234``, ``3/4``, ``1 1/2``, ``\frac{3}{4}``, ``1e3``, ``$5``, ``5.``. Linear
    time; more than 1,000 characters are not read. Only ASCII and full-width digits count: a look-alike digit of
    another script is no digit.
    """
    if _PLAIN.fullmatch(text):
        return Fraction(int(text))
    above, slash, below = text.partition("/")
    if slash and _PLAIN.fullmatch(above) and _PLAIN.fullmatch(below):
        return _quotient("", int(above), int(below))
    text = _tidy(text)
    if not text or not text.isascii():
        return None
    if (match := _LATEX_FRACTION.fullmatch(text)) is not None:
        sign, short_above, short_below, above, below = match.groups()
        return _quotient(sign, int(short_above or above), int(short_below or below))
    if (match := _MIXED.fullmatch(text)) is not None:
        sign, whole, above, below = match.groups()
        proper = int(above) < int(below)  # "1 234/5" could also mean 1234/5, and is refused
        return _quotient(sign, int(whole) * int(below) + int(above), int(below)) if proper else None
    above, slash, below = text.partition("/")
    if slash and _PLAIN.fullmatch(above) and _PLAIN.fullmatch(below):
        return _quotient("", int(above), int(below))
    value = _decimal(above.strip())
    if not slash or value is None:
        return value
    divisor = _decimal(below.strip())
    return value / divisor if divisor else None


def _tidy(text: str) -> str:
    """Presentation removed: LaTeX spacing, a currency sign, full-width digits, a full stop; "" if too long."""
    if len(text) > MAX_CHARS:
        return ""
    if text.isascii() and not _MARKS.search(text):
        return text.strip().removesuffix(".").strip()
    text = _without_latex(text).translate(_SAME_CHARACTER).strip()
    if not text.isascii():
        text = "".join(unicodedata.normalize("NFKC", c) if "\uff10" <= c <= "\uff19" else c for c in text)
    if (match := _CURRENCY.match(text)) is not None:
        text = match[1] + text[match.end() :]
    else:
        text = re.sub(r"\s?[$€£¥]$", "", text)
    return text.removesuffix(".").strip()


def _without_latex(text: str) -> str:
    return _LATEX_NOISE.sub(lambda m: m[1] or m[2] or m[3] or "", text)


def _quotient(sign: str | None, above: int, below: int) -> Fraction | None:
    return Fraction(-above if sign == "-" else above, below) if below else None


def _decimal(text: str) -> Fraction | None:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    sign, whole, decimals, bare, exponent = match.groups()
    decimals = (decimals if whole is not None else bare) or ""
    digits = re.sub(r"[, _]", "", whole or "0")
    scale = int(exponent or 0)
    if abs(scale) > MAX_EXPONENT:
        return None
    value = Fraction(int(digits + decimals), 10 ** len(decimals)) * Fraction(10) ** scale
    return -value if sign == "-" else value


def _without_unit(answer: str, prompt: str) -> str:
    """``answer`` without a unit ("18 dollars", "50%"), where the unit cannot change what the number means.

    Its every word has to stand in the question, which must not use another unit of the same kind ("5 cents" is no
    5 where dollars are asked for), and none may change the number ("dozen", "thousand").
    """
    if len(answer) > MAX_CHARS or not _UNIT_CHARACTER.search(answer):
        return answer
    match = _WITH_UNIT.fullmatch(_without_latex(answer).strip())
    if match is None:
        return answer
    words = _unit_words(match[2].strip(" ."))
    asked = _unit_words(prompt)
    mixed = any(words & kind and len(asked & kind) > 1 for kind in _KINDS)
    fair = len(words) <= MAX_UNIT_WORDS and words <= asked and not words & _SCALES and not mixed
    return match[1] if fair else answer


def _unit_words(text: str) -> set[str]:
    """The words of a text in the singular, with ``%`` and ``$`` as words."""
    text = text.lower().replace("%", " percent ").replace("$", " dollar ")
    return {_SINGULAR.get(word, word.removesuffix("s")) for word in re.findall(r"[a-z'-]+", text)}


@register_verifier("rational")
class RationalVerifier(AnswerVerifier):
    """``task.answer`` is a number as text, int or float; the answer must be exactly that number.

    A unit may follow if its words stand in the question. ``12 + 5 = 17`` is read as its last side; sides that are
    plain numbers must then agree.
    """

    def check(self, answer: str, task: Task) -> Verdict:
        """Compares as Fractions: ``0.5``, ``1/2`` and ``2/4`` are the same, ``0.5000001`` is not."""
        gold = _gold_ratio(str(task.answer))
        if gold is None:
            return Verdict.failed(Reason.VERIFIER_ERROR, error=f"the reference {task.answer!r} is no number")
        shown = answer[:200]
        plain = _PLAIN_RATIO.fullmatch(answer)
        if plain is not None and (below := int(plain[2] or 1)):  # as most answers are written
            right = int(plain[1]) * gold[1] == gold[0] * below
            return Verdict.right(shown) if right else Verdict.wrong(extracted=shown)
        sides = answer.split("=")
        value = parse_rational(_without_unit(sides[-1], task.prompt))
        if value is None or len(sides) > MAX_EQUATION_SIDES:
            return Verdict.wrong(Reason.UNPARSEABLE, shown)
        if any(side not in (None, value) for side in map(parse_rational, sides[:-1])):
            return Verdict.wrong(Reason.AMBIGUOUS, shown)
        right = value.as_integer_ratio() == gold
        return Verdict.right(shown) if right else Verdict.wrong(extracted=shown)


@lru_cache(maxsize=1024)  # a task's answers are many, and a group of them comes one after the other
def _gold_ratio(text: str) -> tuple[int, int] | None:
    gold = parse_rational(text)
    return None if gold is None else gold.as_integer_ratio()
