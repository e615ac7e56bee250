"""What a run writes while it goes: JSON lines, TensorBoard, and progress in the terminal.

Layout of a run's folder: ``config.json``, ``metrics.jsonl`` (one row a step), ``sft.jsonl`` (one row a step of the
warm start), ``eval.jsonl``, ``rollouts.jsonl``, ``summary.json``, ``checkpoints/step-000123/``, ``tb/``.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from rlvr_gym.agents.config import LoggingConfig
from rlvr_gym.errors import MissingExtraError

__all__ = ["WALL_CLOCK", "JsonLines", "RunLog", "is_wall_clock"]

WALL_CLOCK = ("step_time", "tokens_per_second")


def is_wall_clock(key: str) -> bool:
    """Whether a metric measures time, and so differs between two runs of the same configuration."""
    return key in WALL_CLOCK or key.startswith("time/")


class JsonLines:
    """A file of JSON rows with a ``step``, flushed row by row.

    Args:
        path: the file.
        keep_to: on resume, rows of later steps (and a last row that was cut off) are dropped; None begins anew.
    """

    def __init__(self, path: Path, keep_to: int | None = None) -> None:
        kept = [] if keep_to is None else [row for row in _read_rows(path) if row["step"] <= keep_to]
        temporary = path.with_suffix(".partial")
        with temporary.open("w", encoding="utf-8") as file:
            file.writelines(_line(row) for row in kept)
        temporary.replace(path)
        self._file: IO[str] = path.open("a", encoding="utf-8")

    def write(self, row: Mapping[str, Any]) -> None:
        """Appends one row; it survives the death of this process."""
        self._file.write(_line(row))
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(_finite(row), ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """Nan and inf as null: JSON has neither."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _read_rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break  # killed in the middle of this row
    return rows


class RunLog:
    """Everything that a run writes but for checkpoints.

    Args:
        run_dir: the run's folder.
        resumed_step: the step that the run goes on after; None for a fresh run.
        config: the section ``logging``: TensorBoard, trackers.
        about: the whole configuration, for trackers.
    """

    def __init__(
        self,
        run_dir: Path,
        *,
        resumed_step: int | None,
        config: LoggingConfig,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        self.run_dir = run_dir
        self.metrics = JsonLines(run_dir / "metrics.jsonl", resumed_step)
        self.evals = JsonLines(run_dir / "eval.jsonl", resumed_step)
        self.rollouts = JsonLines(run_dir / "rollouts.jsonl", resumed_step)
        # the warm start is over before the first checkpoint: it is kept whole or begun anew
        self.sft = JsonLines(run_dir / "sft.jsonl", None if resumed_step is None else 2**62)
        self._board = _open_board(run_dir / "tb", resumed_step) if config.tensorboard else None
        self._trackers = [
            _open_tracker(name, config.project, run_dir, about or {}) for name in config.trackers
        ]

    def step(self, row: Mapping[str, float], step: int) -> None:
        """The metrics of one training step."""
        self.metrics.write({"step": step, **row})
        self._scalars(row, step)

    def evaluation(self, row: Mapping[str, Any], step: int, stage: str) -> None:
        """One evaluation; ``stage`` is ``base``, ``warm_start`` or ``train``."""
        self.evals.write({"step": step, "stage": stage, **row})
        self._scalars({f"eval/{key}": value for key, value in row.items()}, max(step, 0))

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """A whole file, replaced atomically."""
        temporary = self.run_dir / f"{name}.partial"
        temporary.write_text(
            json.dumps(_finite(content), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        temporary.replace(self.run_dir / name)

    def _scalars(self, row: Mapping[str, float], step: int) -> None:
        if self._board is not None:
            for key, value in row.items():
                self._board.add_scalar(key, value, step)
        for tracker in self._trackers:
            tracker.log(dict(row), step=step)

    def close(self) -> None:
        """Closes every file."""
        for file in (self.metrics, self.evals, self.rollouts, self.sft):
            file.close()
        if self._board is not None:
            self._board.close()
        for tracker in self._trackers:
            tracker.finish()


def _open_tracker(name: str, project: str, run_dir: Path, about: Mapping[str, Any]) -> Any:
    """A run of wandb or trackio, which have the same interface; named after the folder, and taken up again by it."""
    try:
        package = importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(name, name, f"logging.trackers=[{name}]") from error
    run = package.init(project=project, name=run_dir.name, config=dict(about), resume="allow")
    return run if run is not None else package


def _open_board(folder: Path, resumed_step: int | None) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtraError("tensorboard", "train", "logging.tensorboard=true") from error
    return SummaryWriter(str(folder), purge_step=None if resumed_step is None else resumed_step + 1)
