"""The operations that designs are composed of: small immutable trees over terms.

Every operation says which JSON keys it takes, reads itself from them, evaluates, and writes itself back. nan, "there
is no value", goes through all of them, except where its weight is 0.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import fmean, stdev
from typing import Any, ClassVar, Self, TypeVar

from rlvr_gym.errors import ConfigError, UnknownNameError
from rlvr_gym.rewards.noise import corrupt
from rlvr_gym.rewards.term import RewardTerm, Term, make_term
from rlvr_gym.rollout import Rollout

__all__ = ["Node", "View", "operation_names", "parse_node"]


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


def _operation(name: str, keys: str, needs: str) -> Callable[[_N], _N]:
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
    weights = tuple(_number(spec[name], f"The weight of {name!r}") for name in names)
    return Sum(tuple(Leaf(term=make_term(name)) for name in names), weights)


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"{what} is a finite number; got {value!r}.")
    return float(value)


def _rate(value: Any, what: str) -> float:
    rate = _number(value, what)
    if not 0 <= rate <= 1:
        raise ConfigError(f"{what} is a rate from 0 to 1; got {value!r}.")
    return rate


def _several(cls: type[Node], value: Any) -> Sequence[Any]:
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


@_operation("sum", keys="of", needs="of")
@dataclass(frozen=True)
class Sum(Node):
    """The weighted sum of its children; those of weight 0 are metrics."""

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Self:
        """Children may carry ``weight``, which is 1 by default."""
        children, weights = [], []
        for child in _several(cls, spec["of"]):
            weight = 1.0
            if isinstance(child, Mapping):
                weight = _number(child.get("weight", 1.0), "A weight")
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


@_operation("product", keys="of", needs="of")
@dataclass(frozen=True)
class Product(Node):
    """The product of its children."""

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Self:
        """Children without weights."""
        return cls(tuple(parse_node(child) for child in _several(cls, spec["of"])))

    def evaluate(self, view: View) -> list[float]:
        """The products."""
        columns = [child.evaluate(view) for child in self.children]
        return [math.prod(row) for row in zip(*columns, strict=True)]

    def to_dict(self) -> dict[str, Any]:
        """The children."""
        return {"op": self.op, "of": [child.to_dict() for child in self.children]}


@_operation("gate", keys="if then else", needs="if then")
@dataclass(frozen=True)
class Gate(Node):
    """``then`` where ``if`` is above 0, else ``else`` (0 by default)."""

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Self:
        """Three children."""
        other = parse_node(spec.get("else", {"term": "constant", "value": 0.0}))
        return cls((parse_node(spec["if"]), parse_node(spec["then"]), other))

    def evaluate(self, view: View) -> list[float]:
        """One of the two; nan where the condition is nan."""
        condition, then, other = (child.evaluate(view) for child in self.children)
        rows = zip(condition, then, other, strict=True)
        return [math.nan if math.isnan(c) else a if c > 0 else b for c, a, b in rows]

    def to_dict(self) -> dict[str, Any]:
        """All three."""
        condition, then, other = (child.to_dict() for child in self.children)
        return {"op": self.op, "if": condition, "then": then, "else": other}


@_operation("clip", keys="low high of", needs="of")
@dataclass(frozen=True)
class Clip(Node):
    """Its child within ``[low, high]``; either bound may be left out."""

    low: float = -math.inf
    high: float = math.inf

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Self:
        """Bounds and one child."""
        low = _number(spec["low"], "low") if "low" in spec else -math.inf
        high = _number(spec["high"], "high") if "high" in spec else math.inf
        if low > high:
            raise ConfigError(f"clip needs low <= high; got {low} and {high}.")
        return cls((parse_node(spec["of"]),), low=low, high=high)

    def evaluate(self, view: View) -> list[float]:
        """The clipped values."""
        values = self.children[0].evaluate(view)
        return [v if math.isnan(v) else min(max(v, self.low), self.high) for v in values]

    def to_dict(self) -> dict[str, Any]:
        """With the bounds that there are."""
        bounds = {key: v for key, v in (("low", self.low), ("high", self.high)) if math.isfinite(v)}
        return {"op": self.op, **bounds, "of": self.children[0].to_dict()}


def _cosine(share: float) -> float:
    return (1 - math.cos(math.pi * share)) / 2


_SHAPES: dict[str, Callable[[float], float]] = {
    "linear": lambda share: share,
    "cosine": _cosine,
    "constant": lambda share: 0.0,
}


@_operation("schedule", keys="points shape of", needs="points of")
@dataclass(frozen=True)
class Schedule(Node):
    """Its child times a factor that follows the training step.

    The factor is given at some steps; before the first and after the last it stays. Between two of them it is
    ``linear``, ``cosine`` (slow at both ends) or ``constant`` (that of the earlier point: stages).
    """

    points: tuple[tuple[float, float], ...] = ()
    shape: str = "linear"

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Self:
        """``points`` are ``[[step, factor], ...]`` with rising steps."""
        form = "The points of a schedule are pairs [[step, factor], ...] with rising steps from 0"
        given = spec["points"]
        if not isinstance(given, Sequence) or not given or not all(_is_pair(point) for point in given):
            raise ConfigError(f"{form}; got {given!r}.")
        points = tuple((_number(a, "A step"), _number(b, "A factor")) for a, b in given)
        if points[0][0] < 0 or any(a[0] >= b[0] for a, b in pairwise(points)):
            raise ConfigError(f"{form}; got {given!r}.")
        shape = spec.get("shape", "linear")
        if not isinstance(shape, str) or shape not in _SHAPES:
            raise UnknownNameError("shape of a schedule", str(shape), _SHAPES)
        return cls((parse_node(spec["of"]),), points=points, shape=shape)

    def factor(self, step: float) -> float:
        """The factor at ``step``."""
        for (a, low), (b, high) in pairwise(self.points):
            if a <= step < b:
                return low + (high - low) * _SHAPES[self.shape]((step - a) / (b - a))
        return self.points[0][1] if step < self.points[0][0] else self.points[-1][1]

    def evaluate(self, view: View) -> list[float]:
        """The scaled values; where the factor is 0 the child is only a metric."""
        values = self.children[0].evaluate(view)
        factor = self.factor(view.step)
        return [factor * value if factor != 0 else 0.0 for value in values]

    def to_dict(self) -> dict[str, Any]:
        """Points, shape and child."""
        points = [list(point) for point in self.points]
        return {"op": self.op, "points": points, "shape": self.shape, "of": self.children[0].to_dict()}


def _is_pair(point: Any) -> bool:
    return isinstance(point, Sequence) and not isinstance(point, str) and len(point) == 2


_EPSILON = 1e-4
"""As in the advantages of GRPO."""


@_operation("normalise", keys="scale of", needs="of")
@dataclass(frozen=True)
class Normalise(Node):
    """Its child less the group's mean and, if ``scale``, over ``std + 1e-4`` (unbiased), as GRPO's advantage.

    A group of one, or of equal values, gets 0: there is nothing to compare. nan is in no statistic.
    """

    scale: bool = True

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Self:
        """One child."""
        if not isinstance(spec.get("scale", True), bool):
            raise ConfigError(f"scale is true or false; got {spec['scale']!r}.")
        return cls((parse_node(spec["of"]),), scale=spec.get("scale", True))

    def evaluate(self, view: View) -> list[float]:
        """The normalised values."""
        values = self.children[0].evaluate(view)
        known = [value for value in values if not math.isnan(value)]
        if not known:
            return values
        mean = fmean(known)
        deviation = stdev(known) + _EPSILON if self.scale and len(known) > 1 else 1.0
        return [(value - mean) / deviation for value in values]

    def to_dict(self) -> dict[str, Any]:
        """Child and scale."""
        return {"op": self.op, "scale": self.scale, "of": self.children[0].to_dict()}

    @property
    def compares(self) -> bool:
        """Always."""
        return True


@_operation("noisy", keys="fp fn seed of", needs="of")
@dataclass(frozen=True)
class Noisy(Node):
    """Its child, which sees corrupted verdicts: wrong as right at the rate ``fp``, right as wrong at ``fn``.

    See :func:`rlvr_gym.rewards.noise.corrupt`. Terms inside are put down apart from those outside, so that the same
    term without noise can stand beside them as the true metric.
    """

    fp: float = 0.0
    fn: float = 0.0
    seed: int = 0

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Self:
        """Rates, seed and one child."""
        seed = spec.get("seed", 0)
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ConfigError(f"The seed of a noisy reward is a whole number; got {seed!r}.")
        fp = _rate(spec.get("fp", 0.0), "fp (how often wrong is taken for right)")
        fn = _rate(spec.get("fn", 0.0), "fn (how often right is taken for wrong)")
        return cls((parse_node(spec["of"]),), fp=fp, fn=fn, seed=seed)

    def evaluate(self, view: View) -> list[float]:
        """The child's values on the corrupted group."""
        group = [corrupt(rollout, self.fp, self.fn, self.seed) for rollout in view.group]
        inner = replace(view, group=group, seen={})
        values = self.children[0].evaluate(inner)
        prefix = f"noisy(fp={self.fp:g},fn={self.fn:g}" + (f",seed={self.seed})" if self.seed else ")")
        view.seen.update({f"{prefix}:{label}": column for label, column in inner.seen.items()})
        return values

    def to_dict(self) -> dict[str, Any]:
        """Rates, seed and child."""
        child = self.children[0].to_dict()
        return {"op": self.op, "fp": self.fp, "fn": self.fn, "seed": self.seed, "of": child}
