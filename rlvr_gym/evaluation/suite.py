"""Suites: several environments with their settings, numbers of tasks and weights, as YAML."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rlvr_gym.errors import ConfigError, UnknownNameError
from rlvr_gym.files import read_mapping
from rlvr_gym.problem import Problem
from rlvr_gym.registration import entry, list_envs
from rlvr_gym.task import TaskSource

__all__ = ["Part", "Suite", "builtin_suites", "explain", "is_suite", "load_suite"]

ENDLESS_TASKS = 100
"""Tasks of an endless source where nobody says how many."""


@dataclass(frozen=True, slots=True)
class Part:
    """An environment of a suite.

    Attributes:
        name: in tables; different for every part.
        env: a registered id.
        settings: the problem's fields.
        tasks: how many; None for all of a data set, else 100.
        weight: its share of the suite's score is this over the sum of all.
        max_turns: most actions in an episode; None for the problem's own.
    """

    name: str
    env: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    tasks: int | None = None
    weight: float = 1.0
    max_turns: int | None = None

    def make_problem(self) -> Problem:
        """The environment's problem."""
        return entry(self.env).make_problem(**self.settings)

    def count(self, source: TaskSource) -> int:
        """How many tasks of ``source`` are attempted."""
        wanted = self.tasks if self.tasks is not None else source.length or ENDLESS_TASKS
        return wanted if source.length is None else min(wanted, source.length)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "env": self.env,
            "settings": dict(self.settings),
            "tasks": self.tasks,
            "weight": self.weight,
            "max_turns": self.max_turns,
        }


@dataclass(frozen=True, slots=True)
class Suite:
    """What a model is evaluated on.

    Attributes:
        name: its name.
        parts: its environments, at least one.
        about: one sentence.
        seed: the stream of tasks of every part.
        sampling: ``samples``, ``temperature``, ``top_p``, ``max_tokens`` and ``system_prompt``, where the suite says.
        prices: ``{model: {"in": ..., "out": ...}}``, in money per million tokens.
    """

    name: str
    parts: tuple[Part, ...]
    about: str = ""
    seed: int = 0
    sampling: Mapping[str, Any] = field(default_factory=dict)
    prices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @classmethod
    def single(cls, env: str, settings: Mapping[str, Any], seed: int = 0) -> Suite:
        """One environment as a suite of its name."""
        name = _short(env)
        return cls(name, (Part(name, env, settings),), seed=seed)

    @property
    def alone(self) -> bool:
        """Whether this is a single environment."""
        return len(self.parts) == 1 and self.parts[0].name == self.name

    def limited(self, limit: int | None) -> Suite:
        """At most ``limit`` tasks altogether, spread evenly over the parts; those that get none are left out."""
        if limit is None:
            return self
        counts = [limit if self.alone else part.tasks for part in self.parts]
        sizes = [limit if count is None else count for count in counts]
        shares = _spread(sizes, limit)
        chosen = (replace(part, tasks=n) for part, n in zip(self.parts, shares, strict=True) if n)
        return replace(self, parts=tuple(chosen))

    @property
    def digest(self) -> str:
        """Eight hex digits: runs of equal ones attempted the same tasks with the same weights."""
        content = [self.seed, [part.to_dict() for part in self.parts]]
        text = json.dumps(content, sort_keys=True, default=str)
        return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name,
            "about": self.about,
            "seed": self.seed,
            "sampling": dict(self.sampling),
            "parts": [part.to_dict() for part in self.parts],
        }


