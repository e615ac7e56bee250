"""Functions of one number in ball arithmetic: sines, inverse functions, floors, factorials."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rlvr_gym.verifiers.math.budgets import Imprecise, OutOfDomain, TooComplex, Undefined

if TYPE_CHECKING:
    from rlvr_gym.verifiers.math.ball import Evaluator

__all__ = ["UNARY", "Ball", "one"]

Ball = tuple[Any, Any]
"""Midpoint (mpf or mpc) and radius (mpf)."""


def one(ev: Evaluator) -> Ball:
    """The number 1."""
    return ev.ctx.one, ev.ctx.zero


def _bounded(ev: Evaluator, x: Ball) -> Ball:
    if abs(x[0]) > 10**12:
        raise TooComplex("a large angle")
    if x[1] > 0.1:
        raise Imprecise("an uncertain angle")
    return x


def _sin(ev: Evaluator, x: Ball) -> Ball:
    x = _bounded(ev, x)
    value, growth = ev.ctx.sin(x[0]), ev.ctx.cosh(getattr(x[0], "imag", 0)) * 2
    return value, growth * (x[1] + ev.unit)


def _cos(ev: Evaluator, x: Ball) -> Ball:
    x = _bounded(ev, x)
    value, growth = ev.ctx.cos(x[0]), ev.ctx.cosh(getattr(x[0], "imag", 0)) * 2
    return value, growth * (x[1] + ev.unit)


def _sinh(ev: Evaluator, x: Ball) -> Ball:
    up, down = ev.exp(x), ev.exp((-x[0], x[1]))
    return (up[0] - down[0]) / 2, up[1] + down[1]


def _cosh(ev: Evaluator, x: Ball) -> Ball:
    up, down = ev.exp(x), ev.exp((-x[0], x[1]))
    return (up[0] + down[0]) / 2, up[1] + down[1]


def _arcsine(ev: Evaluator, x: Ball, function: Callable[[Any], Any]) -> Ball:
    if ev.real and getattr(x[0], "imag", 0) == 0 and abs(x[0]) > 1 + 2 * x[1]:
        raise OutOfDomain("the arcsine of a number above 1")
    real = getattr(x[0], "imag", 0) == 0 and abs(x[0]) <= 1 + 2 * x[1]
    point = max(min(x[0].real, ev.ctx.one), -ev.ctx.one) if real else x[0]
    gap = abs(1 - point * point)
    radius = 4 * ev.ctx.sqrt(x[1]) if gap <= 8 * x[1] else 4 * x[1] / ev.ctx.sqrt(gap)
    return function(point), radius


def _arctan(ev: Evaluator, x: Ball) -> Ball:
    if getattr(x[0], "imag", 0):
        return ev.smooth(x, ev.ctx.atan, lambda v: 1 / (1 + v * v))
    return ev.ctx.atan(x[0]), x[1]


def _floor(ev: Evaluator, x: Ball) -> Ball:
    if getattr(x[0], "imag", 0):
        raise Undefined("the floor of a complex number")
    nearest = ev.ctx.nint(x[0].real)
    if abs(x[0].real - nearest) <= 2 * x[1]:  # a whole number, as far as can be told
        return nearest, ev.ctx.zero
    return ev.ctx.floor(x[0].real), ev.ctx.zero


def _ceil(ev: Evaluator, x: Ball) -> Ball:
    value, radius = _floor(ev, (-x[0], x[1]))
    return -value, radius


def _gamma(ev: Evaluator, x: Ball) -> Ball:
    if abs(x[0]) > 2000:
        raise TooComplex("a large factorial")
    if ev.ctx.dps > 60 and not ev.ctx.isint(2 * x[0]):  # slow, and no answer turns on it
        raise Undefined("the factorial of an odd number of parts")
    value = ev.ctx.factorial(x[0])
    return value, abs(value) * (x[1] + ev.unit) * 100


def _sign(ev: Evaluator, x: Ball) -> Ball:
    if abs(x[0]) <= x[1] and x[1]:
        raise Imprecise("the sign of something that may be zero")
    return ev.ctx.sign(x[0]), ev.ctx.zero


def _inverse(ev: Evaluator, x: Ball) -> Ball:
    return ev.over(one(ev), x)


UNARY: dict[str, Callable[[Evaluator, Ball], Ball]] = {
    "sin": _sin,
    "cos": _cos,
    "tan": lambda ev, x: ev.over(_sin(ev, x), _cos(ev, x)),
    "cot": lambda ev, x: ev.over(_cos(ev, x), _sin(ev, x)),
    "sec": lambda ev, x: _inverse(ev, _cos(ev, x)),
    "csc": lambda ev, x: _inverse(ev, _sin(ev, x)),
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": lambda ev, x: ev.over(_sinh(ev, x), _cosh(ev, x)),
    "coth": lambda ev, x: ev.over(_cosh(ev, x), _sinh(ev, x)),
    "sech": lambda ev, x: _inverse(ev, _cosh(ev, x)),
    "csch": lambda ev, x: _inverse(ev, _sinh(ev, x)),
    "arcsin": lambda ev, x: _arcsine(ev, x, ev.ctx.asin),
    "arccos": lambda ev, x: _arcsine(ev, x, ev.ctx.acos),
    "arctan": _arctan,
    "arccot": lambda ev, x: _arctan(ev, _inverse(ev, x)),
    "arcsec": lambda ev, x: _arcsine(ev, _inverse(ev, x), ev.ctx.acos),
    "arccsc": lambda ev, x: _arcsine(ev, _inverse(ev, x), ev.ctx.asin),
    "arcsinh": lambda ev, x: ev.smooth(x, ev.ctx.asinh, lambda v: 1 / abs(ev.ctx.sqrt(1 + v * v))),
    "arccosh": lambda ev, x: ev.smooth(x, ev.ctx.acosh, lambda v: 1 / abs(ev.ctx.sqrt(v * v - 1))),
    "arctanh": lambda ev, x: ev.smooth(x, ev.ctx.atanh, lambda v: 1 / abs(1 - v * v)),
    "exp": lambda ev, x: ev.exp(x),
    "abs": lambda ev, x: (abs(x[0]), x[1]),
    "floor": _floor,
    "ceil": _ceil,
    "factorial": _gamma,
    "sign": _sign,
    "re": lambda ev, x: (ev.ctx.re(x[0]), x[1]),
    "im": lambda ev, x: (ev.ctx.im(x[0]), x[1]),
    "arg": lambda ev, x: ev.smooth(x, ev.ctx.arg, lambda v: 1 / abs(v)),
}
