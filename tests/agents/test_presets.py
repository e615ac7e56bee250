"""Presets: valid, as the papers say where they say it, and each one trains the smallest policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.presets import PRESETS, preset_settings
from rlvr_gym.agents.tasks import make_settings
from rlvr_gym.agents.trainer import train
from rlvr_gym.errors import UnknownNameError

DOCS = Path(__file__).parents[2] / "docs" / "algorithms.md"
ENV = "rlvr/Arithmetic-v0"
SMALL: dict[str, Any] = {
    "env": {"settings": {"prompt": "terse", "terms": 2, "operations": "+", "digits": 1}},
    "policy": "micro",
    "sampling": {"prompts_per_step": 4, "group_size": 4, "max_tokens": 12},
    "eval": {"tasks": 0},
    "logging": {"tensorboard": False},
    "steps": 1,
    "threads": 1,
    "device": "cpu",
}

SAID: dict[str, dict[str, Any]] = {
    "deepseek_math": {"algorithm.beta": 0.04, "sampling.group_size": 64, "optimiser.lr": 1e-6},
    "r1_zero": {
        "algorithm.beta": 0.001, "sampling.group_size": 16, "sampling.prompts_per_step": 32, "optimiser.lr": 3e-6,
        "reward": "r1", "env.system_prompt": "r1",
    },
    "dr_grpo": {"algorithm.advantage": "dr_grpo", "algorithm.loss": "dr_grpo", "algorithm.beta": 0.0},
    "dapo": {
        "algorithm.eps_low": 0.2, "algorithm.eps_high": 0.28, "algorithm.dynamic_sampling": True,
        "algorithm.minibatches": 16, "sampling.max_tokens": 20480, "algorithm.loss": "dapo",
    },
    "orz_ppo": {
        "algorithm.gamma": 1.0, "algorithm.lam": 1.0, "algorithm.beta": 0.0, "algorithm.value.trunk": "own",
        "algorithm.value.lr_scale": 5.0, "sampling.group_size": 64,
    },
    "ppo_rlhf": {"algorithm.lam": 0.95, "algorithm.epochs": 4, "optimiser.eps": 1e-5, "algorithm.kl_in": "reward"},
    "logic_rl": {"reward": "logic_rl", "optimiser.lr": 4e-7, "sampling.temperature": 0.7},
    "gspo": {"algorithm.eps_low": 3e-4, "algorithm.eps_high": 4e-4, "algorithm.ratio": "sequence"},
    "scale_rl": {
        "algorithm.objective": "cispo", "algorithm.advantage": "batch", "algorithm.loss": "prompt",
        "sampling.prompts_per_step": 48, "sampling.group_size": 16, "optimiser.lr": 5e-7,
    },
    "l1_exact": {"optimiser.lr": 1e-6, "sampling.prompts_per_step": 128},
}  # fmt: skip


def field(config: TrainConfig, path: str) -> Any:
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return value


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_says_what_its_paper_says(name: str) -> None:
    config = TrainConfig.for_env(ENV, preset=name)
    for path, value in SAID.get(name, {}).items():
        assert field(config, path) == value, path
    assert PRESETS[name].source
    assert PRESETS[name].deviates.endswith(".")
    assert TrainConfig.parse(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_trains_the_smallest_policy(name: str, tmp_path: Path) -> None:
    config = TrainConfig.for_env(ENV, preset=name, **SMALL)
    assert make_settings(config).design
    summary = train(config, tmp_path, quiet=True)
    assert summary.steps == 1


def test_what_a_config_says_wins_over_its_preset(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("preset: dapo\nenv: rlvr/Arithmetic-v0\nalgorithm: {eps_high: 0.4}\nreward: r1\n")
    config = TrainConfig.from_yaml(path, **{"optimiser.lr": 1e-3})
    assert (config.algorithm.name, config.algorithm.eps_high, config.algorithm.minibatches) == (
        "dapo",
        0.4,
        16,
    )
    assert (config.reward, config.optimiser.lr, config.optimiser.warmup_steps) == ("r1", 1e-3, 320)


def test_another_algorithm_begins_from_its_own_settings() -> None:
    config = TrainConfig.for_env(ENV, preset="dapo", algorithm="gspo")
    assert config.algorithm == TrainConfig.for_env(ENV, algorithm="gspo").algorithm
    assert config.optimiser.warmup_steps == 320


def test_another_preset_takes_the_place_of_the_first() -> None:
    config = TrainConfig.for_env(ENV, preset="dapo", **{"optimiser.lr": 1e-3})
    changed = config.replace(preset="scale_rl")
    assert changed == TrainConfig.for_env(ENV, preset="scale_rl", **{"optimiser.lr": 1e-3})


def test_unknown_preset() -> None:
    with pytest.raises(UnknownNameError, match="did you mean dapo"):
        TrainConfig.for_env(ENV, preset="dapoo")


def test_settings_are_a_copy() -> None:
    preset_settings("dapo")["sampling"]["group_size"] = 1
    assert preset_settings("dapo")["sampling"]["group_size"] == 16


def test_every_algorithm_and_preset_is_documented() -> None:
    from rlvr_gym.agents.algorithms import ALGORITHMS

    text = DOCS.read_text(encoding="utf-8")
    missing = [name for name in (*ALGORITHMS, *PRESETS) if f"`{name}`" not in text]
    assert not missing