def _spread(sizes: Sequence[int], limit: int) -> list[int]:
    """As equal shares of ``limit`` as the sizes allow; what does not divide goes to parts at even distances."""
    shares = [0] * len(sizes)
    left = min(limit, sum(sizes))
    while left > 0:
        room = [i for i, size in enumerate(sizes) if shares[i] < size]
        now = min(left, len(room))
        for n in range(now):
            shares[room[n * len(room) // now]] += 1
        left -= now
    return shares


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class _Line(_Section):
    """One line of ``envs``."""

    env: str | None = None
    family: str | None = None
    except_: list[str] = Field(default_factory=list, alias="except")
    name: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    difficulty: int | tuple[int, int] | None = None
    tasks: int | None = Field(default=None, ge=1)
    weight: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    max_turns: int | None = Field(default=None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, given: Any) -> Any:
        return {"env": given} if isinstance(given, str) else given


class _Prices(_Section):
    in_: float = Field(alias="in", ge=0)
    out: float = Field(ge=0)


class _File(_Section):
    """A suite's file."""

    name: str | None = None
    about: str = ""
    seed: int = Field(default=0, ge=0, lt=2**32)
    tasks: int | None = Field(default=None, ge=1)
    difficulty: int | tuple[int, int] | None = None
    samples: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    system_prompt: str | None = None
    envs: list[_Line] = Field(min_length=1)
    prices: dict[str, _Prices] = Field(default_factory=dict)


_SAMPLING = ("samples", "temperature", "top_p", "max_tokens", "system_prompt")


def builtin_suites() -> list[str]:
    """The names of the suites that come with the package."""
    folder = files("rlvr_gym.evaluation").joinpath("suites")
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def is_suite(target: str) -> bool:
    """Whether ``target`` is a suite's name or file, and not an environment."""
    return target in builtin_suites() or target.endswith((".yaml", ".yml"))


def load_suite(target: str) -> Suite:
    """A suite that comes with the package, or a file of one's own.

    Raises:
        UnknownNameError: if there is neither.
        ConfigError: saying what is wrong with the file.
    """
    if target in builtin_suites():
        text = files("rlvr_gym.evaluation").joinpath("suites", f"{target}.yaml").read_text("utf-8")
        return _parse(yaml.safe_load(text), target, Path())
    if not target.endswith((".yaml", ".yml")):
        raise UnknownNameError("suite", target, builtin_suites())
    path = Path(target)
    return _parse(read_mapping(path), path.stem, path.parent)


def explain(error: ValidationError, where: str) -> ConfigError:
    """The first complaint about a file in one sentence."""
    first = error.errors()[0]
    place = ".".join(str(step) for step in first["loc"])
    complaint = f"{first['msg'][:1].lower()}{first['msg'][1:]}"
    if first["type"] == "model_type":  # pydantic would name our class
        complaint = "it should be a mapping of names to values"
    return ConfigError(f"{where}: {place or 'the file'}: {complaint}.")


def _parse(content: Any, name: str, folder: Path) -> Suite:
    try:
        file = _File.model_validate(content)
    except ValidationError as error:
        raise explain(error, f"The suite {name}") from error
    parts = tuple(part for line in file.envs for part in _parts(line, file, folder))
    twice = {part.name for part in parts if [other.name for other in parts].count(part.name) > 1}
    if twice:
        raise ConfigError(
            f"The suite {name} has two parts named {sorted(twice)[0]!r}; give one of them another 'name'."
        )
    sampling = {key: value for key in _SAMPLING if (value := getattr(file, key)) is not None}
    prices = {model: {"in": price.in_, "out": price.out} for model, price in file.prices.items()}
    suite = Suite(file.name or name, parts, file.about, file.seed, sampling, prices)
    for part in suite.parts:
        part.make_problem()  # a wrong setting is told now, and not after an hour
    return suite


def _parts(line: _Line, file: _File, folder: Path) -> list[Part]:
    if (line.env is None) == (line.family is None):
        raise ConfigError(
            f"A line of 'envs' has either 'env' or 'family'; got {line.model_dump(exclude_unset=True)}."
        )
    if line.env is not None:
        chosen = entry(line.env)
        return [_part(line, file, chosen.id, line.name or _short(chosen.id), line.weight or 1.0, folder)]
    if line.name is not None:
        raise ConfigError(f"The family {line.family} has many environments, so that it takes no 'name'.")
    left_out = {entry(name).id for name in line.except_}
    family = [known.id for known in list_envs(line.family) if not known.needs and known.trusted]
    ids = [env_id for env_id in family if env_id not in left_out]
    if not ids:
        raise UnknownNameError(
            "family of environments", str(line.family), {known.family for known in list_envs()}
        )
    weight = 1.0 if line.weight is None else line.weight / len(ids)
    return [_part(line, file, env_id, _short(env_id), weight, folder) for env_id in ids]


def _part(line: _Line, file: _File, env_id: str, name: str, weight: float, folder: Path) -> Part:
    settings = dict(line.settings)
    difficulty = file.difficulty if line.difficulty is None else line.difficulty
    needs = entry(env_id).needs
    if difficulty is not None and "difficulty" not in settings and not needs:
        settings["difficulty"] = difficulty
    data = settings.get("data")
    if "data" in needs and isinstance(data, str) and (folder / data).exists():
        settings["data"] = str(folder / data)  # files stand beside the suite
    missing = [need for need in needs if need not in settings]
    if missing:
        raise ConfigError(f"{env_id} needs {' and '.join(missing)}: put it into the 'settings' of {name!r}.")
    tasks = file.tasks if line.tasks is None else line.tasks
    return Part(name, env_id, settings, tasks, weight, line.max_turns)


def _short(env_id: str) -> str:
    """``rlvr/Countdown-v0`` as ``Countdown``."""
    return env_id.partition("/")[2].removesuffix("-v0") or env_id
