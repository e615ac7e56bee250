"""The configuration of a pipeline: stages, each of which begins from the policy of an earlier one.

What a stage trains on, and how, is a training configuration: the pipeline's ``train``, with the stage's own ``train`` laid over it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from rlvr_gym.agents.algorithms import Section
from rlvr_gym.agents.best_of_n import Keep
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.fitting import FitConfig
from rlvr_gym.agents.seeds import derive_seed
from rlvr_gym.agents.transformer import SIZES
from rlvr_gym.errors import ConfigError, RLVRError
from rlvr_gym.files import read_mapping
from rlvr_gym.prompts import TEMPLATES

__all__ = [
    "CloneStage",
    "DPOStage",
    "EvaluateStage",
    "Form",
    "MergeStage",
    "PipelineConfig",
    "RLStage",
    "RewardModelStage",
    "SFTStage",
    "Stage",
]

_STAGE_REFERENCE = "stage:"
_POLICIES = (*SIZES, "smollm2")


class _Stage(Section):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", description="Its name, and its folder's.")
    train: dict[str, Any] = Field(
        default_factory=dict, description="Fields of the training config that differ from the pipeline's."
    )
    note: str = Field(default="", description="What it is for, in the table of results.")

    @property
    def sources(self) -> tuple[str, ...]:
        """Stages, or names of policies, that have to be there before."""
        return ()

    @property
    def gives_policy(self) -> bool:
        """Whether later stages can begin from it."""
        return True


class _FromStage(_Stage):
    start: str = Field(
        alias="from", description="An earlier stage, or what load_policy takes: tiny, hf:PATH, ckpt:DIR."
    )

    @property
    def sources(self) -> tuple[str, ...]:
        """See :class:`_Stage`."""
        return (self.start,)


class RLStage(_FromStage):
    """Reinforcement learning: a run of the trainer, warm start and all, as ``train`` describes it."""

    kind: Literal["rl"]


class Form(Section):
    """A way to write demonstrations down."""

    text: str = Field(
        default="tags", description="A prompt template's name, or a text with {solution} and {answer} in it."
    )
    weight: float = Field(default=1.0, gt=0, description="How often it is drawn, beside the other forms.")
    noise: float = Field(
        default=0.0, ge=0, le=1, description="Chance of each digit to be replaced by a random one."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.text not in TEMPLATES and "{answer}" not in self.text:
            raise ValueError(
                f"a form is one of {', '.join(TEMPLATES)}, or a text with {{answer}} (and {{solution}}) in it"
            )
        return self


class SFTStage(_FromStage):
    """Supervised fine-tuning on what the oracle would have written."""

    kind: Literal["sft"]
    examples: int = Field(default=1000, ge=1, description="Demonstrations, each of another task.")
    forms: list[Form] = Field(
        default_factory=list, description="How they are written; none for the environment's own form."
    )
    fit: FitConfig = Field(default_factory=FitConfig, description="Epochs, batches, learning rate.")


class _SamplingStage(_FromStage):
    prompts: int = Field(default=512, ge=1, description="Tasks to sample attempts at.")
    samples: int = Field(default=8, ge=1, description="Attempts n at each of them.")
    fit: FitConfig = Field(default_factory=FitConfig, description="Epochs, batches, learning rate.")


class CloneStage(_SamplingStage):
    """Learning right completions: of its own (best-of-n, expert iteration) or of a teacher (rejection SFT, distillation)."""

    kind: Literal["best_of_n", "rejection_sft", "distil"]
    teacher: str | None = Field(default=None, description="Whose completions; none for those of `from`.")
    keep: Keep = Field(
        default="all", description="Of each task's right completions: first, shortest, or all that differ."
    )
    rounds: int = Field(default=1, ge=1, description="Times to sample and to learn, in turn.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind == "distil" and self.teacher is None:
            raise ValueError("distil learns from a teacher: name the stage whose completions are learnt")
        if self.kind == "best_of_n" and self.teacher is not None:
            raise ValueError("best_of_n learns from its own completions: use rejection_sft with a teacher")
        if self.rounds > 1 and self.teacher is not None:
            raise ValueError("a teacher stays what it is: rounds are for best_of_n")
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """See :class:`_Stage`."""
        return (self.start,) if self.teacher is None else (self.start, self.teacher)


class _PairStage(_SamplingStage):
    pairs: Literal["verdict", "length"] = Field(
        default="verdict", description="Right against wrong, or the shortest right one against longer ones."
    )
    per_task: int = Field(default=4, ge=1, description="Most pairs of one task.")
    ratio: float = Field(
        default=1.5, ge=1, description="pairs: length: from which on a right completion is too long."
    )

    @model_validator(mode="after")
    def _two_at_least(self) -> Self:
        if self.samples < 2:
            raise ValueError("pairs need at least 2 samples of a task")
        return self


class DPOStage(_PairStage):
    """Direct preference optimisation on pairs of its own completions."""

    kind: Literal["dpo"]
    beta: float = Field(default=0.1, gt=0, description="How much the policy is held to where it began.")
    label_smoothing: float = Field(
        default=0.0, ge=0, lt=0.5, description="Chance that a label is believed to be wrong."
    )
    nll_coef: float = Field(
        default=0.0, ge=0, description="Weight of the better one's negative log-likelihood a token."
    )


class RewardModelStage(_PairStage):
    """A reward model, trained on pairs of completions of `from`; PPO's value model can begin from it."""

    kind: Literal["reward_model"]
    held_out: float = Field(default=0.2, gt=0, lt=1, description="Share of the tasks kept for measuring.")
    centre: float = Field(default=0.01, ge=0, description="Weight that keeps rewards around 0.")

    @property
    def gives_policy(self) -> bool:
        """See :class:`_Stage`."""
        return False


