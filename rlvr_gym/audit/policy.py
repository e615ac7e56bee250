"""The policy attacker: a small policy trained by GRPO on the verifier's score, in a process of its own.

The true metric (whether an answer is the reference answer) is hidden from it. Run as a program, this module is that
process: a request as JSON on standard input, the answers that were paid for as JSON on standard output.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlvr_gym.audit.attack import normalised
from rlvr_gym.errors import MissingExtraError
from rlvr_gym.problem import Problem
from rlvr_gym.registration import EnvEntry, load_problem
from rlvr_gym.task import Task

__all__ = ["PolicyAttack", "train_attacker"]

STEPS = 40
TRAINING_MINUTES = 1.5
SECONDS = 600.0
"""For the whole process, on a machine that is busy."""


@dataclass(frozen=True, slots=True)
class PolicyAttack:
    """What the policy learnt to write.

    Attributes:
        texts: what was paid for, most frequent first.
        paid: the share of the sampled completions that were paid for.
        matching: the share of those that were paid for whose text holds the reference answer.
        failure: why there is nothing; empty if there is.
    """

    texts: tuple[str, ...] = ()
    paid: float = 0.0
    matching: float = 0.0
    failure: str = ""


def train_attacker(env: EnvEntry, settings: dict[str, Any], seed: int, steps: int = STEPS) -> PolicyAttack:
    """Trains the policy against an environment's verifier, and reads what it was paid for.

    Raises:
        MissingExtraError: if torch is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        raise MissingExtraError("torch", "train", "The policy attacker")
    request = {
        "module": env.problem.__module__,
        "env": env.id,
        "settings": settings,
        "seed": seed,
        "steps": steps,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "rlvr_gym.audit.policy"],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
    except subprocess.TimeoutExpired:
        return PolicyAttack(failure=f"it took more than {SECONDS:.0f} s")
    if done.returncode != 0:
        return PolicyAttack(failure=done.stderr.strip()[-300:] or f"it ended with {done.returncode}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return PolicyAttack(tuple(answer["texts"]), answer["paid"], answer["matching"])


def _main() -> None:
    """The process of :func:`train_attacker`."""
    request = json.load(sys.stdin)
    importlib.import_module(request["module"])
    from rlvr_gym.agents.config import TrainConfig
    from rlvr_gym.agents.trainer import train

    with tempfile.TemporaryDirectory(prefix="rlvr-gym-audit-") as name:
        config = TrainConfig.for_env(
            request["env"],
            **{
                "env.settings": request["settings"],
                "env.executor": "process",
                "policy": "tiny",
                "reward": {"score": 1.0},
                "seed": request["seed"],
                "steps": request["steps"],
                "max_minutes": TRAINING_MINUTES,
                "sft.steps": 30,
                "sft.batch_size": 16,
                "sampling.prompts_per_step": 8,
                "sampling.group_size": 8,
                "sampling.max_tokens": 48,
                "eval.tasks": 0,
                "logging.rollouts_every": 1,
                "logging.rollouts": 8,
                "logging.tensorboard": False,
                "guard.collapse": False,
            },
        )
        train(config, name, quiet=True)
        print(
            json.dumps(
                _paid(Path(name) / "rollouts.jsonl", load_problem(request["env"], **request["settings"]))
            )
        )


def _paid(path: Path, problem: Problem) -> dict[str, Any]:
    """What was paid for in the second half of the training."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    late = [row for row in rows if 2 * row["step"] > rows[-1]["step"]]
    paid = [row for row in late if row["verdict"]["score"] > 0]
    matching = [row for row in paid if _reference(problem, row) in normalised(row["completion"])]
    counts = Counter(str(row["completion"]) for row in paid)
    return {
        "texts": [text for text, _ in counts.most_common(20)],
        "paid": len(paid) / max(1, len(late)),
        "matching": len(matching) / max(1, len(paid)),
    }


def _reference(problem: Problem, row: dict[str, Any]) -> str:
    task = Task(row["prompt"], row["answer"], row["task_id"], row["metadata"])
    return normalised(problem.answer_text(task))


if __name__ == "__main__":
    _main()
