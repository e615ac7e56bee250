"""Several environments as one: tasks of all of them in one stream, each judged by its own verifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.errors import ConfigError, DataError
from rlvr_gym.mixture import MixtureSource, Schedule, part_seed, weights_at
from rlvr_gym.problem import Problem
from rlvr_gym.registration import entry, load_problem, register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Verdict
from rlvr_gym.verifier import Verifier

__all__ = ["Mixture", "MixtureVerifier"]

_KEYS = {"env", "name", "weight", "settings"}


@register("rlvr/Mixture-v0", family="adapters", needs=("parts",))
@dataclass(frozen=True, kw_only=True)
class Mixture(Problem):
    """Tasks of several environments, drawn by weights that may change over steps.

    A task's ``metadata["part"]`` says where it comes from; its prompt, turns, verifier and oracle are those of that
    part. Single-turn and multi-turn parts may stand side by side. Each part has its own ``difficulty`` among its
    settings; the mixture itself has none.

    Attributes:
        parts: one dict each: ``env`` (an id), and optionally ``weight`` (a number, or ``[[step, weight], ...]`` for a
            schedule that is linear in between; 1 if left out), ``settings`` (of that environment) and ``name`` (the
            environment's, if left out; needed where an environment stands twice).
        tasks_per_step: how many tasks make one step of the schedules, such as ``prompts_per_step`` in training.
    """

    difficulty: int | tuple[int, int] = 1
    parts: Sequence[Mapping[str, Any]] = ()
    tasks_per_step: int = 1

    difficulty_range: ClassVar[tuple[int, int]] = (1, 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.parts, list | tuple) or not self.parts:
            raise ConfigError(
                "Mixture needs parts, a list such as [{'env': 'rlvr/Countdown-v0', 'weight': 2}, "
                f"{{'env': 'rlvr/Arithmetic-v0', 'settings': {{'difficulty': 1}}}}]; got {self.parts!r}."
            )
        self.source(0)  # names, weights and settings that cannot be are told now

    @cached_property
    def problems(self) -> dict[str, Problem]:
        """The problem of each part, by its name, in order."""
        problems: dict[str, Problem] = {}
        for part in self.parts:
            name, problem = self._read(part)
            if name in problems:
                raise ConfigError(
                    f"Two parts of the mixture have the name {name!r}; give one of them another 'name'."
                )
            problems[name] = problem
        return problems

    @cached_property
    def schedules(self) -> tuple[Schedule, ...]:
        """The weight of each part, in order."""
        return tuple(Schedule.parse(part.get("weight", 1)) for part in self.parts)

    @staticmethod
    def _read(part: Any) -> tuple[str, Problem]:
        if not isinstance(part, Mapping) or "env" not in part or not part.keys() <= _KEYS:
            raise ConfigError(
                f"A part of a mixture has 'env' and may have {sorted(_KEYS - {'env'})}; got {part!r}."
            )
        chosen = entry(str(part["env"]))
        settings = part.get("settings", {})
        if not isinstance(settings, Mapping):
            raise ConfigError(f"The settings of the part {chosen.id} are a mapping; got {settings!r}.")
        if issubclass(chosen.problem, Mixture):
            raise ConfigError("A mixture cannot be a part of a mixture; put its parts into the outer one.")
        name = part.get("name", chosen.id.partition("/")[2].rpartition("-v")[0])
        if not isinstance(name, str) or not name or "/" in name:
            raise ConfigError(f"The name of a part is a text without a slash; got {name!r}.")
        return name, load_problem(chosen.id, **settings)

    def source(self, seed: int) -> MixtureSource:
        """The mixed stream of this seed."""
        sources = [problem.source(part_seed(seed, i)) for i, problem in enumerate(self.problems.values())]
        return MixtureSource(list(self.problems), sources, self.schedules, seed, self.tasks_per_step)

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """A task of a random part, by the weights of the first step."""
        shares = weights_at(self.schedules, 0)
        name = list(self.problems)[int(rng.choice(len(shares), p=shares))]
        problem = self.problems[name]
        task = problem.generate(rng, problem.draw_difficulty(rng))
        return replace(task, metadata={**task.metadata, "part": name})

    def owner(self, task: Task) -> Problem:
        """The problem of the part that ``task`` came from.

        Raises:
            DataError: if it came from none.
        """
        name = task.metadata.get("part")
        if name not in self.problems:
            raise DataError(
                f"The task {task.id!r} says that it is of the part {name!r}; this mixture has "
                f"{', '.join(self.problems)}."
            )
        return self.problems[name]

    def components(self) -> Mapping[str, Problem]:
        """The problem of each part, by its name."""
        return self.problems

    def answer_text(self, task: Task) -> str:
        """As its part writes it."""
        return self.owner(task).answer_text(task)

    def turn_limit(self, task: Task) -> int:
        """As its part says."""
        return self.owner(task).turn_limit(task)

    @property
    def several_turns(self) -> bool:
        """Whether any part has several turns."""
        return any(problem.several_turns for problem in self.problems.values())

    def make_verifier(self) -> MixtureVerifier:
        """Each task's own judge."""
        return MixtureVerifier({name: problem.make_verifier() for name, problem in self.problems.items()})


class MixtureVerifier(Verifier):
    """Hands each task to the verifier of its part, all of a part at once.

    Args:
        verifiers: by the part's name.
    """

    def __init__(self, verifiers: Mapping[str, Verifier]) -> None:
        self.verifiers = dict(verifiers)

    def judge(self, completion: str, task: Task) -> Verdict:
        """The verdict of the part's verifier."""
        return self.verifiers[task.metadata["part"]].verify(completion, task)

    def verify_batch(self, completions: Sequence[str], tasks: Sequence[Task]) -> list[Verdict]:
        """The verdicts in order."""
        verdicts: dict[int, Verdict] = {}
        groups: dict[str, list[int]] = {}
        for i, task in enumerate(tasks):
            groups.setdefault(str(task.metadata.get("part")), []).append(i)
        for name, indices in groups.items():
            some = [completions[i] for i in indices], [tasks[i] for i in indices]
            # of a part that is not here, each verdict is that verification failed
            verifier = self.verifiers.get(name)
            judged = verifier.verify_batch(*some) if verifier else super().verify_batch(*some)
            verdicts.update(zip(indices, judged, strict=True))
        return [verdicts[i] for i in range(len(tasks))]
