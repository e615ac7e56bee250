"""Sets of real numbers as unions of intervals: what inequalities, intervals, unions and exclusions all mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key

from rlvr_gym.verifiers.math.budgets import MAX_ITEMS, Fuel, TooComplex, Undefined, Unreadable
from rlvr_gym.verifiers.math.forms import rational_value, same_form
from rlvr_gym.verifiers.math.nodes import Const, Neg, Node
from rlvr_gym.verifiers.math.numeric import approximate, same_value

__all__ = [
    "EVERYTHING",
    "NOTHING",
    "Bound",
    "Piece",
    "Region",
    "bound",
    "complement",
    "intersect",
    "point",
    "union",
]


@dataclass(frozen=True, slots=True)
class Bound:
    """An end of an interval.

    Attributes:
        infinite: -1 or 1 for an infinite end, else 0.
        node: the expression of a finite end.
        value: a finite end as a number, within ``error``; None if it has variables.
    """

    infinite: int = 0
    node: Node | None = None
    value: Fraction | None = None
    error: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Piece:
    """One interval; a point is closed with equal ends."""

    low: Bound
    high: Bound
    low_closed: bool
    high_closed: bool


Region = tuple[Piece, ...]
"""Sorted pieces that do not touch."""

_LOW, _HIGH = Bound(-1), Bound(1)
EVERYTHING: Region = (Piece(_LOW, _HIGH, False, False),)
NOTHING: Region = ()


def bound(node: Node, fuel: Fuel) -> Bound:
    """The end that an expression is.

    Raises:
        Unreadable: if it is no real number.
    """
    if node == Const("infinity"):
        return _HIGH
    if isinstance(node, Neg) and node.arg == Const("infinity"):
        return _LOW
    exact = rational_value(node)
    if exact is not None:
        return Bound(0, node, exact)
    near = approximate(node, fuel)
    if near is None:
        raise Unreadable("an end that is no real number")
    return Bound(0, node, *near)


def order(a: Bound, b: Bound, fuel: Fuel) -> int:
    """-1, 0 or 1."""
    if a.infinite or b.infinite:
        return (a.infinite > b.infinite) - (a.infinite < b.infinite)
    if a.value is None or b.value is None or a.node is None or b.node is None:
        raise Unreadable("an end without a value")
    gap = a.value - b.value
    if abs(gap) > a.error + b.error or (a.error == b.error == 0):
        return (gap > 0) - (gap < 0)
    same = same_form(a.node, b.node, fuel)
    if same is None:
        same = same_value(a.node, b.node, fuel)
    if same:
        return 0
    raise TooComplex("ends that are very close")


def point(node: Node, fuel: Fuel) -> Region:
    """A single number."""
    end = bound(node, fuel)
    if end.infinite:
        raise Unreadable("an infinite point")
    return (Piece(end, end, True, True),)


def interval(low: Bound, high: Bound, low_closed: bool, high_closed: bool, fuel: Fuel) -> Region:
    """One interval, or nothing where its ends are in the wrong order."""
    sign = order(low, high, fuel)
    if sign > 0 or (sign == 0 and not (low_closed and high_closed)):
        return NOTHING
    return (Piece(low, high, low_closed and not low.infinite, high_closed and not high.infinite),)


def union(regions: Iterable[Region], fuel: Fuel) -> Region:
    """All of them together, touching pieces merged."""
    pieces = [piece for region in regions for piece in region]
    if len(pieces) > MAX_ITEMS:
        raise TooComplex("many intervals")

    def earlier(a: Piece, b: Piece) -> int:
        return order(a.low, b.low, fuel) or int(b.low_closed) - int(a.low_closed)

    pieces.sort(key=cmp_to_key(earlier))
    merged: list[Piece] = []
    for piece in pieces:
        if not merged:
            merged.append(piece)
            continue
        last = merged[-1]
        sign = order(last.high, piece.low, fuel)
        if sign < 0 or (sign == 0 and not (last.high_closed or piece.low_closed)):
            merged.append(piece)
            continue
        end = order(last.high, piece.high, fuel)
        closed = (
            last.high_closed
            if end > 0
            else piece.high_closed
            if end < 0
            else (last.high_closed or piece.high_closed)
        )
        merged[-1] = Piece(last.low, last.high if end > 0 else piece.high, last.low_closed, closed)
    return tuple(merged)


def complement(region: Region) -> Region:
    """The real numbers that are not in it."""
    pieces: list[Piece] = []
    low, closed = _LOW, False
    for piece in region:
        if not piece.low.infinite:
            pieces.append(Piece(low, piece.low, closed, not piece.low_closed))
        low, closed = piece.high, not piece.high_closed
    if not low.infinite or not region:
        pieces.append(Piece(low, _HIGH, closed and bool(region), False))
    return tuple(pieces)


def intersect(a: Region, b: Region, fuel: Fuel) -> Region:
    """What is in both."""
    return complement(union([complement(a), complement(b)], fuel))


def same_region(a: Region, b: Region, fuel: Fuel) -> bool:
    """Whether the same numbers are in both."""
    if len(a) != len(b):
        return False
    for x, y in zip(a, b, strict=True):
        if x.low_closed != y.low_closed or x.high_closed != y.high_closed:
            return False
        if order(x.low, y.low, fuel) or order(x.high, y.high, fuel):
            return False
    return True


def try_region(make: object, fuel: Fuel) -> Region | None:
    """``make()``, or None where there is no such set of real numbers."""
    assert callable(make)
    try:
        region: Region = make()
    except (Unreadable, Undefined):
        return None
    return region
