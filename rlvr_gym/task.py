"""Tasks and where they come from: a task is plain data, a source addresses tasks by index."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from rlvr_gym.errors import DataError, SeedError

__all__ = ["SEED_LIMIT", "ListSource", "Task", "TaskSource", "task_rng"]

SEED_LIMIT = 2**32


@dataclass(frozen=True, slots=True, init=False)
class Task:
    """One problem to be solved.

    Attributes:
        prompt: the text that the policy sees.
        answer: what the verifier needs in order to judge; any JSON value; never part of an observation.
        id: a stable name, filled in by the source.
        metadata: JSON facts about the task (difficulty, measured hardness, ...).
        solution: worked reasoning that ends in the answer, for warm starts; None where there is none.
    """

    prompt: str
    answer: Any
    id: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    solution: str | None = None

    def __init__(
        self,
        prompt: str,
        answer: Any,
        id: str = "",
        metadata: dict[str, Any] | None = None,
        solution: str | None = None,
    ) -> None:
        # by the slots themselves: in half the time of object.__setattr__, the way of a frozen dataclass
        _set_prompt(self, prompt)
        _set_answer(self, answer)
        _set_id(self, id)
        _set_metadata(self, {} if metadata is None else metadata)
        _set_solution(self, solution)

    def to_dict(self) -> dict[str, Any]:
        """The task as a JSON-ready dict."""
        return asdict(self)

    def to_json(self) -> str:
        """The task as one line of JSON with sorted keys: equal tasks give equal bytes.

        Raises:
            DataError: if ``answer`` or ``metadata`` holds something that JSON cannot carry.
        """
        try:
            return json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"Task {self.id!r} is not JSON: {error}; use plain lists, dicts, numbers and text."
            ) from error

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Task:
        """The inverse of :meth:`to_dict`; keys that are not fields of a task are refused.

        Raises:
            DataError: if ``prompt`` or ``answer`` is missing or an unknown key is given.
        """
        names = {f.name for f in fields(cls)}
        if "prompt" not in row or "answer" not in row or not row.keys() <= names:
            raise DataError(
                f"A task needs 'prompt' and 'answer' and may have {sorted(names - {'prompt', 'answer'})}; "
                f"got the keys {sorted(row)}."
            )
        return cls(**row)

    @classmethod
    def from_json(cls, text: str) -> Task:
        """The inverse of :meth:`to_json`."""
        return cls.from_dict(json.loads(text))


_set_prompt, _set_answer, _set_id, _set_metadata, _set_solution = (
    getattr(Task, each.name).__set__ for each in fields(Task)
)


def task_rng(seed: int, index: int) -> np.random.Generator:
    """The random generator of task ``index`` in the stream ``seed``.

    ``SeedSequence([seed, index])`` hashes both words together, so neighbouring seeds share nothing and any
    index is reached without the ones before it. Words above 32 bits would run into each other
    (``[2**32, 5]`` is the same entropy as ``[0, 1 + 5 * 2**32]``), hence the limit.

    Raises:
        SeedError: if ``seed`` or ``index`` is outside ``[0, 2**32)``.
    """
    if not (0 <= seed < SEED_LIMIT and 0 <= index < SEED_LIMIT):
        raise SeedError(f"Seeds and task indices go from 0 to 2**32 - 1; got seed={seed}, index={index}.")
    # as uint32 words, which is what SeedSequence makes of [seed, index] in twice the time
    words = np.array((seed, index), dtype=np.uint32)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))


class TaskSource(ABC):
    """Tasks addressed by index: ``source[index]`` is a pure function of ``(config, seed, index)``."""

    @abstractmethod
    def __getitem__(self, index: int) -> Task:
        """The task at ``index``; raises IndexError beyond the end of a finite source."""

    @property
    def length(self) -> int | None:
        """How many tasks there are; None for an endless source."""
        return None

    def __len__(self) -> int:
        if self.length is None:
            raise TypeError("This source is endless; take as many tasks as you need by index.")
        return self.length

    def __iter__(self) -> Iterator[Task]:
        index = 0
        while self.length is None or index < self.length:
            yield self[index]
            index += 1


class ListSource(TaskSource):
    """A finite source over tasks that are already there, in an order shuffled by ``seed``.

    Args:
        tasks: the tasks.
        seed: the permutation's seed; None keeps the given order.
    """

    def __init__(self, tasks: Sequence[Task], seed: int | None = None) -> None:
        self._tasks = list(tasks)
        order = np.arange(len(self._tasks))
        self._order = order if seed is None else task_rng(seed, 0).permutation(order)

    @property
    def length(self) -> int:
        """The number of tasks."""
        return len(self._tasks)

    def __getitem__(self, index: int) -> Task:
        if not 0 <= index < len(self._tasks):
            raise IndexError(f"Index {index} is outside a source of {len(self._tasks)} tasks.")
        return self._tasks[int(self._order[index])]
