"""Reward designs: named compositions of terms, as data.

The JSON forms of a design:

* a name: ``"r1"``;
* a weighted dict: ``{"correct": 1.0, "format_r1": 0.2, "length": 0}`` (weight 0 makes a metric);
* a tree: ``{"op": "sum", "of": [{"term": "correct", "weight": 2}, {"op": "clip", "low": 0, "high": 1, "of": ...}]}``
  with the operations ``sum`` (children may carry ``weight``), ``product``, ``gate`` (``if``, ``then``, ``else``)
  and ``clip`` (``low``, ``high``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rlvr_gym.errors import ConfigError, UnknownNameError
from rlvr_gym.rewards.term import RewardTerm, Term, make_term
from rlvr_gym.rollout import Rollout

__all__ = ["DESIGNS", "Reward", "RewardDesign", "get_design"]

_NODE_KEYS = {
    "sum": {"of"},
    "product": {"of"},
    "gate": {"if", "then", "else"},
    "clip": {"low", "high", "of"},
}


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward and the values of the terms that it was made from.

    ``total`` is nan if the verdict is invalid: such a sample has no reward and must leave statistics and loss.
    """

    total: float
    terms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Node:
    """A composition: an operation over children, or a leaf that holds a term."""

    op: str
    children: tuple[Node, ...] = ()
    weights: tuple[float, ...] = ()
    term: Term | None = None
    low: float = -math.inf
    high: float = math.inf

    def evaluate(self, group: Sequence[Rollout], seen: dict[str, list[float]]) -> list[float]:
        """One number a rollout; ``seen`` collects the values of each term by its label."""
        if self.term is not None:
            values = self.term.evaluate(group)
            seen[self.term.label] = values
            return values
        columns = [child.evaluate(group, seen) for child in self.children]
        if self.op == "sum":
            return _weighted_sum(self.weights, columns, len(group))
        rows = list(zip(*columns, strict=True))
        if self.op == "product":
            return [math.prod(row) for row in rows]
        if self.op == "gate":
            return [row[1] if row[0] > 0 else row[2] for row in rows]
        return [min(max(row[0], self.low), self.high) for row in rows]

    @property
    def compares(self) -> bool:
        """Whether there is a term in it that looks at more than one rollout."""
        if self.term is not None:
            return not isinstance(self.term, RewardTerm)
        return any(child.compares for child in self.children)

    def to_dict(self) -> dict[str, Any]:
        """The JSON tree."""
        if self.term is not None:
            return self.term.to_dict()
        children = [child.to_dict() for child in self.children]
        if self.op == "sum":
            return {
                "op": "sum",
                "of": [{**c, "weight": w} for c, w in zip(children, self.weights, strict=True)],
            }
        if self.op == "product":
            return {"op": "product", "of": children}
        if self.op == "gate":
            return {"op": "gate", "if": children[0], "then": children[1], "else": children[2]}
        bounds = {key: v for key, v in (("low", self.low), ("high", self.high)) if math.isfinite(v)}
        return {"op": "clip", **bounds, "of": children[0]}


def _weighted_sum(weights: Sequence[float], columns: Sequence[Sequence[float]], size: int) -> list[float]:
    totals = [0.0] * size
    for weight, column in zip(weights, columns, strict=True):
        if weight != 0:  # a metric's nan or inf must not reach the reward through 0 * inf
            totals = [total + weight * value for total, value in zip(totals, column, strict=True)]
    return totals


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"{what} is a finite number; got {value!r}.")
    return float(value)


def _parse(spec: Any) -> Node:
    """The tree of one JSON node."""
    if isinstance(spec, str):
        return Node("term", term=make_term(spec))
    if not isinstance(spec, Mapping):
        raise ConfigError(f"A reward is a name, a dict of weights or a tree of terms; got {spec!r}.")
    spec = dict(spec)
    if "term" in spec:
        return Node("term", term=make_term(**{("name" if k == "term" else k): v for k, v in spec.items()}))
    if "op" not in spec:
        return _weighted(spec)
    op = spec.pop("op")
    if op not in _NODE_KEYS:
        raise UnknownNameError("reward operation", str(op), _NODE_KEYS)
    if not spec.keys() <= _NODE_KEYS[op]:
        raise ConfigError(f"The operation {op!r} takes {sorted(_NODE_KEYS[op])}; got {sorted(spec)}.")
    return _parse_op(op, spec)


