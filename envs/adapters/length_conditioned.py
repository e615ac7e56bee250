"""Any environment with a length stated in each prompt: how long to think (L1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, ClassVar, Literal

import numpy as np

from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem
from rlvr_gym.registration import entry, load_problem, register
from rlvr_gym.task import Task, TaskSource
from rlvr_gym.verifier import Verifier

__all__ = ["LengthConditioned"]

_SENTENCES = {"exact": "Think for {} tokens.", "max": "Think for at most {} tokens."}


@register("rlvr/LengthConditioned-v0", family="adapters", needs=("env",))
@dataclass(frozen=True, kw_only=True)
class LengthConditioned(Problem):
    """Tasks of another environment, each with a length to think for in its prompt (L1, 2503.04697).

    The length is drawn uniformly from a digest of the task's prompt, so that a task has the same one in every stream
    and epoch; it stands in ``metadata["target_length"]``, where the reward terms ``lcpo_exact``, ``lcpo_max`` and
    ``lcpo_max_code`` look for it. Verifier, turns, oracle and difficulty are those of the other environment.

    Attributes:
        env: the id of the other environment.
        settings: its settings.
        low: the shortest length, in tokens of the policy.
        high: the longest one; the same as ``low`` to ask for one length always, as in evaluation.
        form: ``"exact"`` asks for the length (LCPO-Exact), ``"max"`` for no more than it (LCPO-Max).
    """

    difficulty: int | tuple[int, int] = 1
    env: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    low: int = 100
    high: int = 4000
    form: Literal["exact", "max"] = "exact"

    difficulty_range: ClassVar[tuple[int, int]] = (1, 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.env, str) or not self.env or not isinstance(self.settings, Mapping):
            raise ConfigError(
                f"LengthConditioned needs env, such as 'rlvr/Countdown-v0', and takes its settings as a mapping; got env "
                f"{self.env!r} and settings {self.settings!r}."
            )
        if not all(isinstance(n, int) for n in (self.low, self.high)) or not 0 < self.low <= self.high:
            raise ConfigError(f"Lengths need 0 < low <= high; got low {self.low!r} and high {self.high!r}.")
        if self.form not in _SENTENCES:
            raise ConfigError(f"form is one of {', '.join(_SENTENCES)}; got {self.form!r}.")
        if issubclass(entry(self.env).problem, LengthConditioned):
            raise ConfigError("A task has one length: LengthConditioned cannot stand around itself.")
        _ = self.inner  # settings that cannot be are told now

    @cached_property
    def inner(self) -> Problem:
        """The other environment's problem."""
        return load_problem(self.env, **self.settings)

    def condition(self, task: Task) -> Task:
        """The task with a length in its prompt."""
        digest = blake2b(task.prompt.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        length = self.low + int.from_bytes(digest, "big") % (self.high - self.low + 1)
        return replace(
            task,
            prompt=f"{task.prompt}\n\n{_SENTENCES[self.form].format(length)}",
            id=f"{task.id}/{self.form}-{length}" if task.id else "",
            metadata={**task.metadata, "target_length": length},
        )

    def source(self, seed: int) -> TaskSource:
        """The other environment's stream, conditioned."""
        return _Conditioned(self, self.inner.source(seed))

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """A conditioned task of a difficulty that the other environment is set to."""
        return self.condition(self.inner.generate(rng, self.inner.draw_difficulty(rng)))

    def owner(self, task: Task) -> Problem:
        """Who plays: the other environment, or its part."""
        return self.inner.owner(task)

    def components(self) -> Mapping[str, Problem]:
        """Those of the other environment."""
        return self.inner.components()

    def answer_text(self, task: Task) -> str:
        """As the other environment writes it."""
        return self.inner.answer_text(task)

    def turn_limit(self, task: Task) -> int:
        """As the other environment says."""
        return self.inner.turn_limit(task)

    @property
    def several_turns(self) -> bool:
        """As the other environment."""
        return self.inner.several_turns

    def make_verifier(self) -> Verifier:
        """The other environment's judge: the length is a matter of the reward."""
        return self.inner.make_verifier()


class _Conditioned(TaskSource):
    """A source whose tasks are conditioned on the way."""

    def __init__(self, problem: LengthConditioned, inner: TaskSource) -> None:
        self._problem, self._inner = problem, inner

    @property
    def length(self) -> int | None:
        """As many as there are."""
        return self._inner.length

    def __getitem__(self, index: int) -> Task:
        return self._problem.condition(self._inner[index])
