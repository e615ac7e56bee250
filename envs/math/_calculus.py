"""Functions in writing together with their derivatives, for generators: no symbolic engine is needed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from rlvr_gym.envs._authoring import integer, nonzero, pick
from rlvr_gym.envs.math._algebra import Poly, derivative, poly, poly_text, scale

__all__ = ["Function", "atom", "chain", "inner", "power_term", "product_of", "quotient_of", "sum_of"]


@dataclass(frozen=True)
class Function:
    """A function and its derivative.

    Attributes:
        text: the function in writing.
        slope: its derivative in writing.
        rules: lines that say how the derivative came about.
    """

    text: str
    slope: str
    rules: tuple[str, ...] = ()

    def because(self, rule: str) -> Function:
        """With one more line."""
        return Function(self.text, self.slope, (*self.rules, f"{rule}: ({self.text})' = {self.slope}"))


def inner(rng: np.random.Generator, difficulty: int) -> Poly:
    """What stands inside of a function: linear, from difficulty 4 on at times quadratic; never x alone."""
    if difficulty >= 4 and rng.random() < 0.5:
        return poly([nonzero(rng, 5), integer(rng, -3, 3), nonzero(rng, 3)])
    return poly([nonzero(rng, 7), pick(rng, (-3, -2, 2, 3, 4))])


def power_term(coefficient: int | Fraction, exponent: int) -> Function:
    """``c x^n`` with n of at least 1."""
    term = poly([*[0] * exponent, coefficient])
    return Function(poly_text(term), poly_text(derivative(term))).because("power rule")


def _outer(kind: str, u: str, n: int) -> tuple[str, str]:
    """An outer function of ``u`` and its derivative with respect to ``u``."""
    return {
        "sin": (f"sin({u})", f"cos({u})"),
        "cos": (f"cos({u})", f"(-sin({u}))"),
        "tan": (f"tan({u})", f"(1/cos({u})^2)"),
        "exp": (f"e^({u})", f"e^({u})"),
        "ln": (f"ln({u})", f"(1/({u}))"),
        "sqrt": (f"sqrt({u})", f"(1/(2*sqrt({u})))"),
        "power": (f"({u})^{n}", f"({n}*({u}){f'^{n - 1}' if n > 2 else ''})"),
    }[kind]


def atom(rng: np.random.Generator, difficulty: int) -> Function:
    """A power of x, or an elementary function of a polynomial."""
    kinds = ("sin", "cos", "exp", "power", "ln", "sqrt", "tan")[: 2 + difficulty // 2]
    if difficulty < 2 or rng.random() < 0.2:
        return power_term(nonzero(rng, 9), integer(rng, 2, 6))
    kind = pick(rng, kinds)
    u = inner(rng, 1 if kind == "exp" else difficulty)  # e^(x^2) soon is beyond numeric reach
    if kind in ("ln", "sqrt") and u[-1] < 0:
        u = scale(u, -1)  # defined for large x
    text, slope = _outer(kind, poly_text(u), integer(rng, 3, 6))
    return Function(text, f"({poly_text(derivative(u))})*{slope}").because("chain rule")


def sum_of(f: Function, g: Function) -> Function:
    """``f + g``."""
    second = f" - {g.text[1:]}" if g.text.startswith("-") else f" + {g.text}"
    return Function(f.text + second, f"{f.slope} + ({g.slope})", f.rules + g.rules).because("sum rule")


def product_of(f: Function, g: Function) -> Function:
    """``f g``."""
    whole = Function(
        f"({f.text})*({g.text})", f"({f.slope})*({g.text}) + ({f.text})*({g.slope})", f.rules + g.rules
    )
    return whole.because("product rule")


def quotient_of(f: Function, g: Function) -> Function:
    """``f / g``."""
    slope = f"(({f.slope})*({g.text}) - ({f.text})*({g.slope}))/({g.text})^2"
    return Function(f"({f.text})/({g.text})", slope, f.rules + g.rules).because("quotient rule")


def chain(rng: np.random.Generator, f: Function) -> Function:
    """An outer function of ``f``; fast growing ones only get powers, so that values stay within numeric reach."""
    slow = f.text.startswith(("sin(", "cos(", "sqrt(", "ln("))
    text, slope = _outer(
        pick(rng, ("sin", "cos", "power", "exp") if slow else ("power",)), f.text, integer(rng, 2, 4)
    )
    return Function(text, f"{slope}*({f.slope})", f.rules).because("chain rule")
