"""Two processes make the steps that one makes: sampling, verification, gradients, metrics, checkpoints."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rlvr_gym.agents.checkpoint import find_checkpoint, read_weights
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.logging import is_wall_clock
from rlvr_gym.agents.trainer import train

MakeConfig = Callable[..., TrainConfig]
RUN = """
import json, sys
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.trainer import train
train(TrainConfig.parse(json.loads(sys.argv[1])), sys.argv[2], resume=len(sys.argv) > 3, quiet=True)
"""


@pytest.fixture
def config(tiny_run: dict[str, Any]) -> MakeConfig:
    """A tiny run that ends with a checkpoint, whose shares are of different sizes."""
    further = {"eval": {"tasks": 7, "every": 2}, "optimiser": {"micro_batch": 2, "lr": 1e-3}, "steps": 4}
    sampling = {**tiny_run["sampling"], "max_rows": 4}
    return lambda **changes: TrainConfig.parse({**tiny_run, **further, "sampling": sampling, **changes})


def run_on_two(config: TrainConfig, folder: Path, *resume: str) -> None:
    """What torchrun does: two processes, told of each other by the environment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    command = [sys.executable, "-c", RUN, json.dumps(config.to_dict()), str(folder), *resume]
    processes = [
        subprocess.Popen(
            command, env={**shared, "RANK": str(r), "LOCAL_RANK": str(r)}, stderr=subprocess.PIPE, text=True
        )
        for r in range(2)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors[-3000:]


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def assert_alike(one: Path, two: Path) -> None:
    for name in ("metrics.jsonl", "eval.jsonl", "sft.jsonl"):
        a, b = rows(one, name), rows(two, name)
        assert len(a) == len(b) > 0
        for left, right in zip(a, b, strict=True):
            assert left.keys() == right.keys()
            for key in left:
                if isinstance(left[key], str):
                    assert right[key] == left[key]
                elif not is_wall_clock(key):
                    assert right[key] == pytest.approx(left[key], abs=1e-4, rel=1e-3), (name, key)
    first, second = (read_weights(find_checkpoint(folder)) for folder in (one, two))
    for name, weight in first.items():
        torch.testing.assert_close(second[name], weight, atol=2e-5, rtol=1e-3)


@pytest.mark.parametrize(
    "algorithm",
    [
        {"name": "grpo", "minibatches": 2, "beta": 0.05},
        {"name": "ppo", "epochs": 2, "kl_in": "reward", "beta": 0.05},
        {"name": "dapo", "max_resamples": 2, "recompute_old": True, "importance_cap": 2.0},
    ],
    ids=lambda algorithm: algorithm["name"],
)
def test_two_processes_make_the_steps_of_one(
    algorithm: dict[str, Any], tmp_path: Path, config: MakeConfig
) -> None:
    settings = config(algorithm=algorithm)
    train(settings, tmp_path / "one", quiet=True)
    run_on_two(settings, tmp_path / "two")
    assert_alike(tmp_path / "one", tmp_path / "two")
    assert len(rows(tmp_path / "two", "rollouts.jsonl")) == len(rows(tmp_path / "one", "rollouts.jsonl"))


@pytest.mark.parametrize("sharding", ["none", "optimiser"])
def test_two_processes_resume(tmp_path: Path, sharding: str, config: MakeConfig) -> None:
    optimiser = {"micro_batch": 2, "lr": 1e-3, "weight_decay": 0.1, "sharding": sharding}
    settings = config(algorithm={"name": "grpo"}, optimiser=optimiser)
    train(settings, tmp_path / "one", quiet=True)
    run_on_two(settings.replace(steps=2), tmp_path / "two")
    run_on_two(settings, tmp_path / "two", "resume")
    assert_alike(tmp_path / "one", tmp_path / "two")


def test_a_sharded_optimiser_keeps_a_part_and_its_checkpoint_all(tmp_path: Path, config: MakeConfig) -> None:
    """One process goes on from what two left behind, so the checkpoint holds every moment."""
    settings = config(algorithm={"name": "grpo"}, optimiser={"micro_batch": 2, "lr": 1e-3, "sharding": "optimiser"})
    train(settings, tmp_path / "one", quiet=True)
    run_on_two(settings.replace(steps=2), tmp_path / "two")
    train(settings, tmp_path / "two", resume=True, quiet=True)
    assert_alike(tmp_path / "one", tmp_path / "two")
