"""RayVectorEnv: the sub-environments of a vector environment, in actors on the nodes of a Ray cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from rlvr_gym.cluster import connect, is_lost, ray_reason
from rlvr_gym.errors import ConfigError, RLVRError
from rlvr_gym.problem import Problem
from rlvr_gym.rewards import RewardDesign
from rlvr_gym.vector import Array, Row, Start, TextVectorEnv

__all__ = ["RayVectorEnv"]

_MAX_LOSSES = 5
"""So often in a row may the actor of a call be lost."""


class RayVectorEnv(TextVectorEnv):
    """A :class:`~rlvr_gym.vector.TextVectorEnv` whose sub-environments live in Ray actors.

    Spaces, observations, rewards, infos, autoreset and seeds are the same, byte for byte. Each actor holds a share
    of the sub-environments and verifies it. An environment's state is a function of its seed, the number of its task
    and the actions of its episode so far, and those are kept here: what an actor or node held that is lost is played
    again on another, and the step goes on as if nothing had been.

    Worth it where a step is expensive (verification by programs or proofs): a call costs about a millisecond.

    Args:
        env_id: a registered id, or a Problem.
        num_envs: the number of episodes that run side by side.
        actors: how many actors share them; None for as many as the cluster has processors, one an environment at most.
        cpus: processors that Ray reserves for each actor.
        address: of the cluster (see :func:`rlvr_gym.cluster.connect`).
        patience: seconds that an actor may take to start, as when the cluster has no room.
        executor: where each actor verifies: ``"inline"`` or ``"process"``.
        reward, **settings: as for :class:`~rlvr_gym.vector.TextVectorEnv`.

    Raises:
        MissingExtraError: if Ray is not installed.
        ConfigError, UnknownNameError: if a setting is wrong, or no cluster answers.
        RLVRError: from any call, if actors are lost faster than they can be replaced.
    """

    def __init__(
        self,
        env_id: str | Problem,
        *,
        num_envs: int = 1,
        actors: int | None = None,
        cpus: float = 1.0,
        address: str | None = None,
        patience: float = 120.0,
        executor: str = "inline",
        reward: str | Mapping[str, Any] | RewardDesign = "binary",
        **settings: Any,
    ) -> None:
        if not isinstance(executor, str):
            raise ConfigError(f"Each actor makes an executor of its own: give its name; got {executor!r}.")
        super().__init__(env_id, num_envs=num_envs, reward=reward, **settings)
        ray = connect(address, purpose="RayVectorEnv")
        if actors is None:
            actors = max(1, int(ray.cluster_resources().get("CPU", 1) / cpus))
        if actors < 1:
            raise ConfigError(f"actors is at least 1; got {actors}.")
        self._states = [_State() for _ in range(num_envs)]
        self._texts: list[str] = [""] * num_envs
        self._done: list[bool] = []
        remote = ray.remote(num_cpus=cpus, max_restarts=0, scheduling_strategy="SPREAD")(_Share)
        given = {
            "reward": self.settings.design,
            "autoreset_mode": self.autoreset_mode,
            "observation": self.settings.observation,
            "system_prompt": settings.get("system_prompt", "plain"),
            "max_turns": self.settings.max_turns,
            "executor": executor,
            "verify_timeout": self.settings.verify_timeout,
            "render_mode": self.render_mode,
        }
        shares = np.array_split(np.arange(num_envs), min(actors, num_envs))
        self._actors = [
            _Actor(ray, partial(remote.remote, self.settings.problem, numbers, given), numbers, patience)
            for numbers in map(np.ndarray.tolist, shares)
        ]

    @property
    def begun(self) -> bool:
        """Whether there has been a reset."""
        return bool(self._done)

    def _is_seeded(self, i: int) -> bool:
        return self._states[i].seed is not None

    def _is_over(self, i: int) -> bool:
        return self._done[i]

    def start(self, starts: Sequence[Start], options: Mapping[str, Any]) -> list[Row]:
        """Begins an episode in some sub-environments; returns their infos."""
        shares = [([s for s in starts if s[0] in actor.numbers], dict(options)) for actor in self._actors]
        answers = self._ask("start", shares)
        indices = self._take(answers)
        done = self._done or [False] * self.num_envs
        for i, seed, fallback in starts:
            known = self._states[i].seed
            self._states[i] = _State(next(s for s in (seed, known, fallback, 0) if s is not None), indices[i])
            done[i] = False
        self._done = done
        return [row for answer in answers for row in answer.rows]

    def advance(self, actions: Sequence[str]) -> tuple[Array, Array, Array, list[Row]]:
        """Rewards, terminations and truncations ``[num_envs]``, and infos."""
        step = self.settings.step
        answers = self._ask("advance", [([actions[i] for i in a.numbers], step) for a in self._actors])
        indices = self._take(answers)
        totals, ended, cut = (np.concatenate([answer.arrays[k] for answer in answers]) for k in range(3))
        again = self.autoreset_mode is AutoresetMode.SAME_STEP
        for i, over in enumerate((ended | cut).tolist()):
            state = self._states[i]
            state.index = indices[i]
            state.actions = [] if over and again else [*state.actions, actions[i]]
            self._done[i] = over and not again
        return totals, ended, cut, [row for answer in answers for row in answer.rows]

    def _ask(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[_Answer]:
        """What every actor answers, all asked side by side; lost ones are replaced and asked again."""
        promises = [actor.ask(method, *given) for actor, given in zip(self._actors, arguments, strict=True)]
        return [
            actor.answer(promise, self._states, method, *given)
            for actor, promise, given in zip(self._actors, promises, arguments, strict=True)
        ]

    def _take(self, answers: Sequence[_Answer]) -> list[int]:
        """Keeps the observations; returns which task each sub-environment is at."""
        self._texts = [text for answer in answers for text in answer.texts]
        return [index for answer in answers for index in answer.indices]

    def observe(self) -> tuple[str, ...]:
        """The observations, one a sub-environment."""
        return tuple(self._texts)

    def render(self) -> tuple[str, ...] | None:
        """The conversations, if ``render_mode="ansi"``."""
        if self.render_mode != "ansi":
            return None
        return tuple(t for answer in self._ask("render", [()] * len(self._actors)) for t in answer.texts)

    def close_extras(self, **kwargs: Any) -> None:
        """Ends the actors."""
        for actor in self._actors:
            actor.end()
        super().close_extras(**kwargs)


@dataclass(slots=True)
class _State:
    """All that a sub-environment can be rebuilt from: what ran before this episode has left no trace in it."""

    seed: int | None = None
    index: int = -1
    actions: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Answer:
    """What an actor says of its sub-environments: rewards, terminations, truncations; infos; observations; tasks."""

    texts: tuple[str, ...]
    indices: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    arrays: tuple[Array, ...] = ()


class _Share:
    """What an actor does: a part of the sub-environments, which keep the numbers that they have in the whole."""

    def __init__(self, problem: Problem, numbers: Sequence[int], settings: dict[str, Any]) -> None:
        self._numbers = list(numbers)
        self._envs = TextVectorEnv(problem, num_envs=len(self._numbers), **settings)

    def ready(self) -> None:
        """Returns once the actor runs."""

    def start(self, starts: Sequence[Start], options: dict[str, Any]) -> _Answer:
        """See :meth:`TextVectorEnv.start`."""
        local = [(self._numbers.index(i), seed, fallback) for i, seed, fallback in starts]
        return self._answer(self._envs.start(local, options))

    def advance(self, actions: Sequence[str], step: int) -> _Answer:
        """See :meth:`TextVectorEnv.advance`."""
        self._envs.settings.step = step
        *arrays, rows = self._envs.advance(actions)
        return self._answer(rows, tuple(arrays))

    def restore(self, states: Sequence[_State]) -> None:
        """Plays again what was played elsewhere."""
        self._envs.restore([(s.seed, s.index, s.actions) for s in states if s.seed is not None])

    def render(self) -> _Answer:
        """The conversations."""
        return _Answer(self._envs.render() or ())

    def stop(self) -> None:
        """Ends the processes of the executor."""
        self._envs.close()

    def _answer(self, rows: Sequence[Row], arrays: tuple[Array, ...] = ()) -> _Answer:
        numbered = [(self._numbers[i], info) for i, info in rows]
        return _Answer(self._envs.observe(), self._envs.indices, numbered, arrays)


class _Actor:
    """An actor from this side; a lost one is replaced, and given the states that it had."""

    def __init__(self, ray: Any, make: Callable[[], Any], numbers: Sequence[int], patience: float) -> None:
        self.numbers = numbers
        self._ray, self._make, self._patience = ray, make, patience
        self._begin()

    def _begin(self) -> None:
        self._handle = self._make()
        self._ready = self._handle.ready.remote()

    def ask(self, method: str, *arguments: Any) -> Any:
        """A promise of the answer."""
        return getattr(self._handle, method).remote(*arguments)

    def answer(self, promise: Any, states: Sequence[_State], method: str, *arguments: Any) -> _Answer:
        """The answer, whoever may be lost over it."""
        reason = ""
        for _ in range(_MAX_LOSSES):
            try:
                return self._wait(promise)
            except Exception as error:
                if not is_lost(error):
                    raise getattr(error, "cause", error) from None
                reason = ray_reason(error)
            self.end()
            self._begin()
            self._handle.restore.remote([states[i] for i in self.numbers])
            promise = self.ask(method, *arguments)
        raise RLVRError(f"Environments were lost {_MAX_LOSSES} times in a row, the last time by {reason}")

    def _wait(self, promise: Any) -> _Answer:
        """The result. What has begun may take its time; what finds no place to begin may not."""
        if not self._ray.wait([self._ready], timeout=self._patience)[0]:
            raise ConfigError(
                f"No node of the cluster had room for an actor within {self._patience:g} s; lower actors or cpus."
            )
        answer: _Answer = self._ray.get(promise)
        return answer

    def end(self) -> None:
        """Ends the actor, and first the processes that it has started."""
        with contextlib.suppress(Exception):
            self._ray.wait([self._handle.stop.remote()], timeout=5)
            self._ray.kill(self._handle)
