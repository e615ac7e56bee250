"""Units of measurement: from the text after a number to a dimension and an exact factor."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from rlvr_gym.verifiers.math.nouns import NOT_NOUNS, NOUNS

__all__ = ["DEGREE", "DOLLAR", "PERCENT", "Unit", "currency", "is_unit_word", "parse_unit"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit.

    Attributes:
        dimension: sorted pairs of base dimension and power; empty for percent, degrees and radians.
        factor: the unit in terms of its base units; exact.
        pi: the power of π that belongs to the factor (a degree is π/180).
        name: for ``percent`` and ``degree``, which are told apart from plain numbers.
    """

    dimension: tuple[tuple[str, int], ...]
    factor: Fraction = Fraction(1)
    pi: int = 0
    name: str = ""


PERCENT = Unit((), Fraction(1, 100), name="percent")
DEGREE = Unit((), Fraction(1, 180), 1, "degree")
RADIAN = Unit((), name="radian")
DOLLAR = Unit((("usd", 1),))

_F = Fraction
_INCH, _POUND, _GALLON = _F(254, 10000), _F(45359237, 100000), _F(3785411784, 10**12)

# spelling(s) -> (dimension, factor); plural forms in -s are found by the lookup
_TABLE: dict[str, tuple[str, Fraction]] = {
    "m meter metre": ("length", _F(1)),
    "km kilometer kilometre": ("length", _F(1000)),
    "dm decimeter decimetre": ("length", _F(1, 10)),
    "cm centimeter centimetre": ("length", _F(1, 100)),
    "mm millimeter millimetre": ("length", _F(1, 1000)),
    "in inch inches": ("length", _INCH),
    "ft foot feet": ("length", _INCH * 12),
    "yd yard": ("length", _INCH * 36),
    "mi mile": ("length", _INCH * 63360),
    "g gram gramme": ("mass", _F(1)),
    "kg kilogram kilo": ("mass", _F(1000)),
    "mg milligram": ("mass", _F(1, 1000)),
    "ton tonne": ("ton", _F(1)),
    "lb pound": ("mass", _POUND),
    "oz ounce": ("mass", _POUND / 16),
    "s sec second": ("time", _F(1)),
    "ms millisecond": ("time", _F(1, 1000)),
    "min minute": ("time", _F(60)),
    "h hr hour": ("time", _F(3600)),
    "day": ("time", _F(86400)),
    "week": ("time", _F(604800)),
    "month": ("month", _F(1)),
    "yr year": ("month", _F(12)),
    "decade": ("month", _F(120)),
    "century centuries": ("month", _F(1200)),
    "dollar usd buck": ("usd", _F(1)),
    "cent penny pennies": ("usd", _F(1, 100)),
    "nickel": ("nickel", _F(1)),
    "dime": ("dime", _F(1)),
    "quarter": ("quarter", _F(1)),
    "euro eur": ("eur", _F(1)),
    "gbp": ("gbp", _F(1)),
    "yen": ("yen", _F(1)),
    "rupee": ("inr", _F(1)),
    "k kelvin": ("kelvin", _F(1)),
    "celsius": ("celsius", _F(1)),
    "fahrenheit": ("fahrenheit", _F(1)),
    "n newton": ("newton", _F(1)),
    "j joule": ("joule", _F(1)),
    "kj kilojoule": ("joule", _F(1000)),
    "w watt": ("watt", _F(1)),
    "kw kilowatt": ("watt", _F(1000)),
    "kwh": ("kwh", _F(1)),
    "v volt": ("volt", _F(1)),
    "amp ampere": ("ampere", _F(1)),
    "ohm": ("ohm", _F(1)),
    "pa pascal": ("pascal", _F(1)),
    "hz hertz": ("hertz", _F(1)),
    "mol mole": ("mole", _F(1)),
    "byte": ("byte", _F(1)),
    "bit": ("bit", _F(1)),
    "unit": ("unit", _F(1)),
}
_COMPOUND: dict[str, tuple[tuple[tuple[str, int], ...], Fraction]] = {
    "l liter litre": ((("length", 3),), _F(1, 1000)),
    "ml milliliter millilitre cc": ((("length", 3),), _F(1, 10**6)),
    "gal gallon": ((("length", 3),), _GALLON),
    "qt quart": ((("length", 3),), _GALLON / 4),
    "pt pint": ((("length", 3),), _GALLON / 8),
    "cup": ((("length", 3),), _GALLON / 16),
    "acre": ((("length", 2),), (_INCH * 36) ** 2 * 4840),
    "ha hectare": ((("length", 2),), _F(10000)),
    "mph": ((("length", 1), ("time", -1)), _INCH * 63360 / 3600),
    "kph kmh": ((("length", 1), ("time", -1)), _F(1000, 3600)),
    "fps": ((("length", 1), ("time", -1)), _INCH * 12),
    "rad radian": ((), _F(1)),
}
_UNITS: dict[str, Unit] = {
    **{w: Unit(((d, 1),), f) for ws, (d, f) in _TABLE.items() for w in ws.split()},
    **{w: Unit(d, f) for ws, (d, f) in _COMPOUND.items() for w in ws.split()},
}
_UNITS |= {
    "degree": DEGREE,
    "deg": DEGREE,
    "percent": PERCENT,
    "pct": PERCENT,
    "rad": RADIAN,
    "radian": RADIAN,
}
_UNITS |= {"degreecelsius": _UNITS["celsius"], "degreefahrenheit": _UNITS["fahrenheit"]}
_CURRENCIES = {"$": DOLLAR, "€": _UNITS["eur"], "£": _UNITS["gbp"], "¥": _UNITS["yen"], "₹": _UNITS["rupee"]}

