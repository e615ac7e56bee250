"""RayExecutor: worker processes on all nodes of a Ray cluster, which can be killed one by one, or lost at once.

Every actor owns a :class:`~rlvr_gym.executor.process.ProcessExecutor` of one worker: what kills, reports and cleans
up there does so here. On this side a thread for each actor (a *lane*) takes chunks of items, keeps a few of them on
their way, and hands them back when its actor is gone. So nothing that was sent is forgotten, an item has one outcome
whoever worked for it, and no more than ``workers x in_flight`` chunks are anywhere but here.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rlvr_gym.cluster import connect, ray_reason
from rlvr_gym.errors import ConfigError, describe
from rlvr_gym.executor.base import Outcome
from rlvr_gym.executor.pool import Batch, Pool, PoolExecutor, check_count
from rlvr_gym.executor.station import Station, unpacked_outcome
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


class RayExecutor(PoolExecutor):
    """Runs a function in worker processes all over a Ray cluster.

    The contract is that of :class:`~rlvr_gym.executor.process.ProcessExecutor`: one outcome an item, in order; what
    runs over its time is killed with its process group; an item whose worker dies is ``crashed``; functions and items
    travel by pickle. Workers are persistent, so what a verifier keeps (a warm sandbox, a cache) stays warm.

    The items of a node or an actor that is lost are run again elsewhere, one by one: each has one outcome, but may have
    *run* more than once, as is fine for verifiers. An item that was there each of three times is ``crashed``; so is one
    that Ray's object store had no room for (or for its result) three times. Items wait while the cluster has no
    processors free; after ``patience`` seconds without a single worker they are ``crashed``.

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
            if value is not None:
                check_count(name, value)
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
        )(Station)
        super().__init__(_Pool(ray, lambda: station.remote(memory_mb), workers, in_flight, patience))


@dataclass(eq=False, slots=True)
class _Batch(Batch):
    """A batch whose items are taken in chunks.

    Attributes:
        waiting: numbers of the items that are to be sent; lost ones stand in front.
        losses: how often each was running when its actor was lost.
        reference: the pickled function in Ray's object store, from where each node gets it once.
    """

    waiting: deque[int] = field(default_factory=deque)
    losses: dict[int, int] = field(default_factory=dict)
    reference: Any = None

    def crash(self, message: str) -> None:
        """What waits has crashed."""
        numbers, self.waiting = self.waiting, deque()
        self.finish({number: Outcome(None, "crashed", message) for number in numbers})

    def cut(self, most: int) -> list[int]:
        """The next chunk. An item that was lost goes alone, so that it can take no other with it again."""
        numbers = [self.waiting.popleft()]
        while len(numbers) < most and self.waiting and not {numbers[0], self.waiting[0]} & self.losses.keys():
            numbers.append(self.waiting.popleft())
        return numbers


class _Pool(Pool[_Batch, "_Lane"]):
    def __init__(
        self, ray: Any, make_actor: Callable[[], Any], lanes: int, in_flight: int, patience: float
    ) -> None:
        super().__init__(lanes)
        self.ray, self.make_actor = ray, make_actor
        self.in_flight, self.patience = in_flight, patience
        self._failed_starts = 0

    def batch(self, function: bytes, items: list[Any], timeout: float | None) -> _Batch:
        """A batch of which everything waits."""
        return _Batch(function, items, timeout, waiting=deque(range(len(items))))

    def thread(self) -> _Lane:
        """A lane."""
        return _Lane(self)

    def admit(self, batch: _Batch) -> None:
        """Hands the function to Ray, and lets actors fail to start anew."""
        self._failed_starts = 0
        try:
            batch.reference = self.ray.put(batch.function)
        except self.ray.exceptions.RayError as error:
            batch.crash(f"The function could not be sent: {ray_reason(error)}")

    def kill_workers(self, batch: _Batch | None) -> None:
        """Kills outside the lock, for every actor is given some seconds to end its worker."""
        with self._changed:
            lanes = [
                lane
                for lane in self._threads
                if batch is None or any(sent.batch is batch for sent in tuple(lane.sent))
            ]
        for lane in lanes:
            lane.kill()

    def is_orphaned(self) -> bool:
        """Whether somebody has shut Ray down, and the actors with it."""
        return not self.ray.is_initialized()

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
                if len(batch.waiting) > (len(self._threads) if ahead else 0):
                    self._batches.remove(batch)
                    self._batches.append(batch)
                    share = math.ceil(len(batch.waiting) / (2 * len(self._threads)))
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
                    message = f"It was lost {losses} times on the cluster, the last time by {lost}"
                    hopeless[number] = Outcome(None, "crashed", message)
            self.finish(batch, hopeless)
            self._changed.notify_all()

    def finish(self, batch: _Batch, outcomes: dict[int, Outcome]) -> None:
        """Takes outcomes in; the first of an item counts."""
        with self._changed:
            batch.finish(outcomes)

    def started(self, worked: bool, message: str = "") -> None:
        """Counts actors that could not be started, one after another; in the end the waiting items are given up."""
        with self._changed:
            self._failed_starts = 0 if worked else self._failed_starts + 1
            if self._failed_starts >= _MAX_FAILED_STARTS:
                self.give_up(f"No worker could be started: {message}")

    def starved(self) -> None:
        """Tells that a lane has waited for long; if no other has an actor either, the items are given up."""
        with self._changed:
            if not any(lane.ready for lane in self._threads):
                self.give_up(f"No node of the cluster had room for a worker within {self.patience:g} s.")

    def give_up(self, message: str) -> None:
        """What waits has crashed."""
        with self._changed:
            for batch in tuple(self._batches):
                batch.crash(message)


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
            self.pool.started(worked=False, message=ray_reason(error))
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
            try:
                result = self.actor.run.remote(batch.reference, items, batch.timeout)
            except Exception as error:  # no room for them in Ray's object store
                self.pool.give_back(batch, going, lost=ray_reason(error))
                time.sleep(_POLL_SECONDS)  # others may make some
            else:
                self.sent.append(_Sent(batch, going, result))

    def _receive(self) -> None:
        """Takes the oldest chunk's outcomes in; if the actor is lost, all that was sent goes back."""
        first = self.sent[0]
        limit = first.batch.timeout
        if limit is not None:
            limit = limit * len(first.numbers) + _GRACE_SECONDS
        try:
            outcomes = self.pool.ray.get(first.result, timeout=limit)
        except Exception as error:
            # the actor catches what items raise: it is gone itself, was told to stop, or found no room for the result
            self._lose(ray_reason(error))
            return
        self.sent.popleft()
        unpacked = {n: unpacked_outcome(outcome) for n, outcome in zip(first.numbers, outcomes, strict=True)}
        self.pool.finish(first.batch, unpacked)

    def _lose(self, reason: str) -> None:
        """Hands everything back. Only the first chunk was being worked on; the others have lost nothing but time."""
        self._forget()
        gone, self.sent = self.sent, deque()
        for place, sent in reversed(list(enumerate(gone))):
            self.pool.give_back(sent.batch, sent.numbers, lost=reason if place == 0 else "")
