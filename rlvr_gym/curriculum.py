"""A curriculum: tasks as hard as they teach most, and none twice that are solved.

Pass rates come in, difficulties go out. Each part of a problem (the problem itself, or the parts of a mixture) has a
difficulty that is a real number: at 3.25 a quarter of its tasks has difficulty 4 and the rest 3, so that a pass rate
near the target can be met even where no single level does. When the mean over a full window of prompts leaves the
target by more than a margin, the difficulty moves one step and the window begins anew: what was measured at another
difficulty does not count.

Prompts of finite sources that are solved are retired for good, as in ScaleRL (2510.13786, "no positive resampling":
prompts with a pass rate of at least 0.9 are left out of later epochs).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from rlvr_gym.errors import ConfigError
from rlvr_gym.mixture import MixtureSource, part_seed
from rlvr_gym.problem import Problem
from rlvr_gym.task import Task, TaskSource

__all__ = ["Curriculum", "CurriculumSettings", "LevelledSource"]

_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, kw_only=True)
class CurriculumSettings:
    """How a curriculum behaves.

    Attributes:
        target: the pass rate to keep.
        margin: how far the mean of a window may be off before the difficulty moves.
        window: prompts that are averaged over.
        step: how far the difficulty moves.
        retire_at: pass rate from which a prompt of a finite source is not shown again; None to keep all.
        retire_after: attempts at a prompt that its pass rate is taken over; where a visit has fewer, over several.
    """

    target: float = 0.5
    margin: float = 0.1
    window: int = 32
    step: float = 0.25
    retire_at: float | None = 0.9
    retire_after: int = 8

    def __post_init__(self) -> None:
        if not 0 < self.target < 1:
            raise ConfigError(f"A curriculum's target is a pass rate between 0 and 1; got {self.target}.")
        if not 0 <= self.margin < min(self.target, 1 - self.target):
            raise ConfigError(
                "A curriculum's margin leaves room on both sides of its target: from 0 to below "
                f"{min(self.target, 1 - self.target):g}; got {self.margin}."
            )
        if self.window < 1 or self.retire_after < 1:
            raise ConfigError(
                f"window and retire_after are at least 1; got {self.window} and {self.retire_after}."
            )
        if not 0 < self.step <= 9:
            raise ConfigError(f"A curriculum's step is more than 0 and at most 9; got {self.step}.")
        if self.retire_at is not None and not 0 < self.retire_at <= 1:
            raise ConfigError(f"retire_at is a pass rate above 0, or None; got {self.retire_at}.")


class Curriculum:
    """The state of a curriculum. Feed it with :meth:`observe`; ask it for levels.

    Args:
        bounds: the lowest and highest difficulty of each part; where they are equal, the part stays there.
        start: the difficulty that each part begins at; the lowest one where it is missing.
        settings: how it behaves.
    """

    def __init__(
        self,
        bounds: Mapping[str, tuple[int, int]],
        start: Mapping[str, float] | None = None,
        settings: CurriculumSettings | None = None,
    ) -> None:
        self.settings = settings or CurriculumSettings()
        self.bounds = dict(bounds)
        self._difficulty = {
            part: float(min(max((start or {}).get(part, low), low), high))
            for part, (low, high) in bounds.items()
        }
        self._windows: dict[str, list[float]] = {part: [] for part in bounds}
        self._tries: dict[str, list[int]] = {}
        self._retired: dict[str, None] = {}

    @classmethod
    def of(cls, problem: Problem, settings: CurriculumSettings | None = None) -> Self:
        """A curriculum for a problem, or for each part of a mixture.

        A difficulty that is set to a number is where a part begins, and it may go anywhere; a pair are its bounds, and
        it begins at the lower one.
        """
        bounds, start = {}, {}
        for name, part in problem.components().items():
            low, high = part.difficulty_bounds()
            bounds[name] = part.difficulty_range if low == high else (low, high)
            start[name] = float(low)
        return cls(bounds, start, settings)

    def difficulty(self, part: str) -> float:
        """The difficulty of a part, between levels."""
        return self._difficulty[part]

    def level(self, part: str, index: int) -> int:
        """The level of task ``index``: of every run of tasks, the right share is of the higher one of two."""
        below = math.floor(self._difficulty[part])
        return below + (index * _GOLDEN % 1.0 < self._difficulty[part] - below)

    def observe(self, part: str, passes: int, attempts: int, prompt: str | None = None) -> None:
        """Takes in how often a prompt was solved.

        Args:
            part: where it is from.
            passes: attempts that were right.
            attempts: attempts that could be judged; 0 says nothing.
            prompt: a key of the prompt, if it can come again (a finite source), to retire it by.
        """
        if attempts <= 0:
            return
        self._steer(part, passes / attempts)
        if prompt is not None and self.settings.retire_at is not None:
            self._count(prompt, passes, attempts)

    def _steer(self, part: str, rate: float) -> None:
        s, window = self.settings, self._windows[part]
        window.append(rate)
        del window[: -s.window]
        if len(window) < s.window:
            return
        excess = sum(window) / len(window) - s.target
        if abs(excess) > s.margin:
            low, high = self.bounds[part]
            moved = self._difficulty[part] + math.copysign(s.step, excess)
            self._difficulty[part] = min(max(moved, float(low)), float(high))
            window.clear()

    def _count(self, prompt: str, passes: int, attempts: int) -> None:
        tries = self._tries.setdefault(prompt, [0, 0])
        tries[0] += passes
        tries[1] += attempts
        if tries[1] < self.settings.retire_after:
            return
        del self._tries[prompt]
        if tries[0] >= (self.settings.retire_at or 0.0) * tries[1]:
            self._retired[prompt] = None

    def is_retired(self, prompt: str) -> bool:
        """Whether a prompt is not to be shown again."""
        return prompt in self._retired

    def recall(self) -> None:
        """Lets all retired prompts come again: for when nothing else is left."""
        self._retired.clear()

    @property
    def retired(self) -> int:
        """How many prompts are retired."""
        return len(self._retired)

    def metrics(self) -> dict[str, float]:
        """``curriculum/<part>/difficulty`` of every part that can move, and ``curriculum/retired``."""
        moving = {part: self._difficulty[part] for part, (low, high) in self.bounds.items() if low < high}
        return {
            **{f"curriculum/{part}/difficulty": value for part, value in moving.items()},
            "curriculum/retired": float(len(self._retired)),
        }

    def state_dict(self) -> dict[str, Any]:
        """Everything that it has learnt, JSON-ready."""
        return {
            "difficulty": dict(self._difficulty),
            "windows": {part: list(window) for part, window in self._windows.items()},
            "tries": {prompt: list(tries) for prompt, tries in self._tries.items()},
            "retired": list(self._retired),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where :meth:`state_dict` was taken.

        Raises:
            ConfigError: if that was of other parts.
        """
        if state["difficulty"].keys() != self.bounds.keys():
            raise ConfigError(
                f"This state is of a curriculum over {', '.join(state['difficulty'])}; this one is over "
                f"{', '.join(self.bounds)}."
            )
        self._difficulty = {part: float(value) for part, value in state["difficulty"].items()}
        self._windows = {part: list(window) for part, window in state["windows"].items()}
        self._tries = {prompt: list(tries) for prompt, tries in state["tries"].items()}
        self._retired = dict.fromkeys(state["retired"])


