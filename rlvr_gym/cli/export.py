"""``rlvr-gym export``: tasks as other trainers' data files."""

from __future__ import annotations

import json
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from rlvr_gym.cli.console import stderr
from rlvr_gym.cli.options import (
    DataOption,
    DifficultyOption,
    EnvArgument,
    SeedOption,
    SetOption,
    SystemPromptOption,
    open_env,
)
from rlvr_gym.errors import ConfigError

__all__ = ["Format", "export"]


class Format(StrEnum):
    """Whose data loader reads the file."""

    VERL = "verl"
    OPEN_INSTRUCT = "open-instruct"
    TRL = "trl"
    OPENRLHF = "openrlhf"
    SKYRL = "skyrl"


def export(
    env: EnvArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="A .parquet or a .jsonl file.")],
    format: Annotated[Format, typer.Option(help="Whose data loader is to read it.")],
    count: Annotated[int, typer.Option("--count", "-n", help="How many tasks.", min=1)] = 1000,
    seed: SeedOption = 0,
    start: Annotated[int, typer.Option(help="The first task's index in the stream.", min=0)] = 0,
    reward: Annotated[str, typer.Option(help="A reward design: a name, or its JSON.")] = "binary",
    system_prompt: SystemPromptOption = "plain",
    difficulty: DifficultyOption = None,
    data: DataOption = None,
    settings: SetOption = None,
) -> None:
    """Write tasks as another trainer's training data; the file says itself how it is to be scored."""
    from rlvr_gym.interop.files import check_name, write_rows

    check_name(output)
    opened = open_env(env, difficulty, settings, data)
    options: dict[str, Any] = {
        "start": start,
        "system_prompt": system_prompt,
        "reward": _design(reward),
        **opened.settings,
    }
    peer = import_module(f"rlvr_gym.interop.{format.value.replace('-', '_')}")
    rows = peer.to_rows(opened.entry.id, count, seed, **options)
    write_rows(output, rows)
    stderr().print(f"{output}: {len(rows)} tasks of {opened.entry.id} for {format.value}.")


def _design(text: str) -> str | dict[str, Any]:
    """A design's name, or its JSON."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        design: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"--reward takes a design's name or its JSON, such as '{{\"correct\": 1.0}}'; got {text[:80]!r}."
        ) from error
    return design
