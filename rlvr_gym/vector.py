"""TextVectorEnv: many episodes of one problem, verified as one batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from rlvr_gym.env import EnvSettings, TaskStream, TextEnv
from rlvr_gym.episode import Episode, ObservationMode, act_all
from rlvr_gym.errors import ConfigError
from rlvr_gym.executor import Executor
from rlvr_gym.infos import batch_infos
from rlvr_gym.problem import Problem
from rlvr_gym.rewards import Reward, RewardDesign
from rlvr_gym.spaces import UnicodeText

__all__ = ["TextVectorEnv"]

Array = NDArray[Any]
Step = tuple[tuple[str, ...], Array, Array, Array, dict[str, Any]]
Row = tuple[int, dict[str, Any]]
"""The number of a sub-environment, and an info of it."""
Start = tuple[int, int | None, int | None]
"""The number of a sub-environment, the seed that it is given, and the seed that it takes if it never had one."""


class TextVectorEnv(VectorEnv[tuple[str, ...], Sequence[str], Array]):
    """``num_envs`` copies of a text environment that step together and are verified in one batch.

    Gives what ``SyncVectorEnv`` over :class:`rlvr_gym.env.TextEnv` gives: sub-environment ``i`` runs the stream
    ``seed + i``. Autoreset is ``SAME_STEP`` (default) or ``DISABLED``; ``NEXT_STEP`` would waste every second
    step of a single-turn problem.

    Args:
        env_id: a registered id, or a Problem.
        num_envs: the number of episodes that run side by side.
        autoreset_mode: as an ``AutoresetMode`` or its value.
        max_episode_steps: another name of ``max_turns``, as Gymnasium passes it.
        **problem_settings: the fields of the problem; the other arguments are those of :class:`rlvr_gym.env.TextEnv`.

    Raises:
        ConfigError, UnknownNameError: if a setting is wrong.
    """

    def __init__(
        self,
        env_id: str | Problem,
        *,
        num_envs: int = 1,
        autoreset_mode: str | AutoresetMode = AutoresetMode.SAME_STEP,
        reward: str | Mapping[str, Any] | RewardDesign = "binary",
        observation: ObservationMode = "text",
        system_prompt: str = "plain",
        max_turns: int | None = None,
        max_episode_steps: int | None = None,
        executor: str | Executor = "inline",
        verify_timeout: float = 10.0,
        render_mode: str | None = None,
        **problem_settings: Any,
    ) -> None:
        if num_envs < 1:
            raise ConfigError(f"num_envs is at least 1; got {num_envs}.")
        self.autoreset_mode = self._mode(autoreset_mode)
        self.metadata = {**TextEnv.metadata, "autoreset_mode": self.autoreset_mode}
        self.settings = EnvSettings(
            env_id,
            reward=reward,
            observation=observation,
            system_prompt=system_prompt,
            max_turns=max_episode_steps if max_turns is None else max_turns,
            executor=executor,
            verify_timeout=verify_timeout,
            render_mode=render_mode,
            problem_settings=problem_settings,
        )
        self.num_envs = num_envs
        self.render_mode = render_mode
        self.single_observation_space = UnicodeText()
        self.single_action_space = UnicodeText()
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._streams = [TaskStream(self.settings.problem) for _ in range(num_envs)]
        self._episodes: list[Episode] = []

    @staticmethod
    def _mode(mode: str | AutoresetMode) -> AutoresetMode:
        try:
            chosen = AutoresetMode(mode)
        except ValueError:
            chosen = AutoresetMode.NEXT_STEP
        if chosen is AutoresetMode.NEXT_STEP:
            raise ConfigError(f"autoreset_mode is 'SameStep' or 'Disabled'; got {mode!r}.")
        return chosen

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Begins an episode in every sub-environment, or in those of ``options["reset_mask"]`` ``[num_envs]``."""
        options = dict(options or {})
        mask = self._mask(options)
        if seed is None or isinstance(seed, int):
            super().reset(seed=seed)
            seeds: list[int | None] = [None if seed is None else seed + i for i in range(self.num_envs)]
        else:
            seeds = list(seed)
        if len(seeds) != self.num_envs:
            raise ConfigError(
                f"Give one seed for each of the {self.num_envs} environments; got {len(seeds)}."
            )
        chosen = [i for i in range(self.num_envs) if mask is None or mask[i] or not self.begun]
        starts = [(i, seeds[i], None if self._is_seeded(i) else self._draw_seed()) for i in chosen]
        infos = batch_infos(self.start(starts, options), self.num_envs)
        return self.observe(), infos

    @property
    def begun(self) -> bool:
        """Whether there has been a reset."""
        return bool(self._episodes)

    def _is_seeded(self, i: int) -> bool:
        return self._streams[i].seeded

    def _draw_seed(self) -> int:
        """For a stream that nobody gave a seed."""
        return int(self.np_random.integers(2**32))

    def start(self, starts: Sequence[Start], options: Mapping[str, Any]) -> list[Row]:
        """Begins an episode in some sub-environments; returns their infos. The engine of :meth:`reset`."""
        episodes = dict(enumerate(self._episodes))
        for i, seed, fallback in starts:
            episodes[i] = self.settings.begin(self._streams[i].next(seed, fallback, options))
        self._episodes = [episodes[i] for i in range(self.num_envs)]
        return [(i, episodes[i].info()) for i, _, _ in starts]

    def _mask(self, options: dict[str, Any]) -> Array | None:
        """Takes ``reset_mask`` out of the options; None if it is not there."""
        mask: Array | None = options.pop("reset_mask", None)
        if mask is None:
            return None
        fits = isinstance(mask, np.ndarray) and mask.shape == (self.num_envs,) and mask.dtype == np.bool_
        if not fits or not mask.any():
            raise ConfigError(
                f"options['reset_mask'] is a bool array of shape ({self.num_envs},) with a True in it; got {mask!r}."
            )
        return mask

    def restore(self, states: Sequence[tuple[int, int, Sequence[str]]]) -> None:
        """Puts sub-environments where they were: at a task ``index`` of a stream ``seed``, after some actions.

        Args:
            states: ``(seed, index, actions of the episode so far)`` for all of them, or for none if there was no reset.
        """
        if not states:
            return
        self.start([(i, seed, None) for i, (seed, _, _) in enumerate(states)], {})
        for i, (_, index, actions) in enumerate(states):
            task = self._streams[i].next(None, None, {"index": index})
            self._episodes[i] = self.settings.begin(task)
            for action in actions:
                self._episodes[i].act(action)
        self.settings.judge(self._episodes)

    @property
    def indices(self) -> list[int]:
        """Which task of its stream each sub-environment is at."""
        return [stream.index for stream in self._streams]

    def observe(self) -> tuple[str, ...]:
        """The observations, one a sub-environment."""
        return tuple(episode.observe(self.settings.observation) for episode in self._episodes)

    def step(self, actions: Sequence[str]) -> Step:
        """Takes one completion for each sub-environment in.

        Returns:
            ``(observations, rewards, terminations, truncations, infos)``; arrays of shape ``[num_envs]``. Under
            SAME_STEP a finished episode's last observation and info are ``infos["final_obs"]`` and
            ``infos["final_info"]``.
        """
        self._check(actions)
        totals, terminations, truncations, rows = self.advance(actions)
        return self.observe(), totals, terminations, truncations, batch_infos(rows, self.num_envs)

    def advance(self, actions: Sequence[str]) -> tuple[Array, Array, Array, list[Row]]:
        """Rewards, terminations and truncations ``[num_envs]``, and infos. The engine of :meth:`step`."""
        act_all(self._episodes, actions)
        self.settings.judge(self._episodes)
        rewards = self.settings.rewards(self._episodes)
        terminations = np.array([e.done and not e.truncated for e in self._episodes], dtype=np.bool_)
        truncations = np.array([e.truncated for e in self._episodes], dtype=np.bool_)
        totals = np.array([reward.total for reward in rewards], dtype=np.float64)
        return totals, terminations, truncations, self._collect(rewards)

    def _check(self, actions: Sequence[str]) -> None:
        """Refuses a bad step as a whole, before any episode has moved."""
        if not self.begun:
            raise ConfigError("Call reset() first.")
        if len(actions) != self.num_envs:
            raise ConfigError(
                f"Give one action for each of the {self.num_envs} environments; got {len(actions)}."
            )
        if over := [i for i in range(self.num_envs) if self._is_over(i)]:
            raise ConfigError(f"The episodes {over} are over; reset them by options={{'reset_mask': ...}}.")
        for i, action in enumerate(actions):
            if not isinstance(action, str):
                raise ConfigError(f"An action is a str; action {i} is {type(action).__name__}.")

    def _is_over(self, i: int) -> bool:
        return self._episodes[i].done

    def _collect(self, rewards: list[Reward]) -> list[Row]:
        """The infos; under SAME_STEP, begins the next episode where one ended."""
        infos: list[Row] = []
        for i, reward in enumerate(rewards):
            episode = self._episodes[i]
            info = episode.info(reward.terms)
            if episode.done and self.autoreset_mode is AutoresetMode.SAME_STEP:
                infos.append(
                    (i, {"final_obs": episode.observe(self.settings.observation), "final_info": info})
                )
                self._episodes[i] = self.settings.begin(self._streams[i].next(None, None, None))
                info = self._episodes[i].info()
            infos.append((i, info))
        return infos

    def render(self) -> tuple[str, ...] | None:
        """The conversations, if ``render_mode="ansi"``."""
        return tuple(e.observe("text") for e in self._episodes) if self.render_mode == "ansi" else None

    def close_extras(self, **kwargs: Any) -> None:
        """Frees the executor."""
        self.settings.close()