class LevelledSource:
    """A problem's stream in which the difficulty of each task is chosen when it is drawn.

    ``draw(index, curriculum)`` is a pure function of ``(seed, index)`` and the levels of the curriculum; the end of a
    finite source is followed by its beginning.

    Args:
        problem: what the tasks are of.
        seed: of the stream.
    """

    def __init__(self, problem: Problem, seed: int) -> None:
        self.source = problem.source(seed)
        self._names: Sequence[str] = list(problem.components())
        self._problems = list(problem.components().values())
        # asked by "is not None" throughout: a source without a length has no truth value
        self._mixture = self.source if isinstance(self.source, MixtureSource) else None
        if self._mixture is not None:
            self._plain: Sequence[TaskSource] = self._mixture.sources
            self._seeds = [part_seed(seed, i) for i in range(len(self._names))]
        else:
            self._plain, self._seeds = (self.source,), [seed]
        self._sources: dict[tuple[int, int], TaskSource] = {}

    def part_of(self, task: Task) -> str:
        """The name of the part that a task of this source is of."""
        return self._names[0] if self._mixture is None else str(task.metadata["part"])

    def is_finite(self, part: str) -> bool:
        """Whether the prompts of a part come again."""
        return self._plain[self._names.index(part)].length is not None

    def draw(self, index: int, curriculum: Curriculum) -> Task:
        """Task ``index`` at the level that the curriculum has for its part."""
        part = 0 if self._mixture is None else self._mixture.part_of(index)
        source = self._at_level(part, curriculum.level(self._names[part], index))
        task = source[index if source.length is None else index % source.length]
        return task if self._mixture is None else self._mixture.mark(task, part)

    def _at_level(self, part: int, level: int) -> TaskSource:
        problem = self._problems[part]
        low, high = problem.difficulty_range
        if low == high:  # a data set, as a rule: there is nothing to choose
            return self._plain[part]
        if (part, level) not in self._sources:
            self._sources[part, level] = replace(problem, difficulty=level).source(self._seeds[part])
        return self._sources[part, level]
