"""ProcessExecutor: worker processes that can be killed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from rlvr_gym.errors import describe
from rlvr_gym.executor.base import Outcome
from rlvr_gym.executor.pool import Batch, Pool, PoolExecutor, check_count, unpickled
from rlvr_gym.executor.wire import (
    FUNCTION,
    FUNCTION_CACHE,
    ITEM,
    KEY_BYTES,
    VALUE,
    Frame,
    dumps,
    receive,
    send,
)

__all__ = ["ProcessExecutor"]

_BOOT = (
    "import sys; sys.path[:] = sys.argv[4:]; from rlvr_gym.executor.worker import main; "
    "main(*map(int, sys.argv[1:4]))"
)
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_START_SECONDS = 120.0
_MAX_FAILED_STARTS = 3


class ProcessExecutor(PoolExecutor):
    """Runs a function in persistent worker processes, one item at a time in each.

    An item that runs over its time is killed together with every process of its worker's group; so is what a
    crashed worker leaves behind. Only that item is lost, and the worker is replaced. ``timeout`` counts from the
    moment the item is sent to an idle worker, and also covers code that never returns to Python.

    The function may be a lambda, a closure or come from ``__main__`` or a notebook; it is sent once to each
    worker, which keeps it, so it should not depend on state that it changes. Items and results travel by pickle;
    what does not pickle is a ``raised`` outcome. What workers print goes to standard error.

    Workers start when there is work for them (about half a second each), and are gone after :meth:`close`, when
    the executor is collected, and when this process ends in any way, ``kill -9`` included (on Linux; elsewhere a
    worker that is busy at that moment first finishes its item). After a fork, the child must make its own
    executor: this one raises there, and leaves the parent's workers alone.

    Args:
        workers: most processes; None for the number of usable cores.
        memory_mb: most address space of each worker; more gives MemoryError in the function. None for no limit.

    Raises:
        ConfigError: if a setting is wrong, and from :meth:`map` if the executor is closed.
    """

    def __init__(self, workers: int | None = None, *, memory_mb: int | None = None) -> None:
        if workers is None:
            workers = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        check_count("workers", workers)
        if memory_mb is not None:
            check_count("memory_mb", memory_mb)
        self.workers = workers
        super().__init__(_Pool(workers, memory_mb or 0))


@dataclass(eq=False, slots=True)
class _Batch(Batch):
    """A batch whose items are taken one by one.

    Attributes:
        key: of the function, by which a worker knows it again.
        next: the place of the first item that nobody has taken.
        failed_starts: workers that could not be started for it, one after another.
    """

    key: bytes = b""
    next: int = 0
    failed_starts: int = 0


class _Pool(Pool[_Batch, "_Slot"]):
    def __init__(self, workers: int, memory_mb: int) -> None:
        super().__init__(workers)
        self.memory_mb = memory_mb

    def batch(self, function: bytes, items: list[Any], timeout: float | None) -> _Batch:
        """A batch whose function has the key that its bytes give."""
        key = hashlib.blake2b(function, digest_size=KEY_BYTES).digest()
        return _Batch(function, items, timeout, key=key)

    def thread(self) -> _Slot:
        """A slot."""
        return _Slot(self)

    def kill_workers(self, batch: _Batch | None) -> None:
        """Kills under the lock, so that no slot can take another item, or a new worker, meanwhile."""
        with self._changed:
            for slot in self._threads:
                if slot.worker is not None and (batch is None or slot.batch is batch):
                    slot.worker.kill()

    def take(self, slot: _Slot) -> tuple[_Batch, int] | None:
        """The next item for an idle slot, from each batch in turn; None if the pool is closed."""
        with self._changed:
            while True:
                if self.closed:
                    return None
                for batch in self._batches:
                    if batch.next < len(batch.items):
                        self._batches.remove(batch)
                        self._batches.append(batch)
                        batch.next += 1
                        slot.batch = batch
                        return batch, batch.next - 1
                self._changed.wait()

    def finish(self, slot: _Slot, batch: _Batch, index: int, outcome: Outcome) -> None:
        """Takes an outcome in."""
        with self._changed:
            slot.batch = None
            done = {index: outcome}
            if batch.failed_starts >= _MAX_FAILED_STARTS:
                done |= dict.fromkeys(range(batch.next, len(batch.items)), outcome)
                batch.next = len(batch.items)
            batch.finish(done)

    def started(self, batch: _Batch, worked: bool) -> None:
        """Counts the workers that could not start or load the function, one after another."""
        with self._changed:
            batch.failed_starts = 0 if worked else batch.failed_starts + 1

    def adopt(self, slot: _Slot, worker: _Worker) -> None:
        """Makes a new worker known to those who may kill it, or kills it if they have been here already."""
        with self._changed:
            slot.worker = worker
            if self.closed or slot.batch not in self._batches:
                worker.kill()


class _Slot(threading.Thread):
    """A thread that owns at most one worker at a time.

    It lives as long as the pool, because the kernel ties "kill me when my parent dies" to the thread that
    started the worker, not to its process.
    """

    def __init__(self, pool: _Pool) -> None:
        super().__init__(name="rlvr-gym-executor", daemon=True)
        self.pool = pool
        self.worker: _Worker | None = None
        self.batch: _Batch | None = None

    def run(self) -> None:
        """Works until the pool is closed."""
        while (taken := self.pool.take(self)) is not None:
            batch, index = taken
            try:
                outcome = self._work(batch, batch.items[index])
            except Exception as error:
                outcome = Outcome(failure="crashed", message=describe(error))
                self._discard()
            self.pool.finish(self, batch, index, outcome)
        self._discard()

    def _discard(self) -> str:
        worker, self.worker = self.worker, None
        return worker.end() if worker else ""

    def _work(self, batch: _Batch, item: Any) -> Outcome:
        try:
            pickled = dumps(item)
        except Exception as error:
            return Outcome(failure="raised", message=f"The item cannot be pickled: {describe(error)}")
        try:
            worker = self._ready(batch)
        except _LoadError as error:
            return Outcome(failure="raised", message=str(error))
        except (EOFError, OSError) as error:
            self.pool.started(batch, worked=False)
            reason = f"it {end}" if (end := self._discard()) else describe(error)
            return Outcome(failure="crashed", message=f"No worker could be started: {reason}.")
        self.pool.started(batch, worked=True)
        return self._run_item(worker, batch.key + pickled, batch.timeout)

    def _run_item(self, worker: _Worker, payload: bytes, timeout: float | None) -> Outcome:
        start = time.perf_counter()
        try:
            return _outcome(worker.ask(ITEM, payload, timeout))
        except TimeoutError:
            self._discard()
            return Outcome(None, "timeout", f"Killed after {timeout} s.", time.perf_counter() - start)
        except (EOFError, OSError):
            return Outcome(None, "crashed", f"The worker {self._discard()}.", time.perf_counter() - start)

    def _ready(self, batch: _Batch) -> _Worker:
        """A living worker that has the function of this batch."""
        if self.worker is None or not self.worker.idle():
            self._discard()
            self.pool.adopt(self, _Worker(self.pool.memory_mb))
        assert self.worker is not None
        self.worker.load(batch.key, batch.function)
        return self.worker


class _LoadError(Exception):
    """The function does not unpickle in the worker."""


class _Worker:
    """A worker process and the connection to it."""

    def __init__(self, memory_mb: int) -> None:
        self._connection, theirs = socket.socketpair()
        self._doomed = False
        self._loaded: set[bytes] = set()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [
                        sys.executable,
                        "-c",
                        _BOOT,
                        str(theirs.fileno()),
                        str(os.getpid()),
                        str(memory_mb),
                        *sys.path,
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=2,  # prints must not run into what this program writes to standard output
                    pass_fds=[theirs.fileno()],
                    env={**os.environ, **_ONE_THREAD},
                    start_new_session=True,  # a group of its own: no Ctrl-C, and killed as a whole
                )
            except BaseException:
                self._connection.close()
                raise

    def idle(self) -> bool:
        """Whether it is alive and waits: nothing, not even an end of file, is there to be read."""
        if self._doomed:
            return False
        try:
            self._connection.settimeout(0)
            self._connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def load(self, key: bytes, function: bytes) -> None:
        """Has the worker know a function.

        Raises:
            _LoadError: if it cannot be unpickled there.
            EOFError, OSError: if the worker died over it, or does not answer.
        """
        if key in self._loaded:
            return
        frame = self.ask(FUNCTION, key + function, _START_SECONDS)
        if frame.kind != VALUE:
            raise _LoadError(f"The function cannot be loaded in a worker: {_text(frame)}")
        if len(self._loaded) >= FUNCTION_CACHE:
            self._loaded.clear()
        self._loaded.add(key)

    def ask(self, kind: bytes, payload: bytes, timeout: float | None) -> Frame:
        """Sends one message and waits for its answer, ``timeout`` seconds in all."""
        deadline = None if timeout is None else time.monotonic() + timeout
        self._connection.settimeout(timeout)
        send(self._connection, kind, payload)
        if deadline is not None:
            self._connection.settimeout(max(deadline - time.monotonic(), 1e-3))
        return receive(self._connection)

    def kill(self) -> None:
        """Kills its process group. The process is not waited for, so that its number stays its own."""
        self._doomed = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> str:
        """Kills and reaps it; says how it ended (a kill does not change the status of what ends by itself)."""
        self.kill()
        code = self._process.wait()
        self._connection.close()
        return f"was killed: {signal.strsignal(-code)}" if code < 0 else f"exited with code {code}"


def _text(frame: Frame) -> str:
    return frame.payload.decode(errors="replace")


def _outcome(frame: Frame) -> Outcome:
    if frame.kind != VALUE:
        return Outcome(None, "raised", _text(frame), frame.seconds)
    return unpickled(frame.payload, frame.seconds)
