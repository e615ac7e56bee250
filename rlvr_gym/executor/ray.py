"""RayExecutor: worker processes on all nodes of a Ray cluster, which can be killed one by one, or lost at once.

Every actor owns a :class:`~rlvr_gym.executor.process.ProcessExecutor` of one worker: what kills, reports and cleans
up there does so here. On this side a thread for each actor (a *lane*) takes chunks of items, keeps a few of them on
their way, and hands them back when its actor is gone. So nothing that was sent is forgotten, an item has one outcome
whoever worked for it, and no more than ``workers x in_flight`` chunks are anywhere but here.
"""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rlvr_gym.cluster import connect
from rlvr_gym.errors import ConfigError, describe
from rlvr_gym.executor.base import Executor, Outcome
from rlvr_gym.executor.process import ProcessExecutor
from rlvr_gym.executor.wire import dumps

__all__ = ["RayExecutor"]

_MAX_CHUNK = 64
_CHUNK_BYTES = 8 << 20
_MAX_LOSSES = 3
"""An item that was running on so many actors when they were lost is not tried again."""
_MAX_FAILED_STARTS = 3
_POLL_SECONDS = 0.5
_GRACE_SECONDS = 300.0
"""What a chunk may take beyond the time limits of its items before its actor counts as lost."""


