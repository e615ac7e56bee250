"""What PPO has beside the clip: the value model, its loss, and the controllers that adapt KL weights.

The details that matter on language models are those of the N+ study (2403.17031): a head that begins at zero (or
is a reward model's), clipped values, whitened advantages, no dropout (policies have none), a fixed reward for
completions without an end, rewards divided by their deviation.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rlvr_gym.agents.advantages import MovingAverage
from rlvr_gym.agents.algorithms import AlgorithmConfig, ValueConfig
from rlvr_gym.agents.checkpoint import find_checkpoint
from rlvr_gym.agents.policy import Policy, load_policy
from rlvr_gym.errors import ConfigError

__all__ = [
    "VALUE_HEAD_FILE",
    "AlgorithmState",
    "RunningStd",
    "ValueModel",
    "adapted_beta",
    "adapted_penalty",
    "save_value_head",
    "value_loss",
]

VALUE_HEAD_FILE = "value_head.pt"
"""Beside a checkpoint's policy: the linear head that makes it a value or reward model."""


class ValueModel(nn.Module):
    """A linear head on hidden states: the policy's, or those of a trunk of its own.

    Attributes:
        head: ``[D] -> [1]``, in float32.
        trunk: the own trunk; None if the policy's hidden states are used.

    Args:
        policy: whose values these are.
        config: trunk and initialisation.
        seed: of a random head.
    """

    def __init__(self, policy: Policy, config: ValueConfig, seed: int = 0) -> None:
        super().__init__()
        self.from_policy = not config.init.startswith("ckpt:")
        folder = None if self.from_policy else find_checkpoint(Path(config.init.removeprefix("ckpt:")))
        self.trunk: Policy | None = None
        if config.trunk == "own":
            self.trunk = copy.deepcopy(policy) if folder is None else load_policy(f"ckpt:{folder}")
        width = _width(self.trunk or policy)
        self.head = nn.Linear(width, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        if config.init == "random":  # 1 / sqrt(D + 1), as reward models begin (2009.01325)
            generator = torch.Generator().manual_seed(seed)
            nn.init.normal_(self.head.weight, std=1 / math.sqrt(width + 1), generator=generator)
        if folder is not None:
            self._load_head(folder)
        self.to(policy.device)

    @property
    def layers(self) -> Sequence[nn.Module]:
        """Those of an own trunk."""
        return () if self.trunk is None else self.trunk.layers

    def forward(self, hidden: Tensor, states: Callable[[Policy], Tensor]) -> Tensor:
        """Values ``[N, 1]``.

        Args:
            hidden: the policy's states ``[N, D]``; values are read off them if there is no own trunk.
            states: gets the same states from another policy.
        """
        values: Tensor = self.head((hidden if self.trunk is None else states(self.trunk)).float())
        return values

    def head_of(self, hidden: Tensor) -> Tensor:
        """``[..., D]`` to values ``[...]``."""
        values: Tensor = self.head(hidden.float())[..., 0]
        return values

    def follow(self, policy: Policy) -> None:
        """An own trunk begins as the policy is now, unless it came from a checkpoint."""
        if self.trunk is not None and self.from_policy:
            self.trunk.load_state_dict(policy.state_dict())

    def _load_head(self, folder: Path) -> None:
        try:
            self.head.load_state_dict(
                torch.load(folder / VALUE_HEAD_FILE, map_location="cpu", weights_only=True)
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise ConfigError(
                f"algorithm.value.init: {folder} holds no head ({VALUE_HEAD_FILE}) of this policy's width: {error}"
            ) from error


@torch.no_grad()
def _width(policy: Policy) -> int:
    """The size of a policy's hidden states, asked of itself."""
    return policy.hidden(torch.zeros(1, 1, dtype=torch.long, device=policy.device)).shape[-1]


def save_value_head(value: ValueModel, folder: Path) -> None:
    """Writes the head beside a saved policy, so that ``value.init: ckpt:FOLDER`` finds it."""
    torch.save(value.head.state_dict(), folder / VALUE_HEAD_FILE)


def value_loss(values: Tensor, old: Tensor, returns: Tensor, clip: float | None) -> tuple[Tensor, Tensor]:
    """``0.5 max((V - R)^2, (clip(V, V_old - c, V_old + c) - R)^2)`` for each token (1707.06347, its code).

    Args:
        values: ``[B, T]`` being trained.
        old: ``[B, T]`` when the batch was sampled.
        returns: ``[B, T]``.
        clip: c; None for no clipping.

    Returns:
        The loss ``[B, T]``, and 1 where the clipped value counts.
    """
    plain = (values - returns).square()
    if clip is None:
        return 0.5 * plain, torch.zeros_like(plain)
    near = torch.clamp(values, old - clip, old + clip)
    clipped = (near - returns).square()
    return 0.5 * torch.maximum(plain, clipped), (clipped > plain).to(plain.dtype)


def adapted_beta(beta: float, kl: float, target: float, samples: int, horizon: int) -> float:
    """The next weight of the KL to the reference: ``beta (1 + clip(kl / target - 1, +-0.2) samples / horizon)``.

    The proportional controller of Ziegler et al. (1909.08593, sec. 2.2).
    """
    error = min(max(kl / target - 1, -0.2), 0.2)
    return beta * (1 + error * samples / horizon)


def adapted_penalty(penalty: float, kl: float, target: float) -> float:
    """The next weight of KL(old, new): doubled above 1.5 times the target, halved below it / 1.5 (1707.06347 sec. 4)."""
    if kl > 1.5 * target:
        return 2 * penalty
    return penalty / 2 if kl < target / 1.5 else penalty


@dataclass
class RunningStd:
    """The standard deviation of all numbers so far (Chan, Golub and LeVeque 1979).

    Attributes:
        count: numbers taken in.
        mean: theirs.
        squares: the sum of squared distances from it.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def update(self, values: Tensor) -> None:
        """Takes ``[N]`` numbers in."""
        added = len(values)
        if not added:
            return
        mean, total = float(values.mean()), self.count + added
        distance = mean - self.mean
        self.squares += float((values - mean).square().sum()) + distance**2 * self.count * added / total
        self.mean += distance * added / total
        self.count = total

    @property
    def scale(self) -> float:
        """The (biased) deviation; 1 as long as all numbers were the same."""
        std = math.sqrt(self.squares / self.count) if self.count else 0.0
        return std if std > 1e-8 else 1.0


@dataclass
class AlgorithmState:
    """What an algorithm remembers from step to step beside weights.

    Attributes:
        beta: the KL weight as it is now.
        penalty: the weight of KL(old, new) as it is now.
        baseline: REINFORCE's moving average.
        rewards: for ``reward_norm: running``.
    """

    beta: float
    penalty: float
    baseline: MovingAverage = field(default_factory=MovingAverage)
    rewards: RunningStd = field(default_factory=RunningStd)

    @classmethod
    def begin(cls, config: AlgorithmConfig) -> AlgorithmState:
        """Before the first step."""
        return cls(config.beta, config.penalty)

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> AlgorithmState:
        """The inverse of :func:`dataclasses.asdict`."""
        parts: dict[str, Callable[..., Any]] = {"baseline": MovingAverage, "rewards": RunningStd}
        return cls(**{key: parts[key](**value) if key in parts else value for key, value in row.items()})
