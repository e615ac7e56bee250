"""A training run's folder with plausible numbers, for tests of the report."""

import json
from pathlib import Path

import numpy as np

from rlvr_gym.registration import load_problem
from rlvr_gym.stats import wilson

SETTINGS = {"prompt": "terse", "terms": 4, "digits": 1, "operations": "+-"}


def write_run(
    folder: Path, steps: int = 120, extra_rollouts: list[dict] | None = None, finished: bool = True
) -> Path:
    """Files as ``rlvr-gym train`` leaves them."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "env": {
            "id": "rlvr/Arithmetic-v0",
            "settings": SETTINGS,
            "system_prompt": "plain",
            "max_turns": None,
        },
        "reward": {"correct": 1.0, "format_r1": 0.2, "length": 0.0},
        "policy": "tiny",
        "sampling": {"prompts_per_step": 32, "group_size": 16, "max_tokens": 64, "temperature": 1.0},
        "algorithm": {"name": "dr_grpo", "advantage": "dr_grpo", "loss": "dr_grpo", "eps_low": 0.2},
        "optimiser": {"lr": 3e-4, "betas": [0.9, 0.95]},
        "seed": 0,
        "steps": steps,
    }
    skill = 0.95 - 0.45 * np.exp(-np.arange(steps) / 35)
    metrics = [_metrics(step, skill[step], rng) for step in range(steps)]
    evals = [_evaluation(step, skill[min(step, steps - 1)], rng) for step in [*range(0, steps, 20), steps]]
    evals[0]["stage"] = "warm_start"
    evals.insert(0, {**_evaluation(-1, 0.0, rng), "stage": "base"})
    rollouts = [_rollout(step, skill[step], i, rng) for step in range(0, steps, 10) for i in range(8)]
    (folder / "config.json").write_text(json.dumps(config))
    _write(folder / "metrics.jsonl", metrics)
    _write(folder / "eval.jsonl", evals)
    _write(folder / "rollouts.jsonl", rollouts + (extra_rollouts or []))
    if finished:
        (folder / "summary.json").write_text(json.dumps({"before": evals[1], "after": evals[-1]}))
    return folder


def _write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _metrics(step, skill, rng):
    correct = float(np.clip(skill + rng.normal(0, 0.03), 0, 1))
    return {
        "step": step,
        "reward": correct + 0.1,
        "reward_std": 0.35 * (1.2 - skill),
        "accuracy": correct,
        "rewards/correct/mean": correct,
        "rewards/format_r1/mean": float(np.clip(0.3 + step / 150 + rng.normal(0, 0.02), 0, 1)),
        "rewards/length/mean": 30 - step / 12 + rng.normal(0, 0.5),
        "completions/mean_length": 30 - step / 12 + rng.normal(0, 0.5),
        "completions/clipped_ratio": 0.05 * float(np.exp(-step / 20)),
        "frac_reward_zero_std": float(np.clip(0.2 + step / 200 + rng.normal(0, 0.03), 0, 1)),
        "entropy": 0.4 * float(np.exp(-step / 60)) + 0.05 + rng.normal(0, 0.01),
        "approx_kl": 0.0,
        "loss": rng.normal(0, 0.01),
        "grad_norm": 0.5 + rng.gamma(2, 0.1),
        "clip_ratio/high_mean": float(rng.beta(1, 80)),
        "tokens_per_second": 21000 + rng.normal(0, 600),
        "step_time": 1.4,
    }


def _evaluation(step, skill, rng):
    correct = int(rng.binomial(500, skill))
    rate, low, high = wilson(correct, 500)
    return {
        "step": step,
        "tasks": 500,
        "samples": 1,
        "pass@1": rate,
        "low": low,
        "high": high,
        "mean_length": 25.0,
    }


def _rollout(step, skill, i, rng):
    task = load_problem("Arithmetic", **SETTINGS).source(0)[step * 100 + i]
    right = rng.random() < skill
    broken = not right and rng.random() < 0.3
    value = task.answer if right else str(int(task.answer) + int(rng.integers(1, 9)))
    reason = "correct" if right else "no_answer" if broken else "wrong"
    return {
        "step": step,
        "prompt": task.prompt,
        "completion": task.solution if broken else f"{task.solution}\n<answer>{value}</answer>",
        "verdict": {
            "score": float(right),
            "correct": bool(right),
            "valid": True,
            "reason": reason,
            "extracted": None if broken else value,
            "details": {},
        },
        "reward": float(right) + 0.2 * (not broken),
        "reward_terms": {"correct": float(right), "format_r1": 0.0, "length": 28.0},
    }
