"""AdamW, its learning rate, and its state, which processes may each keep a part of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.distributed.optim import ZeroRedundancyOptimizer

from rlvr_gym.agents.config import OptimiserConfig
from rlvr_gym.agents.sharding import count_steps, gather_state, scatter_as

__all__ = ["load_optimiser_state", "make_optimiser", "optimiser_state", "set_lr"]


def make_optimiser(
    policy: nn.Module,
    config: OptimiserConfig,
    value: nn.Module | None = None,
    value_lr_scale: float = 1.0,
    *,
    sharded: bool = False,
) -> torch.optim.Optimizer:
    """AdamW; weight decay on matrices only. A value model has groups, and a rate, of its own.

    ``sharded``: its moments are spread over the processes (ZeRO-1, 1910.02054); its steps are the same.
    """
    groups = []
    for model, scale in ((policy, 1.0), (value, value_lr_scale)):
        weights = [] if model is None else [p for p in model.parameters() if p.requires_grad]
        if weights:
            groups += [
                {
                    "params": [p for p in weights if p.ndim >= 2],
                    "weight_decay": config.weight_decay,
                    "lr_scale": scale,
                },
                {"params": [p for p in weights if p.ndim < 2], "weight_decay": 0.0, "lr_scale": scale},
            ]
    settings: dict[str, Any] = {"lr": config.lr, "betas": config.betas, "eps": config.eps, "fused": True}
    optimiser: torch.optim.Optimizer
    if sharded:
        optimiser = ZeroRedundancyOptimizer(groups, torch.optim.AdamW, **settings)
    else:
        optimiser = torch.optim.AdamW(groups, **settings)
    count_steps(optimiser)
    return optimiser


def set_lr(optimiser: torch.optim.Optimizer, peak: float, step: int, *, warmup: int, decay: int = 0) -> float:
    """Sets and returns the rate of optimiser step ``step``, counted from 0.

    It rises linearly to ``peak`` over ``warmup`` steps. With ``decay`` it then falls linearly to a tenth of
    ``peak``, which it reaches at step ``decay`` and keeps.
    """
    rise = min(1.0, (step + 1) / (warmup + 1))
    fall = max(0.1, 1.0 - 0.9 * (step - warmup) / max(decay - warmup, 1)) if decay else 1.0
    lr = peak * min(rise, fall)
    for group in optimiser.param_groups:
        group["lr"] = lr * group.get("lr_scale", 1.0)
    return lr


def optimiser_state(optimiser: torch.optim.Optimizer, main: bool = True) -> dict[str, Any]:
    """The state dict with every moment whole; processes that share the moments call it together.

    Args:
        optimiser: of :func:`make_optimiser`.
        main: whether this process gets it; the others get nothing to rely on.
    """
    if isinstance(optimiser, ZeroRedundancyOptimizer):
        optimiser.consolidate_state_dict(to=0)
        return optimiser.state_dict() if main else {}
    state: dict[str, Any] = gather_state(optimiser.state_dict(), main)
    return state


def load_optimiser_state(optimiser: torch.optim.Optimizer, saved: Mapping[str, Any]) -> None:
    """The inverse of :func:`optimiser_state`, with any number of processes."""
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    state = {
        number: {name: scatter_as(weights[number], value) for name, value in moments.items()}
        for number, moments in saved["state"].items()
    }
    optimiser.load_state_dict({**saved, "state": state})
