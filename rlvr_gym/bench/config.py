"""The configuration of a benchmark: experiments, each a grid of environments, designs, algorithms and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from rlvr_gym.errors import ConfigError
from rlvr_gym.files import read_mapping

__all__ = ["ArmPattern", "BenchConfig", "Claim", "Design", "Experiment"]

Overrides = dict[str, Any]
"""Fields of a :class:`~rlvr_gym.agents.config.TrainConfig`; keys may be dotted paths."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Design(_Section):
    """A reward design, and what else the runs under it need."""

    reward: str | dict[str, Any] = Field(description="A reward design: name, dict of weights, or tree.")
    range: tuple[float, float] = Field(
        default=(0.0, 1.0),
        description="What it gives at worst and at best, which puts it on the scale of the true metric.",
    )
    set: Overrides = Field(default_factory=dict, description="Fields of the training config.")

    @field_validator("range")
    @classmethod
    def _check_range(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] >= value[1]:
            raise ValueError(f"should go from a lower to a higher number; got {value}")
        return value


class ArmPattern(_Section):
    """Chooses arms by name; what is left out matches any."""

    environment: str | None = None
    design: str | None = None
    algorithm: str | None = None


class Claim(_Section):
    """A statement that the benchmark tests: under ``left`` the metric is lower (or higher) than under ``right``.

    With ``right`` left out it is a statement about ``left`` alone: its metric changes in that direction over training.
    """

    says: str = Field(description="The statement in words.")
    metric: str = Field(
        description="What is compared, such as truth, length_wrong, entropy or samples_to_target."
    )
    at: Literal["end", "mean", "change", "slope"] = Field(
        default="end",
        description="The last quarter of the curve, all of it, last minus first quarter, or its slope.",
    )
    left: ArmPattern
    right: ArmPattern | None = None
    is_: Literal["lower", "higher"] = Field(alias="is", description="What the left is.")


class Experiment(_Section):
    """A grid: every environment with every design with every algorithm with every seed."""

    title: str = Field(default="", description="A heading; the experiment's name by default.")
    about: str = Field(default="", description="What is asked, in a sentence or two.")
    base: Overrides = Field(default_factory=dict, description="Laid over the benchmark's base.")
    environments: dict[str, Overrides] = Field(min_length=1, description="Overrides by name.")
    designs: dict[str, Design] = Field(
        min_length=1, description="Designs by name; a bare name stands for itself."
    )
    algorithms: dict[str, Overrides] = Field(
        default_factory=lambda: {"grpo": {"algorithm": "grpo"}}, description="Overrides by name."
    )
    seeds: int | list[int] | None = Field(
        default=None, description="How many, or which; none as the benchmark."
    )
    truth: Literal["accuracy"] | dict[str, Any] = Field(
        default="accuracy",
        description="The true metric, on held-out rollouts: the verifier's accuracy, or {design: NAME or tree}.",
    )
    target: float | None = Field(
        default=None, description="Samples are counted until the true metric is there."
    )
    claims: list[Claim] = Field(default_factory=list, description="What the experiment tests.")

    @field_validator("designs", mode="before")
    @classmethod
    def _open_up(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {name: {"reward": spec} if isinstance(spec, str) else spec for name, spec in value.items()}

    @field_validator("environments", "algorithms", mode="before")
    @classmethod
    def _short_forms(cls, value: Any, info: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        key = {"environments": "env", "algorithms": "algorithm"}[info.field_name]
        return {name: {key: spec} if isinstance(spec, str) else spec for name, spec in value.items()}

    @field_validator("truth")
    @classmethod
    def _check_true(cls, value: Any) -> Any:
        if value != "accuracy" and value.keys() != {"design"}:
            raise ValueError("is accuracy, or {design: a name or a tree}")
        return value

    @model_validator(mode="after")
    def _check_claims(self) -> Self:
        for claim in self.claims:
            for pattern in (claim.left, claim.right):
                if pattern is not None:
                    _known(pattern.environment, self.environments, "environment")
                    _known(pattern.design, self.designs, "design")
                    _known(pattern.algorithm, self.algorithms, "algorithm")
            if claim.metric.endswith("_to_target") and self.target is None:
                raise ValueError(f"a claim about {claim.metric} needs a target")
        return self


def _known(name: str | None, names: Mapping[str, Any], what: str) -> None:
    if name is not None and name not in names:
        raise ValueError(f"a claim names the {what} {name!r}; there are {', '.join(names)}")


class BenchConfig(_Section):
    """A benchmark: some experiments over one base, or one experiment whose fields stand at the top of the file."""

    name: str = Field(description="Its name.")
    about: str = Field(default="", description="What it is for.")
    version: str = Field(default="1", description="Part of every cell's key: another version runs them anew.")
    base: Overrides = Field(default_factory=dict, description="The training config that all cells share.")
    seeds: int | list[int] = Field(default=5, description="How many (0, 1, ...), or which.")
    experiments: dict[str, Experiment] = Field(min_length=1, description="By name.")

    @model_validator(mode="before")
    @classmethod
    def _single(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "experiments" in data:
            return data
        own = {key: value for key, value in data.items() if key in cls.model_fields}
        rest = {key: value for key, value in data.items() if key not in cls.model_fields}
        return {**own, "experiments": {str(data.get("name", "bench")): rest}}

    @classmethod
    def from_yaml(cls, path: Path) -> Self:
        """Reads a file.

        Raises:
            ConfigError: if it cannot be read, or saying which field is wrong.
        """
        return cls.parse({"name": path.stem, **read_mapping(path)})

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        """A config out of plain data.

        Raises:
            ConfigError: one sentence for each field that is wrong.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            lines = [
                f"{'.'.join(map(str, item['loc'])) or 'config'}: {item['msg']}"
                for item in error.errors(include_url=False)
            ]
            raise ConfigError("The benchmark config is wrong. " + " | ".join(lines)) from error

    def only(self, names: list[str]) -> Self:
        """The benchmark with these experiments alone.

        Raises:
            ConfigError: if there is none of a name.
        """
        unknown = [name for name in names if name not in self.experiments]
        if unknown:
            raise ConfigError(
                f"There is no experiment {unknown[0]!r}; there are {', '.join(self.experiments)}."
            )
        return self.model_copy(update={"experiments": {name: self.experiments[name] for name in names}})

    def with_seeds(self, count: int) -> Self:
        """The benchmark with this many seeds in every experiment."""
        experiments = {
            name: experiment.model_copy(update={"seeds": None})
            for name, experiment in self.experiments.items()
        }
        return self.model_copy(update={"seeds": count, "experiments": experiments})

    def seeds_of(self, experiment: Experiment) -> list[int]:
        """The seeds of an experiment."""
        seeds = self.seeds if experiment.seeds is None else experiment.seeds
        return list(range(seeds)) if isinstance(seeds, int) else seeds
