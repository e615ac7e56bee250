"""Models that know the answers (the upper bound of a score), guess without reading, or say nothing (the lower)."""

from __future__ import annotations

import string
from collections.abc import Sequence

import numpy as np

from rlvr_gym.episode import Episode
from rlvr_gym.evaluation.model import Completion, Model, Query
from rlvr_gym.extraction import extract_answer
from rlvr_gym.problem import Dialogue, Problem
from rlvr_gym.prompts import PromptTemplate
from rlvr_gym.task import TaskSource

__all__ = ["Empty", "Oracle", "RandomGuess"]


class Oracle(Model):
    """Plays perfectly: whatever scores below 1 here is a defect of the environment or of its verifier.

    A task's worked solution is its completion, unchanged, if it marks its answer by itself; else the solution and
    the reference answer are put into the template, or the answer alone where there is no solution.
    """

    unit = "words"

    def __init__(self, template: PromptTemplate) -> None:
        self._template = template
        self.identity = f"oracle {template.name}"

    def complete(self, queries: Sequence[Query]) -> list[Completion]:
        """The right action of each episode."""
        return [_words(self._act(query.episode)) for query in queries]

    def _act(self, episode: Episode) -> str:
        problem, task = episode.problem, episode.task
        if isinstance(problem, Dialogue):
            return problem.oracle(task, episode.state)
        if task.solution is not None and extract_answer(task.solution).marked:
            return task.solution
        return self._template.demonstrate(task.solution, problem.answer_text(task))


class RandomGuess(Model):
    """Guesses without reading: another task's answer, or printable characters, with equal chances."""

    unit = "words"
    identity = "random"

    def __init__(self) -> None:
        self._sources: dict[tuple[type[Problem], str], TaskSource] = {}

    def complete(self, queries: Sequence[Query]) -> list[Completion]:
        """A guess for each query."""
        return [_words(self._guess(query)) for query in queries]

    def _guess(self, query: Query) -> str:
        rng = np.random.default_rng(np.random.SeedSequence(query.address))
        if rng.random() < 0.5:
            letters = list(string.digits + string.ascii_letters + string.punctuation + " ")
            return f"<answer>{''.join(rng.choice(letters, size=rng.integers(1, 20)))}</answer>"
        problem = query.episode.problem
        source = self._source(problem)
        other = source[int(rng.integers(source.length or 2**20))]
        if isinstance(problem, Dialogue):
            return problem.oracle(other, problem.start(other))
        return f"<answer>{problem.answer_text(other)}</answer>"

    def _source(self, problem: Problem) -> TaskSource:
        """Tasks that are not asked about: those of a seed that nobody takes."""
        key = (type(problem), problem.digest)
        if key not in self._sources:
            self._sources[key] = problem.source(2**32 - 1)
        return self._sources[key]


class Empty(Model):
    """Says nothing at all: whatever scores above 0 here is a defect."""

    unit = "words"
    identity = "empty"

    def complete(self, queries: Sequence[Query]) -> list[Completion]:
        """Nothing, for each query."""
        return [Completion() for _ in queries]


def _words(text: str) -> Completion:
    return Completion(text, len(text.split()))
