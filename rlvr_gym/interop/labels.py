"""The label: one JSON text that travels in a row of anybody's data set and suffices to score a completion of it.

A label is ``{"spec": {...}, "task": {...}}``: which environment, with which settings and which reward design, and the
task with its reference answer. It is read as JSON and nothing else, in any process, on any machine that has rlvr-gym.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium

from rlvr_gym.env import TextEnv
from rlvr_gym.episode import Message
from rlvr_gym.errors import ConfigError, DataError
from rlvr_gym.problem import Problem
from rlvr_gym.prompts import get_template
from rlvr_gym.registration import entry, list_envs
from rlvr_gym.rewards import RewardDesign
from rlvr_gym.task import Task

__all__ = [
    "EnvLike",
    "Example",
    "RewardLike",
    "RewardSpec",
    "examples",
    "make_label",
    "no_group_terms",
    "read_label",
    "single_completions_only",
]

EnvLike = str | Problem | gymnasium.Env[Any, Any]
"""An id, a problem, or an environment that was made already."""
RewardLike = str | Mapping[str, Any] | RewardDesign


@dataclass(frozen=True)
class RewardSpec:
    """Which environment a task is of, and how it is rewarded; plain data.

    Attributes:
        env: a registered id.
        settings: the problem's fields, as JSON.
        reward: the reward design, as JSON.
        max_turns: most actions in an episode; None for the problem's own.
    """

    env: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    reward: Mapping[str, Any] = field(default_factory=lambda: RewardDesign.parse("binary").to_dict())
    max_turns: int | None = None

    @classmethod
    def of(
        cls,
        env: EnvLike,
        *,
        reward: RewardLike | None = None,
        max_turns: int | None = None,
        **settings: Any,
    ) -> RewardSpec:
        """The spec of an environment.

        Args:
            env: an id, a problem, or an environment, which brings its reward and its ``max_turns`` along.
            reward: a reward design; None for that of ``env``, or ``"binary"``.
            max_turns: most actions in an episode; None for that of ``env``.
            **settings: the problem's fields, where ``env`` is an id.

        Raises:
            ConfigError, UnknownNameError: if a setting is wrong, or cannot be written as JSON.
        """
        if isinstance(env, gymnasium.Env):
            inner = env.unwrapped
            if not isinstance(inner, TextEnv):
                raise ConfigError(f"An environment of rlvr-gym is needed; got {inner!r}.")
            reward = inner.settings.design if reward is None else reward
            max_turns = inner.settings.max_turns if max_turns is None else max_turns
            env = inner.problem
        if isinstance(env, Problem):
            if settings:
                raise ConfigError("Give settings with an id only: dataclasses.replace() changes a Problem.")
            env, settings = _registered(env)
        chosen = entry(env)
        chosen.make_problem(**settings)  # a wrong setting is told here, not in a worker of somebody's trainer
        design = RewardDesign.parse("binary" if reward is None else reward)
        return cls(chosen.id, _as_json(chosen.id, settings), design.to_dict(), max_turns)

    def to_json(self) -> str:
        """One line of JSON; equal specs give equal bytes."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> RewardSpec:
        """The inverse of :meth:`to_json`.

        Raises:
            DataError: if it is something else.
        """
        try:
            return cls(**json.loads(text))
        except (TypeError, ValueError, RecursionError) as error:
            raise DataError(f"This is no reward spec of rlvr-gym: {str(error)[:200]}.") from error

    def make_problem(self) -> Problem:
        """The problem."""
        return entry(self.env).make_problem(**self.settings)


def _registered(problem: Problem) -> tuple[str, dict[str, Any]]:
    """An id for a problem, and the settings that give the same one."""
    for known in list_envs():
        if known.problem is type(problem):
            return known.id, {f.name: getattr(problem, f.name) for f in dataclasses.fields(problem)}
    raise ConfigError(
        f"{type(problem).__name__} is not registered, so that other processes could not find it; "
        "decorate the class with @register('namespace/Name-v0', family=...)."
    )


def _as_json(env_id: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(settings), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"The settings of {env_id} travel as JSON, and these cannot: {error}; give numbers, texts, lists, dicts."
        ) from error
    return plain


def make_label(spec: RewardSpec, task: Task) -> str:
    """The label of a task. The worked solution stays behind: nobody needs it to judge.

    Raises:
        DataError: if the task holds something that JSON cannot carry.
    """
    judged = dataclasses.replace(task, solution=None)
    return f'{{"spec": {spec.to_json()}, "task": {judged.to_json()}}}'


def read_label(label: str) -> tuple[RewardSpec, Task]:
    """The inverse of :func:`make_label`.

    Raises:
        DataError: if it is no label.
    """
    try:
        row = json.loads(label)
        return RewardSpec(**row["spec"]), Task.from_dict(row["task"])
    except (TypeError, KeyError, ValueError, RecursionError) as error:
        given = label[:80] if isinstance(label, str) else type(label).__name__
        raise DataError(
            f"A label is what rlvr-gym's exporters write ({{'spec': ..., 'task': ...}}); got {given!r} ({error!r})."
        ) from error


@dataclass(frozen=True, slots=True)
class Example:
    """One task as other trainers take it.

    Attributes:
        index: in its stream.
        messages: the prompt, ``{"role", "content"}``; nothing in it tells the answer.
        label: see :func:`make_label`.
        task: the task itself.
    """

    index: int
    messages: list[Message]
    label: str
    task: Task

    @property
    def text(self) -> str:
        """The prompt as one text."""
        return "\n\n".join(message["content"] for message in self.messages)


def examples(
    spec: RewardSpec, n: int, seed: int = 0, *, start: int = 0, system_prompt: str = "plain"
) -> Iterator[Example]:
    """Tasks ``start`` to ``start + n - 1`` of the stream ``seed``, fewer where a finite source ends.

    Args:
        spec: the environment.
        n: how many.
        seed: the stream of tasks.
        start: the first index: held-out tasks are those of another stretch, or another seed.
        system_prompt: ``"plain"``, ``"r1"``, ``"boxed"``, or a text of one's own.

    Raises:
        ConfigError: if there are no such tasks.
    """
    source = spec.make_problem().source(seed)
    stop = start + n if source.length is None else min(start + n, source.length)
    if not 0 <= start < stop:
        raise ConfigError(
            f"{spec.env} has {source.length or 'endless'} tasks; got start={start} and n={n}, which is none of them."
        )
    system = get_template(system_prompt).system
    opening: list[Message] = [{"role": "system", "content": system}] if system else []
    for index in range(start, stop):
        task = source[index]
        messages = [*opening, {"role": "user", "content": task.prompt}]
        yield Example(index, messages, make_label(spec, task), task)


def single_completions_only(spec: RewardSpec, peer: str) -> None:
    """Refuses what cannot be scored from one completion.

    Raises:
        ConfigError: saying which peer can.
    """
    if spec.make_problem().several_turns:
        raise ConfigError(
            f"{spec.env} has several turns, and {peer} scores single completions; "
            "rlvr_gym.interop has trl, skyrl and prime for it."
        )
    no_group_terms(spec, peer)


def no_group_terms(spec: RewardSpec, peer: str) -> None:
    """Refuses a design that needs the whole group.

    Raises:
        ConfigError: saying what to choose.
    """
    if RewardDesign.parse(spec.reward).compares:
        raise ConfigError(
            f"The reward design {spec.reward['name']!r} compares the attempts at one task, and {peer} scores them one "
            "by one; choose a design without group terms."
        )
