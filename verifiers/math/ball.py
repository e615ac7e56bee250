"""Evaluation of trees in ball arithmetic on mpmath numbers: each value comes with a bound on its error."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, ClassVar

from rlvr_gym.verifiers.math.budgets import Fuel, Imprecise, OutOfDomain, TooComplex, Undefined, Unreadable
from rlvr_gym.verifiers.math.forms import rational_value
from rlvr_gym.verifiers.math.nodes import (
    Add,
    BaseNum,
    Const,
    Div,
    Func,
    Matrix,
    Mul,
    Neg,
    Node,
    Num,
    Pow,
    Quantity,
    Ratio,
    Sym,
)
from rlvr_gym.verifiers.math.special import UNARY, Ball, one

__all__ = ["Evaluator"]

_BIG = 10**5
"""Arguments of exp and powers beyond this are not evaluated."""


class Evaluator:
    """Evaluates at one precision.

    Args:
        ctx: an mpmath context; its precision is set here.
        digits: decimal digits.
        env: the values of the variables.
        real: leave the real numbers only by ``i`` itself; else principal values.
        common_log: a bare ``log`` is to base 10.
        fuel: the budget.
    """

    def __init__(
        self, ctx: Any, digits: int, env: dict[str, Fraction], real: bool, common_log: bool, fuel: Fuel
    ) -> None:
        self.ctx: Any = ctx
        ctx.dps = digits + 10
        self.env, self.real, self.common_log, self.fuel = env, real, common_log, fuel
        self.unit = ctx.mpf(10) ** -digits
        self.cost = 10 + digits // 4
        self.extent = 0

    def value(self, node: Node) -> Ball:
        """The value of an expression.

        Raises:
            Imprecise, OutOfDomain, Undefined, TooComplex: see there.
        """
        self.fuel.burn(self.cost)
        visit = self._VISIT.get(type(node))
        if visit is None:
            raise Undefined(f"no value for {type(node).__name__}")
        return self._rounded(*visit(self, node))

    def apart(self, a: Ball, b: Ball) -> bool:
        """Whether the balls do not touch."""
        return bool(abs(a[0] - b[0]) > 2 * (a[1] + b[1]))

    def _rounded(self, value: Any, radius: Any) -> Ball:
        if not self.ctx.isfinite(value):
            raise Undefined("not finite")
        size = abs(value)
        if size:
            self.extent = max(self.extent, abs(self.ctx.mag(size)) * 3 // 10)
        return value, radius + size * self.unit

    def _fraction(self, value: Fraction) -> Ball:
        return self.ctx.mpf(value.numerator) / value.denominator, self.ctx.zero

    # -- leaves and arithmetic ----------------------------------------------------------------------------------

    def _num(self, node: Num) -> Ball:
        return self._fraction(node.value)

    def _base(self, node: BaseNum) -> Ball:
        return self.ctx.mpf(int(node.digits, node.base)), self.ctx.zero

    def _sym(self, node: Sym) -> Ball:
        if node.name not in self.env:
            raise Undefined(f"no value for {node.name}")
        return self._fraction(self.env[node.name])

    def _const(self, node: Const) -> Ball:
        if node.name == "infinity":
            raise Undefined("infinity")
        if node.name == "i":
            return self.ctx.mpc(0, 1), self.ctx.zero
        return +(self.ctx.pi if node.name == "pi" else self.ctx.e), self.ctx.zero

    def _neg(self, node: Neg) -> Ball:
        value, radius = self.value(node.arg)
        return -value, radius

    def _add(self, node: Add) -> Ball:
        parts = [self.value(arg) for arg in node.args]
        size = sum(abs(v) for v, _ in parts)
        return sum(v for v, _ in parts), sum(r for _, r in parts) + size * self.unit

    def _mul(self, node: Mul) -> Ball:
        total = self.value(node.args[0])
        for arg in node.args[1:]:
            total = self.times(total, self.value(arg))
        return total

    def times(self, a: Ball, b: Ball) -> Ball:
        """The product."""
        value = a[0] * b[0]
        return value, abs(a[0]) * b[1] + abs(b[0]) * a[1] + a[1] * b[1] + abs(value) * self.unit

    def over(self, a: Ball, b: Ball) -> Ball:
        """The quotient."""
        size = abs(b[0])
        if size == 0 and b[1] == 0:
            raise Undefined("a division by zero")
        if size <= 2 * b[1]:
            raise Imprecise("a division by something that may be zero")
        value = a[0] / b[0]
        return value, (a[1] + abs(value) * b[1]) / (size - b[1]) + abs(value) * self.unit

    def _div(self, node: Div) -> Ball:
        return self.over(self.value(node.above), self.value(node.below))

    def _ratio(self, node: Ratio) -> Ball:
        if len(node.items) != 2:
            raise Unreadable("a ratio of several")
        return self.over(self.value(node.items[0]), self.value(node.items[1]))

    def _quantity(self, node: Quantity) -> Ball:
        if node.unit.dimension:
            raise Undefined("a unit")
        value = self.times(self.value(node.value), self._fraction(node.unit.factor))
        return self.times(value, (+self.ctx.pi, self.ctx.pi * self.unit)) if node.unit.pi else value

    # -- powers -------------------------------------------------------------------------------------------------

    def _pow(self, node: Pow) -> Ball:
        base, exponent = self.value(node.base), self.value(node.exponent)
        whole = self._whole(node.exponent, exponent)
        if whole is not None:
            return self.integer_power(base, whole)
        if self._is_negative(base) and (power := rational_value(node.exponent)) and power.denominator % 2:
            root = self.general_power((-base[0], base[1]), exponent)  # the real root, as in school
            return (-root[0], root[1]) if power.numerator % 2 else root
        return self.general_power(base, exponent)

    def _whole(self, node: Node, ball: Ball) -> int | None:
        """The exponent as an integer, if it is one exactly."""
        if isinstance(node, Num):
            return int(node.value) if node.value.denominator == 1 else None
        value = ball[0]
        if getattr(value, "imag", 0) == 0 and self.ctx.isint(value.real) and ball[1] < 0.01:
            return int(value.real)
        return None

    def integer_power(self, base: Ball, exponent: int) -> Ball:
        """``base ** exponent``."""
        if abs(exponent) > _BIG:
            raise TooComplex("a large exponent")
        if exponent < 0:
            return self.over((self.ctx.one, self.ctx.zero), self.integer_power(base, -exponent))
        if exponent == 0:
            if abs(base[0]) <= base[1]:
                raise Undefined("0^0")
            return self.ctx.one, self.ctx.zero
        size = abs(base[0]) + base[1]
        return base[0] ** exponent, exponent * size ** (exponent - 1) * base[1] + size**exponent * self.unit

    def general_power(self, base: Ball, exponent: Ball) -> Ball:
        """``exp(exponent log base)``; zero to a positive power is zero."""
        if base[0] == 0 and base[1] == 0:
            if not self.ctx.re(exponent[0]) > 0:
                raise Undefined("a power of zero")
            return self.ctx.zero, self.ctx.zero
        return self.exp(self.times(exponent, self.ln(base)))

    def exp(self, x: Ball) -> Ball:
        """The exponential."""
        if abs(x[0]) > _BIG:
            raise TooComplex("a large exponent")
        if x[1] > 0.1:
            raise Imprecise("an exponential of an uncertain number")
        value = self.ctx.exp(x[0])
        return value, abs(value) * (2 * x[1] + self.unit)

    def ln(self, x: Ball) -> Ball:
        """The principal logarithm."""
        size = abs(x[0])
        if size == 0 and x[1] == 0:
            raise Undefined("the logarithm of zero")
        if size <= 2 * x[1]:
            raise Imprecise("a logarithm of something that may be zero")
        if self._is_negative(x) and self.real:
            raise OutOfDomain("the logarithm of a negative number")
        return self.ctx.log(x[0]), x[1] / (size - x[1]) + self.unit

    def _is_negative(self, x: Ball) -> bool:
        return getattr(x[0], "imag", 0) == 0 and x[0].real < -x[1]

    # -- functions ----------------------------------------------------------------------------------------------

    def _func(self, node: Func) -> Ball:
        if node.name == "det":
            return self._determinant(node)
        args = [self.value(arg) for arg in node.args]
        if node.name == "root":
            return self._root(node, args)
        if node.name in ("ln", "log"):
            return self._log(node.name, args)
        rule = UNARY.get(node.name)
        if rule is not None and len(args) == 1:
            return rule(self, args[0])
        if node.name in ("max", "min"):
            return self._extreme(node.name, args)
        if node.name == "binom" and len(args) == 2:
            return self._binomial(*args)
        raise Undefined(f"no value for {node.name}")

    def _root(self, node: Func, args: list[Ball]) -> Ball:
        radicand, degree = args
        n = self._whole(node.args[1], degree)
        if radicand[0] == 0 and radicand[1] == 0 and (n or 0) > 0:
            return radicand
        if abs(radicand[0]) <= 2 * radicand[1] and (n or 0) > 0:
            return self.ctx.zero, (3 * radicand[1]) ** (self.ctx.one / n)
        if n is not None and n % 2 and self._is_negative(radicand):
            value, radius = self.general_power((-radicand[0], radicand[1]), self.over(one(self), degree))
            return -value, radius
        return self.general_power(radicand, self.over(one(self), degree))

    def _log(self, name: str, args: list[Ball]) -> Ball:
        top = self.ln(args[0])
        if len(args) == 2:
            return self.over(top, self.ln(args[1]))
        if name == "log" and self.common_log:
            return self.over(top, self.ln((self.ctx.mpf(10), self.ctx.zero)))
        return top

    def _extreme(self, name: str, args: list[Ball]) -> Ball:
        if not args or any(getattr(v, "imag", 0) for v, _ in args):
            raise Undefined("an extreme of complex numbers")
        pick = max if name == "max" else min
        return pick(v.real for v, _ in args), max(r for _, r in args)

    def _binomial(self, n: Ball, k: Ball) -> Ball:
        if max(abs(n[0]), abs(k[0])) > 2000:
            raise TooComplex("a large binomial")
        value = self.ctx.binomial(n[0], k[0])
        return value, abs(value) * (n[1] + k[1] + self.unit) * 1000

    def _determinant(self, node: Func) -> Ball:
        matrix = node.args[0]
        if not isinstance(matrix, Matrix) or len(matrix.rows) != len(matrix.rows[0]) or len(matrix.rows) > 5:
            raise Undefined("a determinant")
        rows = [[self.value(entry) for entry in row] for row in matrix.rows]
        return self._expand(rows)

    def _expand(self, rows: list[list[Ball]]) -> Ball:
        if len(rows) == 1:
            return rows[0][0]
        value, radius = self.ctx.zero, self.ctx.zero
        for column, entry in enumerate(rows[0]):
            part, error = self.times(entry, self._expand([r[:column] + r[column + 1 :] for r in rows[1:]]))
            value += -part if column % 2 else part
            radius += error
        return value, radius

    def smooth(self, x: Ball, function: Callable[[Any], Any], slope: Callable[[Any], Any]) -> Ball:
        """A differentiable function; ``slope`` bounds its derivative near x, up to a factor of two."""
        value = function(x[0])
        return value, 2 * abs(slope(x[0])) * x[1] + abs(value) * self.unit

    _VISIT: ClassVar[dict[type[Node], Callable[[Evaluator, Any], Ball]]] = {
        Num: _num, BaseNum: _base, Sym: _sym, Const: _const, Neg: _neg, Add: _add, Mul: _mul, Div: _div,
        Ratio: _ratio, Quantity: _quantity, Pow: _pow, Func: _func,
    }  # fmt: skip
