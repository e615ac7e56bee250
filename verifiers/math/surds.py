r"""The shortest way for the commonest answers: ``-2/5``, ``3 + (1/2)*sqrt(7)``, ``\frac{2 \pm 4i}{3}``, and lists of them.

What this little grammar reads it reads as the whole grammar does, but straight to exact numbers, so that two such
answers are compared in full: both that they are equal and that they are not is decided. Whatever it does not read is
left to the whole grammar.
"""

from __future__ import annotations

import re
from math import gcd, isqrt

__all__ = ["Surd", "read_surds"]

Surd = tuple[int, int, int, int, bool]
"""``a + s sqrt(d)``, or with True ``a + s sqrt(d) i``: the numerators and denominators of ``a`` and of ``s d``.

Both fractions are in lowest terms, ``s`` is a sign, and a real ``sqrt(d)`` is irrational or 0. So equal numbers have
equal tuples. For let ``a + s sqrt(d) = b + t sqrt(e)`` with real roots: if ``a != b``, then squaring
``s sqrt(d) = (b - a) + t sqrt(e)`` makes ``sqrt(e)`` rational. Imaginary parts are equal for themselves.
"""

_MAX_CHARS = 300
_MAX_ITEMS = 8

# So few digits that the whole grammar can do all that is done here, too: radicands are factored completely there.
# Single spaces stand only where spaces mean nothing: not between digits.
_NUMBER = re.compile(
    r"""
    (?: (-?\d{1,18}) (?: /(\d{1,18}) | (\.\d{1,18}) )? (?=[ ]?[+\-±]|\Z) )?   # a rational number
    (?: [ ]?([+\-±]?)[ ]?                                                     # plus or minus
        (?: (\()?(\d{1,18})(?:/(\d{1,18}))?(?(5)\)) [ ]?\*?[ ]? )?            # some
        (?: sqrt\((\d{1,6})\)(?:[ ]?\*?[ ]?(i))? | (i)(?:[ ]?\*[ ]?sqrt\((\d{1,6})\))? )
        (?:/(\d{1,18}))?
    )?
    """,
    re.VERBOSE | re.ASCII,
)
_NAME = re.compile(r"x ?= ?")
_TEX_ROOT = re.compile(r"\\sqrt\{(\d{1,6})\}", re.ASCII)
_TEX_PLUS_MINUS = re.compile(r"\\pm(?![A-Za-z])")
_TEX_FRACTION = re.compile(r"(?:(?<=[ =+\-±])|\A)\\frac\{([^{}\\]{1,60})\}\{(\d{1,18})\}(?![\d.])", re.ASCII)
_SUM = re.compile(r"[ +\-±]")


def read_surds(text: str) -> list[Surd] | None:
    """The numbers of an answer, sorted, each as often as it is written; None for what is not read here.

    ``x =`` before a number is read over. Between several numbers stand commas, or ``and``, or ``or``.
    """
    if len(text) > _MAX_CHARS or not text.isascii():
        return None
    if "\\" in text:
        text = _without_tex(text)
    if "," in text:
        parts = text.split(",")
        for part in parts[1:]:
            if part[:1] not in (" ", "-"):  # 1,234
                return None
    else:
        parts = text.split(" or ") if " or " in text else text.split(" and ")
    if len(parts) > _MAX_ITEMS:
        return None
    found: list[Surd] = []
    for part in parts:
        numbers = _read(part)
        if numbers is None:
            return None
        found += numbers
    found.sort()
    return found


def _without_tex(text: str) -> str:
    text = _TEX_PLUS_MINUS.sub("±", _TEX_ROOT.sub(r"sqrt(\1)", text))
    return _TEX_FRACTION.sub(
        lambda m: f"({m[1]})/{m[2]}" if _SUM.search(m[1]) is not None else f"{m[1]}/{m[2]}", text
    )


def _read(part: str) -> list[Surd] | None:
    """The number that one item is, or the two."""
    part = part.removeprefix(" ")
    if part.startswith("x") and (name := _NAME.match(part)) is not None:
        part = part[name.end() :]
    match = _NUMBER.fullmatch(part)
    if match is not None:
        return _numbers(match, 1)
    sum_, _, below = part.rpartition(")/")
    if sum_.startswith("(") and below.isdigit() and len(below) < 19:
        match = _NUMBER.fullmatch(sum_, 1)
        return None if match is None else _numbers(match, int(below))
    return None


def _numbers(match: re.Match[str], over: int) -> list[Surd] | None:
    """What was matched, divided by ``over``; None where it is nothing, or a division by zero."""
    whole, divisor, decimals, sign, _, factor, share, root, after, before, unit_root, below = match.groups()
    above, under = int(whole or 0), over
    if divisor is not None:
        under *= int(divisor)
    elif decimals is not None:
        above, under = int(whole + decimals[1:]), over * 10 ** (len(decimals) - 1)
    if root is None and before is None:
        return [_lowest(above, under, 0, 1, False)] if under and whole is not None else None
    times, parts = int(factor or 1), over * int(share or 1) * int(below or 1)
    if not under or not parts:
        return None
    radicand, imaginary = int(root or unit_root or 1), after is not None or before is not None
    first = _sum(above, under, -times if sign == "-" else times, parts, radicand, imaginary)
    return [first, _sum(above, under, -times, parts, radicand, imaginary)] if sign == "±" else [first]


def _sum(above: int, under: int, times: int, parts: int, radicand: int, imaginary: bool) -> Surd:
    """``above / under + times sqrt(radicand) / parts``, the root perhaps times the imaginary unit."""
    if not imaginary:
        root = isqrt(radicand)
        if root * root == radicand:
            return _lowest(above * parts + times * root * under, under * parts, 0, 1, False)
    square = abs(times) * times * radicand
    return _lowest(above, under, square, parts * parts, imaginary and square != 0)


def _lowest(above: int, under: int, square: int, parts: int, imaginary: bool) -> Surd:
    if under != 1:
        common = gcd(above, under)
        above, under = above // common, under // common
    if parts != 1:
        common = gcd(square, parts)
        square, parts = square // common, parts // common
    return above, under, square, parts, imaginary
