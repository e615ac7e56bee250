"""Whether two numbers or expressions are equal: units, decimals and tolerance first, then exact, then numeric."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from rlvr_gym.verifiers.math.budgets import Fuel, TooComplex, Undefined
from rlvr_gym.verifiers.math.exact import Form
from rlvr_gym.verifiers.math.forms import Builder, rational_value
from rlvr_gym.verifiers.math.kinds import Scalar
from rlvr_gym.verifiers.math.nodes import (
    Call,
    Div,
    Func,
    Mul,
    Neg,
    Node,
    Num,
    Pow,
    Quantity,
    Sym,
    Words,
    symbols,
    walk,
)
from rlvr_gym.verifiers.math.numeric import approximate, same_value
from rlvr_gym.verifiers.math.policy import Policy
from rlvr_gym.verifiers.math.symbolic import simplifies_to_zero
from rlvr_gym.verifiers.math.units import Unit, parse_unit

__all__ = ["NumberComparer"]


class NumberComparer:
    """Compares scalars under one policy."""

    def __init__(self, policy: Policy, fuel: Fuel, common_log: bool) -> None:
        self.policy, self.fuel, self.common_log = policy, fuel, common_log
        self._builder = Builder(fuel, common_log)
        self._forms: dict[int, tuple[Node, Form]] = {}

    def same(self, gold: Scalar, answer: Scalar) -> bool:
        """Whether the values agree under some reading of their units."""
        return any(self._close(g, a) for g, a in self._readings(gold, answer))

    # -- units --------------------------------------------------------------------------------------------------

    def _readings(self, gold: Scalar, answer: Scalar) -> Iterator[tuple[Node, Node]]:
        """Pairs of expressions, one of which must be equal."""
        left, right = gold.unit, answer.unit
        if left is not None and right is None and (split := _letter_unit(answer.node)) is not None:
            yield from self._both(gold.node, left, *split)
        if right is not None and left is None and (split := _letter_unit(gold.node)) is not None:
            yield from self._both(split[0], split[1], answer.node, right)
        if (left is None and right is None) or self.policy.units == "ignored":
            yield gold.node, answer.node
        elif left is not None and right is not None:
            yield from self._both(gold.node, left, answer.node, right)
        else:
            unit = left or right
            assert unit is not None
            yield from self._one(gold.node, answer.node, unit, missing=right is None)

    @staticmethod
    def _both(gold: Node, left: Unit, answer: Node, right: Unit) -> Iterator[tuple[Node, Node]]:
        if left == right:
            yield gold, answer
        elif left.dimension == right.dimension:
            if left.dimension:
                yield Mul((gold, Num(left.factor))), Mul((answer, Num(right.factor)))
            elif {left.name, right.name} != {"percent", "degree"}:
                yield Quantity(gold, left), Quantity(answer, right)

    def _one(self, gold: Node, answer: Node, unit: Unit, missing: bool) -> Iterator[tuple[Node, Node]]:
        """Only one has a unit; ``missing`` tells that the answer lacks it."""
        if unit.name == "percent" and missing:
            yield gold, Mul((answer, Num(Fraction(100))))  # keeps the precision of the reference
        elif not unit.dimension:  # degrees and radians are numbers too
            with_unit = Quantity(gold if missing else answer, unit)
            yield (with_unit, answer) if missing else (gold, with_unit)
        if missing and self.policy.units == "required":
            return
        if unit.name != "percent" or (self.policy.percent and self._above_one(gold if missing else answer)):
            yield gold, answer

    @staticmethod
    def _above_one(node: Node) -> bool:
        """``0.5%`` is not ``0.5``, but ``25`` may be said for ``25%``."""
        value = rational_value(node)
        return value is not None and abs(value) > 1

    # -- tolerance ----------------------------------------------------------------------------------------------

    def _close(self, gold: Node, answer: Node) -> bool:
        relative, places = self.policy.relative, self.policy.places
        if relative is None and places is None and self.policy.tolerance == "gold":
            places = self._own_precision(gold, answer)
        if relative is None and places is None:
            return self.equal(gold, answer)
        if symbols(gold) or symbols(answer):
            return self.equal(gold, answer)
        target, value = self._number(gold), self._number(answer)
        if target is None or value is None:
            return self.equal(gold, answer)
        allowed = abs(target) * relative if relative is not None else Fraction(1, 2 * 10 ** (places or 0))
        return abs(target - value) <= allowed

    @staticmethod
    def _own_precision(gold: Node, answer: Node) -> int | None:
        """The places of a decimal reference, if the answer may be rounded to them.

        A short decimal such as 0.5 is taken to be exact against another decimal: 0.51 is not 0.5. Against an exact
        value (1/3, π) every decimal is a rounded one.
        """
        written = gold.arg if isinstance(gold, Neg) else gold
        if not isinstance(written, Num) or written.places is None:
            return None
        other = answer.arg if isinstance(answer, Neg) else answer
        if isinstance(other, Num) and _terminates(other.value):
            digits = len(str(abs(written.value.numerator * 10**written.places // written.value.denominator)))
            if written.places < 2 and digits < 3:
                return None
        return written.places

    def _number(self, node: Node) -> Fraction | None:
        """A real constant, exactly or to 60 digits."""
        value = rational_value(node)
        if value is not None:
            return value
        near = approximate(node, self.fuel, common_log=self.common_log)
        return None if near is None else near[0]

    # -- equality -----------------------------------------------------------------------------------------------

    def equal(self, a: Node, b: Node) -> bool:
        """Whether two expressions are equal.

        Raises:
            Undefined: if one of them has no value.
            TooComplex: if that cannot be told within the budgets.
        """
        if isinstance(a, Num) and isinstance(b, Num):
            return a.value == b.value
        complaint: TooComplex | None = None
        try:
            decided = self._builder.equal(self._form(a), self._form(b))
            if decided is not None:
                return decided
        except TooComplex as error:
            if self.fuel.left < 0 or not (symbols(a) or symbols(b)):
                raise
            complaint = error
        if any(_is_unknown(n) for node in (a, b) for n in walk(node)):
            return False
        decided = same_value(a, b, self.fuel, self.common_log)
        if decided is None and (symbols(a) or symbols(b)):
            decided = simplifies_to_zero(a, b)
        if decided is None:
            raise complaint or Undefined("no value that could be compared")
        return decided

    def _form(self, node: Node) -> Form:
        """The form of an expression; those of a list are compared with several others, and made once."""
        known = self._forms.get(id(node))
        if known is None:
            self._forms[id(node)] = known = node, self._builder.form(node)  # the node lives as long as its id
        return known[1]


def _is_unknown(node: Node) -> bool:
    """Whether nothing is known of a function but that it is equal to itself."""
    return isinstance(node, Call) or (isinstance(node, Func) and node.name in ("gcd", "lcm"))


def _letter_unit(node: Node) -> tuple[Node, Unit] | None:
    r"""``5m`` or ``5 \frac{\text{km}}{\text{h}}`` as a quantity; used only beside a stated unit."""
    if not isinstance(node, Mul) or len(node.args) != 2 or symbols(node.args[0]):
        return None
    text = _unit_text(node.args[1])
    unit = parse_unit(text) if text else None
    return None if unit is None else (node.args[0], unit)


def _unit_text(node: Node) -> str:
    if isinstance(node, Sym):
        return node.name
    if isinstance(node, Words):
        return node.text
    if isinstance(node, Div):
        above, below = _unit_text(node.above), _unit_text(node.below)
        return f"{above}/{below}" if above and below else ""
    if isinstance(node, Pow) and isinstance(node.exponent, Num):
        base = _unit_text(node.base)
        return f"{base}^{node.exponent.value}" if base else ""
    return ""


def _terminates(value: Fraction) -> bool:
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1
