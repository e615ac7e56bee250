"""What an evaluation is to do: command line over the model's file over the suite's over the defaults."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rlvr_gym.errors import ConfigError
from rlvr_gym.evaluation.model import ModelSettings
from rlvr_gym.evaluation.suite import Suite, explain
from rlvr_gym.evaluation.summary import Prices
from rlvr_gym.files import read_mapping

__all__ = ["Plan", "make_plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """An evaluation.

    Attributes:
        suite: the tasks.
        model: what :func:`rlvr_gym.evaluation.model.load_model` takes.
        label: the model's name in tables.
        settings: sampling, and how an endpoint is treated.
        samples: attempts at each task.
        system_prompt: a template's name, or a system prompt.
        prices: of tokens; None if nobody says.
    """

    suite: Suite
    model: str
    label: str
    settings: ModelSettings
    samples: int = 1
    system_prompt: str = "plain"
    prices: Prices | None = None

    @property
    def seed(self) -> int:
        """Of tasks and of sampling."""
        return self.suite.seed

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; no key is in it."""
        return {
            "suite": self.suite.name,
            "suite_digest": self.suite.digest,
            "model": self.model,
            "label": self.label,
            "seed": self.seed,
            "samples_per_task": self.samples,
            **self.settings.sampling,
            "system_prompt": self.system_prompt,
            "prices": None if self.prices is None else {"in": self.prices.input, "out": self.prices.output},
        }


class _ModelFile(BaseModel):
    """The file that ``--model FILE.yaml`` names."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model: str
    label: str | None = None
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    system_prompt: str | None = None
    extra: dict[str, Any] | None = None
    key_env: str | None = None
    concurrency: int | None = Field(default=None, ge=1)
    timeout: float | None = Field(default=None, gt=0)
    retries: int | None = Field(default=None, ge=0)
    price_in: float | None = Field(default=None, ge=0)
    price_out: float | None = Field(default=None, ge=0)


def make_plan(suite: Suite, model: str, **options: Any) -> Plan:
    """A plan.

    Args:
        suite: the tasks, limited already.
        model: a model's name, or the name of a YAML file with ``model`` and any of the options below.
        **options: ``samples``, ``system_prompt``, ``price_in``, ``price_out`` and the fields of
            :class:`ModelSettings`; None where nobody has asked for anything.

    Raises:
        ConfigError: if the file is wrong, or only one of the two prices is given.
    """
    file = _read(model) if model.endswith((".yaml", ".yml")) else _ModelFile(model=model)
    given = {key: value for key, value in options.items() if value is not None}
    chosen: dict[str, Any] = {**suite.sampling, **file.model_dump(exclude_none=True), **given}
    label = file.label or file.model.rpartition("#")[2]
    known = {f.name for f in fields(ModelSettings)}
    return Plan(
        suite=suite,
        model=file.model,
        label=label,
        settings=ModelSettings(**{key: value for key, value in chosen.items() if key in known}),
        samples=chosen.get("samples", 1),
        system_prompt=chosen.get("system_prompt", "plain"),
        prices=_prices(chosen, suite, file.model),
    )


def _read(path: str) -> _ModelFile:
    try:
        return _ModelFile.model_validate(read_mapping(Path(path)))
    except ValidationError as error:
        raise explain(error, f"The model's file {path}") from error


def _prices(chosen: dict[str, Any], suite: Suite, model: str) -> Prices | None:
    given = [chosen.get("price_in"), chosen.get("price_out")]
    if None not in given:
        return Prices(float(given[0] or 0), float(given[1] or 0))
    if given != [None, None]:
        raise ConfigError("A cost needs both prices, --price-in and --price-out (0 where nothing is paid).")
    for name in (model, model.rpartition("#")[2]):
        if name in suite.prices:
            return Prices(suite.prices[name]["in"], suite.prices[name]["out"])
    return None
