"""The whitelisted syntax tree: frozen, hashable, and the only thing that parsed text can become."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any

from rlvr_gym.verifiers.math.units import Unit

__all__ = [
    "Add",
    "BaseNum",
    "Bracket",
    "Call",
    "Cases",
    "Const",
    "Div",
    "Func",
    "Listing",
    "Matrix",
    "Mul",
    "NamedSet",
    "Neg",
    "Node",
    "Num",
    "PlusMinus",
    "Pow",
    "Quantity",
    "Ratio",
    "Relation",
    "SetBuilder",
    "SetOp",
    "Sym",
    "Words",
    "children",
    "leaf_count",
    "symbols",
    "walk",
]


@dataclass(frozen=True, slots=True)
class Node:
    """Any part of a parsed answer."""


@dataclass(frozen=True, slots=True)
class Num(Node):
    r"""A number as written.

    Attributes:
        value: exactly what is written (``0.\\overline{3}`` is 1/3).
        places: digits after the point of a decimal; None for anything that is not a finite decimal.
    """

    value: Fraction
    places: int | None = None


@dataclass(frozen=True, slots=True)
class BaseNum(Node):
    """A numeral with a stated base: ``52_8``."""

    digits: str
    base: int


@dataclass(frozen=True, slots=True)
class Sym(Node):
    """A variable or a name: ``x``, ``a_1``, ``theta``."""

    name: str


@dataclass(frozen=True, slots=True)
class Const(Node):
    """``pi``, ``e``, ``i`` or ``infinity``."""

    name: str


@dataclass(frozen=True, slots=True)
class Neg(Node):
    """The negative."""

    arg: Node


@dataclass(frozen=True, slots=True)
class Add(Node):
    """A sum of two or more."""

    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mul(Node):
    """A product of two or more."""

    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Div(Node):
    """A quotient."""

    above: Node
    below: Node


@dataclass(frozen=True, slots=True)
class Pow(Node):
    """A power."""

    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class PlusMinus(Node):
    """``left ± right``; ``left`` is None for a sign, ``upper`` is False for ∓."""

    left: Node | None
    right: Node
    upper: bool = True


@dataclass(frozen=True, slots=True)
class Func(Node):
    """A known function: ``sin``, ``ln``, ``root`` (radicand, degree), ``binom``, ``abs``, ..."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call(Node):
    """An unknown function: ``f(x)``."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Bracket(Node):
    r"""Items in brackets: ``(1, 2)``, ``[0, 1)``, ``\\{1, 2\\}``, ``<1, 2>``; what it means, the kinds tell."""

    left: str
    right: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Listing(Node):
    """Items without brackets; ``word`` is what stands between them: ``","``, ``"and"`` or ``"or"``."""

    items: tuple[Node, ...]
    word: str


@dataclass(frozen=True, slots=True)
class Relation(Node):
    """A chain ``a op b op c``; ops are ``= != < <= > >= in notin equiv approx``."""

    operands: tuple[Node, ...]
    ops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetBuilder(Node):
    """``{element | condition}``."""

    element: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class SetOp(Node):
    """``union``, ``intersection`` or ``difference`` of two sets."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class NamedSet(Node):
    """``R``, ``Q``, ``Z``, ``N``, ``C`` or ``empty``."""

    name: str


@dataclass(frozen=True, slots=True)
class Matrix(Node):
    """Rows of equal length."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True, slots=True)
class Cases(Node):
    """The rows of a ``cases`` block: a system, or value and condition."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True, slots=True)
class Quantity(Node):
    """A value with a unit; percent and degrees are units."""

    value: Node
    unit: Unit


@dataclass(frozen=True, slots=True)
class Ratio(Node):
    """``3:4`` or ``1:2:3``."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Words(Node):
    r"""Text within mathematics: ``\\text{Area} = 5``."""

    text: str


_PARTS: dict[type[Node], Callable[[Any], tuple[Node, ...]]] = {
    Neg: lambda n: (n.arg,),
    Add: lambda n: n.args,
    Mul: lambda n: n.args,
    Div: lambda n: (n.above, n.below),
    Pow: lambda n: (n.base, n.exponent),
    PlusMinus: lambda n: (n.right,) if n.left is None else (n.left, n.right),
    Func: lambda n: n.args,
    Call: lambda n: n.args,
    Bracket: lambda n: n.items,
    Listing: lambda n: n.items,
    Relation: lambda n: n.operands,
    SetBuilder: lambda n: (n.element, n.condition),
    SetOp: lambda n: (n.left, n.right),
    Matrix: lambda n: tuple(chain.from_iterable(n.rows)),
    Cases: lambda n: tuple(chain.from_iterable(n.rows)),
    Quantity: lambda n: (n.value,),
    Ratio: lambda n: n.items,
}
"""How to get at what is below: many times faster than to ask for the fields. The other nodes are leaves."""


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below."""
    parts = _PARTS.get(type(node))
    return () if parts is None else parts(node)


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below, without recursion."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        parts = _PARTS.get(type(current))
        if parts is not None:
            stack.extend(parts(current))


def symbols(node: Node) -> frozenset[str]:
    """The names of the free symbols (unknown functions count as symbols)."""
    return frozenset(n.name for n in walk(node) if isinstance(n, Sym | Call))


def leaf_count(node: Node) -> int:
    """The number of nodes: a measure of how long an expression is written."""
    return sum(1 for n in walk(node) if not isinstance(n, Neg | Bracket | Listing))
