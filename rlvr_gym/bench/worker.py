"""One cell in a process of its own: what it says goes to a file, and a crash of it is nobody else's."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
import time
import traceback
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

__all__ = ["run_cell"]


def run_cell(config: dict[str, Any], folder: str) -> None:
    """Runs or resumes a training run, and writes ``done.json``, or ``error.json`` and exits with 1.

    Args:
        config: of the run, in its JSON form.
        folder: of the run.
    """
    _die_with_parent()
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    _redirect(path / "log.txt")
    (path / "error.json").unlink(missing_ok=True)
    began = time.perf_counter()
    try:
        from rlvr_gym.agents.config import TrainConfig
        from rlvr_gym.agents.trainer import train

        summary = train(TrainConfig.parse(config), path, resume=True, quiet=True)
    except BaseException as error:
        traceback.print_exc()
        # the run stays as it is: the next try goes on from its newest checkpoint
        _write(path / "error.json", {"error": f"{type(error).__name__}: {error}"})
        sys.exit(1)
    _write(
        path / "done.json",
        {
            "seconds": round(time.perf_counter() - began, 2),
            "cpu_seconds": round(time.process_time(), 2),
            "steps": summary.steps,
            "tokens": summary.tokens,
        },
    )


def _die_with_parent() -> None:
    """Ends this process when the benchmark does, however that ended: nobody waits for an orphan's result."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _redirect(path: Path) -> None:
    """Everything that this process prints, C libraries included, goes to a file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _write(path: Path, content: dict[str, Any]) -> None:
    temporary = path.with_suffix(".partial")
    temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")
    temporary.replace(path)
