"""Options that several commands share, and how their texts become values."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem
from rlvr_gym.registration import EnvEntry, entry

__all__ = [
    "DataOption",
    "DifficultyOption",
    "EnvArgument",
    "OpenEnv",
    "SeedOption",
    "SetOption",
    "SystemPromptOption",
    "open_env",
    "parse_difficulty",
    "parse_settings",
]

EnvArgument = Annotated[
    str, typer.Argument(metavar="ENV", help="An environment, such as Countdown or rlvr/Countdown-v0.")
]
SeedOption = Annotated[int, typer.Option(help="The stream of tasks.", min=0, max=2**32 - 1)]
DifficultyOption = Annotated[
    str | None, typer.Option(metavar="D|LOW-HIGH", help="A difficulty, or a range to draw from.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="A setting of the environment (repeatable); JSON or text."
    ),
]
DataOption = Annotated[Path | None, typer.Option(help="The data file, for environments over a data set.")]
SystemPromptOption = Annotated[str, typer.Option(help="plain, r1, boxed, or a system prompt of your own.")]

_DIFFICULTY = re.compile(r"^\s*(\d{1,4})\s*(?:[-:,]\s*(\d{1,4})\s*)?$")


@dataclass(frozen=True, slots=True)
class OpenEnv:
    """An environment chosen on the command line.

    Attributes:
        entry: what is registered.
        problem: it, with the user's settings.
        settings: those settings.
    """

    entry: EnvEntry
    problem: Problem
    settings: dict[str, Any]


def open_env(
    name: str, difficulty: str | None = None, pairs: list[str] | None = None, data: Path | None = None
) -> OpenEnv:
    """The environment of this name with the settings of the options.

    Raises:
        UnknownNameError, ConfigError, DataError: saying what is wrong with the options.
    """
    chosen = entry(name)
    settings = parse_settings(pairs)
    if difficulty is not None:
        settings["difficulty"] = parse_difficulty(difficulty)
    if data is not None:
        settings["data"] = str(data)
    missing = [need for need in chosen.needs if need not in settings and need not in chosen.defaults]
    if missing:
        ways = " ".join("--data FILE" if need == "data" else f"--set {need}=VALUE" for need in missing)
        raise ConfigError(f"{chosen.id} needs {' and '.join(missing)}: add {ways}.")
    settings = {key: coerce(chosen, key, value) for key, value in settings.items()}
    return OpenEnv(chosen, chosen.make_problem(**settings), settings)


def parse_settings(pairs: list[str] | None) -> dict[str, Any]:
    """``["a=1", "b=[2,3]", "c=text"]`` as a dict; values are JSON where they can be read as JSON.

    Raises:
        ConfigError: if a pair has no ``=`` or a key comes twice.
    """
    settings: dict[str, Any] = {}
    for pair in pairs or []:
        key, equals, text = pair.partition("=")
        key = key.strip()
        if not equals or not key:
            raise ConfigError(f"--set takes KEY=VALUE, such as --set difficulty=3; got {pair!r}.")
        if key in settings:
            raise ConfigError(f"--set gives {key!r} twice; give it once.")
        try:
            settings[key] = json.loads(text)
        except (ValueError, RecursionError):
            settings[key] = text
    return settings


def parse_difficulty(text: str) -> int | tuple[int, int]:
    """``"3"`` or ``"2-5"``.

    Raises:
        ConfigError: for any other text.
    """
    match = _DIFFICULTY.match(text)
    if match is None:
        raise ConfigError(f"--difficulty takes a number such as 3 or a range such as 2-5; got {text!r}.")
    low = int(match[1])
    return low if match[2] is None else (low, int(match[2]))


def coerce(chosen: EnvEntry, key: str, value: Any) -> Any:
    """A setting as the type that the problem declares for it.

    Raises:
        ConfigError: if it is not of that type. Unknown settings pass; ``make_problem`` tells about them.
    """
    from pydantic import TypeAdapter, ValidationError

    declared = get_type_hints(chosen.problem).get(key)
    if declared is None:
        return value
    if declared is str and not isinstance(value, str):  # a text such as 12 or null is JSON too
        return json.dumps(value)
    try:
        return TypeAdapter(declared).validate_python(value)
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
        raise ConfigError(
            f"{chosen.id} cannot take {key}={value!r}: {problem[:1].lower()}{problem[1:]}."
        ) from error