class RayExecutor(Executor):
    """Runs a function in worker processes all over a Ray cluster.

    The contract is that of :class:`~rlvr_gym.executor.process.ProcessExecutor`: one outcome an item, in order; what
    runs over its time is killed with its process group; an item whose worker dies is ``crashed``; functions and items
    travel by pickle. Workers are persistent, so what a verifier keeps (a warm sandbox, a cache) stays warm.

    The items of a node or an actor that is lost are run again elsewhere, one by one: each has one outcome, but may have
    *run* more than once, as is fine for verifiers. An item that was there each of three times is ``crashed``. Items wait
    while the cluster has no room; after ``patience`` seconds without a single worker they are ``crashed``.

    Args:
        workers: most worker processes; None for as many as the cluster has processors now.
        memory_mb: most address space of each; None for no limit.
        cpus: processors that Ray reserves for each.
        in_flight: chunks on their way to an actor, the one that it works on included.
        address: of the cluster (see :func:`rlvr_gym.cluster.connect`).
        patience: seconds to wait for the first worker.

    Raises:
        MissingExtraError: if Ray is not installed.
        ConfigError: if a setting is wrong or no cluster answers, and from :meth:`map` if the executor is closed.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        memory_mb: int | None = None,
        cpus: float = 1.0,
        in_flight: int = 2,
        address: str | None = None,
        patience: float = 120.0,
    ) -> None:
        for name, value in (("workers", workers), ("memory_mb", memory_mb), ("in_flight", in_flight)):
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise ConfigError(f"{name} is a whole number of at least 1; got {value!r}.")
        for name, number in (("cpus", cpus), ("patience", patience)):
            if not (number > 0 and math.isfinite(number)):
                raise ConfigError(f"{name} is a positive number; got {number!r}.")
        ray = connect(address, purpose="The executor 'ray'")
        if workers is None:
            workers = max(1, int(ray.cluster_resources().get("CPU", 1) / cpus))
        self.workers = workers
        # a control group of its own, so that "stop" does not queue behind the work that it is to stop
        station = ray.remote(
            num_cpus=cpus, max_restarts=0, scheduling_strategy="SPREAD", concurrency_groups={"control": 1}
        )(_Station)
        self._pool = _Pool(ray, lambda: station.remote(memory_mb), workers, in_flight, patience)
        self._close = weakref.finalize(self, self._pool.close)  # also runs at interpreter exit

    def map(
        self, function: Callable[[Any], Any], items: Sequence[Any], *, timeout: float | None = None
    ) -> list[Outcome]:
        """One outcome an item, in order. An interrupt (Ctrl-C) kills the items that run, and passes on.

        Raises:
            ConfigError: if the executor is closed or belongs to another process, or the function cannot be sent.
        """
        if timeout is not None and not (timeout > 0 and math.isfinite(timeout)):
            raise ConfigError(f"timeout is None or a positive number of seconds; got {timeout!r}.")
        try:
            pickled = dumps(function)
        except Exception as error:
            raise ConfigError(
                f"{function!r} cannot be sent to a worker process ({describe(error)}); "
                "it must not hold open files, locks, generators or the like."
            ) from error
        return self._pool.run(_Batch(pickled, list(items), timeout))

    def close(self) -> None:
        """Kills the workers and waits until their actors are gone; may be called again."""
        self._close()


# -- in the cluster -----------------------------------------------------------------------------------------------


class _Station:
    """What an actor does. It never unpickles items, results or functions: only its worker, which it can kill, does."""

    def __init__(self, memory_mb: int | None) -> None:
        self._executor = ProcessExecutor(1, memory_mb=memory_mb)

    def ready(self) -> None:
        """Returns once the actor runs."""

    def run(self, function: bytes, items: list[bytes], timeout: float | None) -> list[Outcome]:
        """Outcomes whose values are still pickled."""
        return self._executor.map(_Parcel(function), items, timeout=timeout)

    def stop(self) -> None:
        """Kills the worker and everything in its process group."""
        self._executor.close()


class _Parcel:
    """A pickled function that is unpickled where it is to run, in a :class:`_Call`."""

    def __init__(self, function: bytes) -> None:
        self.function = function

    def __reduce__(self) -> tuple[Any, ...]:
        return _unwrap, (self.function,)

    def __call__(self, item: bytes) -> bytes:
        raise AssertionError("It has become a _Call when it arrives.")


class _Call:
    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, item: bytes) -> bytes:
        return dumps(self.function(pickle.loads(item)))


def _unwrap(function: bytes) -> _Call:
    return _Call(pickle.loads(function))


# -- on this side ---------------------------------------------------------------------------------------------------


@dataclass(eq=False, slots=True)
class _Batch:
    """One call of :meth:`RayExecutor.map`; changed only under the pool's lock.

    Attributes:
        waiting: numbers of the items that are to be sent; lost ones stand in front.
        losses: how often each was running when its actor was lost.
        reference: the pickled function in Ray's object store, from where each node gets it once.
    """

    function: bytes
    items: list[Any]
    timeout: float | None
    waiting: deque[int] = field(default_factory=deque)
    losses: dict[int, int] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    reference: Any = None
    done: threading.Event = field(default_factory=threading.Event)

    def cut(self, most: int) -> list[int]:
        """The next chunk. An item that was lost goes alone, so that it can take no other with it again."""
        numbers = [self.waiting.popleft()]
        while len(numbers) < most and self.waiting and not {numbers[0], self.waiting[0]} & self.losses.keys():
            numbers.append(self.waiting.popleft())
        return numbers


class _Pool:
    """The lanes, and the batches that they take chunks from in turn."""

    def __init__(
        self, ray: Any, make_actor: Callable[[], Any], lanes: int, in_flight: int, patience: float
    ) -> None:
        self.ray, self.make_actor = ray, make_actor
        self.in_flight, self.patience = in_flight, patience
        self.closed = False
        self._limit = lanes
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._lanes: list[_Lane] = []
        self._batches: deque[_Batch] = deque()
        self._failed_starts = 0

    def run(self, batch: _Batch) -> list[Outcome]:
        """Waits for all outcomes of a batch."""
        if os.getpid() != self._pid:
            raise ConfigError("This executor belongs to the process before the fork; make a new one here.")
        if not batch.items and not self.closed:
            return []
        batch.waiting.extend(range(len(batch.items)))
        with self._changed:
            if self.closed:
                raise ConfigError("This executor is closed; make a new one.")
            batch.reference = self.ray.put(batch.function)
            self._batches.append(batch)
            self._failed_starts = 0
            waiting = sum(len(b.items) - len(b.outcomes) for b in self._batches)
            while len(self._lanes) < min(self._limit, waiting):
                self._lanes.append(_Lane(self))
                self._lanes[-1].start()
            self._changed.notify_all()
        try:
            batch.done.wait()
        finally:
            self._withdraw(batch)
        if len(batch.outcomes) < len(batch.items):
            raise ConfigError("This executor was closed before the work was done.")
        return [batch.outcomes[i] for i in range(len(batch.items))]

    def _withdraw(self, batch: _Batch) -> None:
        """Forgets a batch; actors that still work for it (after an interrupt) are killed."""
        with self._changed:
            with contextlib.suppress(ValueError):
                self._batches.remove(batch)
            busy = [lane for lane in self._lanes if any(sent.batch is batch for sent in tuple(lane.sent))]
        for lane in busy:
            lane.kill()

    def wait_for_work(self, lane: _Lane) -> bool:
        """Waits until there is something to send or to receive; False once the pool is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self.closed or lane.sent or any(b.waiting for b in self._batches))
            return not self.closed

    def take(self, *, ahead: bool) -> tuple[_Batch, list[int]] | None:
        """The next chunk, from each batch in turn; None if there is none.

        Chunks grow smaller towards the end of a batch (guided self-scheduling, Polychronopoulos and Kuck 1987), and
        the last items do not queue up behind others while a worker may be idle.

        Args:
            ahead: whether it is to wait at the actor until others are done.
        """
        with self._changed:
            for batch in tuple(self._batches):
                if len(batch.waiting) > (len(self._lanes) if ahead else 0):
                    self._batches.remove(batch)
                    self._batches.append(batch)
                    share = math.ceil(len(batch.waiting) / (2 * len(self._lanes)))
                    return batch, batch.cut(min(share, _MAX_CHUNK))
        return None

    def give_back(self, batch: _Batch, numbers: Sequence[int], *, lost: str = "") -> None:
        """Puts items in front of the queue again; those that were running when an actor was lost only so often."""
        with self._changed:
            hopeless: dict[int, Outcome] = {}
            for number in reversed(numbers):
                losses = batch.losses.get(number, 0)
                if lost:
                    batch.losses[number] = losses = losses + 1
                if losses < _MAX_LOSSES:
                    batch.waiting.appendleft(number)
                else:
                    message = f"Its actor was lost {losses} times, the last time by {lost}"
                    hopeless[number] = Outcome(None, "crashed", message)
            self.finish(batch, hopeless)
            self._changed.notify_all()

    def finish(self, batch: _Batch, outcomes: dict[int, Outcome]) -> None:
        """Takes outcomes in; the first of an item counts."""
        with self._changed:
            batch.outcomes = {**outcomes, **batch.outcomes}
            if len(batch.outcomes) == len(batch.items):
                batch.done.set()

    def started(self, worked: bool, message: str = "") -> None:
        """Counts actors that could not be started, one after another; in the end the waiting items are given up."""
        with self._changed:
            self._failed_starts = 0 if worked else self._failed_starts + 1
            if self._failed_starts >= _MAX_FAILED_STARTS:
                self.give_up(f"No worker could be started: {message}")

    def starved(self) -> None:
        """Tells that a lane has waited for long; if no other has an actor either, the items are given up."""
        with self._changed:
            if not any(lane.ready for lane in self._lanes):
                self.give_up(f"No node of the cluster had room for a worker within {self.patience:g} s.")

    def give_up(self, message: str) -> None:
        """What waits has crashed."""
        with self._changed:
            for batch in tuple(self._batches):
                numbers, batch.waiting = batch.waiting, deque()
                self.finish(batch, {number: Outcome(None, "crashed", message) for number in numbers})

    def close(self) -> None:
        """Kills and waits; in a forked child it does nothing, for the actors are not its own."""
        if os.getpid() != self._pid:
            return
        with self._changed:
            self.closed = True
            for batch in self._batches:
                batch.done.set()
            self._changed.notify_all()
        if not self.ray.is_initialized():
            return  # somebody has shut Ray down, and the actors with it
        for lane in self._lanes:
            lane.kill()
        if threading.current_thread() not in self._lanes:  # the garbage collector may run anywhere
            for lane in self._lanes:
                lane.join()