_CASED = {"m": "m", "M": "", "N": "n", "n": "", "J": "j", "j": "", "W": "w", "w": "", "V": "v", "v": ""} | {
    "K": "k",
    "k": "",
    "L": "l",
    "l": "l",
    "G": "",
    "g": "g",
    "S": "",
    "s": "s",
    "H": "",
    "h": "h",
}
"""Single letters are units only in their own case."""

_PART = re.compile(r"\s*([A-Za-z]+\.?|\d+|\^|/|\*|-|\(|\)|[{}]|²|³)")
_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_SUFFIX_POWERS = {"squared": 2, "cubed": 3}
_MAX_WORDS = 8


def currency(sign: str) -> Unit:
    """The unit of a currency sign."""
    return _CURRENCIES[sign]


def _lookup(word: str) -> Unit | None:
    if len(word) == 1:
        word = _CASED.get(word, "")
    word = word.lower().rstrip(".")
    if word in NOT_NOUNS:
        return None
    if word in _UNITS:
        return _UNITS[word]
    return _UNITS.get(word[:-1]) if len(word) > 2 and word.endswith("s") else None


def is_unit_word(word: str) -> bool:
    """Whether a plain word of at least two letters names a unit, or modifies one."""
    return len(word) > 1 and (_lookup(word) is not None or word.lower() in _POWERS)


def _noun(word: str) -> Unit | None:
    """A counted thing: a plural noun, or a known irregular one."""
    word = word.lower()
    if word in NOT_NOUNS or len(word) < 3:
        return None
    plural = word.endswith("s") and not word.endswith(("ss", "us", "is", "ous")) and len(word) > 3
    if not plural and word not in NOUNS:
        return None
    return Unit((("count:" + (word[:-1] if plural else word), 1),))


def _words(text: str) -> list[str] | None:
    parts: list[str] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _PART.match(text, position)
        if match is None or len(parts) > 4 * _MAX_WORDS:
            return None
        parts.append(match.group(1))
        position = match.end()
    return [p for p in parts if p not in ("{", "}", "(", ")", "*", "-")]


@lru_cache(maxsize=2048)
def parse_unit(text: str) -> Unit | None:
    """The unit that ``text`` names (``cm^2``, ``square feet``, ``km/h``, ``miles per hour``, ``apples``), or None."""
    if len(text) > 80:
        return None
    words = _words(text.replace("per cent", "percent"))
    if not words:
        return None
    counted = _counted(words)
    if counted is not None:
        return counted
    reader = _Reader(words)
    return reader.read()


def _counted(words: list[str]) -> Unit | None:
    """``apples`` or ``red marbles``: the last word is a counted noun, those before are no hedges."""
    if len(words) > 3 or any(not w.isalpha() or w.lower() in NOT_NOUNS for w in words):
        return None
    if any(_lookup(w) is not None or w.lower() in _POWERS for w in words):
        return None
    return _noun(words[-1])


class _Reader:
    """Reads ``unit (^n)? ((per|/)? unit (^n)?)*``."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.position = 0

    def read(self) -> Unit | None:
        dimension: dict[str, int] = {}
        factor, sign, name, pi, first = Fraction(1), 1, "", 0, True
        while self.position < len(self.words):
            if self.words[self.position].lower() in ("/", "per", "an", "a", "each"):
                sign = -1
                self.position += 1
                continue
            found = self._one()
            if found is None:
                return None
            unit, power = found
            if unit.name and not first:
                return None
            name, pi, first = unit.name, unit.pi, False
            factor *= unit.factor ** (sign * power)
            for base, p in unit.dimension:
                dimension[base] = dimension.get(base, 0) + sign * power * p
        if first:
            return None
        return Unit(tuple(sorted((b, p) for b, p in dimension.items() if p)), factor, pi, name)

    def _one(self) -> tuple[Unit, int] | None:
        word = self.words[self.position]
        power = _POWERS.get(word.lower().rstrip("."), 1)
        if power > 1:
            self.position += 1
            if self.position == len(self.words):
                return None
            word = self.words[self.position]
        unit = _lookup(word) if word[0].isalpha() else None
        self.position += 1
        rest = self.words[self.position : self.position + 1]
        if unit is DEGREE and rest:  # degrees Celsius, degrees F
            scale = {"c": "celsius", "f": "fahrenheit"}.get(rest[0].lower(), rest[0].lower())
            if scale in ("celsius", "fahrenheit"):
                self.position += 1
                return _UNITS[scale], 1
        if unit is None:
            unit = _noun(word) if word.isalpha() else None
        return None if unit is None else (unit, power * self._suffix())

    def _suffix(self) -> int:
        rest = self.words[self.position :]
        if rest and rest[0].lower() in _SUFFIX_POWERS:
            self.position += 1
            return _SUFFIX_POWERS[rest[0].lower()]
        if len(rest) >= 2 and rest[0] == "^" and rest[1] in ("2", "3", "4"):
            self.position += 2
            return int(rest[1])
        return 1
