"""Runs a model on tasks: episodes side by side; a batch model turn by turn, an endpoint each at its own pace."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from typing import Any

from rlvr_gym.env import EnvSettings
from rlvr_gym.episode import Episode
from rlvr_gym.errors import describe
from rlvr_gym.evaluation.model import Completion, Model, Query, StreamingModel, Usage
from rlvr_gym.executor import Executor
from rlvr_gym.problem import Problem
from rlvr_gym.rollout import Rollout
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict

__all__ = ["Assignment", "Sample", "evaluate", "play", "settings_for"]

NOTHING_USED = Usage()


@dataclass(frozen=True, slots=True)
class Sample:
    """One finished attempt.

    Attributes:
        index: the task's index in its stream.
        sample: the attempt's number among those at this task.
        rollout: the attempt and its verdict; ``num_tokens`` is in the model's unit.
        part: of a suite; empty outside of one.
        finish_reason: of the last completion that did not just stop, else ``"stop"``.
        usage: tokens that were billed.
        unmetered: completions whose tokens nobody counted.
        messages: the conversation, where it has several turns.
    """

    index: int
    sample: int
    rollout: Rollout
    part: str = ""
    finish_reason: str = "stop"
    usage: Usage = NOTHING_USED
    unmetered: int = 0
    messages: tuple[dict[str, str], ...] = ()

    @property
    def truncated(self) -> bool:
        """Whether a completion was cut off at the length limit."""
        return self.finish_reason == "length"

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready row; ``rlvr-gym rescore`` and :meth:`rlvr_gym.rollout.Rollout.from_row` read it."""
        verdict = self.rollout.verdict
        return {
            "part": self.part,
            "index": self.index,
            "sample": self.sample,
            **self.rollout.to_row(),
            "reward": float(verdict.correct) if verdict.valid else None,
            "finish_reason": self.finish_reason,
            "usage": {"input": self.usage.input, "output": self.usage.output, "unmetered": self.unmetered},
            **({"messages": list(self.messages)} if self.messages else {}),
        }

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Sample:
        """The inverse of :meth:`to_dict`.

        Raises:
            DataError, KeyError, TypeError, ValueError: if it is no such row.
        """
        usage = row["usage"]
        return cls(
            int(row["index"]),
            int(row["sample"]),
            Rollout.from_row(row),
            str(row["part"]),
            str(row["finish_reason"]),
            Usage(int(usage["input"]), int(usage["output"])),
            int(usage["unmetered"]),
            tuple(row.get("messages", ())),
        )


@dataclass(frozen=True, slots=True)
class Assignment:
    """A task to be attempted.

    Attributes:
        settings: of its environment.
        index: in its stream.
        task: the task.
        sample: the attempt's number.
        part: of a suite; empty outside of one.
        stream: a number of the part; attempts of different parts share no randomness.
    """

    settings: EnvSettings
    index: int
    task: Task
    sample: int
    part: str = ""
    stream: int | None = None


class _Attempt:
    """An episode and what it has cost so far."""

    def __init__(self, assignment: Assignment, seed: int) -> None:
        self.assignment, self.seed = assignment, seed
        self.settings = assignment.settings
        self.episode: Episode = assignment.settings.begin(assignment.task)
        self.length, self.usage, self.unmetered, self.finish_reason = 0, Usage(), 0, "stop"

    def query(self) -> Query:
        given = self.assignment
        address: tuple[int, ...] = (self.seed, given.index, given.sample, self.episode.turns)
        if given.stream is not None:
            address = (*address, given.stream)
        return Query(list(self.episode.messages), address, self.episode)

    def take(self, completion: Completion) -> None:
        if completion.error is not None:
            self.episode.conclude(Verdict.failed(Reason.INFRASTRUCTURE_ERROR, error=completion.error))
            return
        self.length += completion.length
        if completion.usage is None:
            self.unmetered += 1
        else:
            self.usage += completion.usage
        if completion.finish_reason != "stop":
            self.finish_reason = completion.finish_reason
        try:
            self.episode.act(completion.text)
        except Exception as error:  # a defect of one environment is no reason to lose a paid run
            self.episode.conclude(Verdict.failed(Reason.VERIFIER_ERROR, error=describe(error)))

    def result(self) -> Sample:
        given = self.assignment
        rollout = self.episode.rollout(self.length, self.finish_reason != "length")
        said = tuple(self.episode.messages) if self.episode.problem.several_turns else ()
        return Sample(
            given.index,
            given.sample,
            rollout,
            given.part,
            self.finish_reason,
            self.usage,
            self.unmetered,
            said,
        )


def settings_for(
    problem: Problem,
    *,
    system_prompt: str = "plain",
    max_turns: int | None = None,
    executor: str | Executor = "inline",
    verify_timeout: float = 10.0,
) -> EnvSettings:
    """How episodes of ``problem`` are played in an evaluation."""
    return EnvSettings(
        problem,
        reward="binary",
        observation="chat",
        system_prompt=system_prompt,
        max_turns=max_turns,
        executor=executor,
        verify_timeout=verify_timeout,
        problem_settings={},
    )