class MergeStage(_Stage):
    """The weighted mean of the weights of several policies."""

    kind: Literal["merge"]
    policies: list[str] = Field(min_length=2, description="Stages (or policies) of one architecture.")
    shares: list[float] | None = Field(default=None, description="Of each; none for equal ones.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.shares is not None:
            if len(self.shares) != len(self.policies):
                raise ValueError(f"{len(self.policies)} policies need as many shares; got {len(self.shares)}")
            if not math.isclose(sum(self.shares), 1, abs_tol=1e-6):
                raise ValueError(f"shares add up to 1; these add up to {sum(self.shares):g}")
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """See :class:`_Stage`."""
        return tuple(self.policies)


class EvaluateStage(_FromStage):
    """Nothing but a measurement; its ``train`` may name other tasks, or another temperature."""

    kind: Literal["evaluate"]

    @property
    def gives_policy(self) -> bool:
        """See :class:`_Stage`."""
        return False


Stage = RLStage | SFTStage | CloneStage | DPOStage | RewardModelStage | MergeStage | EvaluateStage


class PipelineConfig(Section):
    """Stages in order, and what their training has in common."""

    train: dict[str, Any] = Field(description="A training config, with the environment, for all stages.")
    stages: list[Annotated[Stage, Field(discriminator="kind")]] = Field(
        min_length=1, description="What is done, in this order."
    )

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        """A pipeline out of plain data.

        Raises:
            ConfigError: one sentence for each field that is wrong, and for each stage that cannot be as it is.
        """
        try:
            config = cls.model_validate(data)
        except ValidationError as error:
            raise ConfigError(_explain(error, data)) from error
        config._check_order()
        for stage in config.stages:
            config.train_config(stage, Path())
        return config

    @classmethod
    def from_yaml(cls, path: str | Path) -> Self:
        """A pipeline out of a YAML file.

        Raises:
            ConfigError: if the file cannot be read, is no YAML mapping, or something in it is wrong.
        """
        return cls.parse(read_mapping(Path(path)))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; :meth:`parse` is its inverse."""
        return self.model_dump(mode="json", by_alias=True)

    def base_config(self) -> TrainConfig:
        """What the stages have in common; held-out evaluation is by it.

        Raises:
            ConfigError: if it is no training config.
        """
        return TrainConfig.parse(self.train)

    def train_config(self, stage: Stage, folder: Path) -> TrainConfig:
        """A stage's training config: tasks and streams of its own, the pipeline's held-out tasks.

        Args:
            stage: the stage.
            folder: where the stages' folders are; ``stage:NAME`` in a value stands for the policy of one.

        Raises:
            ConfigError: if it is none.
        """
        base = self.base_config()
        own_seed = {"seed": derive_seed(base.seed, "stage", stage.name)}
        try:
            if "policy" in stage.train:
                raise ConfigError("a stage's policy is named by 'from', not by train.policy.")
            found = base.replace(**own_seed | self._resolve(stage, stage.train, folder))
            if found.env.id == base.env.id and found.env.settings != base.env.settings:
                settings = {**base.env.settings, **found.eval.settings}
                found = found.replace(eval={"settings": settings})
        except RLVRError as error:
            raise ConfigError(f"stages.{stage.name}.train: {error}") from error
        return found

    def _resolve(self, stage: Stage, value: Any, folder: Path) -> Any:
        """Values with ``stage:NAME`` replaced by ``ckpt:`` and that stage's folder."""
        if isinstance(value, Mapping):
            return {key: self._resolve(stage, item, folder) for key, item in value.items()}
        if isinstance(value, list):
            return [self._resolve(stage, item, folder) for item in value]
        if isinstance(value, str) and value.startswith(_STAGE_REFERENCE):
            name = value.removeprefix(_STAGE_REFERENCE)
            if name not in self._before(stage):
                raise ConfigError(f"{value!r} names no earlier stage.")
            return f"ckpt:{folder / name / 'policy'}"
        return value

    def _before(self, stage: Stage) -> dict[str, Stage]:
        """The stages before one, by name."""
        earlier: dict[str, Stage] = {}
        for other in self.stages:
            if other.name == stage.name:
                break
            earlier[other.name] = other
        return earlier

    def _check_order(self) -> None:
        names = [stage.name for stage in self.stages]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError(f"Every stage has a name of its own; {', '.join(twice)} is there twice.")
        if taken := sorted(set(names) & set(_POLICIES)):
            raise ConfigError(
                f"A stage is not named as a policy is ({', '.join(_POLICIES)}); got {taken[0]!r}."
            )
        for stage in self.stages:
            for source in stage.sources:
                self._check_source(stage, source)

    def _check_source(self, stage: Stage, source: str) -> None:
        earlier = self._before(stage)
        if source in earlier:
            if not earlier[source].gives_policy:
                raise ConfigError(
                    f"stages.{stage.name}: {source!r} is of kind {earlier[source].kind} and gives no policy."
                )
        elif any(source == other.name for other in self.stages):
            raise ConfigError(
                f"stages.{stage.name}: {source!r} comes later; a stage begins from an earlier one."
            )
        elif source not in _POLICIES and not source.startswith(("hf:", "ckpt:")):
            known = [name for name, other in earlier.items() if other.gives_policy]
            raise ConfigError(
                f"stages.{stage.name}: {source!r} is neither an earlier stage ({', '.join(known) or 'there is none'}) "
                f"nor a policy ({', '.join(_POLICIES)}, hf:PATH, ckpt:DIR)."
            )


def _explain(error: ValidationError, data: Mapping[str, Any]) -> str:
    """One line a wrong field: which stage, where in it, what is wrong, what was given."""
    stages = data.get("stages")
    lines = []
    for item in error.errors(include_url=False):
        place = list(item["loc"])
        if len(place) > 1 and place[0] == "stages" and isinstance(stages, list) and isinstance(place[1], int):
            stage = stages[place[1]]
            named = stage.get("name") if isinstance(stage, Mapping) else None
            place[1] = named if isinstance(named, str) else place[1]
            del place[2:3]  # the kind, by which pydantic tells stages apart
        given = "" if item["type"] in ("missing", "value_error") else f"; got {item['input']!r:.200}"
        lines.append(f"{'.'.join(map(str, place)) or 'pipeline'}: {item['msg']}{given}")
    return "The pipeline is wrong. " + " | ".join(lines)
