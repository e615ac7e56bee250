"""Answers in one variable as exact algebra: polynomials and quotients of them, with the form in which they are written.

Everything here is bounded: by the parser's budgets, and by limits on degrees and on the size of coefficients.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce

from rlvr_gym.envs.math._algebra import Poly, add, multiply, poly, scale
from rlvr_gym.verifiers.math.budgets import TooComplex, Undefined, Unreadable
from rlvr_gym.verifiers.math.nodes import (
    Add,
    Bracket,
    Div,
    Mul,
    Neg,
    Node,
    Num,
    Pow,
    Sym,
    walk,
)
from rlvr_gym.verifiers.math.parser import parse_or_raise

__all__ = [
    "Ratio",
    "as_poly",
    "as_ratio",
    "expanded",
    "factors",
    "read",
    "read_all",
    "read_exactly",
    "same_ratio",
    "size",
    "terms",
]

MAX_DEGREE = 60
MAX_COEFFICIENT_BITS = 4000

Ratio = tuple[Poly, Poly]
"""Numerator and denominator, not reduced."""
_ONE = poly([1])
_NAME = re.compile(r"\s*[A-Za-z]\w{0,3}'?\s*(?:\([a-z]\))?\s*=(?!=)\s*", re.ASCII)


class _NotRational(Exception):
    """The expression is no quotient of polynomials, or too large a one."""


def read_exactly(text: str) -> Node | None:
    """What ``text`` says; None if it cannot be read."""
    try:
        return parse_or_raise(text)
    except (Unreadable, TooComplex, Undefined):
        return None


def read(text: str) -> Node | None:
    """The expression that ``text`` is, without a name and ``=`` in front (``F(x) = ...``)."""
    named = _NAME.match(text)
    return read_exactly(text[named.end() :] if named else text)


def size(node: Node) -> int:
    """How long an expression is: its numbers, names and operations; signs and brackets are free."""
    return sum(1 for part in walk(node) if not isinstance(part, Neg | Bracket))


def _checked(a: Poly) -> Poly:
    if len(a) > MAX_DEGREE + 1 or any(
        c.numerator.bit_length() + c.denominator.bit_length() > MAX_COEFFICIENT_BITS for c in a
    ):
        raise _NotRational
    return a


def _times(a: Ratio, b: Ratio) -> Ratio:
    below = _ONE if a[1] == b[1] == _ONE else _checked(multiply(a[1], b[1]))
    return _checked(multiply(a[0], b[0])), below


def _plus(a: Ratio, b: Ratio) -> Ratio:
    if a[1] == b[1]:
        return _checked(add(a[0], b[0])), a[1]
    return _checked(add(multiply(a[0], b[1]), multiply(b[0], a[1]))), _checked(multiply(a[1], b[1]))


def _over(a: Ratio, b: Ratio) -> Ratio:
    if not b[0]:
        raise _NotRational
    return _times(a, (b[1], b[0]))


def _exponent(node: Node) -> int | None:
    sign = 1
    while isinstance(node, Neg):
        sign, node = -sign, node.arg
    if isinstance(node, Num) and node.value.denominator == 1 and node.value <= MAX_DEGREE:
        return sign * int(node.value)
    return None


def _convert(node: Node, variable: str) -> Ratio:
    def down(part: Node) -> Ratio:
        return _convert(part, variable)

    match node:
        case Num(value=value):
            return _checked(poly([value])), _ONE
        case Sym(name=name) if name == variable:
            return poly([0, 1]), _ONE
        case Neg(arg=arg):
            above, below = down(arg)
            return scale(above, -1), below
        case Add(args=args):
            return reduce(_plus, map(down, args))
        case Mul(args=args):
            return reduce(_times, map(down, args))
        case Div(above=above_node, below=below_node):
            return _over(down(above_node), down(below_node))
        case Bracket(items=(item,)):
            return down(item)
        case Pow(base=base, exponent=exponent):
            return _power(down(base), _exponent(exponent))
    raise _NotRational


def _power(base: Ratio, exponent: int | None) -> Ratio:
    if exponent is None or (exponent <= 0 and not base[0]):
        raise _NotRational
    result, square, left = (_ONE, _ONE), base, abs(exponent)
    while left:
        if left % 2:
            result = _times(result, square)
        left //= 2
        square = _times(square, square) if left else square
    return result if exponent >= 0 else (result[1], result[0])


def as_ratio(node: Node, variable: str = "x") -> Ratio | None:
    """The quotient of polynomials that an expression is, not reduced; None if it is none."""
    try:
        return _convert(node, variable)
    except _NotRational:
        return None


def as_poly(node: Node, variable: str = "x") -> Poly | None:
    """The polynomial that an expression is, whatever its form; division only by numbers."""
    ratio = as_ratio(node, variable)
    return scale(ratio[0], 1 / ratio[1][0]) if ratio is not None and len(ratio[1]) == 1 else None


def same_ratio(a: Ratio, b: Ratio) -> bool:
    """Whether two quotients are the same function, gaps in the domain aside."""
    return multiply(a[0], b[1]) == multiply(b[0], a[1])


def terms(node: Node) -> list[Node]:
    """The terms of a sum; signs stay with them."""
    if isinstance(node, Bracket) and len(node.items) == 1:
        return terms(node.items[0])
    if isinstance(node, Add):
        return [part for arg in node.args for part in terms(arg)]
    return [node]


def factors(node: Node, multiplicity: int = 1) -> list[tuple[Node, int]]:
    """The factors of a product with their multiplicities; a number below a fraction line is left out."""
    match node:
        case Bracket(items=(item,)):
            return factors(item, multiplicity)
        case Neg(arg=arg):
            return factors(arg, multiplicity)
        case Mul(args=args):
            return [factor for arg in args for factor in factors(arg, multiplicity)]
        case Div(above=above, below=Num()):
            return factors(above, multiplicity)
        case Pow(base=base, exponent=exponent):
            power = _exponent(exponent)
            if power is not None and power > 0:
                return factors(base, multiplicity * power)
    return [(node, multiplicity)]


def expanded(node: Node, variable: str = "x") -> Poly | None:
    """The polynomial, if it is written as a sum of monomials of different degrees; else None."""
    parts = terms(node)
    total = poly([])
    degrees = set()
    for term in parts:
        value = as_poly(term, variable)
        if value is None or any(isinstance(part, Add) for part in walk(term)):
            return None
        if len(parts) > 1:
            if len([c for c in value if c]) != 1 or len(value) in degrees:
                return None
            degrees.add(len(value))
        total = add(total, value)
    return total


Reader = Callable[[Node], Poly | None]


def read_all(text: str, count: int, reader: Reader = expanded) -> list[Poly] | None:
    """Several polynomials with semicolons between them."""
    parts = text.split(";")
    if len(parts) != count:
        return None
    nodes = [read(part) for part in parts]
    values = [reader(node) if node is not None else None for node in nodes]
    found = [value for value in values if value is not None]
    return found if len(found) == count else None
