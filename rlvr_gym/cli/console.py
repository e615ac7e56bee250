"""Where output goes: results to stdout, everything else to stderr, and no file half hidden by an error."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TextIO, cast

from rich.console import Console
from rich.text import Text

from rlvr_gym.errors import ConfigError, os_reason

__all__ = ["check_writable", "open_text", "plain", "stderr", "stdout"]

# C0 and C1 controls but not tab and newline: a dataset's text must not steer the terminal
_CONTROLS = {code: chr(0x2400 + code) for code in range(32) if code not in (9, 10)} | dict.fromkeys(
    range(127, 160), "�"
)


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Leaves the decision to ``main``, where rich would exit with 1."""
        self.quiet = True
        raise BrokenPipeError


def stdout(piped_width: int = 100) -> Console:
    """The console for results; ``piped_width`` columns where there is no terminal to ask."""
    return _Console(highlight=False, width=None if sys.stdout.isatty() else piped_width)


def stderr() -> Console:
    """The console for progress, summaries and errors."""
    return _Console(stderr=True, highlight=False, soft_wrap=True)


def plain(text: str, style: str = "") -> Text:
    """Untrusted text for a console: no markup is read, control characters are shown and not obeyed."""
    return Text(text.translate(_CONTROLS), style)


@contextmanager
def open_text(path: Path | None) -> Iterator[TextIO]:
    r"""A text file for writing, or stdout for None and ``-``.

    Lone surrogates, which JSON from elsewhere may hold, come out as ``\udXXX``: still JSON, never an exception.

    Raises:
        ConfigError: if the file cannot be written.
    """
    if path is None or str(path) == "-":
        # a stream of our own on the same descriptor: sys.stdout may have another encoding
        try:
            descriptor = os.dup(sys.stdout.fileno())
        except (OSError, io.UnsupportedOperation):  # a test runner's stdout
            yield sys.stdout
            return
        sys.stdout.flush()
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            yield stream
        return
    with _open(path, "w") as stream:
        yield stream


def check_writable(path: Path | None) -> None:
    """Tells now, and not after an hour's work, that a file cannot be written; leaves an empty one at worst.

    Raises:
        ConfigError: if it cannot.
    """
    if path is not None and str(path) != "-":
        _open(path, "a").close()


def _open(path: Path, mode: str) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return cast("TextIO", path.open(mode, encoding="utf-8", errors="backslashreplace"))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({os_reason(error)}); choose another place for the output."
        ) from error