def _parse_op(op: str, spec: Mapping[str, Any]) -> Node:
    if op == "gate":
        if not {"if", "then"} <= spec.keys():
            raise ConfigError(f"A gate needs 'if' and 'then'; got {sorted(spec)}.")
        other = _parse(spec.get("else", {"term": "constant", "value": 0.0}))
        return Node("gate", (_parse(spec["if"]), _parse(spec["then"]), other))
    if "of" not in spec:
        raise ConfigError(f"The operation {op!r} needs 'of'; got {sorted(spec)}.")
    if op == "clip":
        low = _number(spec["low"], "low") if "low" in spec else -math.inf
        high = _number(spec["high"], "high") if "high" in spec else math.inf
        if low > high:
            raise ConfigError(f"clip needs low <= high; got {low} and {high}.")
        return Node("clip", (_parse(spec["of"]),), low=low, high=high)
    if not isinstance(spec["of"], Sequence) or isinstance(spec["of"], str) or not spec["of"]:
        raise ConfigError(f"The operation {op!r} works on a list that is not empty; got {spec['of']!r}.")
    if op == "product":
        return Node("product", tuple(_parse(child) for child in spec["of"]))
    pairs = [_without_weight(child) for child in spec["of"]]
    return Node("sum", tuple(_parse(child) for child, _ in pairs), tuple(weight for _, weight in pairs))


def _without_weight(spec: Any) -> tuple[Any, float]:
    """A child of a sum, and its weight."""
    if not isinstance(spec, Mapping):
        return spec, 1.0
    child = {key: value for key, value in spec.items() if key != "weight"}
    return child, _number(spec.get("weight", 1.0), "A weight")


def _weighted(spec: Mapping[str, Any]) -> Node:
    if not spec:
        raise ConfigError("A reward needs at least one term; got an empty dict.")
    names = tuple(spec)
    weights = tuple(_number(spec[name], f"The weight of {name!r}") for name in names)
    return Node("sum", tuple(Node("term", term=make_term(name)) for name in names), weights)


@dataclass(frozen=True)
class RewardDesign:
    """A named composition of reward terms.

    Attributes:
        name: shown in logs and reports.
        root: the composition.
    """

    name: str
    root: Node

    @classmethod
    def parse(cls, spec: str | Mapping[str, Any] | RewardDesign) -> RewardDesign:
        """A design out of any of the forms above; ``{"name": ..., "reward": ...}`` names one.

        Raises:
            ConfigError, UnknownNameError: saying what is wrong with it.
        """
        if isinstance(spec, RewardDesign):
            return spec
        if isinstance(spec, str):
            return get_design(spec)
        if isinstance(spec, Mapping) and spec.keys() == {"name", "reward"}:
            return cls(str(spec["name"]), _parse(spec["reward"]))
        return cls("custom", _parse(spec))

    @property
    def compares(self) -> bool:
        """Whether a rollout's reward depends on the others of its group."""
        return self.root.compares

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; :meth:`parse` is its inverse."""
        return {"name": self.name, "reward": self.root.to_dict()}

    def to_json(self) -> str:
        """The JSON form as text."""
        return json.dumps(self.to_dict(), sort_keys=True)

    def __call__(self, group: Sequence[Rollout]) -> list[Reward]:
        """The rewards of the rollouts of one prompt, in order.

        Rollouts whose verdict is invalid are taken out before any term sees the group, and get nan.
        """
        judged = [rollout for rollout in group if rollout.verdict.valid]
        seen: dict[str, list[float]] = {}
        totals = iter(self.root.evaluate(judged, seen)) if judged else iter(())
        rewards, position = [], 0
        for rollout in group:
            if rollout.verdict.valid:
                terms = {name: values[position] for name, values in seen.items()}
                rewards.append(Reward(float(next(totals)), terms))
                position += 1
            else:
                rewards.append(Reward(math.nan))
        return rewards


DESIGNS: dict[str, Any] = {
    # correctness alone; length is a metric
    "binary": {"correct": 1.0, "length": 0.0},
    # the graded score alone
    "graded": {"score": 1.0, "correct": 0.0, "length": 0.0},
    # accuracy plus format: DeepSeek-R1 (2501.12948, sec. 2.2.2) weighs them alike
    "r1": {"correct": 1.0, "format_r1": 1.0, "length": 0.0},
    # Logic-RL (2502.14768): totals +3, -0.5, -1, -3
    "logic_rl": {"format_strict": 1.0, "logic_rl_answer": 1.0, "correct": 0.0, "length": 0.0},
}
"""The named designs, in their JSON forms."""


def get_design(name: str) -> RewardDesign:
    """The named design.

    Raises:
        UnknownNameError: if there is none.
    """
    if name not in DESIGNS:
        raise UnknownNameError("reward design", name, DESIGNS)
    return RewardDesign(name, _parse(DESIGNS[name]))
