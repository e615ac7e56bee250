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


@pytest.fixture
def agrees(scored, reference):
    """``agrees(name, task, answers)``: checks that of these answers exactly the valid ones score 1.

    Returns the number of valid ones. Some of a great many answers are left out.
    """

    def check(name: str, task: Task, answers: dict[str, bool], impossible: str | None = None) -> int:
        right = [text for text, valid in answers.items() if valid]
        wrong = [text for text, valid in answers.items() if not valid]
        assert all(scored(name, task, text) == 1.0 for text in right[:40])
        assert all(scored(name, task, text) == 0.0 for text in wrong[:: len(wrong) // 40 + 1])
        assert scored(name, task, reference(name, task)) == 1.0
        if impossible is not None:
            assert scored(name, task, impossible) == (0.0 if right else 1.0)
        return len(right)

    return check
