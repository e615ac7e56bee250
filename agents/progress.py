"""Progress in the terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

__all__ = ["TrainingProgress"]

_SECONDS_BETWEEN_LINES = 15.0


class TrainingProgress:
    """A live bar where there is a terminal, a line now and then where there is none, nothing if quiet."""

    def __init__(self, *, quiet: bool) -> None:
        self.console = Console(quiet=quiet, highlight=False)
        self._live: Progress | None = None
        self._task: TaskID | None = None
        self._stage, self._total = "", 0
        self._began, self._done_before, self._last_line = 0.0, 0, 0.0

    def say(self, text: str) -> None:
        """One line of text, as it is: rich would take the brackets of ``rlvr-gym[ray]`` for its own."""
        self.console.print(Text(text))

    def begin(self, stage: str, total: int, done: int = 0) -> None:
        """A new stage of ``total`` steps."""
        self.end()
        self._stage, self._total = stage, total
        self._began, self._done_before = time.monotonic(), done
        if self.console.is_terminal and not self.console.quiet:
            columns = (
                SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24),
                TextColumn("{task.completed:.0f}/{task.total:.0f}"), TextColumn("{task.fields[status]}"),
                TextColumn("left"), TimeRemainingColumn(),
            )  # fmt: skip
            self._live = Progress(*columns, console=self.console)
            self._live.start()
            self._task = self._live.add_task(stage, total=total, completed=done, status="")

    def update(self, done: int, values: Mapping[str, float]) -> None:
        """``done`` steps are done; ``values`` are shown."""
        status = "  ".join(f"{name} {_short(value)}" for name, value in values.items())
        if self._live is not None and self._task is not None:
            self._live.update(self._task, completed=done, status=status)
        elif time.monotonic() - self._last_line > _SECONDS_BETWEEN_LINES or done == self._total:
            self._last_line = time.monotonic()
            self.say(f"{self._stage} {done}/{self._total}  {status}  left {self._time_left(done)}")

    def _time_left(self, done: int) -> str:
        """Minutes and seconds, if the rest goes as fast as what was done in this stage."""
        pace = (time.monotonic() - self._began) / max(done - self._done_before, 1)
        seconds = round(pace * (self._total - done))
        return f"{seconds // 60}:{seconds % 60:02d}"

    def end(self) -> None:
        """Ends the stage."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
