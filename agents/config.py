"""The configuration of a training run: one tree of plain data, readable from YAML, that determines the run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from rlvr_gym.agents.algorithms import ALGORITHMS, AlgorithmConfig, Section, ValueConfig
from rlvr_gym.agents.presets import preset_settings
from rlvr_gym.agents.sampling import Chunking, SamplingParams
from rlvr_gym.curriculum import CurriculumSettings
from rlvr_gym.errors import ConfigError
from rlvr_gym.files import read_mapping

__all__ = [
    "ALGORITHMS",
    "AlgorithmConfig",
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
    "TrainConfig",
    "ValueConfig",
    "merge_overrides",
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


class TrainConfig(Section):
    """Everything that determines a training run."""

    preset: str | None = Field(
        default=None, description="A paper's recipe (see PRESETS); fills in what is not said here."
    )
    env: EnvConfig = Field(description="The environment.")
    reward: str | dict[str, Any] = Field(
        default="binary", description="A reward design: name, dict of weights, or tree."
    )
    policy: str = Field(
        default="tiny", description="What load_policy takes: tiny, small, smollm2, hf:PATH, ckpt:DIR."
    )
    lora: LoraConfig | None = Field(default=None, description="Train adapters only; none trains all weights.")
    sft: SFTConfig = Field(default_factory=SFTConfig, description="Warm start.")
    sampling: SamplingConfig = Field(default_factory=SamplingConfig, description="Sampling.")
    algorithm: AlgorithmConfig = Field(default_factory=AlgorithmConfig, description="Advantages and loss.")
    optimiser: OptimiserConfig = Field(default_factory=OptimiserConfig, description="AdamW.")
    eval: EvalConfig = Field(default_factory=EvalConfig, description="Held-out evaluation.")
    checkpoint: CheckpointConfig = Field(default_factory=CheckpointConfig, description="Checkpoints.")
    guard: GuardConfig = Field(default_factory=GuardConfig, description="Alarms.")
    logging: LoggingConfig = Field(default_factory=LoggingConfig, description="Logs.")
    ray: RayConfig | None = Field(
        default=None, description="Sample on a Ray cluster; none for in this process."
    )
    seed: int = Field(
        default=0, ge=0, lt=2**32, description="Initial weights, training tasks and sampling follow from it."
    )
    steps: int = Field(default=100, ge=0, description="Steps of reinforcement learning.")
    max_minutes: float | None = Field(
        default=None, gt=0, description="Stop after this much wall time, if sooner than steps."
    )
    threads: int | None = Field(
        default=None, ge=1, description="CPU threads of torch; none leaves torch's choice."
    )
    precision: Literal["fp32", "bf16"] = Field(
        default="fp32",
        description="bf16: products in bfloat16, sampling from a copy; weights, optimiser and logits stay in float32.",
    )
    device: str = Field(default="auto", description="A torch device; auto takes a GPU where there is one.")

    @model_validator(mode="before")
    @classmethod
    def _lay_over_preset(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        given = {key: _open_up(key, value) for key, value in data.items()}
        if given.get("preset") is None:
            return _mend_mismatch(given)
        filled = preset_settings(given["preset"])
        chosen, own = given.get("algorithm"), filled["algorithm"]["name"]
        if isinstance(chosen, Mapping) and chosen.get("name", own) != own:
            del filled["algorithm"]  # another algorithm begins from its own settings
        return _mend_mismatch(_merge(filled, given))

    @model_validator(mode="after")
    def _stale_rollouts_are_weighed(self) -> Self:
        if self.ray is not None and self.ray.staleness and self.algorithm.importance_cap is None:
            raise ValueError(
                "ray.staleness above 0 gives rollouts of older weights: set algorithm.importance_cap, such as 2"
            )
        return self

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        """A config out of plain data; keys may be dotted paths (``"optimiser.lr"``).

        Raises:
            ConfigError: one sentence for each field that is wrong.
        """
        try:
            return cls.model_validate(_nest(data))
        except ValidationError as error:
            raise ConfigError(_explain(error)) from error

    @classmethod
    def from_yaml(cls, path: str | Path, **overrides: Any) -> Self:
        """A config out of a YAML file; ``overrides`` (dotted paths allowed) win over the file.

        Raises:
            ConfigError: if the file cannot be read, is no YAML mapping, or has a wrong field.
        """
        data = read_mapping(Path(path))
        return cls.parse(_merge(_nest(data), _nest(overrides)))

    @classmethod
    def for_env(cls, env_id: str, **overrides: Any) -> Self:
        """The default config for an environment; ``overrides`` may be nested dicts or dotted paths."""
        return cls.parse(_merge({"env": {"id": env_id}}, _nest(overrides)))

    def replace(self, **overrides: Any) -> Self:
        """This config with changes (nested dicts or dotted paths).

        A new algorithm or preset brings its own settings: only what this config says beyond its present ones stays.
        """
        return self.parse(_merge(self._own_words(), _nest(overrides)))

    def _own_words(self) -> dict[str, Any]:
        """The shortest dict that parses to this config: without what preset, algorithm and defaults say anyway."""
        said: dict[str, Any] = {"preset": self.preset, "env": {"id": self.env.id}}
        if self.parse(said).algorithm.name != self.algorithm.name:
            said["algorithm"] = {"name": self.algorithm.name}
        return _merge(said, _difference(self.to_dict(), self.parse(said).to_dict()))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; :meth:`parse` is its inverse."""
        return self.model_dump(mode="json")


