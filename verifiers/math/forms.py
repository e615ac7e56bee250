"""From trees to exact forms: what each node means, with the exact values that functions are known to take."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, ClassVar

from rlvr_gym.verifiers.math.budgets import MAX_BITS, MAX_FACTORIAL, Fuel, TooComplex, Undefined, Unreadable
from rlvr_gym.verifiers.math.exact import (
    ONE,
    ZERO,
    Algebra,
    Form,
    as_rational,
    key,
    mono_key,
    number,
)
from rlvr_gym.verifiers.math.nodes import (
    Add,
    BaseNum,
    Call,
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

__all__ = ["Builder", "rational_value", "same_form"]

_PI, _E, _I = (Form({((f"@{name}", Fraction(1)),): Fraction(1)}) for name in ("pi", "e", "i"))
_HALF = Fraction(1, 2)


def _surd(*terms: tuple[int, int, int]) -> Form:
    """A sum of ``a/b * sqrt(c)`` for c a product of 2 and 3."""
    above = {}
    for a, b, c in terms:
        mono = tuple((f"#{p}", _HALF) for p in (2, 3) if c % p == 0)
        above[mono] = Fraction(a, b)
    return Form(above)


_SINE: dict[Fraction, Form] = {  # of multiples of pi, first quadrant
    Fraction(0): ZERO,
    Fraction(1, 12): _surd((1, 4, 6), (-1, 4, 2)),
    Fraction(1, 6): number(_HALF),
    Fraction(1, 4): _surd((1, 2, 2)),
    Fraction(1, 3): _surd((1, 2, 3)),
    Fraction(5, 12): _surd((1, 4, 6), (1, 4, 2)),
    Fraction(1, 2): ONE,
}


class Builder(Algebra):
    """Builds forms.

    Args:
        fuel: the budget.
        common_log: a bare ``log`` is taken to base 10 (True) or e (False).
    """

    def __init__(self, fuel: Fuel, common_log: bool = False) -> None:
        super().__init__(fuel)
        self.common_log = common_log

    def form(self, node: Node) -> Form:
        """The form of an expression.

        Raises:
            Undefined, TooComplex: see there.
            Unreadable: if the node is not an expression (a set, a relation, ...).
        """
        self.fuel.burn(1)
        visit = self._VISIT.get(type(node))
        if visit is None:
            raise Unreadable(f"a {type(node).__name__} within an expression")
        return visit(self, node)

    # -- arithmetic ---------------------------------------------------------------------------------------------

    def _num(self, node: Num) -> Form:
        return number(node.value)

    def _base(self, node: BaseNum) -> Form:
        return number(int(node.digits, node.base))

    def _sym(self, node: Sym) -> Form:
        if node.name == "...":
            raise Unreadable("an ellipsis")
        return Form({((node.name, Fraction(1)),): Fraction(1)})

    def _const(self, node: Const) -> Form:
        if node.name == "infinity":
            raise Undefined("infinity within an expression")
        return {"pi": _PI, "e": _E, "i": _I}[node.name]

    def _neg(self, node: Neg) -> Form:
        return self.negate(self.form(node.arg))

    def _add(self, node: Add) -> Form:
        total = self.form(node.args[0])
        for arg in node.args[1:]:
            total = self.add(total, self.form(arg))
        return total

    def _mul(self, node: Mul) -> Form:
        total = self.form(node.args[0])
        for arg in node.args[1:]:
            total = self.multiply(total, self.form(arg))
        return total

    def _div(self, node: Div) -> Form:
        return self.divide(self.form(node.above), self.form(node.below))

    def _ratio(self, node: Ratio) -> Form:
        if len(node.items) != 2:
            raise Unreadable("a ratio of several")
        return self.divide(self.form(node.items[0]), self.form(node.items[1]))

    def _quantity(self, node: Quantity) -> Form:
        if node.unit.dimension:
            raise Unreadable("a unit within an expression")
        value = self.multiply(self.form(node.value), number(node.unit.factor))
        return self.multiply(value, _PI) if node.unit.pi else value

    def _call(self, node: Call) -> Form:
        return self._opaque(node.name, [self.form(arg) for arg in node.args])

    @staticmethod
    def _opaque(name: str, args: list[Form]) -> Form:
        return Form({((f"~{name}({','.join(map(key, args))})", Fraction(1)),): Fraction(1)})

    # -- powers -------------------------------------------------------------------------------------------------

    def _pow(self, node: Pow) -> Form:
        return self.raise_to(self.form(node.base), self.form(node.exponent))

    def raise_to(self, base: Form, exponent: Form) -> Form:
        """``base ** exponent``."""
        constant = as_rational(exponent)
        if constant is not None:
            if constant == 0 and not base.above:
                raise Undefined("0^0")
            result = self.root_power(base, constant)
            return result if result is not None else self._opaque_power(base, exponent, constant)
        if exponent.below is None and base.below is None and len(base.above) == 1:
            split = self._exponential(base, exponent)
            if split is not None:
                return split
        return self._opaque("pow", [base, exponent])

    def _opaque_power(self, base: Form, exponent: Form, constant: Fraction) -> Form:
        atom = f"~({key(base)})"
        return Form({((atom, constant),): Fraction(1)})

    def _exponential(self, base: Form, exponent: Form) -> Form | None:
        """``b ** (sum of c m)`` as the product of ``(b ** m) ** c``, for a b that is positive or a symbol."""
        ((mono, coefficient),) = base.above.items()
        if coefficient != 1 and mono:
            return None
        if mono and (len(mono) > 1 or mono[0][1] != 1 or mono[0][0] == "@i"):
            return None
        if not mono and coefficient < 0:
            return None
        bases = (
            [(mono[0][0], Fraction(1))]
            if mono
            else [(p, Fraction(e)) for p, e in self.prime_powers(coefficient)]
        )
        result = ONE
        for power, scale in exponent.above.items():
            for atom, multiple in bases:
                factor = self._one_exponential(atom, power, scale * multiple)
                result = self.multiply(result, factor)
        return result

    def _one_exponential(self, atom: str, power: tuple[tuple[str, Fraction], ...], scale: Fraction) -> Form:
        if not power:
            plain = self.root_power(Form({((atom, Fraction(1)),): Fraction(1)}), scale)
            return plain if plain is not None else Form({((atom, scale),): Fraction(1)})
        if atom == "@e" and power == (("@i", Fraction(1)), ("@pi", Fraction(1))):
            turned = self._euler(scale)
            if turned is not None:
                return turned
        return Form({((f"^{atom}|{mono_key(power)}", scale),): Fraction(1)})

    def _euler(self, turns: Fraction) -> Form | None:
        """``e ** (turns i π)`` where its parts are known."""
        cosine, sine = self._sine_of(turns + _HALF), self._sine_of(turns)
        if cosine is None or sine is None:
            return None
        return self.add(cosine, self.multiply(_I, sine))

    # -- functions ----------------------------------------------------------------------------------------------

    def _func(self, node: Func) -> Form:
        name = node.name
        if name == "det":
            return self._determinant(node.args)
        if name == "residue":
            raise Unreadable("a residue within an expression")
        args = [self.form(arg) for arg in node.args]
        if name == "root" and len(args) == 2:
            return self._root(args[0], args[1])
        if name == "exp" and len(args) == 1:
            return self.raise_to(_E, args[0])
        if name in ("ln", "log"):
            return self._logarithm(name, args)
        if name in ("sin", "cos", "tan", "cot", "sec", "csc") and len(args) == 1:
            return self._trigonometric(name, args[0])
        values = [as_rational(a) for a in args]
        known = [v for v in values if v is not None]
        if len(known) == len(values):
            rule = _RATIONAL_RULES.get(name)
            if name in ("factorial", "binom"):
                self.fuel.burn(min(MAX_FACTORIAL, int(abs(known[0]))) // 10)
            result = rule(known) if rule is not None else None
            if result is not None:
                return number(result)
        return self._opaque(name, args)

    def _root(self, radicand: Form, degree: Form) -> Form:
        n = as_rational(degree)
        if n == 0:
            raise Undefined("a zeroth root")
        return self.raise_to(radicand, self.invert(degree))

    def _logarithm(self, name: str, args: list[Form]) -> Form:
        if len(args) == 1:
            top = self._ln(args[0])
            if name == "log" and self.common_log:
                return self.divide(top, self._ln(number(10)))
            return top
        if len(args) != 2:
            raise Unreadable("a logarithm of several")
        base = self._ln(args[1])
        return self.divide(self._ln(args[0]), base)

    def _ln(self, arg: Form) -> Form:
        if not arg.above:
            raise Undefined("the logarithm of zero")
        if arg.below is None and len(arg.above) == 1:
            ((mono, coefficient),) = arg.above.items()
            if coefficient > 0 and all(a[0] == "#" or a in ("@pi", "@e") for a, _ in mono):
                powers: list[tuple[str, Fraction]] = [
                    (p, Fraction(e)) for p, e in self.prime_powers(coefficient)
                ]
                total = ZERO
                for atom, exponent in (*powers, *mono):
                    term = ONE if atom == "@e" else Form({((f"~ln({atom})", Fraction(1)),): Fraction(1)})
                    total = self.add(total, self.multiply(term, number(exponent)))
                return total
        return self._opaque("ln", [arg])

    def _trigonometric(self, name: str, arg: Form) -> Form:
        sine, cosine = self._sine_cosine(arg)
        if name == "sin":
            return sine
        if name == "cos":
            return cosine
        if name == "tan":
            return self.divide(sine, cosine)
        if name == "cot":
            return self.divide(cosine, sine)
        return self.invert(cosine if name == "sec" else sine)

    def _sine_cosine(self, arg: Form) -> tuple[Form, Form]:
        turns = self._pi_multiple(arg)
        if turns is not None:
            sine, cosine = self._sine_of(turns), self._sine_of(turns + _HALF)
            if sine is not None and cosine is not None:
                return sine, cosine
        negative = bool(arg.above) and min(arg.above.items())[1] < 0
        arg = self.negate(arg) if negative else arg
        sine = self._opaque("sin", [arg])
        return (self.negate(sine) if negative else sine), self._opaque("cos", [arg])

    @staticmethod
    def _pi_multiple(arg: Form) -> Fraction | None:
        if arg.below is not None or len(arg.above) > 1:
            return None
        if not arg.above:
            return Fraction(0)
        return arg.above.get((("@pi", Fraction(1)),))

    def _sine_of(self, turns: Fraction) -> Form | None:
        """``sin(turns π)`` where it is known."""
        turns %= 2
        sign = 1 if turns < 1 else -1
        turns %= 1
        value = _SINE.get(min(turns, 1 - turns))
        return value if sign == 1 or value is None else self.negate(value)

    def _determinant(self, args: tuple[Node, ...]) -> Form:
        if len(args) != 1 or not isinstance(args[0], Matrix):
            raise Unreadable("a determinant of something else")
        rows = [[self.form(entry) for entry in row] for row in args[0].rows]
        if len(rows) != len(rows[0]):
            raise Undefined("the determinant of a matrix that is not square")
        if len(rows) > 5:
            raise TooComplex("a large determinant")
        return self._expand(rows)

    def _expand(self, rows: list[list[Form]]) -> Form:
        if len(rows) == 1:
            return rows[0][0]
        total = ZERO
        for column, entry in enumerate(rows[0]):
            minor = self._expand([row[:column] + row[column + 1 :] for row in rows[1:]])
            term = self.multiply(entry, minor)
            total = self.add(total, self.negate(term) if column % 2 else term)
        return total

    _VISIT: ClassVar[dict[type[Node], Callable[[Builder, Any], Form]]] = {
        Num: _num, BaseNum: _base, Sym: _sym, Const: _const, Neg: _neg, Add: _add, Mul: _mul, Div: _div,
        Ratio: _ratio, Quantity: _quantity, Call: _call, Pow: _pow, Func: _func,
    }  # fmt: skip


# -- functions of rational numbers: None where the rule does not apply -------------------------------------------


def _whole(values: list[Fraction], count: int, limit: int) -> list[int] | None:
    if len(values) != count or any(v.denominator != 1 for v in values):
        return None
    if any(abs(v) > limit for v in values):
        raise TooComplex("a large argument")
    return [int(v) for v in values]


def _factorial(values: list[Fraction]) -> Fraction | None:
    whole = _whole(values, 1, MAX_FACTORIAL)
    if whole is None:
        return None
    if whole[0] < 0:
        raise Undefined("the factorial of a negative number")
    return Fraction(math.factorial(whole[0]))


def _binomial(values: list[Fraction]) -> Fraction | None:
    whole = _whole(values, 2, MAX_FACTORIAL)
    if whole is None or min(whole) < 0:
        return None
    return Fraction(math.comb(*whole))


def _common(values: list[Fraction], function: Callable[..., int]) -> Fraction | None:
    if (
        not values
        or any(v.denominator != 1 for v in values)
        or any(abs(v) > 1 << (MAX_BITS // 4) for v in values)
    ):
        return None
    return Fraction(function(*map(int, values)))


def _sign(values: list[Fraction]) -> Fraction | None:
    return Fraction((values[0] > 0) - (values[0] < 0)) if len(values) == 1 else None


_RATIONAL_RULES: dict[str, Callable[[list[Fraction]], Fraction | None]] = {
    "abs": lambda v: abs(v[0]) if len(v) == 1 else None,
    "floor": lambda v: Fraction(math.floor(v[0])) if len(v) == 1 else None,
    "ceil": lambda v: Fraction(math.ceil(v[0])) if len(v) == 1 else None,
    "max": lambda v: max(v, default=None),
    "min": lambda v: min(v, default=None),
    "re": lambda v: v[0] if len(v) == 1 else None,
    "im": lambda v: Fraction(0) if len(v) == 1 else None,
    "gcd": lambda v: _common(v, math.gcd),
    "lcm": lambda v: _common(v, math.lcm) if len(v) <= 16 else None,
    "sign": _sign,
    "factorial": _factorial,
    "binom": _binomial,
}


def rational_value(node: Node) -> Fraction | None:
    """The rational number that an expression is, or None.

    Raises:
        TooComplex, Undefined: see there.
    """
    if isinstance(node, Num):
        return node.value
    try:
        return as_rational(Builder(Fuel(20_000)).form(node))
    except Unreadable:
        return None


def same_form(a: Node, b: Node, fuel: Fuel, common_log: bool = False) -> bool | None:
    """Whether two expressions are equal by exact algebra; None where that is open."""
    builder = Builder(fuel, common_log)
    return builder.equal(builder.form(a), builder.form(b))