@dataclass(frozen=True, slots=True)
class _Sent:
    """A chunk at an actor."""

    batch: _Batch
    numbers: list[int]
    result: Any


class _Lane(threading.Thread):
    """A thread that owns at most one actor at a time, and takes no work before that actor runs."""

    def __init__(self, pool: _Pool) -> None:
        super().__init__(name="rlvr-gym-ray-executor", daemon=True)
        self.pool = pool
        self.actor: Any = None
        self.ready = False
        self.sent: deque[_Sent] = deque()
        self._asked: tuple[Any, float] | None = None

    def run(self) -> None:
        """Works until the pool is closed."""
        while self.pool.wait_for_work(self):
            if not self._is_ready():
                continue
            while len(self.sent) < self.pool.in_flight and (taken := self.pool.take(ahead=bool(self.sent))):
                self._send(*taken)
            if self.sent:
                self._receive()
        self.kill()

    def kill(self) -> None:
        """Has the actor kill its worker's process group, and ends it. From any thread; the lane finds it lost."""
        actor, ray = self.actor, self.pool.ray
        if actor is None:
            return
        with contextlib.suppress(Exception):
            if self.ready:
                ray.wait([actor.stop.options(concurrency_group="control").remote()], timeout=5)
            ray.kill(actor)

    def _is_ready(self) -> bool:
        """Whether there is an actor that runs; asks for one if need be, and waits for it for a moment."""
        ray = self.pool.ray
        try:
            if self.actor is None:
                self.actor = self.pool.make_actor()
                self._asked = self.actor.ready.remote(), time.monotonic()
            if not self.ready and self._asked is not None:
                answer, since = self._asked
                if ray.wait([answer], timeout=_POLL_SECONDS)[0]:
                    ray.get(answer)
                    self.ready = True
                    self.pool.started(worked=True)
                elif time.monotonic() - since > self.pool.patience:
                    self.pool.starved()
        except Exception as error:
            self._forget()
            self.pool.started(worked=False, message=describe(error))
        return self.ready

    def _forget(self) -> None:
        self.kill()
        self.actor, self.ready, self._asked = None, False, None

    def _send(self, batch: _Batch, numbers: list[int]) -> None:
        """Sends a chunk, or as much of it as one message should hold."""
        items: list[bytes] = []
        size = 0
        going: list[int] = []
        for place, number in enumerate(numbers):
            if size > _CHUNK_BYTES:
                self.pool.give_back(batch, numbers[place:])
                break
            try:
                item = dumps(batch.items[number])
            except Exception as error:
                message = f"The item cannot be pickled: {describe(error)}"
                self.pool.finish(batch, {number: Outcome(None, "raised", message)})
                continue
            items.append(item)
            going.append(number)
            size += len(item)
        if going:
            result = self.actor.run.remote(batch.reference, items, batch.timeout)
            self.sent.append(_Sent(batch, going, result))

    def _receive(self) -> None:
        """Takes the oldest chunk's outcomes in; if the actor is lost, all that was sent goes back."""
        first = self.sent[0]
        limit = first.batch.timeout
        if limit is not None:
            limit = limit * len(first.numbers) + _GRACE_SECONDS
        try:
            outcomes = self.pool.ray.get(first.result, timeout=limit)
        except (
            Exception
        ) as error:  # the actor catches what items raise: it is gone itself, or was told to stop
            self._lose(describe(error, 200))
            return
        self.sent.popleft()
        unpacked = {n: _unpack(outcome) for n, outcome in zip(first.numbers, outcomes, strict=True)}
        self.pool.finish(first.batch, unpacked)

    def _lose(self, reason: str) -> None:
        """Hands everything back. Only the first chunk was being worked on; the others have lost nothing but time."""
        self._forget()
        gone, self.sent = self.sent, deque()
        for place, sent in reversed(list(enumerate(gone))):
            self.pool.give_back(sent.batch, sent.numbers, lost=reason if place == 0 else "")


def _unpack(outcome: Outcome) -> Outcome:
    if outcome.failure is not None:
        return outcome
    try:
        return replace(outcome, value=pickle.loads(outcome.value))
    except Exception as error:
        message = f"The result cannot be unpickled: {describe(error)}"
        return Outcome(None, "raised", message, outcome.seconds)
