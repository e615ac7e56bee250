"""What judges have said before: scores by the content of the question, in a file that processes may share."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

from rlvr_gym.errors import ConfigError

__all__ = ["ScoreCache"]


class ScoreCache:
    """Scores by key, in memory and, with a path, in an SQLite file.

    Args:
        path: the file; "" for this process only.

    Raises:
        ConfigError: if the file cannot be used.
    """

    def __init__(self, path: str = "") -> None:
        self._path = path
        self._known: dict[str, float] = {}
        self._lock = Lock()
        self._file: sqlite3.Connection | None = None
        if path:
            self._file = self._open(path)

    def _open(self, path: str) -> sqlite3.Connection:
        try:
            Path(path).expanduser().parent.mkdir(parents=True, exist_ok=True)
            file = sqlite3.connect(Path(path).expanduser(), timeout=60, check_same_thread=False)
            with file:
                file.execute("CREATE TABLE IF NOT EXISTS scores (key TEXT PRIMARY KEY, score REAL NOT NULL)")
        except (OSError, sqlite3.Error) as error:
            raise self._refused(error) from error
        return file

    def _refused(self, error: Exception) -> ConfigError:
        return ConfigError(
            f"The judge's cache {self._path} cannot be used ({error}); give another file, or none."
        )

    def get(self, keys: Sequence[str]) -> dict[str, float]:
        """The scores of those keys that are known."""
        with self._lock:
            missing = [key for key in dict.fromkeys(keys) if key not in self._known]
            if self._file is not None:
                for key in missing:
                    row = self._read(key)
                    if row is not None:
                        self._known[key] = float(row[0])
            return {key: self._known[key] for key in keys if key in self._known}

    def _read(self, key: str) -> tuple[float] | None:
        assert self._file is not None
        try:
            found: tuple[float] | None = self._file.execute(
                "SELECT score FROM scores WHERE key = ?", (key,)
            ).fetchone()
        except sqlite3.Error as error:
            raise self._refused(error) from error
        return found

    def put(self, scores: Mapping[str, float]) -> None:
        """Keeps scores; nan, which is no score, must not be among them."""
        with self._lock:
            self._known.update(scores)
            if self._file is None or not scores:
                return
            try:
                with self._file:
                    self._file.executemany(
                        "INSERT OR REPLACE INTO scores VALUES (?, ?)", list(scores.items())
                    )
            except sqlite3.Error as error:
                raise self._refused(error) from error

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
