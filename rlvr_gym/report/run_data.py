"""What a training run left in its folder, read for a report; an interrupted run is read as far as it came."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlvr_gym.errors import DataError, os_reason

__all__ = ["Point", "RunData", "read_rows"]

Point = tuple[float, float]
"""``(step, value)``."""


@dataclass(frozen=True, slots=True)
class RunData:
    """A run's files.

    Attributes:
        folder: where they lie.
        config: ``config.json``.
        metrics: ``metrics.jsonl``, one row a step.
        evals: ``eval.jsonl``, held-out evaluations in order.
        rollouts: ``rollouts.jsonl``, samples of what the policy wrote.
        summary: ``summary.json``; empty while the run goes on.
    """

    folder: Path
    config: dict[str, Any]
    metrics: list[dict[str, Any]]
    evals: list[dict[str, Any]]
    rollouts: list[dict[str, Any]]
    summary: dict[str, Any]

    @classmethod
    def load(cls, folder: Path) -> RunData:
        """Reads a run's folder.

        Raises:
            DataError: if it is no run's folder, or a file in it is broken.
        """
        if not (folder / "config.json").is_file() or not (folder / "metrics.jsonl").is_file():
            raise DataError(
                f"{folder} is not the folder of a training run: it has no config.json and metrics.jsonl; "
                "give what 'rlvr-gym train --run-dir' was given."
            )
        return cls(
            folder=folder,
            config=_object(folder / "config.json"),
            metrics=list(read_rows(folder / "metrics.jsonl")),
            evals=_rows_if_there(folder / "eval.jsonl"),
            rollouts=_rows_if_there(folder / "rollouts.jsonl"),
            summary=_object(folder / "summary.json"),
        )

    def series(self, name: str) -> list[Point]:
        """A metric over steps; values that are no finite numbers are left out."""
        return [
            (row["step"], float(row[name]))
            for row in self.metrics
            if _is_number(row.get(name)) and "step" in row
        ]

    def accuracy(self) -> list[dict[str, Any]]:
        """The evaluations of reinforcement learning: from the state that it began with to the newest.

        That state is the warm-started policy where there was a warm start, and else the untrained one.
        """
        rows = [row for row in self.evals if _is_number(row.get("pass@1")) and _is_number(row.get("step"))]
        if any(row.get("stage") == "warm_start" for row in rows):
            rows = [row for row in rows if row.get("stage") != "base"]
        return rows

    def terms(self) -> list[str]:
        """The reward terms that were logged, in their order."""
        names: dict[str, None] = {}
        for row in self.metrics:
            names |= dict.fromkeys(key for key in row if key.startswith("rewards/") and key.endswith("/mean"))
        return [name.removeprefix("rewards/").removesuffix("/mean") for name in names]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _object(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise DataError(f"{path} should hold one JSON object; got {type(value).__name__}.")
    return value


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a run's JSONL file; a last line that was cut off, because the run was killed, is left out.

    Raises:
        DataError: if the file cannot be read, or another line is broken.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({os_reason(error)}).") from error
    lines = content.splitlines()
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError(f"it holds {type(row).__name__}, not an object")
        except ValueError as error:
            if number == len(lines) and not content.endswith(b"\n"):
                return  # the run was killed while it wrote this line
            raise DataError(f"{path} line {number} is broken: {error}") from error
        yield row


def _rows_if_there(path: Path) -> list[dict[str, Any]]:
    return list(read_rows(path)) if path.is_file() else []
