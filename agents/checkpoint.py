"""Checkpoints: the whole state in one folder that appears at once or not at all."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.sharding import gather_state
from rlvr_gym.errors import ConfigError

__all__ = [
    "BEST",
    "CHECKPOINTS",
    "POLICY_FILE",
    "find_checkpoint",
    "load_trainer_state",
    "read_weights",
    "save_checkpoint",
    "save_policy",
]

POLICY_FILE = "policy.json"
WEIGHTS_FILE = "weights.pt"
TRAINER_FILE = "trainer.pt"
CHECKPOINTS = "checkpoints"
BEST = "best"
"""The policy with the best held-out evaluation: a folder in the run's."""


def save_policy(policy: Policy, folder: Path, *, main: bool = True) -> None:
    """Writes a policy so that ``load_policy("ckpt:FOLDER")`` gives it back; the folder appears atomically.

    Processes that share a policy call it together, and the ``main`` one writes.
    """
    weights = gather_state(policy.state_dict(), main)
    if main:
        _write_atomically(folder, policy, weights, None)


def save_checkpoint(
    run_dir: Path, step: int, policy: Policy, trainer_state: dict[str, Any], keep: int, *, main: bool = True
) -> None:
    """Writes ``checkpoints/step-000123`` and deletes all but the ``keep`` newest.

    Everything is written to a temporary folder and synced to disk, which is then renamed: a run that is killed at
    any moment leaves either the whole checkpoint or none.

    Args:
        run_dir: the run's folder.
        step: steps of reinforcement learning done.
        policy: its weights are written.
        trainer_state: tensors and plain data (``torch.load`` reads it with ``weights_only=True``).
        keep: how many to keep.
        main: see :func:`save_policy`.
    """
    weights = gather_state(policy.state_dict(), main)
    if not main:
        return
    _write_atomically(run_dir / CHECKPOINTS / f"step-{step:06d}", policy, weights, trainer_state)
    for old in _checkpoints(run_dir)[:-keep]:
        shutil.rmtree(old)


def _write_atomically(
    folder: Path, policy: Policy, weights: dict[str, Tensor], trainer_state: dict[str, Any] | None
) -> None:
    temporary = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    (temporary / POLICY_FILE).write_text(json.dumps(policy.describe(), indent=2), encoding="utf-8")
    policy.save_assets(temporary)
    torch.save(weights, temporary / WEIGHTS_FILE)
    if trainer_state is not None:
        torch.save(trainer_state, temporary / TRAINER_FILE)
    for file in temporary.rglob("*"):
        _sync(file)
    _sync(temporary)
    if folder.exists():  # a resumed run comes by the same step again
        shutil.rmtree(folder)
    os.replace(temporary, folder)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checkpoints(run_dir: Path) -> list[Path]:
    """A run's checkpoints, oldest first."""
    return sorted((run_dir / CHECKPOINTS).glob("step-*"))


def find_checkpoint(folder: Path) -> Path:
    """The checkpoint that ``folder`` is, or the newest one of the run that it is.

    Raises:
        ConfigError: if there is none.
    """
    if (folder / POLICY_FILE).is_file():
        return folder
    found = _checkpoints(folder)
    if not found:
        raise ConfigError(
            f"{folder} is neither a checkpoint (a folder with {POLICY_FILE}) nor a run with {CHECKPOINTS}/step-*."
        )
    return found[-1]


def read_weights(folder: Path) -> dict[str, Tensor]:
    """The weights in a checkpoint.

    Raises:
        ConfigError: if they cannot be read.
    """
    try:
        weights: dict[str, Tensor] = torch.load(folder / WEIGHTS_FILE, map_location="cpu", weights_only=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(f"{folder} holds no readable weights: {error}") from error
    return weights


def load_trainer_state(folder: Path) -> dict[str, Any]:
    """What :func:`save_checkpoint` was given beside the weights."""
    try:
        state: dict[str, Any] = torch.load(folder / TRAINER_FILE, map_location="cpu", weights_only=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(f"{folder} cannot be resumed from: {error}") from error
    return state
