"""Runs the cells of a benchmark in parallel processes. What is done stays done, what was killed goes on."""

from __future__ import annotations

import json
import multiprocessing as mp
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from rlvr_gym.bench.cells import Cell, Plan
from rlvr_gym.bench.worker import run_cell
from rlvr_gym.errors import ConfigError

__all__ = ["Outcome", "run_plan"]

_THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a cell ended.

    Attributes:
        cell: which.
        status: ``done``, ``kept`` (it was done before) or ``failed``.
        seconds: that this run of it took.
        error: why it failed.
    """

    cell: Cell
    status: str
    seconds: float = 0.0
    error: str = ""


def run_plan(
    plan: Plan, root: Path, jobs: int, tell: Callable[[Outcome, int, int], None] | None = None
) -> list[Outcome]:
    """Runs every cell that is not done, the warm starts first.

    Args:
        plan: the cells.
        root: the benchmark's folder; cells that are there and done are not run again, half-done ones are resumed.
        jobs: cells side by side, each in a process with one thread.
        tell: is called with each outcome, how many there are by now, and how many there will be.

    Returns:
        The outcome of each cell and start. A cell whose start failed has failed, too.

    Raises:
        ConfigError: if another benchmark is at work in this folder.
    """
    cells = plan.unique()
    total = len(cells) + len(plan.starts)
    outcomes: list[Outcome] = []

    def take(found: Iterable[Outcome]) -> None:
        for outcome in found:
            outcomes.append(outcome)
            if tell is not None:
                tell(outcome, len(outcomes), total)

    with _alone_in(root), _one_thread_each():
        needed = {cell.start.key for cell in cells.values() if cell.start and not cell.done(root)}
        take(Outcome(start, "kept") for key, start in plan.starts.items() if key not in needed)
        take(_run_all((plan.starts[key] for key in needed), root, jobs))
        broken = {outcome.cell.key: outcome.error for outcome in outcomes if outcome.status == "failed"}
        orphans = [cell for cell in cells.values() if cell.start and cell.start.key in broken]
        take(
            Outcome(c, "failed", error=f"its warm start failed: {broken[c.start.key]}")
            for c in orphans
            if c.start
        )
        take(_run_all((cell for cell in cells.values() if cell not in orphans), root, jobs))
    return outcomes


@contextmanager
def _alone_in(root: Path) -> Iterator[None]:
    """Holds the folder's lock, which the system takes back from whoever dies."""
    try:
        import fcntl
    except ImportError:  # a system without such locks
        yield
        return
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(
                f"Another benchmark is at work in {root}; wait for it, or choose another --out."
            ) from error
        yield


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Child processes read these when they load their libraries."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(_THREADS)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _run_all(cells: Iterable[Cell], root: Path, jobs: int) -> Iterator[Outcome]:
    """The outcomes, as they come; leaving early ends the processes that still run."""
    todo: deque[Cell] = deque()
    for cell in cells:
        if cell.done(root):
            yield Outcome(cell, "kept")
        else:
            todo.append(cell)
    context = _context()
    running: dict[Any, tuple[Any, Cell, float]] = {}  # by the handle that tells when a process has ended
    try:
        while todo or running:
            while todo and len(running) < jobs:
                cell = todo.popleft()
                process = context.Process(
                    target=run_cell, args=(cell.runnable(root).to_dict(), str(cell.folder(root))), daemon=True
                )
                process.start()
                running[process.sentinel] = (process, cell, time.perf_counter())
            for sentinel in wait(list(running)):
                process, cell, began = running.pop(sentinel)
                process.join()
                yield _outcome(cell, root, process.exitcode, time.perf_counter() - began)
    finally:
        for process, _, _ in running.values():
            process.terminate()
        for process, _, _ in running.values():
            process.join()


def _context() -> Any:
    """A server that has loaded torch once and forks a fresh process for each cell; plain spawning where there is none."""
    if "forkserver" not in mp.get_all_start_methods():
        return mp.get_context("spawn")
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "rlvr_gym.agents.trainer"])
    return context


def _outcome(cell: Cell, root: Path, exit_code: int | None, seconds: float) -> Outcome:
    if cell.done(root):
        return Outcome(cell, "done", seconds)
    return Outcome(cell, "failed", seconds, _reason(cell.folder(root), exit_code))


def _reason(folder: Path, exit_code: int | None) -> str:
    try:
        written: Mapping[str, Any] = json.loads((folder / "error.json").read_text(encoding="utf-8"))
        return str(written["error"])
    except (OSError, ValueError, KeyError):
        pass  # it died before it could say anything
    if exit_code is not None and exit_code < 0:
        return f"it was killed by {signal.Signals(-exit_code).name}"
    return f"it ended with exit code {exit_code}; see {folder / 'log.txt'}"
