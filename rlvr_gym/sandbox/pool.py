"""Sandbox: a pool of running sandboxes with one face; many jobs at once, retries, and what to do if all fails."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, TypeVar

from rlvr_gym.errors import ConfigError
from rlvr_gym.sandbox.backends.base import Backend
from rlvr_gym.sandbox.errors import BackendUnavailableError, SandboxError, SandboxLostError
from rlvr_gym.sandbox.guest.literals import dumps
from rlvr_gym.sandbox.job import Job, Limits, RunResult
from rlvr_gym.sandbox.worker import Conversation, Worker

__all__ = ["Sandbox", "SharedLock"]

logger = logging.getLogger(__name__)

_T = TypeVar("_T")
_R = TypeVar("_R")


class SharedLock:
    """Held by many at once, or by one alone; one who waits to be alone goes before newcomers."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._holders = 0
        self._waiting = 0
        self._alone = False

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        """Together with others."""
        with self._condition:
            self._condition.wait_for(lambda: not self._alone and not self._waiting)
            self._holders += 1
        try:
            yield
        finally:
            with self._condition:
                self._holders -= 1
                self._condition.notify_all()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Without others."""
        with self._condition:
            self._waiting += 1
            self._condition.wait_for(lambda: not self._alone and not self._holders)
            self._waiting -= 1
            self._alone = True
        try:
            yield
        finally:
            with self._condition:
                self._alone = False
                self._condition.notify_all()


class Sandbox:
    r"""Runs untrusted programs in a pool of sandboxes of one backend. Thread-safe; a context manager.

    Example:
        >>> from rlvr_gym.sandbox import get_sandbox
        >>> sandbox = get_sandbox("auto")
        >>> sandbox.run("print(int(input()) * 2)", stdin="21").stdout
        b'42\\n'

    Args:
        backend: starts the sandboxes.
        workers: how many programs run at once.
        retries: how often a job is tried again after its sandbox was lost.
        patience: seconds to wait for a backend that is away (a restarting engine) before giving up.
        fallback: runs the jobs when the backend stays away; None raises an error instead.
    """

    def __init__(
        self,
        backend: Backend,
        workers: int = 2,
        *,
        retries: int = 2,
        patience: float = 30.0,
        fallback: Sandbox | None = None,
    ) -> None:
        if workers < 1:
            raise ConfigError(f"A sandbox needs at least one worker; got {workers}.")
        self.backend, self.workers, self.fallback = backend, workers, fallback
        self._retries, self._patience = retries, patience
        self._lock = SharedLock()
        self._condition = threading.Condition()
        self._idle: list[Worker] = []
        self._running = 0
        self._companion: Sandbox | None = None
        self._away_since: float | None = None
        self._closed = False

    # ----------------------------------------------------------------- jobs

    def run(self, program: str, stdin: str | bytes = b"", limits: Limits | None = None) -> RunResult:
        """Runs a program as a script.

        Raises:
            SandboxError: if no sandbox could run it; says nothing about the program.
        """
        given = stdin.encode("utf-8", "surrogateescape") if isinstance(stdin, str) else stdin
        return self.execute(Job(program, stdin=given, limits=limits or Limits()))

    def call(
        self, program: str, entry: str, arguments: Sequence[Sequence[Any]], limits: Limits | None = None
    ) -> RunResult:
        """Defines a program's names and calls ``entry`` with each of ``arguments``, which are plain values.

        ``records`` of the result has a line for each call that was answered: see
        :func:`rlvr_gym.sandbox.read_record`.
        """
        lines = tuple(dumps([list(args), {}]) for args in arguments)
        return self.execute(Job(program, "calls", entry=entry, calls=lines, limits=limits or Limits()))

    def execute(self, job: Job) -> RunResult:
        """Runs a job. A timeout on a loaded machine is run once more, alone, before it counts.

        Raises:
            SandboxError: if no sandbox could run it.
        """
        result = self._with_worker(lambda worker: worker.run(job))
        if result.was_starved:
            result = self._with_worker(lambda worker: worker.run(job), alone=True)
        return result

    def converse(
        self, job: Job, talk: Callable[[Conversation], _R], max_calls: int, *, alone: bool = False
    ) -> _R:
        """Runs a job whose calls come one by one.

        Args:
            job: with ``calls=None``.
            talk: holds the conversation; the program is ended after it.
            max_calls: an upper bound on the calls, for the time limit.
            alone: while nothing else runs here.

        Raises:
            SandboxLostError: if the sandbox was lost. Only the caller can begin the conversation anew.
            SandboxError: if there is none.
        """

        def hold(worker: Worker) -> _R:
            conversation = worker.converse(job, max_calls)
            answer = talk(conversation)
            conversation.finish()
            return answer

        return self._with_worker(hold, alone=alone, tries=1)

    def companion(self) -> Sandbox:
        """A second pool of the same backend, for programs that talk with programs of this one."""
        with self._condition:
            if self._companion is None:
                self._companion = Sandbox(
                    self.backend,
                    self.workers,
                    retries=self._retries,
                    patience=self._patience,
                    fallback=self.fallback.companion() if self.fallback else None,
                )
            return self._companion

    def map(
        self,
        function: Callable[[_T], _R],
        items: Sequence[_T],
        progress: Callable[[int, int], None] | None = None,
    ) -> list[_R]:
        """``function`` of every item, in order, as many at once as there are workers.

        Args:
            function: uses this sandbox.
            items: its arguments.
            progress: called with (done, total) after each.
        """
        done = 0
        lock = threading.Lock()

        def step(item: _T) -> _R:
            nonlocal done
            try:
                return function(item)
            finally:
                with lock:
                    done += 1
                    if progress is not None:
                        progress(done, len(items))

        if len(items) <= 1 or self.workers == 1:
            return [step(item) for item in items]
        with ThreadPoolExecutor(self.workers, thread_name_prefix="sandbox") as threads:
            return list(threads.map(step, items))

    def run_many(
        self, jobs: Sequence[Job], progress: Callable[[int, int], None] | None = None
    ) -> list[RunResult | SandboxError]:
        """One result a job, in order; an error in place of a result that could not be had."""

        def attempt(job: Job) -> RunResult | SandboxError:
            try:
                return self.execute(job)
            except SandboxError as error:
                return error

        return self.map(attempt, jobs, progress)

    # ----------------------------------------------------------------- workers

    def _with_worker(
        self, use: Callable[[Worker], _R], *, alone: bool = False, tries: int | None = None
    ) -> _R:
        """Lends a worker; one that is lost is replaced, and the job tried again."""
        tries = self._retries + 1 if tries is None else tries
        for attempt in range(1, tries + 1):
            try:
                with self._lock.alone() if alone else self._lock.shared():
                    return self._lend(use)
            except SandboxLostError as error:
                logger.info("A %s sandbox was lost: %s", self.backend.name, error)
                if attempt == tries:
                    raise
            except BackendUnavailableError as error:
                if self.fallback is None:
                    raise
                logger.warning("%s Falling back to %s.", error, self.fallback.backend.name)
                return self.fallback._with_worker(use, alone=alone, tries=tries)
        raise AssertionError("unreachable")

    def _lend(self, use: Callable[[Worker], _R]) -> _R:
        worker = self._acquire()
        try:
            answer = use(worker)
        except BaseException:  # whatever it was, the worker may be in the middle of something
            self._drop(worker)
            raise
        self._release(worker)
        return answer

    def _acquire(self) -> Worker:
        with self._condition:
            self._condition.wait_for(lambda: self._idle or self._running < self.workers)
            if self._closed:
                raise SandboxError("This sandbox is closed.")
            if self._idle:
                return self._idle.pop()
            self._running += 1
        try:
            return self._start()
        except BaseException:
            self._forget()
            raise

    def _start(self) -> Worker:
        """Starts a worker; waits for a backend that is away, all callers together no longer than the patience."""
        pause = 0.2
        while True:
            try:
                worker = self.backend.start()
            except BackendUnavailableError:
                now = time.monotonic()
                if self._away_since is None:
                    self._away_since = now
                if now + pause > self._away_since + self._patience:
                    raise
                time.sleep(pause)
                pause = min(pause * 1.5, 3.0)
            else:
                self._away_since = None
                return worker

    def _release(self, worker: Worker) -> None:
        if not worker.clean or self._closed:
            self._drop(worker)
            return
        with self._condition:
            self._idle.append(worker)
            self._condition.notify()

    def _drop(self, worker: Worker) -> None:
        worker.close()
        self._forget()

    def _forget(self) -> None:
        with self._condition:
            self._running -= 1
            self._condition.notify()

    def warm_up(self) -> None:
        """Starts all workers now."""
        with contextlib.ExitStack() as stack:
            for worker in [self._acquire() for _ in range(self.workers - self._running + len(self._idle))]:
                stack.callback(self._release, worker)

    def close(self) -> None:
        """Ends every sandbox; afterwards none of its processes is left."""
        with self._condition:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            self._drop(worker)
        self.backend.close()
        if self._companion is not None:
            self._companion.close()
        if self.fallback is not None:
            self.fallback.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
