"""From relations and set notation to regions of the real line."""

from __future__ import annotations

from fractions import Fraction

from rlvr_gym.verifiers.math.budgets import Fuel, Undefined, Unreadable
from rlvr_gym.verifiers.math.expand import expand
from rlvr_gym.verifiers.math.forms import Builder
from rlvr_gym.verifiers.math.nodes import (
    Bracket,
    Func,
    Listing,
    NamedSet,
    Neg,
    Node,
    Num,
    Relation,
    SetBuilder,
    SetOp,
    Sym,
    symbols,
)
from rlvr_gym.verifiers.math.regions import (
    EVERYTHING,
    NOTHING,
    Region,
    bound,
    complement,
    intersect,
    interval,
    point,
    union,
)

__all__ = ["region_of", "solve"]

_FLIP = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_ORDERS = frozenset({"<", "<=", ">", ">="})
_INTERVALS = {"(", "[", "]"}


def region_of(node: Node, fuel: Fuel) -> Region:
    """The region of a set: an interval, a finite set, ``R``, or made of these.

    Raises:
        Unreadable: if the node is no such set.
    """
    if isinstance(node, NamedSet):
        if node.name in ("R", "empty"):
            return EVERYTHING if node.name == "R" else NOTHING
    elif isinstance(node, Bracket):
        if node.left == "\\{":
            return union([point(value, fuel) for item in node.items for value in expand(item)], fuel)
        if len(node.items) == 2 and node.left in _INTERVALS:
            return _interval(node, fuel)
    elif isinstance(node, SetOp):
        left, right = region_of(node.left, fuel), region_of(node.right, fuel)
        if node.op == "union":
            return union([left, right], fuel)
        return intersect(left, right if node.op == "intersection" else complement(right), fuel)
    elif isinstance(node, SetBuilder):
        return _comprehension(node, fuel)
    raise Unreadable("no set of real numbers")


def _interval(node: Bracket, fuel: Fuel) -> Region:
    low, high = bound(node.items[0], fuel), bound(node.items[1], fuel)
    low_closed = node.left == "["
    high_closed = node.right == "]"
    if (
        low.infinite > 0
        or high.infinite < 0
        or (low.infinite and low_closed)
        or (high.infinite and high_closed)
    ):
        raise Unreadable("an interval that is closed at infinity")
    region = interval(low, high, low_closed, high_closed, fuel)
    if not region:
        raise Unreadable("an interval whose ends are in the wrong order")
    return region


def _comprehension(node: SetBuilder, fuel: Fuel) -> Region:
    element, inside = node.element, EVERYTHING
    if isinstance(element, Relation) and element.ops == ("in",):
        inside = region_of(element.operands[1], fuel)
        element = element.operands[0]
    if not isinstance(element, Sym):
        raise Unreadable("a set of expressions")
    solved = solve(node.condition, fuel)
    if solved is None or solved[1] != element.name:
        raise Unreadable("a condition on something else")
    return intersect(inside, solved[0], fuel)


def solve(node: Node, fuel: Fuel) -> tuple[Region, str] | None:
    """The solutions of a relation, or of several joined by and, or, commas, and the name of the one variable.

    Commas mean ``and``, unless no number could then be a solution.
    """
    if isinstance(node, Relation):
        return _solve_chain(node, fuel)
    if not isinstance(node, Listing):
        return None
    parts = [_solve_chain(_completed(item, node), fuel) for item in node.items]
    if any(part is None for part in parts):
        return None
    solved = [part for part in parts if part is not None]
    name = solved[0][1]
    if any(part[1] != name for part in solved):
        return None
    regions = [part[0] for part in solved]
    if node.word == "or":
        return union(regions, fuel), name
    common = EVERYTHING
    for region in regions:
        common = intersect(common, region, fuel)
    if not common and node.word == ",":
        return union(regions, fuel), name
    return common, name


def _completed(item: Node, listing: Listing) -> Node:
    """``x != 1, 2`` means ``x != 1, x != 2``."""
    first = listing.items[0]
    if not isinstance(item, Relation) and isinstance(first, Relation) and first.ops == ("!=",):
        return Relation((first.operands[0], item), ("!=",))
    return item


def _solve_chain(node: Node, fuel: Fuel) -> tuple[Region, str] | None:
    if not isinstance(node, Relation):
        return None
    names = symbols(node)
    if len(names) != 1:
        return None
    (name,) = names
    region = EVERYTHING
    try:
        for left, op, right in zip(node.operands, node.ops, node.operands[1:], strict=False):
            region = intersect(region, _link(left, op, right, fuel), fuel)
    except (Unreadable, Undefined):
        return None
    return region, name


def _link(left: Node, op: str, right: Node, fuel: Fuel) -> Region:
    if op in ("in", "notin") and isinstance(left, Sym):
        inside = region_of(right, fuel)
        return inside if op == "in" else complement(inside)
    if op not in _FLIP:
        raise Unreadable("a relation that is no inequality")
    if not symbols(left) and symbols(right):
        return _link(right, _FLIP[op], left, fuel)
    if symbols(right):
        raise Unreadable("a variable on both sides")
    if isinstance(left, Func) and left.name == "abs" and op in _ORDERS:
        inner = left.args[0]
        if op in ("<", "<="):
            return intersect(_link(inner, op, right, fuel), _link(inner, _FLIP[op], Neg(right), fuel), fuel)
        return union([_link(inner, op, right, fuel), _link(inner, _FLIP[op], Neg(right), fuel)], fuel)
    if isinstance(left, Sym):
        return _half_line(op, right, fuel)
    return _linear(left, op, right, fuel)


def _half_line(op: str, right: Node, fuel: Fuel) -> Region:
    if op in ("=", "!="):
        region = union([point(value, fuel) for value in expand(right)], fuel)
        return region if op == "=" else complement(region)
    end = bound(right, fuel)
    infinity = EVERYTHING[0]
    if op in ("<", "<="):
        return interval(infinity.low, end, False, op == "<=", fuel)
    return interval(end, infinity.high, op == ">=", False, fuel)


def _linear(left: Node, op: str, right: Node, fuel: Fuel) -> Region:
    """``a x + b op c`` with rational a, b, c."""
    builder = Builder(fuel)
    form = builder.add(builder.form(left), builder.negate(builder.form(right)))
    slope, constant = Fraction(0), Fraction(0)
    for mono, coefficient in form.above.items():
        if not mono:
            constant = coefficient
        elif len(mono) == 1 and mono[0][1] == 1 and mono[0][0][0] not in "#@^~":
            slope = coefficient
        else:
            raise Unreadable("not linear")
    if form.below is not None or not slope:
        raise Unreadable("not linear")
    return _half_line(op if slope > 0 else _FLIP[op], Num(-constant / slope), fuel)
