"""A run as a whole: its state, its outcome, and the folder it lives in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from rlvr_gym.agents.checkpoint import CHECKPOINTS, find_checkpoint
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.policy import Policy, load_policy, resolve_device
from rlvr_gym.agents.seeds import derive_seed
from rlvr_gym.agents.tasks import TaskFeed, preview_levels
from rlvr_gym.agents.tokenizer import CharTokenizer
from rlvr_gym.env import EnvSettings
from rlvr_gym.errors import ConfigError

__all__ = ["Summary", "TrainState", "make_policy", "prepare_folder"]

_MAY_CHANGE = ("steps", "max_minutes", "checkpoint", "guard", "logging", "threads")
"""Sections of the configuration that may differ when a run is resumed."""


@dataclass
class TrainState:
    """What a run has to remember beside weights and optimiser; plain data, saved whole."""

    step: int = 0
    task_cursor: int = 0
    rows: int = 0
    tokens: int = 0
    seconds: float = 0.0
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    curriculum: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """The outcome of a run.

    Attributes:
        run_dir: where everything was written.
        steps: steps of reinforcement learning.
        before: the last held-out evaluation before the first of them; None without evaluation.
        after: the last one.
        seconds: wall time, over all sessions of a resumed run.
        tokens: sampled in training.
    """

    run_dir: Path
    steps: int
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    seconds: float
    tokens: int

    @classmethod
    def of(cls, run_dir: Path, state: TrainState, seconds: float) -> Summary:
        """What came of a run."""
        before = [row for row in state.evaluations if row["stage"] != "train"]
        return cls(
            run_dir=run_dir,
            steps=state.step,
            before=before[-1] if before else None,
            after=state.evaluations[-1] if state.evaluations else None,
            seconds=seconds,
            tokens=state.tokens,
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "run_dir": str(self.run_dir),
            "steps": self.steps,
            "before": self.before,
            "after": self.after,
            "seconds": round(self.seconds, 2),
            "tokens": self.tokens,
        }


def prepare_folder(config: TrainConfig, run_dir: Path, resume: bool) -> Path | None:
    """The checkpoint to go on from, if any.

    Raises:
        ConfigError: if the folder holds a run that is not to be resumed, or one of another configuration.
    """
    written = run_dir / "config.json"
    if not written.exists():
        return None
    if not resume:
        raise ConfigError(f"{run_dir} holds a run already; resume it, or choose another folder.")
    known, given = json.loads(written.read_text(encoding="utf-8")), config.to_dict()
    changed = [key for key in given if key not in _MAY_CHANGE and known.get(key) != given[key]]
    if changed:
        raise ConfigError(
            f"The run in {run_dir} was begun with another {', '.join(changed)}; resume it with its own config.json, "
            f"of which only {', '.join(_MAY_CHANGE)} may change."
        )
    return find_checkpoint(run_dir) if any((run_dir / CHECKPOINTS).glob("step-*")) else None


def make_policy(config: TrainConfig, settings: EnvSettings, device: torch.device | None = None) -> Policy:
    """The policy of the configuration; a fresh one knows every character of the first tasks, and the protocol's tags.

    ``device``: where it is made, if not on that of the configuration.
    """
    texts = []
    preview = TaskFeed(settings.problem, config.seed).take(64)
    if config.env.curriculum is not None:
        preview += preview_levels(settings.problem, config.seed)
    for task in preview:
        texts += [task.prompt, task.solution or "", settings.problem.answer_text(task)]
    parts = settings.problem.components().values()
    tags = list(dict.fromkeys(tag for problem in parts for tag in problem.tags))
    policy = load_policy(
        config.policy,
        seed=derive_seed(config.seed, "weights"),
        tokenizer=CharTokenizer.from_texts([settings.template.system, *texts], tags),
        device=device or resolve_device(config.device),
    )
    policy.checkpoint_layers = config.optimiser.gradient_checkpointing
    policy.autocast = torch.bfloat16 if config.precision == "bf16" else None
    if config.lora is not None:
        from rlvr_gym.agents.lora import LoraSettings, add_lora

        add_lora(policy, LoraSettings(**config.lora.model_dump()), derive_seed(config.seed, "adapters"))
    return policy
