"""The rollout workers from the learner's side: work goes out in shares, and what a lost worker had goes to another."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rlvr_gym.agents.config import RayConfig
from rlvr_gym.agents.distributed.weights import Packed
from rlvr_gym.agents.distributed.worker import RolloutWorker
from rlvr_gym.agents.guards import TrainingError
from rlvr_gym.agents.play import Trajectory
from rlvr_gym.cluster import connect, is_lost, ray_reason
from rlvr_gym.errors import ConfigError
from rlvr_gym.task import Task

__all__ = ["Fleet", "Work"]

_MAX_LOSSES = 3
"""So often may the worker be lost that has the same share."""
_PATIENCE = 300.0
"""Seconds until the first worker has to be there."""
_PATIENCE_FOR_MORE = 60.0
"""Seconds that the others get after it; those that come later are used when they come."""


@dataclass(eq=False, slots=True)
class _Worker:
    """An actor; it counts as ready once its policy is built.

    Attributes:
        shares: how many it has that are not collected.
    """

    handle: Any
    ready: Any
    shares: int = 0


@dataclass(eq=False, slots=True)
class _Share:
    """Tasks for one worker."""

    tasks: Sequence[Task]
    first_row: int
    worker: _Worker | None = None
    promise: Any = None
    losses: int = 0


@dataclass(eq=False, slots=True)
class Work:
    """Tasks to be played with the weights of one version."""

    version: int
    tasks: Sequence[Task]
    first_row: int
    shares: list[_Share] = field(default_factory=list)


class Fleet:
    """Rollout workers that play tasks side by side.

    Tasks are cut into as many shares as the configuration has workers, however many are there: so what is decoded
    together, and with it every number, does not depend on which workers were lost.

    Args:
        config: the section ``ray`` of the run.
        about: the whole configuration as plain data, which workers build their policy from.
        group_size: attempts at each task, which each draw from a random stream.
        say: is told of losses.

    Raises:
        MissingExtraError, ConfigError: if there is no Ray, no cluster, or no room in it.
    """

    def __init__(
        self, config: RayConfig, about: Mapping[str, Any], group_size: int, say: Callable[[str], None]
    ) -> None:
        self._ray = ray = connect(config.address, purpose="The section 'ray' of a training run")
        self._parts, self._group_size, self._say = config.workers, group_size, say
        # a control group of its own, so that "stop" does not queue behind the work that it is to stop
        remote = ray.remote(
            num_cpus=config.cpus,
            num_gpus=config.gpus,
            max_restarts=0,
            scheduling_strategy="SPREAD",
            concurrency_groups={"control": 1},
        )(RolloutWorker)
        self._make = lambda: remote.remote(dict(about))
        self._weights: dict[int, Any] = {}
        self._workers = [self._hire() for _ in range(config.workers)]
        self._await_first()

    def _hire(self) -> _Worker:
        handle = self._make()
        return _Worker(handle, handle.ready.remote())

    def _await_first(self) -> None:
        """One worker has to come; the others are given some time, in which most clusters have them all."""
        asked = [worker.ready for worker in self._workers]
        there, missing = self._ray.wait(asked, timeout=_PATIENCE)
        if not there:
            self.close()
            raise ConfigError(
                f"No node of the cluster had room for a rollout worker within {_PATIENCE:g} s; lower ray.cpus or ray.gpus."
            )
        if missing:
            there, missing = self._ray.wait(asked, num_returns=len(asked), timeout=_PATIENCE_FOR_MORE)
        with self._unwrapped():
            self._ray.get(there)
        if missing:
            self._say(
                f"{len(there)} of {len(asked)} rollout workers are there; the others are used when the cluster has room."
            )

    def publish(self, version: int, packed: Packed, keep: set[int]) -> None:
        """Puts weights where every node can fetch them once; forgets all versions but these and those to ``keep``.

        Raises:
            TrainingError: if there is no room for them.
        """
        self._weights = {known: weights for known, weights in self._weights.items() if known in keep}
        try:
            self._weights[version] = self._ray.put(packed)
        except self._ray.exceptions.RayError as error:
            raise TrainingError(
                f"Version {version} of the weights could not be put into Ray ({ray_reason(error)})"
            ) from error

    def weights(self, version: int) -> Packed:
        """What was published."""
        packed: Packed = self._ray.get(self._weights[version])
        return packed

    def begin(self, work: Work) -> None:
        """Sends work out; does not wait for it."""
        sizes = [len(part) for part in np.array_split(np.arange(len(work.tasks)), self._parts) if len(part)]
        start = 0
        for size in sizes:
            row = (work.first_row + start * self._group_size) % 2**32
            share = _Share(work.tasks[start : start + size], row)
            work.shares.append(share)
            self._send(share, work.version)
            start += size

    def collect(self, work: Work) -> list[list[Trajectory]]:
        """Waits for work; the attempts at each of its tasks, in order.

        Raises:
            TrainingError: if the workers that had a share were lost again and again.
        """
        return [attempts for share in work.shares for attempts in self._receive(share, work.version)]

    def _send(self, share: _Share, version: int) -> None:
        share.worker = worker = self._choose()
        worker.shares += 1
        share.promise = worker.handle.play.remote(
            version, self._weights[version], share.tasks, share.first_row
        )

    def _choose(self) -> _Worker:
        """The worker with the least to do among those that are there."""
        promises = [worker.ready for worker in self._workers]
        there = self._ray.wait(promises, num_returns=len(promises), timeout=0)[0]
        there = there or self._ray.wait(promises, timeout=_PATIENCE)[0]
        able = [worker for worker in self._workers if worker.ready in there]
        if not able:
            raise TrainingError(f"No rollout worker could be had within {_PATIENCE:g} s")
        return min(able, key=lambda worker: worker.shares)

    def _receive(self, share: _Share, version: int) -> list[list[Trajectory]]:
        while True:
            assert share.worker is not None
            try:
                with self._unwrapped():
                    attempts: list[list[Trajectory]] = self._ray.get(share.promise)
            except Exception as error:
                if not is_lost(error):
                    raise
                share.losses += 1
                if share.losses >= _MAX_LOSSES:
                    raise TrainingError(
                        f"Rollout workers were lost {share.losses} times over the same prompts ({ray_reason(error)})"
                    ) from error
                self._replace(share.worker)
                self._say(f"a rollout worker was lost; its {len(share.tasks)} prompts are played by another")
                self._send(share, version)
            else:
                share.worker.shares -= 1
                return attempts

    def _replace(self, lost: _Worker) -> None:
        """Asks for a new worker in the place of a lost one, once."""
        if lost in self._workers:
            self._end(lost)
            self._workers[self._workers.index(lost)] = self._hire()

    @contextlib.contextmanager
    def _unwrapped(self) -> Iterator[None]:
        """What a worker raised, as it raised it."""
        from ray.exceptions import RayTaskError

        try:
            yield
        except RayTaskError as error:
            raise error.cause from None

    def _end(self, worker: _Worker) -> None:
        with contextlib.suppress(Exception):
            if self._ray.wait([worker.ready], timeout=0)[0]:
                stopped = worker.handle.stop.options(concurrency_group="control").remote()
                self._ray.wait([stopped], timeout=5)
            self._ray.kill(worker.handle)

    def close(self) -> None:
        """Ends the workers, whatever they are at."""
        for worker in self._workers:
            self._end(worker)
        self._weights.clear()
