"""Designs in training: schedules follow the step, rollouts are saved in whole groups, re-scoring gives them back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlvr_gym import RewardDesign
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.trainer import train
from rlvr_gym.rescoring import read_rollouts, rescore

DESIGN = {
    "op": "sum",
    "of": [
        {"op": "schedule", "points": [[0, 0], [2, 1]], "of": {"term": "constant", "value": 4.0}},
        {"op": "noisy", "fp": 0.5, "of": "correct"},
        "kimi_length",
        {"term": "length", "weight": 0.001},
    ],
}


def test_a_run_and_its_rescoring(micro_config: TrainConfig, tmp_path: Path) -> None:
    changes = {
        "reward": DESIGN,
        "steps": 3,
        "sft": {"steps": 0},
        "eval": {"tasks": 0},
        "logging": {"rollouts_every": 1, "rollouts": 9, "attempts": 9, "tensorboard": False},
    }
    config = TrainConfig(**{**micro_config.to_dict(), **changes})
    train(config, tmp_path / "run", quiet=True)
    rows = read_rollouts(tmp_path / "run")
    assert len(rows) == 3 * 4 * 4
    scheduled = {
        step: {row["reward"] - row["reward_terms"]["noisy(fp=0.5,fn=0):correct"] - row["reward_terms"]["kimi_length"]
               - 0.001 * row["num_tokens"] for row in rows if row["step"] == step}
        for step in (1, 2, 3)
    }  # fmt: skip
    for step, factor in ((1, 2.0), (2, 4.0), (3, 4.0)):
        assert list(scheduled[step]) == pytest.approx([factor] * len(scheduled[step]))
    again = rescore(rows, RewardDesign.parse(DESIGN))
    assert [row.new for row in again.rows] == pytest.approx([row.old for row in again.rows])
    assert again.summary()["changed"] == 0
    metrics = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [row["frac_no_reward"] for row in metrics] == [0.0] * 3
    for row in metrics:
        saved = [saved["reward"] for saved in rows if saved["step"] == row["step"]]
        assert row["reward"] == pytest.approx(sum(saved) / len(saved))
