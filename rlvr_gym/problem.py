"""What an environment author writes: a frozen config that generates tasks and names their verifier."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.errors import ConfigError
from rlvr_gym.seeding import TaskRngs
from rlvr_gym.task import Task, TaskSource, task_rng
from rlvr_gym.verdict import Verdict
from rlvr_gym.verifier import Verifier, get_verifier

__all__ = ["Dialogue", "Problem", "ProceduralSource", "Reply"]


@dataclass(frozen=True, kw_only=True)
class Problem(ABC):
    """A family of tasks: how they are made and who verifies them.

    Subclasses are frozen dataclasses whose fields are the environment's settings. They implement
    :meth:`generate` and name a verifier. Everything else (vectorisation, rewards, evaluation, audit, catalogue)
    follows from that.

    Attributes:
        difficulty: 1 (easy) to 10 (hard), or a pair ``(lowest, highest)`` to draw from uniformly.
    """

    difficulty: int | tuple[int, int] = 3

    verifier: ClassVar[str]
    """The name of the verifier, or override :meth:`make_verifier`."""
    max_turns: ClassVar[int] = 1
    difficulty_range: ClassVar[tuple[int, int]] = (1, 10)

    def __post_init__(self) -> None:
        low, high = self.difficulty_bounds()
        least, most = self.difficulty_range
        if not least <= low <= high <= most:
            raise ConfigError(
                f"difficulty goes from {least} to {most}, as a number or a pair; got {self.difficulty!r}."
            )

    def difficulty_bounds(self) -> tuple[int, int]:
        """The lowest and the highest difficulty that are drawn.

        Raises:
            ConfigError: if the setting is neither a whole number nor a pair of them.
        """
        # JSON turns the pair into a list
        pair = (
            self.difficulty
            if isinstance(self.difficulty, tuple | list)
            else (self.difficulty, self.difficulty)
        )
        if len(pair) != 2 or not all(isinstance(d, int) and not isinstance(d, bool) for d in pair):
            raise ConfigError(f"difficulty is a whole number or a pair of them; got {self.difficulty!r}.")
        return pair[0], pair[1]

    @abstractmethod
    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """A task of this difficulty; all randomness comes from ``rng``."""

    def answer_text(self, task: Task) -> str:
        """The reference answer as a model would write it."""
        return task.answer if isinstance(task.answer, str) else str(task.answer)

    def turn_limit(self, task: Task) -> int:
        """Most actions in an episode about ``task``; override it where tasks need different numbers of turns."""
        return self.max_turns

    def owner(self, task: Task) -> Problem:
        """The problem that ``task`` is of: this one, or, in a mixture, the part that it came from."""
        return self

    def components(self) -> Mapping[str, Problem]:
        """The problems that tasks can be of, by name: this one alone, or the parts of a mixture."""
        return {type(self).__name__: self}

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags of the protocol beyond thinking and answer; a tokenizer made for this problem keeps each in one piece."""
        return ()

    @property
    def several_turns(self) -> bool:
        """Whether an episode can have more than one action."""
        return False

    def make_verifier(self) -> Verifier:
        """The judge of this problem's tasks."""
        return get_verifier(self.verifier)

    def source(self, seed: int) -> TaskSource:
        """The stream of tasks of this seed."""
        return ProceduralSource(self, seed)

    def draw_difficulty(self, rng: np.random.Generator) -> int:
        """A difficulty out of the configured range; draws from ``rng`` only if there is a choice."""
        if isinstance(self.difficulty, int):
            return self.difficulty
        low, high = self.difficulty_bounds()
        return low if low == high else int(rng.integers(low, high + 1))

    @property
    def digest(self) -> str:
        """Eight hex digits that differ between different settings."""
        text = json.dumps([type(self).__qualname__, asdict(self)], sort_keys=True, default=str)
        return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


class ProceduralSource(TaskSource):
    """The endless stream of a problem's generated tasks under one seed."""

    def __init__(self, problem: Problem, seed: int) -> None:
        task_rng(seed, 0)  # a bad seed is told here, not at the first task
        self._problem = problem
        self._rngs = TaskRngs(seed)
        self._prefix = f"{type(problem).__name__}-{problem.digest}-{seed}"

    def __getitem__(self, index: int) -> Task:
        rng = self._rngs[index]
        difficulty = self._problem.draw_difficulty(rng)
        task = self._problem.generate(rng, difficulty)
        metadata = {**task.metadata, "difficulty": difficulty}
        return Task(task.prompt, task.answer, f"{self._prefix}-{index}", metadata, task.solution)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a multi-turn environment says to an action.

    Exactly one of these holds: the conversation goes on with ``text``; it ends with ``verdict``; or it ends and
    ``answer`` is handed to the problem's verifier.

    Attributes:
        text: shown to the policy as the next message.
        role: who says it: ``"user"`` or ``"tool"``; neither is ever trained on.
        verdict: ends the conversation.
        answer: ends the conversation; the completion that the verifier judges.
        metrics: numbers for ``info`` (tool calls, illegal moves, ...).
    """

    text: str = ""
    role: str = "user"
    verdict: Verdict | None = None
    answer: str | None = None
    metrics: dict[str, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Dialogue(Problem):
    """A problem of several turns. The state is any mutable object; it belongs to one episode."""

    max_turns: ClassVar[int] = 10

    @property
    def several_turns(self) -> bool:
        """Always."""
        return True

    @property
    def side_by_side(self) -> int:
        """Episodes whose replies may be made at once, in threads.

        More than 1 is for replies that wait for something outside of this process, such as a server or a sandbox: others
        then need not wait with them, and sampling goes on meanwhile. :meth:`reply` has to stand being called from several
        threads, for different episodes.
        """
        return 1

    @abstractmethod
    def start(self, task: Task) -> Any:
        """A new episode's state."""

    @abstractmethod
    def reply(self, task: Task, state: Any, action: str) -> Reply:
        """Takes one action in; may change ``state``. Like a verifier, it is total: any text gets a reply."""

    @abstractmethod
    def oracle(self, task: Task, state: Any) -> str:
        """The action of a perfect player in this state, as a model would write it."""
