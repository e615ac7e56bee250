"""A benchmark whose cells were never trained: plausible files where a run would have left them."""

import json

import numpy as np
import pytest

from rlvr_gym.bench import BenchConfig, make_plan

CONFIG = {
    "name": "lessons of a page",
    "about": "Two questions.",
    "seeds": 5,
    "base": {"policy": "micro", "eval": {"tasks": 50, "every": 10}, "steps": 80, "sft.steps": 10},
    "experiments": {
        "hacking": {
            "title": "Is a soft reward hacked?",
            "about": "A soft reward against the verifier.",
            "environments": {"sums": {"env": {"id": "rlvr/Arithmetic-v0"}}},
            "designs": {"binary": "binary", "soft": {"reward": {"finished": 1.0}}},
            "target": 0.5,
            "claims": [
                {
                    "says": "The verifier's reward raises accuracy",
                    "metric": "truth",
                    "at": "slope",
                    "left": {"design": "binary"},
                    "is": "higher",
                },
                {
                    "says": "The soft reward raises accuracy",
                    "metric": "truth",
                    "at": "slope",
                    "left": {"design": "soft"},
                    "is": "higher",
                },
                {
                    "says": "Both end at the same length",
                    "metric": "length",
                    "left": {"design": "soft"},
                    "right": {"design": "binary"},
                    "is": "lower",
                },
            ],
        },
        "algorithms": {
            "environments": {"sums": "rlvr/Arithmetic-v0", "counts": "rlvr/Countdown-v0"},
            "designs": {"binary": "binary"},
            "algorithms": {"grpo": "grpo", "dr_grpo": "dr_grpo"},
            "seeds": 2,
        },
    },
}
ATTACK = (
    "</pre></script><script>document.title='hacked'</script><img src=x onerror=\"document.title='hacked'\">"
)


def _jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _write_cell(folder, arm, seed, steps, hostile):
    rng = np.random.default_rng([seed, arm.design == "soft", arm.algorithm == "grpo"])
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "done.json").write_text("{}")
    soft = arm.design == "soft"
    top = 0.15 if soft else 0.6 + 0.05 * rng.random()
    skill = 0.2 + (top - 0.2) * (1 - np.exp(-np.arange(steps + 1) / 30))
    _jsonl(
        folder / "metrics.jsonl",
        [
            {"step": i, "samples": 128.0, "frac_reward_zero_std": float(np.clip(0.2 + i / 200, 0, 1))}
            for i in range(1, steps + 1)
        ],
    )
    evals = []
    for i in range(0, steps + 1, 10):
        true = float(np.clip(skill[i] + rng.normal(0, 0.02), 0, 1))
        row = {
            "step": i,
            "stage": "train",
            "pass@1": true,
            "mean_length": 20.0 + rng.normal(),
            "entropy": 0.3,
        }
        row |= {"mean_length_right": 19.0 + rng.normal(), "mean_length_wrong": 22.0 + i / 20 + rng.normal()}
        evals.append({**row, "rewards/proxy": min(1.0, 0.5 + i / 150) if soft else true})
    _jsonl(folder / "eval.jsonl", evals)
    _jsonl(
        folder / "rollouts.jsonl", [_rollout(i, soft, step, hostile) for step in (10, 80) for i in range(8)]
    )


def _rollout(i, soft, step, hostile):
    right = i % 3 != 0 if not soft else i % 2 == 0
    return {
        "step": step,
        "prompt": ATTACK if hostile and i == 7 else f"{i}+{step}=",
        "completion": f"<answer>{ATTACK if hostile else i}</answer>",
        "verdict": {"correct": right, "valid": i != 6, "reason": "correct" if right else "wrong"},
        "reward": float(right),
        "reward_terms": {},
    }


@pytest.fixture
def fake_bench():
    """``(config, plan)`` with the files of every cell under ``root``."""

    def make(root, hostile=False, **changes):
        bench = BenchConfig.parse({**CONFIG, **changes})
        plan = make_plan(bench)
        for grid in plan.cells.values():
            for (arm, seed), cell in grid.items():
                if not cell.done(root):
                    _write_cell(cell.folder(root), arm, seed, cell.config.steps, hostile)
        return bench, plan

    return make


@pytest.fixture
def tiny_bench():
    """A benchmark of seconds."""
    return {
        "name": "tiny",
        "seeds": 1,
        "base": {
            "policy": "micro",
            "env": {
                "id": "rlvr/Arithmetic-v0",
                "settings": {"prompt": "terse", "terms": 2, "operations": "+", "digits": 1},
                "system_prompt": "tags",
            },
            "sft": {"steps": 3, "batch_size": 4},
            "sampling": {"prompts_per_step": 2, "group_size": 2, "max_tokens": 8},
            "eval": {"tasks": 4, "every": 2},
            "checkpoint": {"every": 1},
            "steps": 4,
        },
        "environments": {"sums": {}},
        "designs": {"binary": "binary", "finished": {"reward": {"finished": 1.0}}},
    }
