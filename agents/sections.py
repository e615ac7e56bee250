"""The sections of a training configuration; each field says what it does, within which bounds."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from rlvr_gym.agents.algorithms import Section
from rlvr_gym.agents.sampling import Chunking, SamplingParams
from rlvr_gym.curriculum import CurriculumSettings

__all__ = [
    "CheckpointConfig",
    "CurriculumConfig",
    "EnvConfig",
    "EvalConfig",
    "GuardConfig",
    "LoggingConfig",
    "LoraConfig",
    "OptimiserConfig",
    "RayConfig",
    "SFTConfig",
    "SamplingConfig",
]


class CurriculumConfig(Section):
    """Difficulties that follow the pass rate, and solved prompts that leave (see :mod:`rlvr_gym.curriculum`)."""

    target: float = Field(default=CurriculumSettings.target, gt=0, lt=1, description="The pass rate to keep.")
    margin: float = Field(
        default=CurriculumSettings.margin,
        ge=0,
        lt=0.5,
        description="How far off it may be before anything moves.",
    )
    window: int = Field(
        default=CurriculumSettings.window, ge=1, description="Prompts that are averaged over."
    )
    step: float = Field(
        default=CurriculumSettings.step, gt=0, le=9, description="How far the difficulty moves at once."
    )
    retire_at: float | None = Field(
        default=CurriculumSettings.retire_at,
        gt=0,
        le=1,
        description="Pass rate from which a prompt of a finite source is not shown again; none keeps all.",
    )
    retire_after: int = Field(
        default=CurriculumSettings.retire_after, ge=1, description="Attempts that this rate is taken over."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.settings()
        return self

    def settings(self) -> CurriculumSettings:
        """The same for the core."""
        return CurriculumSettings(**self.model_dump())


class EnvConfig(Section):
    """The environment to train in."""

    id: str = Field(description="A registered environment id, such as rlvr/Arithmetic-v0.")
    settings: dict[str, Any] = Field(
        default_factory=dict, description="The problem's fields, such as difficulty."
    )
    system_prompt: str = Field(
        default="plain", description="A prompt template's name, or a system prompt of one's own."
    )
    max_turns: int | None = Field(
        default=None, ge=1, description="Most actions in an episode; none for the problem's own."
    )
    executor: Literal["inline", "process", "ray"] = Field(
        default="inline", description="Where verification runs."
    )
    verify_timeout: float = Field(
        default=10.0, gt=0, description="Seconds for one verification, where it can be killed."
    )
    curriculum: CurriculumConfig | None = Field(
        default=None,
        description="Moves the difficulty with the pass rate; {} for the defaults, none for no curriculum.",
    )


class SFTConfig(Section):
    """The warm start on oracle demonstrations; the loss is on completion tokens only."""

    steps: int = Field(default=0, ge=0, description="Most optimiser steps; 0 for no warm start.")
    batch_size: int = Field(default=64, ge=1, description="Demonstrations a step.")
    lr: float = Field(default=1e-3, gt=0, description="Peak learning rate.")
    warmup_steps: int = Field(default=10, ge=0, description="Steps of linear warm-up.")
    target_accuracy: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Stop once sampled accuracy on fresh tasks reaches this; none runs all steps.",
    )
    check_every: int = Field(default=25, ge=1, description="Steps between checks of target_accuracy.")
    check_tasks: int = Field(default=128, ge=1, description="Fresh training tasks in each check.")
    packing: int = Field(
        default=0, ge=0, description="Tokens of a row that several demonstrations share; 0 for a row each."
    )


class SamplingConfig(Section):
    """How completions are sampled in training (evaluation: same limits, temperature of its own)."""

    prompts_per_step: int = Field(default=32, ge=1, description="Prompts P in one step.")
    group_size: int = Field(default=16, ge=1, description="Completions G of each prompt.")
    max_tokens: int = Field(default=64, ge=1, description="Most tokens of one completion (of one turn).")
    temperature: float = Field(
        default=1.0, gt=0, description="Divides the logits, in sampling and in the loss alike."
    )
    top_p: float = Field(default=1.0, gt=0, le=1, description="Nucleus sampling; 1 for none.")
    top_k: int = Field(default=0, ge=0, description="Sample from the k likeliest tokens; 0 for all.")
    max_rows: int = Field(
        default=512, ge=1, description="Completions decoded side by side; more wait in a queue."
    )
    engine: Literal["own", "vllm"] = Field(
        default="own",
        description="What decodes: our engine, or vLLM (then recompute_old and importance_cap are on unless they are set).",
    )
    compile: bool = Field(
        default=False,
        description="Our engine decodes through torch.compile, with CUDA graphs on a GPU; the first steps take minutes.",
    )
    chunk: int = Field(
        default=0, ge=0, description="Delethink: tokens of a chunk of thinking; 0 for one context that grows."
    )
    carry: int = Field(
        default=0, ge=0, description="Tokens of a chunk that the next one sees; 0 for half of a chunk."
    )

    @property
    def chunking(self) -> Chunking | None:
        """How completions are cut into chunks, if they are."""
        return Chunking(self.chunk, self.carry or self.chunk // 2) if self.chunk else None

    def params(self, temperature: float | None = None) -> SamplingParams:
        """What the rollout engine takes, at this temperature or that of training."""
        temperature = self.temperature if temperature is None else temperature
        return SamplingParams(self.max_tokens, temperature, self.top_p, self.top_k, self.chunking)


class OptimiserConfig(Section):
    """AdamW with linear warm-up, then a constant rate or a linear decay."""

    lr: float = Field(default=3e-4, gt=0, description="Learning rate of the RL stage.")
    warmup_steps: int = Field(default=10, ge=0, description="Optimiser steps of linear warm-up.")
    decay_steps: int = Field(
        default=0,
        ge=0,
        description="Optimiser steps until the rate has fallen to a tenth, linearly; 0 for never.",
    )
    betas: tuple[float, float] = Field(default=(0.9, 0.95), description="AdamW's betas.")
    eps: float = Field(default=1e-8, gt=0, description="AdamW's epsilon.")
    weight_decay: float = Field(default=0.0, ge=0, description="AdamW's weight decay, on matrices only.")
    max_grad_norm: float = Field(default=1.0, gt=0, description="Gradients are scaled down to this norm.")
    micro_batch: int = Field(
        default=64, ge=1, description="Sequences in one forward; gradients of several add up exactly."
    )
    gradient_checkpointing: bool = Field(
        default=False,
        description="Compute layers again in the backward pass: less memory, a third more time.",
    )
    sharding: Literal["none", "optimiser", "full"] = Field(
        default="none",
        description="Under torchrun, what each process keeps a part of: AdamW's moments (optimiser, ZeRO-1), or "
        "weights and gradients as well (full, FSDP2).",
    )


class LoraConfig(Section):
    """Trains small matrices beside the frozen weights of a Hugging Face policy (2106.09685)."""

    rank: int = Field(default=16, ge=1, description="Of the added matrices.")
    alpha: int = Field(default=32, ge=1, description="Their product counts alpha / rank.")
    targets: str | list[str] = Field(
        default="all-linear", description="Names of the layers that get them; all-linear is all but the head."
    )


class EvalConfig(Section):
    """Held-out evaluation; training never sees a task whose prompt is among these."""

    tasks: int = Field(default=500, ge=0, description="Held-out tasks; 0 for no evaluation.")
    samples: int = Field(default=1, ge=1, description="Completions of each task.")
    every: int = Field(default=0, ge=0, description="Steps between evaluations; 0 for only before and after.")
    temperature: float = Field(default=1.0, ge=0, description="Sampling temperature; 0 is greedy.")
    patience: int | None = Field(
        default=None,
        ge=1,
        description="Stop after this many evaluations in a row without a new best; none never.",
    )
    target: float | None = Field(
        default=None, gt=0, le=1, description="Stop once held-out accuracy reaches this; none never."
    )
    seed: int = Field(
        default=4_000_000_000, ge=0, lt=2**32, description="The stream that held-out tasks come from."
    )
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="Environment settings that differ from training, such as a test file.",
    )
    rewards: dict[str, str | dict[str, Any]] = Field(
        default_factory=dict,
        description="Reward designs that held-out rollouts are measured by, as rewards/<name>; never trained on.",
    )


class CheckpointConfig(Section):
    """When the whole state is written."""

    every: int = Field(
        default=25, ge=1, description="Steps between checkpoints; there is always one at the end."
    )
    keep: int = Field(default=2, ge=1, description="How many of the newest are kept.")
    best: bool = Field(default=True, description="Keep the policy with the best evaluation so far in best/.")


class GuardConfig(Section):
    """Alarms: what is said, or stops the run, when a number has been out of bounds for some steps."""

    collapse: bool = Field(
        default=True,
        description="Stop a run whose accuracy has fallen far below its best; no to watch it fall.",
    )
    kl_above: float | None = Field(
        default=10.0,
        gt=0,
        description="Alarm at a KL to the reference above this (nats a token); none for no alarm.",
    )
    entropy_below: float | None = Field(
        default=0.001, ge=0, description="Alarm at an entropy (nats a token) below this; none for no alarm."
    )
    entropy_above: float | None = Field(
        default=None, gt=0, description="Alarm at an entropy above this; none for no alarm."
    )
    steps: int = Field(default=5, ge=1, description="Steps in a row before an alarm.")
    stop: bool = Field(default=False, description="Whether an alarm stops the run, and is not only told.")


class LoggingConfig(Section):
    """What is written beside metrics.jsonl."""

    rollouts_every: int = Field(default=10, ge=1, description="Steps between samples in rollouts.jsonl.")
    rollouts: int = Field(default=8, ge=0, description="Prompts in each such sample; 0 for none.")
    attempts: int = Field(
        default=16,
        ge=1,
        description="Most completions of each of them; fewer cannot be re-scored in full groups.",
    )
    tensorboard: bool = Field(default=True, description="Write event files to tb/.")
    trackers: list[Literal["wandb", "trackio"]] = Field(
        default_factory=list, description="Experiment trackers that get the metrics as well."
    )
    project: str = Field(default="rlvr-gym", description="The trackers' project.")


class RayConfig(Section):
    """Rollout workers on a Ray cluster (see :mod:`rlvr_gym.agents.distributed`)."""

    workers: int = Field(default=1, ge=1, description="Rollout workers, each with a copy of the policy.")
    staleness: int = Field(
        default=0,
        ge=0,
        description="Steps that sampling runs ahead: rollouts come from weights so many versions behind.",
    )
    cpus: float = Field(default=1.0, ge=0, description="Processors that Ray reserves for a worker.")
    gpus: float = Field(default=0.0, ge=0, description="GPUs that Ray reserves for a worker.")
    address: str | None = Field(
        default=None, description="Of the cluster; none for RAY_ADDRESS, else this machine alone."
    )
