"""Rows of JSONL files, read one by one, with the line number in every complaint."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from rlvr_gym.errors import DataError, os_reason

__all__ = ["Row", "read_rows"]


class Row(dict[str, Any]):
    """A JSON object out of a file.

    Attributes:
        where: the file and the line number, for messages.
        line: the line number, from 1.
    """

    def __init__(self, values: dict[str, Any], source: str, line: int) -> None:
        super().__init__(values)
        self.line = line
        self.where = f"{source} line {line}"

    def require(self, key: str, kind: type, description: str) -> Any:
        """The value of ``key``.

        Raises:
            DataError: if it is missing or of another type.
        """
        if key not in self:
            raise DataError(f"{self.where} has no {key!r} ({description}); it has {sorted(self)}.")
        if not isinstance(self[key], kind) or isinstance(self[key], bool):
            raise DataError(f"{self.where}: {key!r} is {description}; got {type(self[key]).__name__}.")
        return self[key]


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a JSONL file (``-`` for stdin); empty lines are passed over.

    Raises:
        DataError: if the file is missing, or a line is no JSON object.
    """
    if str(path) == "-":
        yield from _rows(sys.stdin.buffer, "stdin")
        return
    try:
        stream = path.open("rb")
    except OSError as error:
        raise DataError(f"{path} cannot be read ({os_reason(error)}).") from error
    with stream:
        yield from _rows(stream, str(path))


def _rows(stream: BinaryIO, source: str) -> Iterator[Row]:
    for number, raw in enumerate(stream, 1):
        if not raw.strip():
            continue
        try:
            values = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{source} line {number} is not JSON ({error}); each line holds one object such as "
                '{"id": 1, "completion": "..."}.'
            ) from error
        if not isinstance(values, dict):
            raise DataError(f"{source} line {number} is not a JSON object; got {type(values).__name__}.")
        yield Row(values, source, number)
