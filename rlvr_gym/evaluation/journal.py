"""Answers that are there already: every completion is on disk before it counts, so that none is paid for twice."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from rlvr_gym.errors import ConfigError, DataError, os_reason
from rlvr_gym.evaluation.model import Completion, Model, Query, StreamingModel, Usage

__all__ = ["Counts", "Journal", "RememberedModel", "RememberedStream", "query_key", "remember"]


def query_key(identity: str, query: Query) -> str:
    """The address of an answer: a hash of everything that it depends on.

    That is the model and its sampling (``identity``), the task's id, the numbers of stream, sample and turn, and the
    whole conversation so far.
    """
    content = [identity, query.episode.task.id, list(query.address), query.messages]
    text = json.dumps(content, sort_keys=True)  # ASCII: what a policy wrote may hold lone surrogates
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class Journal:
    """A JSONL file of completions by key; a context manager that holds the file's lock.

    A row is written, flushed and synced (``fsync``) before :meth:`put` returns. A last line that was torn by a crash
    is cut off when the file is opened again. Failures are rows, too, but no answers: they are asked again. Safe in
    threads.

    Args:
        path: the file; it and its folder are made.

    Raises:
        ConfigError: if the file cannot be written, or another process writes it.
        DataError: if it holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._refused: ConfigError | None = None
        self._file = _open_locked(path)
        try:
            self._answers = self._read()
        except BaseException:
            self._file.close()
            raise

    def __len__(self) -> int:
        return len(self._answers)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # what put could not write, it has told
            self._file.close()  # and with it goes the lock

    def get(self, key: str) -> Completion | None:
        """The answer of this key, if there is one."""
        return self._answers.get(key)

    def put(self, rows: Sequence[tuple[str, Query, Completion]]) -> None:
        """Makes completions durable.

        Raises:
            ConfigError: if the disk refuses.
        """
        lines = b"".join(json.dumps(_row(*row)).encode() + b"\n" for row in rows)
        with self._lock:
            if self._refused is not None:  # a line may be half written: nothing must come behind it
                raise self._refused
            try:
                self._file.write(lines)
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                self._refused = ConfigError(
                    f"{self.path} cannot be written ({os_reason(error)}); make room and start the same command again."
                )
                raise self._refused from error
            self._answers |= {key: completion for key, _, completion in rows if completion.error is None}

    def _read(self) -> dict[str, Completion]:
        answers: dict[str, Completion] = {}
        self._file.seek(0)
        whole = 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                break  # torn: the process was killed while it wrote this
            whole += len(line)
            try:
                key, completion = _parse(json.loads(line))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise DataError(
                    f"{self.path} line {number} is no saved answer ({error!r}); choose another folder."
                ) from error
            if completion.error is None:
                answers[key] = completion
        self._file.truncate(whole)
        self._file.seek(0, os.SEEK_END)
        return answers


def _open_locked(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({os_reason(error)}); choose another place for the output."
        ) from error
    with contextlib.suppress(ImportError):  # elsewhere than on POSIX nobody guards the file
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise ConfigError(
                f"Another evaluation writes {path} at this moment; wait for it, or choose another --output."
            ) from error
    return file


def _row(key: str, query: Query, completion: Completion) -> dict[str, Any]:
    usage = completion.usage
    row = {
        "key": key,
        "task_id": query.episode.task.id,
        "sample": query.address[2],
        "turn": query.address[3],
        "seed": query.seed,
        "time": round(time.time(), 3),
        "tries": completion.tries,
    }
    if completion.error is not None:
        return {**row, "error": completion.error}
    return {
        **row,
        "text": completion.text,
        "length": completion.length,
        "finish_reason": completion.finish_reason,
        "usage": None if usage is None else [usage.input, usage.output],
    }


def _parse(row: Mapping[str, Any]) -> tuple[str, Completion]:
    if "error" in row:
        return str(row["key"]), Completion(error=str(row["error"]), tries=int(row["tries"]))
    usage = None if row["usage"] is None else Usage(*map(int, row["usage"]))
    length, reason, tries = int(row["length"]), str(row["finish_reason"]), int(row["tries"])
    return str(row["key"]), Completion(str(row["text"]), length, reason, usage, tries=tries)


class Counts:
    """What became of the queries of a run.

    Attributes:
        asked: new answers.
        reused: answers that were there already.
        failed: queries without an answer after all tries.
        retried: further tries, of both.
    """

    def __init__(self) -> None:
        self.asked = self.reused = self.failed = self.retried = 0

    def add(self, completion: Completion) -> None:
        """Counts a query that was asked."""
        self.failed += completion.error is not None
        self.asked += completion.error is None
        self.retried += completion.tries - 1

    def to_dict(self) -> dict[str, int]:
        """JSON-ready."""
        return dict(vars(self))


class RememberedModel(Model):
    """A model whose saved answers are not asked for again."""

    def __init__(self, model: Model, journal: Journal | None, counts: Counts) -> None:
        self._model, self._journal, self._counts = model, journal, counts
        self.unit, self.wave, self.identity = model.unit, model.wave, model.identity

    def complete(self, queries: Sequence[Query]) -> list[Completion]:
        """Out of the journal where they are there, else from the model, and into the journal."""
        if self._journal is None:
            return [self._count(completion) for completion in self._model.complete(queries)]
        keys = [query_key(self.identity, query) for query in queries]
        known = {key: saved for key in keys if (saved := self._journal.get(key)) is not None}
        self._counts.reused += sum(key in known for key in keys)
        missing = [(key, query) for key, query in zip(keys, queries, strict=True) if key not in known]
        if missing:
            new = self._model.complete([query for _, query in missing])
            self._journal.put([(*pair, self._count(one)) for pair, one in zip(missing, new, strict=True)])
            known |= {key: one for (key, _), one in zip(missing, new, strict=True)}
        return [known[key] for key in keys]

    def _count(self, completion: Completion) -> Completion:
        self._counts.add(completion)
        return completion


class RememberedStream(StreamingModel):
    """An endpoint whose saved answers are not paid for again."""

    def __init__(self, model: StreamingModel, journal: Journal | None, counts: Counts) -> None:
        self._model, self._journal, self._counts = model, journal, counts
        self.unit, self.identity, self.concurrency = model.unit, model.identity, model.concurrency
        model.has_answered = journal is not None and len(journal) > 0

    async def __aenter__(self) -> RememberedStream:
        await self._model.__aenter__()
        return self

    async def __aexit__(self, *arguments: object) -> None:
        await self._model.__aexit__(*arguments)

    async def ask(self, query: Query) -> Completion:
        """Out of the journal if it is there, else from the model, and into the journal."""
        key = query_key(self.identity, query)
        saved = self._journal.get(key) if self._journal is not None else None
        if saved is not None:
            self._counts.reused += 1
            return saved
        completion = await self._model.ask(query)
        self._counts.add(completion)
        if self._journal is not None:
            self._journal.put([(key, query, completion)])
        return completion


def remember(model: Model, journal: Journal | None, counts: Counts) -> Model:
    """The model with a memory, of its own kind."""
    if isinstance(model, StreamingModel):
        return RememberedStream(model, journal, counts)
    return RememberedModel(model, journal, counts)
