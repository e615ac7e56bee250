"""The curriculum: it finds the target on simulated learners, does not flutter, retires, and resumes exactly."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr_gym import ConfigError, Task, load_problem
from rlvr_gym.curriculum import Curriculum, CurriculumSettings, LevelledSource
from rlvr_gym.envs.adapters.jsonl import JSONL
from rlvr_gym.envs.adapters.mixture import Mixture

ATTEMPTS = 8


class Learner:
    """Solves a task of level ``l`` with a probability that falls with ``l`` and rises with its skill."""

    def __init__(self, skill: float, steepness: float, seed: int) -> None:
        self.skill, self.steepness = skill, steepness
        self._rng = np.random.default_rng(seed)

    def passes(self, level: int) -> int:
        chance = 1 / (1 + np.exp(self.steepness * (level - self.skill)))
        return int(self._rng.binomial(ATTEMPTS, chance))


def train(curriculum: Curriculum, learner: Learner, prompts: range, part: str = "a") -> list[float]:
    """The pass rate of each prompt."""
    rates = []
    for index in prompts:
        passes = learner.passes(curriculum.level(part, index))
        curriculum.observe(part, passes, ATTEMPTS)
        rates.append(passes / ATTEMPTS)
    return rates


@settings(max_examples=60, deadline=None)
@given(
    skill=st.floats(2, 9),
    steepness=st.floats(0.4, 6),
    start=st.integers(1, 10),
    target=st.sampled_from([0.3, 0.5, 0.7]),
    seed=st.integers(0, 1000),
)
def test_it_finds_the_target(skill: float, steepness: float, start: int, target: float, seed: int) -> None:
    """Also where one level is far too easy and the next far too hard: levels are mixed then."""
    curriculum = Curriculum({"a": (1, 10)}, {"a": start}, CurriculumSettings(target=target))
    learner = Learner(skill, steepness, seed)
    train(curriculum, learner, range(1600))
    reachable = [1 / (1 + np.exp(steepness * (level - skill))) for level in (10, 1)]
    expected = min(max(target, reachable[0]), reachable[1])
    assert abs(np.mean(train(curriculum, learner, range(1600, 2600))) - expected) < 0.15


def test_it_follows_a_learner_that_learns() -> None:
    curriculum = Curriculum({"a": (1, 10)}, {"a": 1})
    learner = Learner(1.0, 2.0, 0)
    rates, met = [], []
    for index in range(3000):
        learner.skill = 1.0 + 7.0 * index / 3000
        rates += train(curriculum, learner, range(index, index + 1))
        met.append(curriculum.difficulty("a"))
    assert abs(np.mean(rates[500:]) - 0.5) < 0.12
    assert met[0] == 1
    assert 7 <= met[-1] <= 9
    falls = sum(b < a for a, b in pairwise(met))
    assert falls <= 4, "it goes up with the skill, without fluttering"


@pytest.mark.parametrize(("always", "end"), [(0, 1.0), (ATTEMPTS, 10.0)])
def test_it_stays_within_its_bounds(always: int, end: float) -> None:
    curriculum = Curriculum({"a": (1, 10), "fixed": (1, 1)}, {"a": 4})
    for _ in range(2000):
        curriculum.observe("a", always, ATTEMPTS)
        curriculum.observe("fixed", always, ATTEMPTS)
        assert curriculum.level("a", 5) in range(1, 11)
    assert curriculum.difficulty("a") == end
    assert curriculum.difficulty("fixed") == 1.0
    assert curriculum.metrics() == {"curriculum/a/difficulty": end, "curriculum/retired": 0.0}


def test_hysteresis() -> None:
    """Nothing moves within the margin, or before a full window at the present difficulty."""
    curriculum = Curriculum({"a": (1, 10)}, {"a": 5}, CurriculumSettings(window=10, margin=0.2, step=1))
    for _ in range(200):
        curriculum.observe("a", 5, ATTEMPTS)  # 0.625
        curriculum.observe("a", 3, ATTEMPTS)
    assert curriculum.difficulty("a") == 5
    moves = []
    for _ in range(40):
        curriculum.observe("a", ATTEMPTS, ATTEMPTS)
        moves.append(curriculum.difficulty("a"))
    steps = [i for i, (a, b) in enumerate(pairwise(moves)) if a != b]
    assert len(steps) >= 3
    assert all(b - a == 10 for a, b in pairwise(steps)), "a window apart"


@settings(max_examples=50, deadline=None)
@given(difficulty=st.floats(1, 10), start=st.integers(0, 2**31))
def test_levels_are_mixed_in_the_right_share(difficulty: float, start: int) -> None:
    curriculum = Curriculum({"a": (1, 10)}, {"a": difficulty})
    levels = [curriculum.level("a", index) for index in range(start, start + 200)]
    assert set(levels) <= {int(difficulty), int(difficulty) + 1} - {11}
    assert np.mean(levels) == pytest.approx(difficulty, abs=0.03)


def test_attempts_that_could_not_be_judged_say_nothing() -> None:
    curriculum = Curriculum({"a": (1, 10)}, {"a": 5}, CurriculumSettings(window=1))
    before = curriculum.state_dict()
    curriculum.observe("a", 0, 0, "prompt")
    assert curriculum.state_dict() == before


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 4)), max_size=60),
    st.sampled_from([4, 8, 12]),
    st.sampled_from([0.5, 0.9, 1.0]),
)
def test_retirement(visits: list[tuple[str, int]], after: int, at: float) -> None:
    """A prompt is retired as soon as ``after`` attempts in a row, whole visits of four, reach the rate; then for good."""
    curriculum = Curriculum({"a": (1, 1)}, settings=CurriculumSettings(retire_at=at, retire_after=after))
    blocks: dict[str, list[int]] = {"x": [], "y": [], "z": []}
    gone = set()
    for prompt, passes in visits:
        curriculum.observe("a", passes, 4, prompt)
        blocks[prompt].append(passes)
        if len(blocks[prompt]) == after // 4:
            if sum(blocks[prompt]) >= at * after:
                gone.add(prompt)
            blocks[prompt] = []
        assert {p for p in "xyz" if curriculum.is_retired(p)} == gone
        assert curriculum.metrics()["curriculum/retired"] == len(gone)
    curriculum.recall()
    assert curriculum.retired == 0


def test_retirement_can_be_off() -> None:
    curriculum = Curriculum({"a": (1, 1)}, settings=CurriculumSettings(retire_at=None))
    curriculum.observe("a", 100, 100, "x")
    assert not curriculum.is_retired("x")
    assert curriculum.state_dict()["tries"] == {}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 300), st.integers(0, 100))
def test_it_resumes_exactly(stop: int, seed: int) -> None:
    def run(curriculum: Curriculum, prompts: range) -> list[Any]:
        rng = np.random.default_rng(seed)
        outcomes = rng.integers(0, ATTEMPTS + 1, size=(400, 2))
        trace = []
        for index in prompts:
            curriculum.observe("a", int(outcomes[index, 0]), ATTEMPTS)
            curriculum.observe("b", int(outcomes[index, 1]), ATTEMPTS, f"prompt {index % 20}")
            trace.append((curriculum.metrics(), curriculum.level("a", index)))
        return trace

    bounds, small = {"a": (1, 10), "b": (2, 5)}, CurriculumSettings(window=5, margin=0.05, retire_at=0.6)
    whole = Curriculum(bounds, settings=small)
    trace = run(whole, range(400))
    first, second = Curriculum(bounds, settings=small), Curriculum(bounds, settings=small)
    head = run(first, range(stop))
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert head + run(second, range(stop, 400)) == trace
    assert second.state_dict() == whole.state_dict()


def test_a_state_of_other_parts() -> None:
    state = Curriculum({"a": (1, 10)}).state_dict()
    with pytest.raises(ConfigError, match="a curriculum over a; this one is over b"):
        Curriculum({"b": (1, 10)}).load_state_dict(state)


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": 0.0}, {"target": 1.0}, {"margin": 0.5}, {"margin": -0.1}, {"target": 0.9, "margin": 0.1},
        {"window": 0}, {"step": 0}, {"step": 10}, {"retire_at": 0.0}, {"retire_at": 1.1}, {"retire_after": 0},
    ],
)  # fmt: skip
def test_settings_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        CurriculumSettings(**wrong)


# --- of problems ---

PARTS = [
    {"env": "Arithmetic", "settings": {"difficulty": 2}},
    {"env": "Countdown", "settings": {"difficulty": [4, 6]}},
]


def words(path: Any, count: int) -> str:
    rows = [json.dumps({"prompt": f"{i} + {i}?", "answer": str(2 * i)}) for i in range(count)]
    path.write_text("\n".join(rows))
    return str(path)


def test_bounds_come_from_the_problem(tmp_path: Any) -> None:
    curriculum = Curriculum.of(load_problem("Arithmetic", difficulty=3))
    assert (curriculum.bounds, curriculum.difficulty("Arithmetic")) == ({"Arithmetic": (1, 10)}, 3)
    data = {"env": "JSONL", "settings": {"data": words(tmp_path / "a.jsonl", 5)}}
    curriculum = Curriculum.of(Mixture(parts=[*PARTS, data]))
    assert curriculum.bounds == {"Arithmetic": (1, 10), "Countdown": (4, 6), "JSONL": (1, 1)}
    assert [curriculum.difficulty(part) for part in curriculum.bounds] == [2, 4, 1]
    assert "curriculum/JSONL/difficulty" not in curriculum.metrics()


@pytest.mark.parametrize("problem", [load_problem("Countdown", difficulty=3), Mixture(parts=PARTS)])
def test_a_levelled_source(problem: Any) -> None:
    """At the levels of the settings it is the problem's own stream; a level changes its own part only."""
    levelled, plain = LevelledSource(problem, 7), problem.source(7)
    curriculum = Curriculum.of(problem)
    tasks = [levelled.draw(i, curriculum) for i in range(30)]
    fixed = [t for t in tasks if levelled.part_of(t) != "Countdown" or t.metadata["difficulty"] == 3]
    assert fixed
    for task in fixed:
        assert task == plain[tasks.index(task)]
    harder = Curriculum(curriculum.bounds, {**dict.fromkeys(curriculum.bounds, 2.0), "Countdown": 6.0})
    for before, after in zip(tasks, [levelled.draw(i, harder) for i in range(30)], strict=True):
        if levelled.part_of(before) == "Countdown":
            assert after.metadata["difficulty"] == 6
            assert after.prompt != before.prompt
        else:
            assert after == before
    assert levelled.draw(9, harder) == LevelledSource(problem, 7).draw(9, harder)


def test_a_finite_part_goes_round(tmp_path: Any) -> None:
    problem = JSONL(data=words(tmp_path / "a.jsonl", 5))
    levelled, curriculum = LevelledSource(problem, 0), Curriculum.of(problem)
    assert levelled.is_finite("JSONL")
    assert levelled.draw(12, curriculum) == levelled.draw(2, curriculum) == problem.source(0)[2]
    assert not LevelledSource(Mixture(parts=PARTS), 0).is_finite("Countdown")


def test_answers_fit_their_tasks_at_every_level() -> None:
    problem = Mixture(parts=PARTS)
    levelled, verifier = LevelledSource(problem, 0), problem.make_verifier()
    for level in (1, 5, 10):
        curriculum = Curriculum(
            {"Arithmetic": (1, 10), "Countdown": (1, 10)}, dict.fromkeys(["Arithmetic", "Countdown"], level)
        )
        for i in range(6):
            task: Task = levelled.draw(i, curriculum)
            assert verifier.verify(f"<answer>{problem.answer_text(task)}</answer>", task).correct
            assert replace(task, id="").to_json() == replace(levelled.draw(i, curriculum), id="").to_json()
