"""Rows as files: parquet or JSON lines, by the name's ending."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from rlvr_gym.errors import ConfigError, MissingExtraError

__all__ = ["check_name", "write_rows"]


def check_name(path: Path) -> None:
    """Tells a wrong ending before any work is done.

    Raises:
        ConfigError: if it is neither ``.parquet`` nor ``.jsonl``.
    """
    if path.suffix not in (".parquet", ".jsonl"):
        raise ConfigError(f"An export ends with .parquet or .jsonl; got {path.name!r}.")


def write_rows(path: str | Path, rows: Sequence[dict[str, Any]]) -> None:
    """Writes rows to ``path``, whole or not at all: a reader never sees half a file.

    Raises:
        ConfigError: if the name ends otherwise, or the file cannot be written.
        MissingExtraError: if pyarrow is needed and not installed.
    """
    path = Path(path)
    check_name(path)
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            _write_parquet(part, rows)
        else:
            with part.open("w", encoding="utf-8", errors="backslashreplace") as stream:
                stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        part.replace(path)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({(error.strerror or str(error)).lower()}); choose another place."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _write_parquet(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    try:
        pyarrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtraError("pyarrow", "hf", "Writing parquet") from error
    parquet.write_table(pyarrow.Table.from_pylist(list(rows)), str(path))
