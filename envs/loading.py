"""Tasks out of data sets: local JSONL files, folders of them, or Hugging Face data sets. Registers nothing."""

from __future__ import annotations

import gzip
import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.errors import ConfigError, DataError, MissingExtraError
from rlvr_gym.problem import Problem
from rlvr_gym.task import ListSource, Task, TaskSource

__all__ = ["DataProblem", "Row", "load_rows"]

_SUFFIXES = (".jsonl", ".jsonl.gz", ".json.gz")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a data set, and where it stands, for messages.

    Attributes:
        values: its fields.
        where: such as ``test.jsonl, line 12``.
        name: such as ``test-11``: short, stable, and different for every row of a split.
    """

    values: Mapping[str, Any]
    where: str
    name: str

    def get(self, *fields: str) -> Any:
        """The first of these fields that is there: files name the same thing differently.

        Raises:
            DataError: if none is.
        """
        for name in fields:
            if self.values.get(name) is not None:
                return self.values[name]
        raise DataError(
            f"{self.where}: a field {' or '.join(map(repr, fields))} is expected; there are {sorted(self.values)}."
        )

    def text(self, *fields: str) -> str:
        """Like :meth:`get`, for a field that has to be text.

        Raises:
            DataError: if it is missing or something else.
        """
        value = self.get(*fields)
        if not isinstance(value, str):
            raise DataError(
                f"{self.where}: text is expected in {' or '.join(fields)}; got {type(value).__name__}."
            )
        return value


def load_rows(data: str, split: str, *, hub_config: str | None = None) -> tuple[Row, ...]:
    """The rows of a data set, in their order.

    Args:
        data: a JSONL file (``.gz`` allowed), a folder with ``<split>.jsonl`` in it, or the name of a Hugging Face
            data set, with a configuration after a colon if need be (``openai/gsm8k:main``).
        split: chooses the file of a folder, or the split on the hub; a single file is taken whole.
        hub_config: the configuration on the hub, if ``data`` names none.

    Raises:
        DataError: if there is nothing there, or a line is no JSON object.
        MissingExtraError: if a Hugging Face data set is named and ``datasets`` is not installed.
    """
    path = Path(data).expanduser()
    if path.is_dir():
        path = _file_of_split(path, split)
    if path.is_file():
        status = path.stat()
        return _read_file(path, status.st_mtime_ns, status.st_size)
    if data.endswith(_SUFFIXES) or data.startswith((".", "/", "~")):
        raise DataError(
            f"There is no file {data!r}; data is a JSONL file, a folder with {split}.jsonl, or the name of a "
            "Hugging Face data set."
        )
    name, _, config = data.partition(":")
    return _read_hub(name, config or hub_config, split)


def _file_of_split(folder: Path, split: str) -> Path:
    for suffix in _SUFFIXES:
        if (folder / f"{split}{suffix}").is_file():
            return folder / f"{split}{suffix}"
    found = sorted(p.name for p in folder.iterdir() if p.name.endswith(_SUFFIXES))
    raise DataError(
        f"There is no {split}.jsonl in {folder}; the data files there are: {', '.join(found) or 'none'}."
    )


@lru_cache(maxsize=8)
def _read_file(path: Path, _modified: int, _size: int) -> tuple[Row, ...]:
    """Kept until the file changes: every seed of every environment reads the same rows."""
    split = path.name.partition(".")[0]
    return tuple(Row(values, f"{path}, line {line}", f"{split}-{line}") for line, values in _lines(path))


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            for line, text in enumerate(file, start=1):
                if text.strip():
                    yield line, _object(text, f"{path}, line {line}")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as JSONL in UTF-8: {error}.") from error


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: this is no JSON ({error}).") from error
    if not isinstance(values, dict):
        raise DataError(f"{where}: a JSON object is expected; got {type(values).__name__}.")
    return values


@lru_cache(maxsize=8)
def _read_hub(name: str, config: str | None, split: str) -> tuple[Row, ...]:
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("datasets", "hf", f"Loading the Hugging Face data set {name!r}") from error
    try:
        rows = datasets.load_dataset(name, config, split=split)
    except Exception as error:  # the package raises errors of many kinds: network, name, configuration, split
        told = (str(error).strip() or type(error).__name__).partition("\n")[0]
        raise DataError(
            f"The Hugging Face data set {name!r} (configuration {config!r}, split {split!r}) could not be loaded: "
            f"{told[:300]}"
        ) from error
    return tuple(Row(dict(row), f"{name}, {split}, row {i}", f"{split}-{i}") for i, row in enumerate(rows))


@dataclass(frozen=True, kw_only=True)
class DataProblem(Problem):
    """A finite problem whose tasks are the rows of a data set; subclasses turn a row into a task.

    A seed gives an order of the rows, not other rows: training and evaluation are kept apart by ``split`` or by
    file. ``difficulty`` has one value.

    Attributes:
        data: a JSONL file, a folder with ``<split>.jsonl``, or a Hugging Face data set's name.
        split: which part of a folder or a Hugging Face data set.
    """

    difficulty: int | tuple[int, int] = 1
    data: str = ""
    split: str = "test"

    difficulty_range: ClassVar[tuple[int, int]] = (1, 1)
    hub_config: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.data:
            raise ConfigError(
                f"{type(self).__name__} needs data: a JSONL file, a folder with {self.split}.jsonl, or the name of a "
                "Hugging Face data set."
            )

    @abstractmethod
    def task_from_row(self, row: Row) -> Task:
        """The task that a row describes; raises DataError (with ``row.where``) if it does not."""

    def rows(self) -> Sequence[Row]:
        """The rows, in the order of the data set."""
        return load_rows(self.data, self.split, hub_config=self.hub_config)

    def tasks(self) -> list[Task]:
        """All tasks, in the order of the data set, with ids like ``GSM8K-test-12``."""
        tasks = [self._task(row) for row in self.rows()]
        if not tasks:
            raise DataError(f"{self.data} (split {self.split!r}) has no rows.")
        return tasks

    def _task(self, row: Row) -> Task:
        return replace(self.task_from_row(row), id=f"{type(self).__name__}-{row.name}")

    def source(self, seed: int) -> TaskSource:
        """All tasks, in the seed's order."""
        return ListSource(self.tasks(), seed)

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """A random row's task."""
        rows = self.rows()
        return self._task(rows[int(rng.integers(len(rows)))])