def evaluate(
    problem: Problem,
    model: Model,
    tasks: Iterable[tuple[int, Task]],
    *,
    samples: int = 1,
    seed: int = 0,
    system_prompt: str = "plain",
    max_turns: int | None = None,
    executor: str | Executor = "inline",
    verify_timeout: float = 10.0,
) -> Iterator[list[Sample]]:
    """Lets ``model`` attempt every task of one environment ``samples`` times.

    Args:
        problem: the environment.
        model: who acts.
        tasks: ``(index, task)``.
        samples: attempts at each task.
        seed: of the sampling; each attempt's randomness depends on it, the task's index and its number alone.
        system_prompt: a template's name, or a system prompt.
        max_turns: most actions in an episode; None for the problem's own.
        executor: where verification runs.
        verify_timeout: seconds for one verification, where the executor can enforce it.

    Yields:
        finished samples, as they come.
    """
    settings = settings_for(
        problem,
        system_prompt=system_prompt,
        max_turns=max_turns,
        executor=executor,
        verify_timeout=verify_timeout,
    )
    try:
        yield from play(
            (Assignment(settings, i, task, n) for i, task in tasks for n in range(samples)), model, seed
        )
    finally:
        settings.close()


def play(
    assignments: Iterable[Assignment], model: Model, seed: int = 0
) -> Generator[list[Sample], None, None]:
    """Lets ``model`` do the assignments, of any environments.

    Yields:
        finished samples as they come: of a batch model in order, of an endpoint in the order of their ends.

    Raises:
        RLVRError: if the model cannot be used at all.
    """
    stream = iter(assignments)
    if isinstance(model, StreamingModel):
        yield from _stream(stream, model, seed)
        return
    while wave := list(islice(stream, max(1, model.wave))):
        attempts = [_Attempt(assignment, seed) for assignment in wave]
        _play_wave(attempts, model)
        yield [attempt.result() for attempt in attempts]


def _play_wave(attempts: list[_Attempt], model: Model) -> None:
    """Plays all attempts to their ends, one turn of all of them at a time."""
    while going := [attempt for attempt in attempts if not attempt.episode.done]:
        answers = model.complete([attempt.query() for attempt in going])
        for attempt, completion in zip(going, answers, strict=True):
            attempt.take(completion)
        by_settings: dict[int, list[_Attempt]] = {}
        for attempt in going:
            by_settings.setdefault(id(attempt.settings), []).append(attempt)
        for same in by_settings.values():
            same[0].settings.judge([attempt.episode for attempt in same])


_Results = queue.SimpleQueue[list[Sample] | None]


def _stream(assignments: Iterator[Assignment], model: StreamingModel, seed: int) -> Iterator[list[Sample]]:
    """The event loop runs in a thread of its own, so that this also works in a notebook, which has one already."""
    results: _Results = queue.SimpleQueue()
    outcome: Future[None] = Future()
    loop = asyncio.new_event_loop()
    main = loop.create_task(_play_all(assignments, model, seed, results))

    def work() -> None:
        try:
            loop.run_until_complete(main)
            outcome.set_result(None)
        except BaseException as error:
            outcome.set_exception(_first(error))
        finally:
            results.put(None)
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    thread = threading.Thread(target=work, name="rlvr-gym-eval", daemon=True)
    thread.start()
    try:
        while (finished := results.get()) is not None:
            yield finished
        outcome.result()
    finally:
        if not outcome.done():  # the reader went away, or Ctrl-C
            with contextlib.suppress(RuntimeError):  # it has just ended by itself
                loop.call_soon_threadsafe(main.cancel)
        thread.join()


def _first(error: BaseException) -> BaseException:
    """The first error in a group of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _play_all(
    assignments: Iterator[Assignment], model: StreamingModel, seed: int, results: _Results
) -> None:
    """Workers that each take an assignment, play it to its end, and take the next one.

    There are twice as many as requests may be on their way: while some wait for a verdict, others ask.
    """
    taking = asyncio.Lock()
    asking = asyncio.Semaphore(model.concurrency)

    async def work() -> None:
        while True:
            async with taking:  # tasks are generated as they are needed, and not in the event loop
                assignment = await asyncio.to_thread(next, assignments, None)
            if assignment is None:
                return
            attempt = await asyncio.to_thread(_Attempt, assignment, seed)
            while not attempt.episode.done:
                query = attempt.query()
                async with asking:
                    completion = await model.ask(query)
                await asyncio.to_thread(_advance, attempt, completion)
            results.put([attempt.result()])

    async with model, asyncio.TaskGroup() as group:
        for _ in range(2 * model.concurrency):
            group.create_task(work())


def _advance(attempt: _Attempt, completion: Completion) -> None:
    attempt.take(completion)
    attempt.settings.judge([attempt.episode])
