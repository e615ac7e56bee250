"""The operations that designs are composed of, beside the weighted sum: each is a small immutable node."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean, stdev
from typing import Any, Self

from rlvr_gym.errors import ConfigError, UnknownNameError
from rlvr_gym.rewards.node import Node, View, number, operation, parse_node, rate, several
from rlvr_gym.rewards.noise import corrupt

__all__ = ["Clip", "Gate", "Noisy", "Normalise", "Product", "Schedule"]


@operation("product", keys="of", needs="of")
@dataclass(frozen=True)
class Product(Node):
    """The product of its children."""

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Self:
        """Children without weights."""
        return cls(tuple(parse_node(child) for child in several(cls, spec["of"])))

    def evaluate(self, view: View) -> list[float]:
        """The products."""
        columns = [child.evaluate(view) for child in self.children]
        return [math.prod(row) for row in zip(*columns, strict=True)]

    def to_dict(self) -> dict[str, Any]:
        """The children."""
        return {"op": self.op, "of": [child.to_dict() for child in self.children]}


@operation("gate", keys="if then else", needs="if then")
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


@operation("clip", keys="low high of", needs="of")
@dataclass(frozen=True)
class Clip(Node):
    """Its child within ``[low, high]``; either bound may be left out."""

    low: float = -math.inf
    high: float = math.inf

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Self:
        """Bounds and one child."""
        low = number(spec["low"], "low") if "low" in spec else -math.inf
        high = number(spec["high"], "high") if "high" in spec else math.inf
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


@operation("schedule", keys="points shape of", needs="points of")
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
        points = tuple((number(a, "A step"), number(b, "A factor")) for a, b in given)
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


@operation("normalise", keys="scale of", needs="of")
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


@operation("noisy", keys="fp fn seed of", needs="of")
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
        fp = rate(spec.get("fp", 0.0), "fp (how often wrong is taken for right)")
        fn = rate(spec.get("fn", 0.0), "fn (how often right is taken for wrong)")
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
