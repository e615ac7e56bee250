"""The configuration of a training run: one tree of plain data, readable from YAML, that determines the run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from rlvr_gym.agents.algorithms import ALGORITHMS, AlgorithmConfig, Section, ValueConfig
from rlvr_gym.agents.presets import preset_settings
from rlvr_gym.agents.sections import (
    CheckpointConfig,
    CurriculumConfig,
    EnvConfig,
    EvalConfig,
    GuardConfig,
    LoggingConfig,
    LoraConfig,
    OptimiserConfig,
    RayConfig,
    SamplingConfig,
    SFTConfig,
)
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
