"""Whole runs: what they write, that they learn, and that killing them changes nothing."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from rlvr_gym.agents.advantages import ADVANTAGES
from rlvr_gym.agents.checkpoint import find_checkpoint, save_checkpoint
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.evaluate import Evaluation
from rlvr_gym.agents.guards import TrainingError
from rlvr_gym.agents.logging import JsonLines, is_wall_clock
from rlvr_gym.agents.policy import load_policy
from rlvr_gym.agents.trainer import Trainer, train
from rlvr_gym.errors import ConfigError, MissingExtraError


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]


def without_clock(path: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if not is_wall_clock(k)} for row in rows(path)]


def assert_same_run(a: Path, b: Path) -> None:
    for name in ("metrics.jsonl", "eval.jsonl", "rollouts.jsonl", "sft.jsonl"):
        assert without_clock(a / name) == without_clock(b / name), name
    one, other = (torch.load(find_checkpoint(run) / "weights.pt", weights_only=True) for run in (a, b))
    assert all(torch.equal(one[key], other[key]) for key in one)
    before, after = (json.loads((run / "summary.json").read_text()) for run in (a, b))
    assert before["after"] == after["after"]
    assert before["tokens"] == after["tokens"]


def test_what_a_run_writes(micro_config: TrainConfig, tmp_path: Path) -> None:
    config = micro_config.replace(**{"logging.tensorboard": True})
    summary = train(config, tmp_path / "run", quiet=True)
    run = tmp_path / "run"
    assert TrainConfig.parse(json.loads((run / "config.json").read_text())) == config
    metrics = rows(run / "metrics.jsonl")
    assert [row["step"] for row in metrics] == [1, 2, 3, 4, 5]
    wanted = {
        "reward", "reward_std", "rewards/correct/mean", "rewards/length/mean", "frac_reward_zero_std", "accuracy",
        "completions/mean_length", "completions/clipped_ratio", "kl", "entropy", "clip_ratio/low_mean",
        "clip_ratio/high_mean", "grad_norm", "tokens_per_second", "step_time", "loss", "lr",
    }  # fmt: skip
    assert all(wanted <= row.keys() for row in metrics)
    assert [(row["step"], row["stage"]) for row in rows(run / "eval.jsonl")] == [
        (-1, "base"), (0, "warm_start"), (2, "train"), (4, "train"), (5, "train"),
    ]  # fmt: skip
    assert {"tasks", "samples", "pass@1", "low", "high", "mean_length"} <= rows(run / "eval.jsonl")[0].keys()
    rollouts = rows(run / "rollouts.jsonl")
    assert [(row["step"], row["attempt"]) for row in rollouts] == [
        (step, attempt) for step in (1, 2, 4) for _ in range(2) for attempt in range(4)
    ]
    assert {"prompt", "completion", "verdict", "reward", "reward_terms"} <= rollouts[0].keys()
    assert [row["step"] for row in rows(run / "sft.jsonl")] == [0, 1, 2, 3]
    assert sorted(p.name for p in (run / "checkpoints").iterdir()) == ["step-000004", "step-000005"]
    assert list((run / "tb").iterdir())
    written = json.loads((run / "summary.json").read_text())
    assert written == summary.to_dict()
    assert written["before"]["stage"] == "warm_start"
    assert written["after"]["step"] == written["steps"] == 5
    policy = load_policy(f"ckpt:{run}")
    assert policy.num_parameters == load_policy("micro").num_parameters


def test_two_runs_are_the_same_and_another_seed_is_not(micro_config: TrainConfig, tmp_path: Path) -> None:
    for name in ("a", "b"):
        train(micro_config, tmp_path / name, quiet=True)
    assert_same_run(tmp_path / "a", tmp_path / "b")
    train(micro_config.replace(seed=1), tmp_path / "c", quiet=True)
    assert without_clock(tmp_path / "c" / "metrics.jsonl") != without_clock(tmp_path / "a" / "metrics.jsonl")


@pytest.mark.parametrize(
    "algorithm",
    [
        {"name": "grpo", "beta": 0.05},
        {"name": "dapo", "max_resamples": 2},
        {"name": "dr_grpo", "epochs": 2, "minibatches": 2, "track_kl": False},
        "rloo",
        "reinforce",
        {"name": "ppo", "missing_eos": -1.0, "reward_norm": "running", "minibatches": 2},
        {
            "name": "ppo_penalty",
            "value": {"trunk": "own", "init": "random"},
            "beta": 0.05,
            "kl_in": "reward",
            "kl_target": 0.01,
        },
    ],
)
def test_a_stopped_run_goes_on_as_if_it_had_not(
    micro_config: TrainConfig, tmp_path: Path, algorithm: Any
) -> None:
    config = micro_config.replace(algorithm=algorithm)
    train(config, tmp_path / "whole", quiet=True)
    train(config.replace(steps=3), tmp_path / "parts", quiet=True)
    # the evaluation at the end of the first part is not one of the whole run
    train(config, tmp_path / "parts", resume=True, quiet=True)
    assert without_clock(tmp_path / "parts" / "metrics.jsonl") == without_clock(
        tmp_path / "whole" / "metrics.jsonl"
    )
    assert rows(tmp_path / "parts" / "eval.jsonl")[-1] == rows(tmp_path / "whole" / "eval.jsonl")[-1]


def test_the_warm_start_is_not_done_twice(micro_config: TrainConfig, tmp_path: Path) -> None:
    config = micro_config.replace(**{"eval.tasks": 0})
    train(config, tmp_path / "whole", quiet=True)
    train(config.replace(steps=0), tmp_path / "parts", quiet=True)
    train(config, tmp_path / "parts", resume=True, quiet=True)
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.parametrize(
    "algorithm",
    [
        {"name": "ppo", "value": {"trunk": "own"}, "beta": 0.05, "kl_in": "reward", "reward_norm": "running"},
        {"name": "dapo", "max_resamples": 2},
    ],
    ids=["ppo", "dapo"],
)
def test_killed_with_sigkill_and_resumed(
    micro_config: TrainConfig, tmp_path: Path, algorithm: Any, run_and_kill: Any
) -> None:
    config = micro_config.replace(
        steps=400, algorithm=algorithm, **{"checkpoint.every": 3, "eval.every": 100}
    )
    killed = run_and_kill(config)
    steps = rows(killed / "metrics.jsonl")[-2]["step"] + 5
    train(config.replace(steps=steps), killed, resume=True, quiet=True)
    train(config.replace(steps=steps), tmp_path / "whole", quiet=True)
    assert_same_run(tmp_path / "whole", killed)


def test_a_run_that_is_done_is_only_summed_up(micro_config: TrainConfig, tmp_path: Path) -> None:
    first = train(micro_config, tmp_path, quiet=True)
    files = [tmp_path / name for name in ("metrics.jsonl", "eval.jsonl", "rollouts.jsonl", "sft.jsonl")]
    before = [file.read_bytes() for file in files]
    again = train(micro_config, tmp_path, resume=True, quiet=True)
    assert [file.read_bytes() for file in files] == before
    assert again.after == first.after


def test_runs_are_not_mixed_up(micro_config: TrainConfig, tmp_path: Path) -> None:
    train(micro_config.replace(steps=1), tmp_path, quiet=True)
    with pytest.raises(ConfigError, match="holds a run already"):
        train(micro_config, tmp_path, quiet=True)
    with pytest.raises(ConfigError, match=r"begun with another optimiser, seed"):
        train(micro_config.replace(seed=5, **{"optimiser.lr": 1.0}), tmp_path, resume=True, quiet=True)


@pytest.mark.parametrize("algorithm", ["grpo", {"name": "ppo", "epochs": 2}], ids=["grpo", "ppo"])
def test_it_learns(micro_config: TrainConfig, tmp_path: Path, algorithm: Any) -> None:
    """From nothing, with a reward for ending: lengths and reward move."""
    config = micro_config.replace(
        steps=40,
        reward={"term": "finished"},
        algorithm=algorithm,
        **{
            "sft.steps": 0,
            "sampling.prompts_per_step": 8,
            "sampling.group_size": 8,
            "optimiser.lr": 3e-3,
            "eval.tasks": 0,
            "algorithm.minibatches": 2,
        },
    )
    summary = train(config, tmp_path, quiet=True)
    reward = [row["reward"] for row in rows(tmp_path / "metrics.jsonl")]
    assert sum(reward[:3]) / 3 < 0.5
    assert sum(reward[-3:]) / 3 > 0.9
    assert summary.before is summary.after is None


def test_the_best_policy_is_kept(micro_config: TrainConfig, tmp_path: Path) -> None:
    config = micro_config.replace(steps=6, reward={"term": "length"}, **{"eval.every": 1, "sft.steps": 0})
    found = iter([0.1, 0.3, 0.5, 0.5, 0.2, 0.1, 0.4])
    running = Trainer(config, tmp_path, resume=False, quiet=True)
    kept = {}

    def measure(_: Any) -> Evaluation:
        kept[running.state.step] = {k: v.clone() for k, v in running.policy.state_dict().items()}
        return Evaluation(10, 1, {1: next(found)}, 0.0, 1.0, 5.0)

    running.held_out.measure = measure  # type: ignore[method-assign]
    running.run()
    running.close()
    best = load_policy(f"ckpt:{tmp_path / 'best'}").state_dict()
    assert all(torch.equal(best[key], kept[2][key]) for key in best)
    assert any(not torch.equal(best[key], kept[3][key]) for key in best)


@pytest.mark.parametrize(
    ("setting", "rates", "steps"),
    [
        ({"eval.patience": 2}, [0.1, 0.2, 0.15, 0.2, 0.9], 3),
        ({"eval.target": 0.6}, [0.1, 0.2, 0.6, 0.7, 0.9], 2),
        ({}, [0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], 5),
    ],
)
def test_early_stop(
    micro_config: TrainConfig, tmp_path: Path, setting: dict[str, Any], rates: list[float], steps: int
) -> None:
    config = micro_config.replace(**{"eval.every": 1, "sft.steps": 0, **setting})
    running, found = Trainer(config, tmp_path, resume=False, quiet=True), iter(rates)
    running.held_out.measure = lambda _: Evaluation(10, 1, {1: next(found)}, 0.0, 1.0, 5.0)  # type: ignore[method-assign]
    summary = running.run()
    running.close()
    assert summary.steps == steps
    assert find_checkpoint(tmp_path).name == f"step-{steps:06d}"
    # resumed, it does not go on
    again = Trainer(config, tmp_path, resume=True, quiet=True)
    assert again.run().steps == steps
    again.close()


def test_an_alarm_is_told_and_may_stop_the_run(
    micro_config: TrainConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noisy = {"entropy_above": 0.001, "steps": 2}
    train(micro_config.replace(steps=3, guard=noisy), tmp_path / "told")
    told = " ".join(capsys.readouterr().out.split())
    assert "alarm in step 2: The entropy has been above 0.001 for 2 steps" in told
    with pytest.raises(TrainingError, match=r"Step 2: The entropy .* Lower algorithm\.entropy_coef"):
        train(micro_config.replace(steps=3, guard={**noisy, "stop": True}), tmp_path / "stopped", quiet=True)


def test_out_of_memory_says_what_to_lower(
    micro_config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def greedy(*_: Any) -> Any:
        return torch.empty(2**60)

    monkeypatch.setattr("rlvr_gym.agents.learner.Learner.update", greedy)
    with pytest.raises(
        TrainingError, match=r"Step 1: Memory ran out while training\. Lower optimiser\.micro"
    ):
        train(micro_config, tmp_path / "training", quiet=True)
    monkeypatch.setattr("rlvr_gym.agents.groups.Sampler.sample", greedy)
    with pytest.raises(TrainingError, match=r"while sampling\. Lower sampling\.max_rows"):
        train(micro_config, tmp_path / "sampling", quiet=True)


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_trackers(
    micro_config: TrainConfig, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = micro_config.replace(steps=2, **{"logging.trackers": [name], "eval.tasks": 0})
    if importlib.util.find_spec(name) is None:
        with pytest.raises(MissingExtraError, match=rf"logging\.trackers=\[{name}\]"):
            train(config, tmp_path / "run", quiet=True)
        return
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    train(config, tmp_path / "run", quiet=True)
    assert list(tmp_path.rglob("*.wandb" if name == "wandb" else "*.db"))


def test_the_warm_start_stops_at_its_target(micro_config: TrainConfig, tmp_path: Path) -> None:
    config = micro_config.replace(
        steps=0, sft={"steps": 9, "target_accuracy": 1e-9, "check_every": 3, "check_tasks": 4}
    )
    # an accuracy of 0 is below any target, so every step is taken; the checks are there
    train(config, tmp_path / "all", quiet=True)
    written = rows(tmp_path / "all" / "sft.jsonl")
    assert [row["step"] for row in written if "accuracy" in row][:1] == [2]
    stopped = [row for row in written if row.get("accuracy", 0) > 0]
    assert len(written) == (stopped[0]["step"] + 1 if stopped else 9)


def test_a_time_limit_ends_the_run_in_order(micro_config: TrainConfig, tmp_path: Path) -> None:
    summary = train(micro_config.replace(steps=10**6, max_minutes=0.02), tmp_path, quiet=True)
    assert summary.steps < 10**6
    assert summary.after is not None
    assert find_checkpoint(tmp_path).name == f"step-{summary.steps:06d}"


def test_a_loss_that_is_not_finite_stops_the_run(
    micro_config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(rewards: torch.Tensor) -> torch.Tensor:
        return torch.full_like(rewards, torch.inf)

    monkeypatch.setitem(ADVANTAGES, "grpo", poisoned)
    with pytest.raises(TrainingError, match=r"Step 1: .* not finite.*step-000000") as caught:
        train(micro_config, tmp_path, quiet=True)
    failed = tmp_path / "checkpoints" / "failed-000001"
    assert str(failed) in str(caught.value)
    load_policy(f"ckpt:{failed}")
    assert find_checkpoint(tmp_path).name == "step-000000"


def test_a_checkpoint_appears_whole_or_not_at_all(
    micro_config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = load_policy("micro")
    save_checkpoint(tmp_path, 1, policy, {"a": 1}, keep=2)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path, 2, policy, {"a": 2}, keep=2)
    assert find_checkpoint(tmp_path).name == "step-000001"
    monkeypatch.undo()
    for step in (2, 3, 4):
        save_checkpoint(tmp_path, step, policy, {"a": step}, keep=2)
    assert sorted(p.name for p in (tmp_path / "checkpoints").iterdir()) == ["step-000003", "step-000004"]


def test_json_lines_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"step": 1, "x": 1.5}\n{"step": 2, "x": 2}\n{"step": 3, "x": 3}\n{"step": 4, "x')
    log = JsonLines(path, keep_to=2)
    log.write({"step": 3, "x": float("nan")})
    assert rows(path) == [{"step": 1, "x": 1.5}, {"step": 2, "x": 2}, {"step": 3, "x": None}]
    log.close()
    JsonLines(path).close()
    assert path.read_text() == ""


@pytest.mark.parametrize(
    "algorithm",
    ["grpo", {"name": "mt_grpo", "turn_rewards": {"illegal_guesses": -0.2}, "turn_decay": 0.9}, "ppo"],
    ids=["grpo", "mt_grpo", "ppo"],
)
def test_multi_turn_training(tmp_path: Path, micro_config: TrainConfig, algorithm: Any) -> None:
    """Turn by turn; the environment counts what it does not like."""
    guessing = {"id": "rlvr/GuessTheNumber-v0", "settings": {"largest": 7}}
    config = micro_config.replace(
        steps=2,
        algorithm=algorithm,
        reward={"term": "length"},
        **{"eval.tasks": 3, "sampling.max_tokens": 10},
    )
    config = TrainConfig.parse({**config.to_dict(), "env": guessing})
    train(config, tmp_path, quiet=True)
    row = rows(tmp_path / "metrics.jsonl")[-1]
    assert row["turns"] > 1
    assert row["grad_norm"] > 0


def test_nothing_is_printed_when_quiet(
    micro_config: TrainConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(micro_config.replace(steps=1), tmp_path / "quiet", quiet=True)
    assert capsys.readouterr().out == ""
    train(micro_config.replace(steps=1), tmp_path / "loud")
    out = capsys.readouterr().out
    assert "held-out accuracy" in out
    assert "train 1/1" in out


def test_the_held_out_tasks_are_not_trained_on(micro_config: TrainConfig, tmp_path: Path) -> None:
    running = Trainer(micro_config.replace(**{"eval.tasks": 80}), tmp_path, resume=False, quiet=True)
    held_out = {task.prompt for task in running.held_out.tasks}
    assert len(held_out) == 80
    assert not held_out & {task.prompt for task in running.feed.take(300)}
    running.close()
