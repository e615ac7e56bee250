"""How much work a text may cause: limits that are counted, never clocked, so that verdicts are deterministic."""

from __future__ import annotations

__all__ = [
    "MAX_BITS",
    "MAX_CHARS",
    "MAX_DEPTH",
    "MAX_DIGITS",
    "MAX_EXPONENT",
    "MAX_FACTORIAL",
    "MAX_ITEMS",
    "MAX_TERMS",
    "MAX_TOKENS",
    "Fuel",
    "Imprecise",
    "OutOfDomain",
    "TooComplex",
    "Undefined",
    "Unreadable",
]

MAX_CHARS = 4_000
"""Longer answers are not read."""
MAX_TOKENS = 1_500
MAX_DEPTH = 32
"""Nested brackets, fractions, roots, functions and exponents."""
MAX_DIGITS = 1_500
"""Digits of one written number."""
MAX_EXPONENT = 10**12
"""Exponents kept symbolically (``2^{10^9}``); larger ones are refused."""
MAX_BITS = 80_000
"""Size of one exact number (2006! has 19,000 bits)."""
MAX_FACTORIAL = 5_000
MAX_ITEMS = 64
"""Elements of one list, set or matrix."""
MAX_TERMS = 1_500
"""Terms of one expanded polynomial."""


class Unreadable(Exception):
    """The text is not mathematics that this grammar knows."""


class TooComplex(Exception):
    """A budget is spent."""


class Undefined(Exception):
    """The expression has no value: a division by zero, ``0^0`` with a zero exponent, the logarithm of 0."""


class Imprecise(Exception):
    """A numeric precision does not suffice: zero cannot be told from something small."""


class OutOfDomain(Exception):
    """A root or logarithm of a negative number where real values are wanted."""


class Fuel:
    """A counter of elementary steps that ends in :class:`TooComplex`; 100,000 steps take about 0.2 s."""

    __slots__ = ("left",)

    def __init__(self, steps: int = 100_000) -> None:
        self.left = steps

    def burn(self, steps: int = 1) -> None:
        """Takes ``steps``.

        Raises:
            TooComplex: if none are left.
        """
        self.left -= steps
        if self.left < 0:
            raise TooComplex("too many steps")
