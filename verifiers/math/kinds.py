"""The kinds of answers: each is one reading of a text, and is compared with readings of its own kind."""

from __future__ import annotations

from dataclasses import dataclass

from rlvr_gym.verifiers.math.nodes import Node
from rlvr_gym.verifiers.math.regions import Region
from rlvr_gym.verifiers.math.units import Unit

__all__ = [
    "Assignment",
    "Collection",
    "Equation",
    "Inequality",
    "Infinite",
    "Numeral",
    "Point",
    "Proportion",
    "RegionView",
    "Residue",
    "Scalar",
    "Structure",
    "Table",
    "View",
]


@dataclass(frozen=True, slots=True)
class View:
    """One reading of an answer."""


@dataclass(frozen=True, slots=True)
class Scalar(View):
    """A number or expression; ``name`` is what it was said to be equal to."""

    node: Node
    unit: Unit | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Infinite(View):
    """Plus or minus infinity."""

    sign: int


@dataclass(frozen=True, slots=True)
class Point(View):
    """Items in an order; ``bracket`` is ``(``, ``[``, ``row``, ``column``, or empty for a bare list."""

    items: tuple[Node, ...]
    bracket: str


@dataclass(frozen=True, slots=True)
class Collection(View):
    """Items in any order."""

    items: tuple[Node, ...]
    is_set: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class RegionView(View):
    """A set of real numbers; ``name`` is the variable, if one was used."""

    region: Region
    name: str = ""


@dataclass(frozen=True, slots=True)
class Equation(View):
    """``left = right``."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Inequality(View):
    """``greater > less`` (or >=) that has not been solved."""

    greater: Node
    less: Node
    strict: bool


@dataclass(frozen=True, slots=True)
class Assignment(View):
    """Values by name, sorted by name."""

    values: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Table(View):
    """A matrix."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True, slots=True)
class Numeral(View):
    """Digits in a base."""

    digits: str
    base: int


@dataclass(frozen=True, slots=True)
class Proportion(View):
    """``a : b : c``."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Residue(View):
    """A value modulo another."""

    value: Node
    modulus: Node


@dataclass(frozen=True, slots=True)
class Structure(View):
    """Something that is compared as it is written."""

    node: Node
