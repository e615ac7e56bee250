"""High-precision numeric comparison with error bounds, for what exact algebra leaves open.

Every value is a ball: a midpoint of mpmath and a radius that bounds its error, carried through each operation.
Two balls that do not touch are different numbers, whatever the precision. Balls that touch are taken as equal only at
a precision well beyond the size of the numbers that occur (four times their digits, plus 60), and for expressions
with variables at every one of several seeded random points.

mpmath keeps global caches that are not safe under threads, so one lock guards its use.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from rlvr_gym.verifiers.math.ball import Evaluator
from rlvr_gym.verifiers.math.budgets import Fuel, Imprecise, OutOfDomain, TooComplex, Undefined
from rlvr_gym.verifiers.math.nodes import BaseNum, Call, Const, Func, Node, Num, Pow, Sym, walk

__all__ = ["approximate", "same_value"]

_LOCK = threading.RLock()
_FIRST, _MOST = 40, 2_500
_POINTS, _TRIES = 7, 30
_SCALES = ((1, 1), (1, -1), (2000, 1), (2000, -1), (30, 1), (30, -1), (5, 1), (5, -1))
"""Size and sign of the first variable at successive points: |x - 100| must be seen on both sides of 100."""
_MOST_AT_POINTS = 1_200
"""Points at which e^x and its like would need more digits are passed over."""


class _Context:
    made: Any = None


def _context() -> Any:
    if _Context.made is None:
        import mpmath

        _Context.made = mpmath.ctx_mp.MPContext()
    return _Context.made


def same_value(a: Node, b: Node, fuel: Fuel, common_log: bool = False) -> bool | None:
    """Whether two expressions have equal values; None where that cannot be told.

    Expressions with variables are compared wherever both are real (or, if they never are, as complex numbers).

    Raises:
        TooComplex: if equality could only be told at an extreme precision.
    """
    names = sorted({n.name for node in (a, b) for n in walk(node) if isinstance(n, Sym)})
    if any(isinstance(n, Call) for node in (a, b) for n in walk(node)):
        return None
    with _LOCK:
        try:
            if not names:
                return _same_constant(a, b, {}, fuel, common_log)
            return _same_function(a, b, names, fuel, common_log)
        except (OverflowError, MemoryError, ValueError, ZeroDivisionError):
            return None


def _same_constant(a: Node, b: Node, env: dict[str, Fraction], fuel: Fuel, common_log: bool) -> bool | None:
    for real in (True, False):
        try:
            return _separated(a, b, env, fuel, real, common_log)
        except OutOfDomain:
            continue
        except (Imprecise, Undefined):
            return None
    return None


class _Extreme(Exception):
    """The numbers at a point are too large or small for the precision at points."""


def _separated(
    a: Node, b: Node, env: dict[str, Fraction], fuel: Fuel, real: bool, common_log: bool
) -> bool | None:
    """True if the values are equal as far as it can be told, False if they differ."""
    digits, written = _FIRST, _written_digits(a, b)
    while True:
        evaluator = Evaluator(_context(), digits, env, real, common_log, fuel)
        try:
            x, y = evaluator.value(a), evaluator.value(b)
        except Imprecise:
            if digits >= 640:
                raise
            digits *= 4
            continue
        if evaluator.apart(x, y):
            return False
        needed = 60 + 4 * max(written, evaluator.extent)
        if env and needed > _MOST_AT_POINTS and evaluator.extent > written:
            raise _Extreme
        if needed > _MOST:
            raise TooComplex("values that differ, if at all, beyond the precision")
        if digits >= needed:
            return True
        digits = needed


def _written_digits(a: Node, b: Node) -> int:
    """The most digits of any number that is written."""
    sizes = [0]
    for node in (a, b):
        for n in walk(node):
            if isinstance(n, Num):
                sizes.append(max(n.value.numerator.bit_length(), n.value.denominator.bit_length()) * 3 // 10)
            elif isinstance(n, BaseNum):
                sizes.append(len(n.digits) * 2)
    return max(sizes)


# -- expressions with variables ----------------------------------------------------------------------------------


def _same_function(a: Node, b: Node, names: list[str], fuel: Fuel, common_log: bool) -> bool | None:
    generator = random.Random("rlvr-gym " + " ".join(names))
    whole = _lives_on_integers(a) or _lives_on_integers(b)
    steps = any(isinstance(n, Func) and n.name in ("floor", "ceil") for node in (a, b) for n in walk(node))
    compared = 0
    complaint: TooComplex | None = None
    complex_points: list[dict[str, Fraction]] = []
    for trial in range(_TRIES):
        env = _point(generator, names, whole or (steps and trial % 3 == 1), trial)
        try:
            same = _separated(a, b, env, fuel, True, common_log)
        except OutOfDomain:
            complex_points.append(env)
            continue
        except (Imprecise, Undefined, _Extreme, ValueError, ZeroDivisionError, OverflowError):
            continue
        except TooComplex as error:  # sin(x^8) is out of reach at x = 2000, and easy at x = 2
            complaint = error
            continue
        if not same:
            return False
        compared += 1
        if compared >= _POINTS + len(names):
            return True
    if compared >= 4:
        return True
    if complaint is not None:
        raise complaint
    return _same_complex(a, b, complex_points[:12], fuel, common_log)


def _same_complex(
    a: Node, b: Node, points: list[dict[str, Fraction]], fuel: Fuel, common_log: bool
) -> bool | None:
    compared = 0
    for env in points:
        try:
            if not _separated(a, b, env, fuel, False, common_log):
                return False
        except (Imprecise, Undefined, OutOfDomain, _Extreme):
            continue
        compared += 1
    return True if compared >= 4 else None


def _lives_on_integers(node: Node) -> bool:
    """Whether an expression has meaning, or its usual meaning, at whole numbers only: ``n!``, ``(-1)^n``."""
    for n in walk(node):
        if isinstance(n, Func) and n.name in ("factorial", "binom", "gcd", "lcm"):
            return True
        if (
            isinstance(n, Pow)
            and not isinstance(n.base, Const | Sym)
            and any(isinstance(part, Sym) for part in walk(n.exponent))
            and any(type(part).__name__ == "Neg" for part in walk(n.base))
        ):
            return True
    return False


def _point(generator: random.Random, names: list[str], whole: bool, trial: int) -> dict[str, Fraction]:
    env = {}
    for name in names:
        if whole:
            env[name] = Fraction(generator.randint(1, 14))
            continue
        scale, sign = _SCALES[trial % len(_SCALES)]
        size = Fraction(generator.randint(1, 9973), 9973) * scale
        if env:
            sign = generator.choice((1, -1))
        # late points are positive: a root or logarithm may need all of them to be
        env[name] = size * (sign if trial < 16 else 1)
    return env


def approximate(
    node: Node,
    fuel: Fuel,
    digits: int = 60,
    common_log: bool = False,
    env: Mapping[str, Fraction] | None = None,
) -> tuple[Fraction, Fraction] | None:
    """A real value as a midpoint and a bound on its error; None if it is not one.

    ``env`` gives the variables their values; without it, expressions with variables have none.
    """
    with _LOCK:
        try:
            evaluator = Evaluator(_context(), digits, dict(env or {}), True, common_log, fuel)
            value, radius = evaluator.value(node)
            if hasattr(value, "imag") and value.imag != 0:
                return None
            return _fraction(value.real), _fraction(radius)
        except (OutOfDomain, Imprecise, Undefined, OverflowError, MemoryError, ValueError, ZeroDivisionError):
            return None


def _fraction(value: Any) -> Fraction:
    sign, mantissa, exponent, _ = value._mpf_
    if abs(exponent) > 100_000:
        raise OverflowError("too large for a fraction")
    size = 1 << abs(int(exponent))
    number = Fraction(int(mantissa) * size) if exponent >= 0 else Fraction(int(mantissa), size)
    return -number if sign else number