def merge_overrides(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Two layers of overrides (nested or dotted paths) as one, not yet checked; ``over`` wins, a reward as a whole."""
    return _merge(_nest(base), _nest(over))


def _mend_mismatch(data: dict[str, Any]) -> dict[str, Any]:
    """Rollouts of older weights or of vLLM get truncated importance sampling, unless it is said how they are weighed."""
    ray, sampling, algorithm = data.get("ray"), data.get("sampling"), data.get("algorithm", {})
    stale = isinstance(ray, Mapping) and ray.get("staleness")
    foreign = isinstance(sampling, Mapping) and sampling.get("engine") == "vllm"
    if (stale or foreign) and isinstance(algorithm, Mapping) and algorithm.get("recompute_old", True):
        return {**data, "algorithm": {"recompute_old": True, "importance_cap": 2.0, **algorithm}}
    return data


def _nest(data: Mapping[str, Any]) -> dict[str, Any]:
    """``{"a.b": 1}`` as ``{"a": {"b": 1}}``; top-level keys only, as settings may hold dots of their own."""
    nested: dict[str, Any] = {}
    for key, value in data.items():
        head, _, rest = key.partition(".")
        nested = _merge(nested, {head: _nest({rest: value})} if rest else {head: value})
    return nested


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid over ``base``, dicts merged key by key; a bare algorithm or env name is opened up first."""
    merged = dict(base)
    for key, value in over.items():
        known = _open_up(key, merged.get(key))
        given = _open_up(key, value)
        both = isinstance(known, Mapping) and isinstance(given, Mapping) and key != "reward"
        merged[key] = _merge(known, given) if both else value
    return merged


def _difference(given: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """What ``given`` says otherwise than ``base``; sections key by key."""
    changed = {}
    for key, value in given.items():
        known = base.get(key)
        if isinstance(value, Mapping) and isinstance(known, Mapping) and key != "reward":
            if inner := _difference(value, known):
                changed[key] = inner
        elif key not in base or value != known:
            changed[key] = value
    return changed


def _open_up(key: str, value: Any) -> Any:
    """The long form of a section that is given as a bare name."""
    shorthand = {"algorithm": "name", "env": "id"}
    return {shorthand[key]: value} if key in shorthand and isinstance(value, str) else value


def _explain(error: ValidationError) -> str:
    """One line a wrong field: where it is, what is wrong, what was given."""
    lines = []
    for item in error.errors(include_url=False):
        place = ".".join(str(part) for part in item["loc"]) or "config"
        given = "" if item["type"] == "missing" else f"; got {item['input']!r}"
        lines.append(f"{place}: {item['msg']}{given}")
    return "The training config is wrong. " + " | ".join(lines)
