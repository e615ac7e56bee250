"""TextEnv: any problem as a ``gymnasium.Env[str, str]``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium

from rlvr_gym.episode import Episode, ObservationMode
from rlvr_gym.errors import ConfigError
from rlvr_gym.executor import Executor, make_executor
from rlvr_gym.problem import Problem
from rlvr_gym.prompts import get_template
from rlvr_gym.registration import load_problem
from rlvr_gym.rewards import Reward, RewardDesign
from rlvr_gym.spaces import UnicodeText
from rlvr_gym.task import Task, TaskSource
from rlvr_gym.verification import verify_all

__all__ = ["EnvSettings", "TextEnv"]

OBSERVATION_MODES = ("text", "chat")


class EnvSettings:
    """What a text environment and its vectorised form have in common: problem, verifier, reward, form.

    Args:
        env_id: a registered id, or a Problem.
        reward: a reward design: name, dict of weights or tree.
        observation: ``"text"``, or ``"chat"`` for JSON messages.
        system_prompt: a template's name, or a system prompt of one's own.
        max_turns: most actions in an episode; None for the problem's own.
        executor: where verification runs: ``"inline"``, ``"process"`` or an Executor.
        verify_timeout: seconds for one verification, where the executor can enforce it.
        problem_settings: the problem's fields.
        render_mode: ``"ansi"``, or None.

    Attributes:
        step: of training, for designs with a schedule; who trains through Gymnasium sets it.
    """

    def __init__(
        self,
        env_id: str | Problem,
        *,
        reward: str | Mapping[str, Any] | RewardDesign,
        observation: ObservationMode,
        system_prompt: str,
        max_turns: int | None,
        executor: str | Executor,
        verify_timeout: float,
        problem_settings: dict[str, Any],
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, "ansi"):
            raise ConfigError(f"render_mode is None or 'ansi'; got {render_mode!r}.")
        if observation not in OBSERVATION_MODES:
            raise ConfigError(f"observation is one of {', '.join(OBSERVATION_MODES)}; got {observation!r}.")
        if isinstance(env_id, Problem):
            if problem_settings:
                raise ConfigError(
                    "Give a Problem or settings, not both: dataclasses.replace() changes a Problem."
                )
            self.problem = env_id
        else:
            self.problem = load_problem(env_id, **problem_settings)
        if max_turns is not None and max_turns < 1:
            raise ConfigError(f"max_turns is at least 1; got {max_turns}.")
        if not (verify_timeout > 0 and math.isfinite(verify_timeout)):
            raise ConfigError(f"verify_timeout is a positive number of seconds; got {verify_timeout!r}.")
        self.max_turns = max_turns
        self.observation = observation
        self.template = get_template(system_prompt)
        self.design = RewardDesign.parse(reward)
        self.verifier = self.problem.make_verifier()
        self.step = 0
        self.verify_timeout = verify_timeout
        self._owns_executor = isinstance(executor, str)
        self.executor = make_executor(executor) if isinstance(executor, str) else executor

    def begin(self, task: Task) -> Episode:
        """A new episode about ``task``."""
        limit = self.problem.turn_limit(task) if self.max_turns is None else self.max_turns
        return Episode(self.problem, task, self.template, limit)

    def judge(self, episodes: list[Episode]) -> None:
        """Verifies every episode that waits for a verdict, all at once."""
        waiting = [episode for episode in episodes if episode.pending is not None]
        verdicts = verify_all(
            self.verifier,
            [episode.pending or "" for episode in waiting],
            [episode.task for episode in waiting],
            self.executor,
            timeout=self.verify_timeout,
        )
        for episode, verdict in zip(waiting, verdicts, strict=True):
            episode.conclude(verdict)

    def rewards(self, episodes: list[Episode]) -> list[Reward]:
        """The reward of each episode: 0 while it goes on, nan if verification failed.

        Each episode is a group of its own: different episodes are about different prompts.
        """
        rollouts = [episode.rollout() for episode in episodes if episode.done]
        if self.design.compares:
            ended = iter([reward for rollout in rollouts for reward in self.design([rollout], self.step)])
        else:
            ended = iter(self.design(rollouts, self.step))
        return [next(ended) if episode.done else Reward(0.0) for episode in episodes]

    def close(self) -> None:
        """Frees the executor, if it was made here."""
        if self._owns_executor:
            self.executor.close()


class TextEnv(gymnasium.Env[str, str]):
    """A text environment with a verifiable reward.

    The observation is the prompt (or the conversation so far), the action is the policy's completion. A
    single-turn problem terminates after one step.

    ``reset(seed=s)`` goes to the first task of the stream ``s``, each further ``reset()`` to the next one;
    ``reset(options={"index": i})`` goes to task ``i``. The end of a finite source is followed by its beginning.

    The reward is nan if verification itself failed (``info["verdict"].valid`` is False): such a sample has no
    reward, and must not be taken for a wrong answer.

    Example:
        >>> import gymnasium
        >>> env = gymnasium.make("rlvr_gym:rlvr/Arithmetic-v0", difficulty=1)
        >>> prompt, info = env.reset(seed=0)
        >>> _, reward, terminated, truncated, info = env.step("<answer>banana</answer>")
        >>> reward, terminated, str(info["verdict"].reason)
        (0.0, True, 'unparseable')

    Args:
        env_id: a registered id, or a Problem.
        reward: a reward design: name, dict of weights or tree (see :mod:`rlvr_gym.rewards.design`).
        observation: ``"text"``, or ``"chat"`` for JSON messages.
        system_prompt: ``"plain"``, ``"r1"``, ``"boxed"``, or a text of one's own.
        max_turns: most actions in an episode; None for the problem's own.
        executor: where verification runs: ``"inline"``, ``"process"`` or an Executor.
        verify_timeout: seconds for one verification, where the executor can enforce it.
        render_mode: ``"ansi"`` for the conversation as text.
        **problem_settings: the problem's fields, such as ``difficulty``.

    Raises:
        ConfigError, UnknownNameError: if a setting is wrong.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"], "render_fps": 1}  # type: ignore[misc]

    def __init__(
        self,
        env_id: str | Problem,
        *,
        reward: str | Mapping[str, Any] | RewardDesign = "binary",
        observation: ObservationMode = "text",
        system_prompt: str = "plain",
        max_turns: int | None = None,
        executor: str | Executor = "inline",
        verify_timeout: float = 10.0,
        render_mode: str | None = None,
        **problem_settings: Any,
    ) -> None:
        self.settings = EnvSettings(
            env_id,
            reward=reward,
            observation=observation,
            system_prompt=system_prompt,
            max_turns=max_turns,
            executor=executor,
            verify_timeout=verify_timeout,
            render_mode=render_mode,
            problem_settings=problem_settings,
        )
        self.render_mode = render_mode
        self.observation_space = UnicodeText()
        self.action_space = UnicodeText()
        self._stream = TaskStream(self.settings.problem)
        self._episode: Episode | None = None

    @property
    def task(self) -> Task:
        """The current task, answer included: for evaluation and debugging, never for an agent."""
        return self._current().task

    @property
    def problem(self) -> Problem:
        """The problem behind this environment."""
        return self.settings.problem

    def _current(self) -> Episode:
        if self._episode is None:
            raise ConfigError("Call reset() first.")
        return self._episode

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Begins an episode; ``options={"index": i}`` chooses the task."""
        super().reset(seed=seed)
        fallback = None if self._stream.seeded else int(self.np_random.integers(2**32))
        task = self._stream.next(seed, fallback, options)
        self._episode = self.settings.begin(task)
        return self._episode.observe(self.settings.observation), self._episode.info()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Takes one completion in; returns ``(observation, reward, terminated, truncated, info)``."""
        episode = self._current()
        episode.act(action)
        self.settings.judge([episode])
        (reward,) = self.settings.rewards([episode])
        return (
            episode.observe(self.settings.observation),
            reward.total,
            episode.done and not episode.truncated,
            episode.truncated,
            episode.info(reward.terms),
        )

    def render(self) -> str | None:
        """The conversation so far, if ``render_mode="ansi"``."""
        return self._current().observe("text") if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Frees the executor."""
        self.settings.close()


class TaskStream:
    """Where an environment stands in the stream of its tasks."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._source: TaskSource | None = None
        self._index = -1

    @property
    def seeded(self) -> bool:
        """Whether a stream has been chosen."""
        return self._source is not None

    @property
    def index(self) -> int:
        """Of the current task in its stream; -1 before the first."""
        return self._index

    def next(self, seed: int | None, fallback: int | None, options: Mapping[str, Any] | None) -> Task:
        """The first task of stream ``seed``; without a seed the next one; or the one that ``options`` names."""
        if seed is not None or self._source is None:
            self._source = self._problem.source(seed if seed is not None else fallback or 0)
            self._index = -1
        self._index = self._wanted(options)
        return self._source[self._index]

    def _wanted(self, options: Mapping[str, Any] | None) -> int:
        assert self._source is not None
        length = self._source.length
        if not options or "index" not in options:
            return (self._index + 1) % length if length else self._index + 1
        index = options["index"]
        if not isinstance(index, int) or index < 0 or (length is not None and index >= length):
            raise ConfigError(f"options['index'] goes from 0 to {(length or 2**32) - 1}; got {index!r}.")
        return index
