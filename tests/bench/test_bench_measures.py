"""What the trainer measures for the benchmark: lengths by outcome, entropy, reward designs that are only watched."""

import json

import pytest

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.trainer import train


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measures") / "run"
    config = TrainConfig.for_env(
        "rlvr/Arithmetic-v0",
        env={
            "settings": {"prompt": "terse", "terms": 2, "operations": "+", "digits": 1},
            "system_prompt": "tags",
        },
        policy="micro",
        reward={"finished": 1.0},
        sft={"steps": 60, "batch_size": 16, "lr": 1e-2},
        sampling={"prompts_per_step": 8, "group_size": 4, "max_tokens": 24},
        eval={
            "tasks": 30,
            "samples": 2,
            "rewards": {"truth": "binary", "distance": {"lcpo_exact": 1.0}, "none": {"length": 0.0}},
        },
        guard={"collapse": False},
        logging={"tensorboard": False},
        steps=2,
        threads=1,
        device="cpu",
    )
    train(config, folder, quiet=True)
    return folder


def test_held_out_rollouts_are_measured_by_other_designs(run):
    for row in rows(run / "eval.jsonl"):
        assert row["rewards/truth"] == pytest.approx(row["pass@1"])
        assert row["rewards/none"] == 0
        # alpha |T - n| of the defaults, whatever the lengths are, since none reaches the target
        assert row["rewards/distance"] == pytest.approx(row["pass@1"] - 3e-4 * (1024 - row["mean_length"]))
        assert row["entropy"] > 0


def test_lengths_of_right_and_wrong_answers_add_up(run):
    row = rows(run / "eval.jsonl")[-1]
    right, wrong = row.get("mean_length_right", 0.0), row.get("mean_length_wrong", 0.0)
    share = row["pass@1"]
    assert right * share + wrong * (1 - share) == pytest.approx(row["mean_length"])
    step = rows(run / "metrics.jsonl")[-1]
    right, wrong = (step.get(f"completions/mean_length_{name}", 0.0) for name in ("right", "wrong"))
    share = step["accuracy"]
    assert right * share + wrong * (1 - share) == pytest.approx(step["completions/mean_length"])


def test_the_base_policy_has_no_length_of_right_answers(run):
    base = rows(run / "eval.jsonl")[0]
    assert base["pass@1"] == 0
    assert "mean_length_right" not in base
    assert base["mean_length_wrong"] == pytest.approx(base["mean_length"])
