"""The trees that designs are: nodes over terms, and how they are read.

Every operation says which JSON keys it takes, reads itself from them, evaluates, and writes itself back. nan, "there
is no value", goes through all of them, except where its weight is 0.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeVar

from rlvr_gym.errors import ConfigError, UnknownNameError
from rlvr_gym.rewards.term import RewardTerm, Term, make_term
from rlvr_gym.rollout import Rollout

__all__ = [
    "Leaf",
    "Node",
    "Sum",
    "View",
    "number",
    "operation",
    "operation_names",
    "parse_node",
    "rate",
    "several",
]


@dataclass(frozen=True, slots=True)
class View:
    """What a tree is evaluated on.

    Attributes:
        group: the rollouts of one prompt, all with valid verdicts.
        step: of training, for schedules.
        seen: collects the values of each term by its label.
    """

    group: Sequence[Rollout]
    step: int = 0
    seen: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Node(ABC):
    """An operation over children, or a leaf that holds a term.

    Attributes:
        children: what it works on.
        weights: of a sum's children.
        term: of a leaf.
    """

    children: tuple[Node, ...] = ()
    weights: tuple[float, ...] = ()
    term: Term | None = None

    op: ClassVar[str] = "term"
    keys: ClassVar[frozenset[str]] = frozenset({"of"})
    needs: ClassVar[tuple[str, ...]] = ("of",)

    @classmethod
    @abstractmethod
    def read(cls, spec: Mapping[str, Any]) -> Self:
        """The node of a JSON dict that has the keys of ``needs`` and none outside ``keys``."""

    @abstractmethod
    def evaluate(self, view: View) -> list[float]:
        """One number a rollout."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The JSON tree."""

    @property
    def compares(self) -> bool:
        """Whether a rollout's value depends on the others of its group."""
        return any(child.compares for child in self.children)

    def terms(self) -> list[Term]:
        """All terms, from left to right."""
        own = [] if self.term is None else [self.term]
        return own + [term for child in self.children for term in child.terms()]


_operations: dict[str, type[Node]] = {}
_N = TypeVar("_N", bound=type[Node])


def operation(name: str, keys: str, needs: str) -> Callable[[_N], _N]:
    """Class decorator that makes an operation known.

    Args:
        name: as ``op`` has it.
        keys: that it may have, apart by spaces.
        needs: those of them that it must have.
    """

    def decorate(cls: _N) -> _N:
        cls.op, cls.keys, cls.needs = name, frozenset(keys.split()), tuple(needs.split())
        _operations[name] = cls
        return cls

    return decorate


def operation_names() -> list[str]:
    """The names of all operations."""
    return list(_operations)


def parse_node(spec: Any) -> Node:
    """The tree of one JSON node: a term's name, a dict of weights, ``{"term": ...}`` or ``{"op": ...}``.

    Raises:
        ConfigError, UnknownNameError: saying what is wrong with it.
    """
    if isinstance(spec, str):
        return Leaf(term=make_term(spec))
    if not isinstance(spec, Mapping):
        raise ConfigError(f"A reward is a name, a dict of weights or a tree of terms; got {spec!r}.")
    if "term" in spec:
        return Leaf.read(spec)
    if "op" not in spec:
        return _weighted(spec)
    given = {key: value for key, value in spec.items() if key != "op"}
    name = spec["op"]
    if not isinstance(name, str) or name not in _operations:
        raise UnknownNameError("reward operation", str(name), _operations)
    cls = _operations[name]
    if not given.keys() <= cls.keys:
        raise ConfigError(f"The operation {cls.op!r} takes {sorted(cls.keys)}; got {sorted(given)}.")
    if not set(cls.needs) <= given.keys():
        wanted = " and ".join(map(repr, cls.needs))
        raise ConfigError(f"The operation {cls.op!r} needs {wanted}; got {sorted(given)}.")
    return cls.read(given)


def _weighted(spec: Mapping[str, Any]) -> Node:
    if not spec:
        raise ConfigError("A reward needs at least one term; got an empty dict.")
    names = tuple(spec)
    weights = tuple(number(spec[name], f"The weight of {name!r}") for name in names)
    return Sum(tuple(Leaf(term=make_term(name)) for name in names), weights)


def number(value: Any, what: str) -> float:
    """A finite number out of JSON; ConfigError else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"{what} is a finite number; got {value!r}.")
    return float(value)


def rate(value: Any, what: str) -> float:
    """A number from 0 to 1 out of JSON; ConfigError else."""
    share = number(value, what)
    if not 0 <= share <= 1:
        raise ConfigError(f"{what} is a rate from 0 to 1; got {value!r}.")
    return share


def several(cls: type[Node], value: Any) -> Sequence[Any]:
    """A list of children that is not empty; ConfigError else."""
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise ConfigError(f"The operation {cls.op!r} works on a list that is not empty; got {value!r}.")
    return value


@dataclass(frozen=True)
class Leaf(Node):
    """A term."""

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Self:
        """``{"term": name, parameter: value, ...}``."""
        name = spec["term"]
        if not isinstance(name, str):
            raise ConfigError(f"The name of a reward term is a text; got {name!r}.")
        if "name" in spec:
            raise ConfigError(f"The reward term {name!r} takes no parameter 'name'.")
        return cls(term=make_term(name, **{key: value for key, value in spec.items() if key != "term"}))

    def evaluate(self, view: View) -> list[float]:
        """The term's values, which are also put down."""
        assert self.term is not None
        values = view.seen[self.term.label] = self.term.evaluate(view.group)
        return values

    def to_dict(self) -> dict[str, Any]:
        """The term's own form."""
        assert self.term is not None
        return self.term.to_dict()

    @property
    def compares(self) -> bool:
        """Whether the term looks at more than one rollout."""
        return not isinstance(self.term, RewardTerm)


@operation("sum", keys="of", needs="of")
@dataclass(frozen=True)
class Sum(Node):
    """The weighted sum of its children; those of weight 0 are metrics."""

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Self:
        """Children may carry ``weight``, which is 1 by default."""
        children, weights = [], []
        for child in several(cls, spec["of"]):
            weight = 1.0
            if isinstance(child, Mapping):
                weight = number(child.get("weight", 1.0), "A weight")
                child = {key: value for key, value in child.items() if key != "weight"}
            children.append(parse_node(child))
            weights.append(weight)
        return cls(tuple(children), tuple(weights))

    def evaluate(self, view: View) -> list[float]:
        """The sums; a metric's nan or inf does not reach them through ``0 * inf``."""
        totals = [0.0] * len(view.group)
        for child, weight in zip(self.children, self.weights, strict=True):
            column = child.evaluate(view)
            if weight != 0:
                totals = [total + weight * value for total, value in zip(totals, column, strict=True)]
        return totals

    def to_dict(self) -> dict[str, Any]:
        """With every weight."""
        pairs = zip(self.children, self.weights, strict=True)
        return {"op": self.op, "of": [{**child.to_dict(), "weight": weight} for child, weight in pairs]}
