"""Tasks of an environment, and the verdict on a bare answer."""

from __future__ import annotations

import pytest

from rlvr_gym.registration import load_problem


@pytest.fixture
def tasks():
    """``tasks(name, difficulties, count, **settings)``: generated tasks."""

    def make(name, difficulties=(1, 3, 6), count=5, seed=3, **settings):
        sources = [load_problem(name, difficulty=d, **settings).source(seed) for d in difficulties]
        return [source[i] for source in sources for i in range(count)]

    return make


@pytest.fixture
def judged():
    """``judged(name, task, answer)``: the verdict on one answer, which has to be valid."""

    def judge(name, task, answer):
        verdict = load_problem(name).make_verifier().verify(f"<answer>{answer}</answer>", task)
        assert verdict.valid, verdict
        assert verdict.correct == (verdict.score == 1.0)
        return verdict

    return judge


@pytest.fixture
def scored(judged):
    """``scored(name, task, answer)``: the score of one answer."""
    return lambda name, task, answer: judged(name, task, answer).score
