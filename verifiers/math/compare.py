"""Whether two parsed answers are the same: view against view, numbers by exact algebra, then numerically."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, ClassVar

from rlvr_gym.verifiers.math.budgets import MAX_ITEMS, Fuel, TooComplex, Undefined, Unreadable
from rlvr_gym.verifiers.math.exact import Poly
from rlvr_gym.verifiers.math.forms import Builder
from rlvr_gym.verifiers.math.kinds import (
    Assignment,
    Collection,
    Equation,
    Inequality,
    Infinite,
    Numeral,
    Point,
    Proportion,
    RegionView,
    Residue,
    Scalar,
    Structure,
    Table,
    View,
)
from rlvr_gym.verifiers.math.nodes import Add, Func, Neg, Node, walk
from rlvr_gym.verifiers.math.numbers import NumberComparer
from rlvr_gym.verifiers.math.policy import Policy
from rlvr_gym.verifiers.math.regions import same_region
from rlvr_gym.verifiers.math.views import same_name, views

__all__ = ["Comparer", "same_answer"]


def same_answer(gold: Node, answer: Node, policy: Policy, fuel: Fuel) -> bool:
    """Whether ``answer`` is the same as ``gold``.

    A bare ``log`` is read as natural and, if that does not fit, as common.

    Raises:
        TooComplex: if a budget is spent.
    """
    if Comparer(policy, fuel).same(gold, answer):
        return True
    if any(_has_bare_log(node) for node in (gold, answer)):
        return Comparer(policy, fuel, common_log=True).same(gold, answer)
    return False


def _has_bare_log(node: Node) -> bool:
    return any(isinstance(n, Func) and n.name == "log" and len(n.args) == 1 for n in walk(node))


class Comparer:
    """Compares under one policy.

    Args:
        policy: what counts as the same.
        fuel: the budget of the whole comparison.
        common_log: a bare ``log`` is to base 10.
    """

    def __init__(self, policy: Policy, fuel: Fuel, common_log: bool = False) -> None:
        self.policy, self.fuel = policy, fuel
        self.builder = Builder(fuel, common_log)
        self.numbers = NumberComparer(policy, fuel, common_log)

    def same(self, gold: Node, answer: Node) -> bool:
        """Whether any view of one is the same as a view of the other."""
        if gold == answer:
            return True
        golds, answers = views(gold, self.fuel), views(answer, self.fuel)
        return any(self._same_views(g, a) for g in golds for a in answers)

    def _same_views(self, gold: View, answer: View) -> bool:
        self.fuel.burn(5)
        rule = self._RULES.get((type(gold), type(answer)))
        try:
            return rule is not None and rule(self, gold, answer)
        except (Undefined, Unreadable):
            return False

    # -- values -------------------------------------------------------------------------------------------------

    def _scalars(self, gold: Scalar, answer: Scalar) -> bool:
        return same_name(gold.name, answer.name) and self.numbers.same(gold, answer)

    def _residues(self, gold: Residue, answer: Residue) -> bool:
        if not self._equal(gold.modulus, answer.modulus):
            return False
        if self._equal(gold.value, answer.value):
            return True
        turns = self.builder.divide(
            self.builder.form(Add((gold.value, Neg(answer.value)))), self.builder.form(gold.modulus)
        )
        value = turns.above.get((), None) if len(turns.above) == 1 and turns.below is None else None
        return value is not None and value.denominator == 1

    def _equal(self, a: Node, b: Node) -> bool:
        return self.numbers.equal(a, b)

    def _proportions(self, gold: Proportion, answer: Proportion) -> bool:
        if len(gold.items) != len(answer.items):
            return False
        build, form = self.builder, self.builder.form
        first, other = form(gold.items[0]), form(answer.items[0])
        if not first.above or not other.above:
            return gold == answer
        return all(
            build.equal(build.multiply(form(g), other), build.multiply(form(a), first))
            for g, a in zip(gold.items[1:], answer.items[1:], strict=True)
        )

    def _numerals(self, gold: Numeral, answer: Numeral) -> bool:
        return gold.base == answer.base and gold.digits.upper() == answer.digits.upper()

    def _numeral_without_base(self, gold: Numeral, answer: Scalar) -> bool:
        return (
            self.policy.base
            and gold.digits.isdigit()
            and self.builder.equal(
                self.builder.form(answer.node), self.builder.form(_whole(int(gold.digits)))
            )
            is True
        )

    # -- several items ------------------------------------------------------------------------------------------

    def _points(self, gold: Point, answer: Point) -> bool:
        if len(gold.items) != len(answer.items) or len(gold.items) > MAX_ITEMS:
            return False
        if not _same_brackets(gold, answer):
            return False
        if self.policy.order == "free":
            return self._match(gold.items, answer.items)
        return all(self.same(g, a) for g, a in zip(gold.items, answer.items, strict=True))

    def _collections(self, gold: Collection, answer: Collection) -> bool:
        if not same_name(gold.name, answer.name):
            return False
        golds, answers = gold.items, answer.items
        if gold.is_set or answer.is_set:
            golds, answers = self._distinct(golds), self._distinct(answers)
        if len(golds) != len(answers):
            return False
        if self.policy.order == "strict" and not gold.is_set:
            return all(self.same(g, a) for g, a in zip(golds, answers, strict=True))
        return self._match(golds, answers)

    def _distinct(self, items: tuple[Node, ...]) -> tuple[Node, ...]:
        kept: list[Node] = []
        for item in items:
            if not any(self.same(item, other) for other in kept):
                kept.append(item)
        return tuple(kept)

    def _match(self, golds: tuple[Node, ...], answers: tuple[Node, ...]) -> bool:
        if len(golds) > MAX_ITEMS:
            raise TooComplex("too many items")
        rest = list(answers)
        for gold in golds:
            position = next((i for i, answer in enumerate(rest) if self.same(gold, answer)), None)
            if position is None:
                return False
            del rest[position]
        return True

    def _tables(self, gold: Table, answer: Table) -> bool:
        if [len(row) for row in gold.rows] != [len(row) for row in answer.rows]:
            return False
        return all(
            self.same(g, a)
            for row, other in zip(gold.rows, answer.rows, strict=True)
            for g, a in zip(row, other, strict=True)
        )

    def _assignments(self, gold: Assignment, answer: Assignment) -> bool:
        if [name for name, _ in gold.values] != [name for name, _ in answer.values]:
            return False
        return all(self.same(g, a) for (_, g), (_, a) in zip(gold.values, answer.values, strict=True))

    # -- relations ----------------------------------------------------------------------------------------------

    def _regions(self, gold: RegionView, answer: RegionView) -> bool:
        return same_name(gold.name, answer.name) and same_region(gold.region, answer.region, self.fuel)

    def _equations(self, gold: Equation, answer: Equation) -> bool:
        return self._multiple(
            self._difference(gold.left, gold.right), self._difference(answer.left, answer.right), 0
        )

    def _inequalities(self, gold: Inequality, answer: Inequality) -> bool:
        if gold.strict != answer.strict:
            return False
        builder = self.builder
        forms = [
            builder.add(builder.form(v.greater), builder.negate(builder.form(v.less))) for v in (gold, answer)
        ]
        if forms[0].below != forms[1].below:
            return False
        return self._multiple(forms[0].above, forms[1].above, 1)

    def _difference(self, left: Node, right: Node) -> Poly:
        return self.builder.add(self.builder.form(left), self.builder.negate(self.builder.form(right))).above

    @staticmethod
    def _multiple(a: Poly, b: Poly, sign: int) -> bool:
        """Whether one polynomial with variables is a rational multiple of the other, positive if ``sign`` is 1."""
        if len(a) != len(b) or a.keys() != b.keys() or not any(a):
            return False
        ratios = {b[mono] / a[mono] for mono in a}
        return len(ratios) == 1 and (not sign or min(ratios) > 0)

    _RULES: ClassVar[dict[tuple[type[View], type[View]], Callable[[Comparer, Any, Any], bool]]] = {
        (Scalar, Scalar): _scalars,
        (Residue, Residue): _residues,
        (Proportion, Proportion): _proportions,
        (Numeral, Numeral): _numerals,
        (Numeral, Scalar): _numeral_without_base,
        (Scalar, Numeral): lambda self, gold, answer: self._numeral_without_base(answer, gold),
        (Infinite, Infinite): lambda self, gold, answer: bool(gold == answer),
        (Point, Point): _points,
        (Collection, Collection): _collections,
        (Table, Table): _tables,
        (Assignment, Assignment): _assignments,
        (RegionView, RegionView): _regions,
        (Equation, Equation): _equations,
        (Inequality, Inequality): _inequalities,
        (Structure, Structure): lambda self, gold, answer: bool(gold == answer),
    }


def _whole(value: int) -> Node:
    from rlvr_gym.verifiers.math.nodes import Num

    return Num(Fraction(value))


def _same_brackets(gold: Point, answer: Point) -> bool:
    brackets = {gold.bracket, answer.bracket}
    if brackets == {"row", "column"}:
        return False
    if "[" in brackets and len(brackets) > 1:
        return len(gold.items) > 2 or not brackets <= {"[", "(", ""}
    return True
