"""The environment under test, tasks of all its levels, and the texts that are thrown at it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from rlvr_gym.episode import Episode
from rlvr_gym.problem import Dialogue, Problem
from rlvr_gym.prompts import get_template
from rlvr_gym.registration import entry
from rlvr_gym.task import Task
from rlvr_gym.verdict import Verdict
from rlvr_gym.verifier import Verifier

__all__ = ["HOSTILE_TEXTS", "ConformanceError", "Subject", "act", "begin", "play_oracle", "short", "take"]

TASKS_PER_LEVEL = 10
VERIFIED_PER_LEVEL = 2
VERIFIED_AT_LEAST = 16

HOSTILE_TEXTS: tuple[str, ...] = (
    "\0", "\ud800", "\u202e1234\u202c", "\u0664\u0662", "\U0001d7d8\U0001d7d9", "１２" * 400, "e\u0301" * 900,
    "nan", "inf", "-0", "1e999999999", "9**9**9**9", "1/0", "0x10", "9" * 19_000, "1," * 9_000, "1 " * 9_500,
    "__import__('os').system('true')", "{{7*7}}", "%s%s%n", "'; DROP TABLE tasks; --", "\\input{/etc/passwd}",
    "(" * 19_000, "[" * 19_000, "{" * 19_000, "-" * 19_000, '{"a":' * 3_000, "not " * 4_500, "\\frac{" * 3_000,
    "\\boxed{" * 20_000, "<answer>" * 20_000, "<think>" * 20_000, "}" * 100_000, "#### " * 20_000,
    "the answer is " * 20_000, "a" * 1_000_000, " " * 300_000 + "1", "\n" * 300_000, "= " * 9_000, "**" * 9_000,
)  # fmt: skip
"""Texts that break careless parsers: look-alike digits, deep nesting, long repetitions, code, NUL."""


class ConformanceError(AssertionError):
    """An environment does not keep a promise."""


@dataclass(frozen=True)
class Subject:
    """The environment under test, and tasks of all its levels."""

    env_id: str
    settings: dict[str, Any]

    @cached_property
    def problem(self) -> Problem:
        """The problem under test."""
        return entry(self.env_id).make_problem(**self.settings)

    @cached_property
    def verifier(self) -> Verifier:
        """Its verifier."""
        return self.problem.make_verifier()

    @cached_property
    def levels(self) -> dict[int, list[Task]]:
        """Tasks of each difficulty."""
        low, high = self.problem.difficulty_range
        count = max(TASKS_PER_LEVEL, VERIFIED_AT_LEAST // (high - low + 1))
        return {
            level: take(replace(self.problem, difficulty=level), 0, count) for level in range(low, high + 1)
        }

    @cached_property
    def tasks(self) -> list[Task]:
        """Some tasks of each difficulty, for checks that verify."""
        count = max(VERIFIED_PER_LEVEL, VERIFIED_AT_LEAST // len(self.levels))
        return [task for tasks in self.levels.values() for task in tasks[:count]]

    @cached_property
    def answered(self) -> list[Task]:
        """Those of them that take one answer."""
        return [task for task in self.tasks if not isinstance(self.problem.owner(task), Dialogue)]

    @cached_property
    def played(self) -> list[tuple[Task, Dialogue]]:
        """Those that are conversations, and of what; a mixture may have both."""
        owners = [(task, self.problem.owner(task)) for task in self.tasks]
        return [(task, owner) for task, owner in owners if isinstance(owner, Dialogue)]

    def answer(self, task: Task) -> str:
        """The reference answer, as a model would write it."""
        return self.problem.answer_text(task)

    def require(self, condition: bool, message: str, task: Task | None = None) -> None:
        """Raises ConformanceError with ``message``, the environment and the task, unless ``condition`` holds."""
        if not condition:
            which = f" task {task.id} (difficulty {task.metadata.get('difficulty')}):" if task else ""
            raise ConformanceError(f"{self.env_id}:{which} {message}")

    def judge(self, items: Sequence[tuple[Task, str]]) -> list[Verdict]:
        """The verdicts, each of which has to be valid and JSON."""
        verdicts = self.verifier.verify_batch([text for _, text in items], [task for task, _ in items])
        for (task, text), verdict in zip(items, verdicts, strict=True):
            self.require(verdict.valid, f"verifying {short(text)} failed: {verdict}.", task)
            try:
                json.dumps(verdict.to_dict(), allow_nan=False)
            except (TypeError, ValueError) as error:
                raise ConformanceError(
                    f"{self.env_id}: the verdict {verdict} is not JSON: {error}."
                ) from error
        return verdicts


def short(text: str) -> str:
    """A text for a message."""
    return repr(text if len(text) <= 200 else f"{text[:120]}...({len(text)} characters)")


def take(problem: Problem, seed: int, count: int) -> list[Task]:
    """The first ``count`` tasks of a seed, or as many as there are."""
    source = problem.source(seed)
    return [source[i] for i in range(count if source.length is None else min(count, source.length))]


def begin(problem: Problem, task: Task) -> Episode:
    """A new episode, as an environment begins it."""
    return Episode(problem, task, get_template("plain"), problem.turn_limit(task))


def play_oracle(problem: Dialogue, task: Task) -> Episode:
    """The finished episode in which the problem's oracle plays ``task``."""
    episode = begin(problem, task)
    while not episode.done:
        act(problem, episode, problem.oracle(task, episode.state))
    return episode


def act(problem: Problem, episode: Episode, action: str) -> None:
    """Takes an action in and, where it is to be judged, the verdict."""
    episode.act(action)
    if episode.pending is not None:
        episode.conclude(problem.make_verifier().verify(episode.pending, episode.task))
