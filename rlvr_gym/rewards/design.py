"""Reward designs: named compositions of terms, as data.

The JSON forms of a design:

* a name: ``"r1"``;
* a weighted dict: ``{"correct": 1.0, "format_r1": 0.2, "length": 0}`` (weight 0 makes a metric);
* a tree: ``{"op": "sum", "of": [{"term": "correct", "weight": 2}, {"op": "clip", "low": 0, "high": 1, "of": ...}]}``
  with the operations ``sum`` (children may carry ``weight``), ``product``, ``gate`` (``if``, ``then``, ``else``),
  ``clip`` (``low``, ``high``), ``schedule`` (``points``, ``shape``: a factor that follows the training step),
  ``normalise`` (``scale``: within the group) and ``noisy`` (``fp``, ``fn``, ``seed``: corrupted verdicts).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import rlvr_gym.rewards.operations  # noqa: F401 - so that trees may have them
from rlvr_gym.errors import UnknownNameError
from rlvr_gym.rewards.named import DESIGNS
from rlvr_gym.rewards.node import Node, View, parse_node
from rlvr_gym.rollout import Rollout

__all__ = ["DESIGNS", "Reward", "RewardDesign", "get_design"]


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward and the values of the terms that it was made from.

    ``total`` is nan if the verdict is invalid, or if a term that counts has no value: such a sample has no reward and
    must leave statistics and loss.
    """

    total: float
    terms: dict[str, float] = field(default_factory=dict)


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
            return cls(str(spec["name"]), parse_node(spec["reward"]))
        return cls("custom", parse_node(spec))

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

    def __call__(self, group: Sequence[Rollout], step: int = 0) -> list[Reward]:
        """The rewards of the rollouts of one prompt, in order.

        Rollouts whose verdict is invalid are taken out before any term sees the group, and get nan.

        Args:
            group: the rollouts.
            step: of training, which schedules follow; 0 outside of training.
        """
        view = View([rollout for rollout in group if rollout.verdict.valid], step)
        totals = self.root.evaluate(view) if view.group else []
        judged = iter(
            [
                Reward(float(total), {name: values[i] for name, values in view.seen.items()})
                for i, total in enumerate(totals)
            ]
        )
        return [next(judged) if rollout.verdict.valid else Reward(math.nan) for rollout in group]


def get_design(name: str) -> RewardDesign:
    """The named design.

    Raises:
        UnknownNameError: if there is none.
    """
    if name not in DESIGNS:
        raise UnknownNameError("reward design", name, DESIGNS)
    return RewardDesign(name, parse_node(DESIGNS[name]))
