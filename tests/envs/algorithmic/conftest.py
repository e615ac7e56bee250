"""Tasks of an environment, and the score of a bare answer."""

from __future__ import annotations

import pytest

from rlvr_gym.registration import load_problem
from rlvr_gym.task import Task


@pytest.fixture
def tasks():
    """``tasks(name, difficulties, count)``: generated tasks."""

    def make(name: str, difficulties=(1, 2, 3), count: int = 8, seed: int = 3) -> list[Task]:
        sources = [load_problem(name, difficulty=d).source(seed) for d in difficulties]
        return [source[i] for source in sources for i in range(count)]

    return make


@pytest.fixture
def scored():
    """``scored(name, task, answer)``: the score of one answer, which has to be a valid verdict."""

    def judge(name: str, task: Task, answer: str) -> float:
        verdict = load_problem(name).make_verifier().verify(f"<answer>{answer}</answer>", task)
        assert verdict.valid, verdict
        return verdict.score

    return judge


@pytest.fixture
def reference():
    """``reference(name, task)``: the generator's own answer."""
    return lambda name, task: load_problem(name).answer_text(task)
