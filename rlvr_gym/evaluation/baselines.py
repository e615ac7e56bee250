"""Models that know the answers (the upper bound of a score) or guess without reading (the lower)."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from rlvr_gym.episode import Episode
from rlvr_gym.evaluation.model import Completion, Model, Query
from rlvr_gym.extraction import extract_answer
from rlvr_gym.problem import Dialogue, Problem
from rlvr_gym.prompts import PromptTemplate

__all__ = ["Oracle", "RandomGuess"]


class Oracle(Model):
    """Plays perfectly: whatever scores below 1 here is a defect of the environment or of its verifier.

    A task's worked solution is its completion, unchanged, if it marks its answer by itself; else the solution and
    the reference answer are put into the template, or the answer alone where there is no solution.
    """

    unit: ClassVar[str] = "words"

    def __init__(self, template: PromptTemplate) -> None:
        self._template = template

    def complete(self, queries: Sequence[Query]) -> list[Completion]:
        """The right action of each episode."""
        texts = [self._act(query.episode) for query in queries]
        return [Completion(text, len(text.split())) for text in texts]

    def _act(self, episode: Episode) -> str:
        problem, task = episode.problem, episode.task
        if isinstance(problem, Dialogue):
            return problem.oracle(task, episode.state)
        if task.solution is not None and extract_answer(task.solution).marked:
            return task.solution
        return self._template.demonstrate(task.solution, problem.answer_text(task))


class RandomGuess(Model):
    """Guesses without reading: another task's answer, or printable characters, with equal chances."""

    unit: ClassVar[str] = "words"

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._source = problem.source(2**32 - 1)

    def complete(self, queries: Sequence[Query]) -> list[Completion]:
        """A guess for each query."""
        texts = [self._guess(query) for query in queries]
        return [Completion(text, len(text.split())) for text in texts]

    def _guess(self, query: Query) -> str:
        rng = np.random.default_rng(np.random.SeedSequence(query.address))
        if rng.random() < 0.5:
            letters = list(string.digits + string.ascii_letters + string.punctuation + " ")
            return f"<answer>{''.join(rng.choice(letters, size=rng.integers(1, 20)))}</answer>"
        other = self._source[int(rng.integers(self._source.length or 2**20))]
        problem = self._problem.owner(other)
        if isinstance(problem, Dialogue):
            return problem.oracle(other, problem.start(other))
        return f"<answer>{problem.answer_text(other)}</answer>"
