"""Fitting: epochs over a fixed set of examples, which cloning, DPO and reward models have in common.

The order of the examples follows from the seed, and the state is written now and then, so a fit that was killed and
begun again ends with the weights of one that was not.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from pydantic import Field
from torch import nn

from rlvr_gym.agents.algorithms import Section
from rlvr_gym.agents.config import OptimiserConfig
from rlvr_gym.agents.guards import TrainingError
from rlvr_gym.agents.logging import JsonLines
from rlvr_gym.agents.optimiser import make_optimiser, set_lr
from rlvr_gym.agents.progress import TrainingProgress
from rlvr_gym.agents.seeds import derive_seed
from rlvr_gym.errors import ConfigError

__all__ = ["STATE_FILE", "FitConfig", "fit"]

_T = TypeVar("_T")

STATE_FILE = "fit.pt"
"""Weights and optimiser as they were at the last save, in the fit's folder."""
_LOG_FILE = "fit.jsonl"


class FitConfig(Section):
    """Epochs, batches and learning rate; AdamW's other settings are those of ``optimiser``."""

    epochs: int = Field(default=1, ge=1, description="Passes over the examples.")
    batch_size: int = Field(default=64, ge=1, description="Examples of an optimiser step.")
    lr: float = Field(default=1e-3, gt=0, description="Peak learning rate.")
    warmup_steps: int = Field(default=10, ge=0, description="Steps of linear warm-up.")
    decay: bool = Field(default=True, description="Let the rate fall to a tenth by the last step, linearly.")

    def steps(self, examples: int) -> int:
        """Optimiser steps over so many examples."""
        return self.epochs * -(-examples // self.batch_size)


def fit(
    model: nn.Module,
    examples: Sequence[_T],
    gradient: Callable[[list[_T]], dict[str, float]],
    config: FitConfig,
    optimiser: OptimiserConfig,
    *,
    seed: int,
    folder: Path,
    save_every: int = 50,
    progress: TrainingProgress | None = None,
) -> dict[str, float]:
    """Fits a model to examples, in place.

    Args:
        model: what is trained.
        examples: what there is to learn from.
        gradient: adds the gradient of some examples' mean loss to the weights; returns metrics, among them ``loss``.
        config: epochs, batches and learning rate.
        optimiser: AdamW's other settings.
        seed: of the order.
        folder: gets ``fit.jsonl`` with a row for each step, and the state, from which a killed fit goes on.
        save_every: steps between states.
        progress: shows how far it is.

    Returns:
        The metrics of the last step.

    Raises:
        ConfigError: if there is no example.
        TrainingError: if the loss is not finite.
    """
    if not examples:
        raise ConfigError("There is nothing to fit: the set of examples is empty.")
    folder.mkdir(parents=True, exist_ok=True)
    adamw = make_optimiser(model, optimiser)
    done = _restore(folder / STATE_FILE, model, adamw)
    total, per_epoch = config.steps(len(examples)), config.steps(len(examples)) // config.epochs
    log = JsonLines(folder / _LOG_FILE, done or None)
    row: dict[str, float] = {}
    if progress is not None:
        progress.begin("fit", total, done)
    try:
        for step in range(done, total):
            epoch, batch = divmod(step, per_epoch)
            order = np.random.default_rng(derive_seed(seed, "epoch", epoch)).permutation(len(examples))
            chosen = order[batch * config.batch_size : (batch + 1) * config.batch_size]
            adamw.zero_grad(set_to_none=True)
            row = gradient([examples[i] for i in chosen.tolist()])
            norm = float(nn.utils.clip_grad_norm_(model.parameters(), optimiser.max_grad_norm))
            if not (math.isfinite(row["loss"]) and math.isfinite(norm)):
                raise TrainingError(
                    f"Step {step + 1}: the loss ({row['loss']}) or the gradient's norm ({norm}) is not finite; lower fit.lr"
                )
            decay = total if config.decay else 0
            lr = set_lr(adamw, config.lr, step, warmup=config.warmup_steps, decay=decay)
            adamw.step()
            row |= {"grad_norm": norm, "lr": lr}
            log.write({"step": step + 1, **row})
            if progress is not None:
                progress.update(step + 1, {"loss": row["loss"]})
            if (step + 1) % save_every == 0:
                _save(folder / STATE_FILE, step + 1, model, adamw)
    finally:
        log.close()
        if progress is not None:
            progress.end()
    return row


def _save(path: Path, step: int, model: nn.Module, adamw: torch.optim.Optimizer) -> None:
    """Replaces the state at once or not at all."""
    temporary = path.with_suffix(".partial")
    torch.save({"step": step, "model": model.state_dict(), "optimiser": adamw.state_dict()}, temporary)
    os.replace(temporary, path)


def _restore(path: Path, model: nn.Module, adamw: torch.optim.Optimizer) -> int:
    """Takes the state up again, if there is one; returns the steps that were done."""
    if not path.exists():
        return 0
    saved = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(saved["model"])
    adamw.load_state_dict(saved["optimiser"])
    return int(saved["step"])
