"""Checking quantities: do the units of what a text says agree?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from rlvr_gym.verifiers.math.units import Unit, parse_unit

__all__ = ["QuantityCount", "check_quantities", "same_dimension"]

MAX_STATEMENTS = 500
_TOLERANCE = Fraction(1, 100)
"""``1 mile = 1.6 km`` is a fair rounding."""
_UNIT = r"[A-Za-z\u00b0$%][A-Za-z0-9^/*.\u00b2\u00b3 ]{0,39}?"
_NUMBER = r"\d{1,18}(?:\.\d{1,12})?"
_SAME = re.compile(
    rf"(?<![\w.])({_NUMBER}) ?({_UNIT}) ?= ?({_NUMBER}) ?({_UNIT})(?=[.,;:!?)]|\s|$)", re.ASCII
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))", re.ASCII)
_OFFSET = frozenset({"celsius", "fahrenheit", "kelvin"})


@dataclass(frozen=True, slots=True)
class QuantityCount:
    """How many statements ``a unit = b unit`` hold, and how many do not."""

    right: int = 0
    wrong: int = 0


def check_quantities(text: str) -> QuantityCount:
    """Checks every different ``5 km = 5000 m`` of a text: same dimension, and same amount within one percent.

    Statements with a word that is no unit, about counted things (``3 apples``) or about temperatures are passed over.
    """
    right = wrong = 0
    found = _SAME.findall(_THOUSANDS.sub("", text))[:MAX_STATEMENTS]
    for first, unit, second, other in dict.fromkeys(found):
        a, b = _measured(unit), _measured(other)
        if a is None or b is None:
            continue
        x, y = Fraction(first) * a.factor, Fraction(second) * b.factor
        alike = a.dimension == b.dimension and a.pi == b.pi and abs(x - y) <= _TOLERANCE * max(x, y)
        right, wrong = right + alike, wrong + (not alike)
    return QuantityCount(right, wrong)


def same_dimension(unit: str, other: str) -> bool | None:
    """Whether two units measure the same kind of thing; None if one of them is no unit."""
    a, b = parse_unit(unit.strip()), parse_unit(other.strip())
    return None if a is None or b is None else (a.dimension, a.name) == (b.dimension, b.name)


def _measured(text: str) -> Unit | None:
    unit = parse_unit(text.strip())
    if unit is None or not unit.dimension:
        return None
    bases = {base for base, _ in unit.dimension}
    return None if bases & _OFFSET or any(base.startswith("count:") for base in bases) else unit
