"""Mixtures: proportions, schedules, purity; and the environment that is made of them."""

from __future__ import annotations

import json
import math
import pickle
from collections import Counter

import gymnasium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rlvr_gym
from rlvr_gym import ConfigError, DataError, Reason, SeedError, Task
from rlvr_gym.envs.adapters.mixture import Mixture
from rlvr_gym.episode import Episode
from rlvr_gym.executor import make_executor
from rlvr_gym.mixture import MixtureSource, Schedule, part_seed, weights_at
from rlvr_gym.prompts import get_template
from rlvr_gym.task import ListSource
from rlvr_gym.verification import verify_all

PARTS = [
    {"env": "rlvr/Arithmetic-v0", "weight": 3, "settings": {"difficulty": 1}},
    {"env": "Countdown", "name": "numbers"},
    {"env": "rlvr/GuessTheNumber-v0", "weight": [[0, 0], [100, 2]]},
]
WEIGHTS = st.lists(st.floats(0, 8), min_size=1, max_size=5).filter(lambda weights: sum(weights) > 0.5)
SEEDS = st.integers(0, 2**32 - 1)


def listed(*sizes):
    return [ListSource([Task(f"{p}/{i}", i, str(i)) for i in range(n)]) for p, n in enumerate(sizes)]


def mixed(weights, seed=0, tasks_per_step=1, size=7):
    names = [f"p{i}" for i in range(len(weights))]
    schedules = [Schedule.parse(weight) for weight in weights]
    return MixtureSource(names, listed(*[size] * len(names)), schedules, seed, tasks_per_step)


# --- schedules ---


def test_a_schedule_is_linear_between_its_points():
    rising = Schedule.parse([[10, 1], [20, 3]])
    assert [rising(step) for step in (0, 10, 15, 20, 99)] == [1, 1, 2, 3, 3]
    assert Schedule.parse(2)(7) == 2
    assert weights_at([Schedule.parse(1), rising], 15) == pytest.approx([1 / 3, 2 / 3])


@pytest.mark.parametrize(
    "spec",
    [
        "1",
        -1,
        True,
        None,
        math.nan,
        math.inf,
        [],
        [[0]],
        [[0, 1, 2]],
        [[0, -1]],
        [[5, 1], [5, 2]],
        [[5, 1], [3, 2]],
    ],
)
def test_what_is_no_schedule(spec):
    with pytest.raises(ConfigError, match="A weight is a number from 0, or pairs"):
        Schedule.parse(spec)


def test_weights_that_are_all_zero_somewhere():
    with pytest.raises(ConfigError, match="At step 10 all weights"):
        mixed([[[0, 1], [10, 0]], [[0, 1], [10, 0], [20, 1]]])


# --- the source ---


@settings(max_examples=30, deadline=None)
@given(WEIGHTS, SEEDS)
def test_proportions(weights, seed):
    count = 600
    source = mixed(weights, seed)
    found = Counter(source.part_of(i) for i in range(count))
    for part, weight in enumerate(weights):
        share = weight / sum(weights)
        deviation = math.sqrt(count * share * (1 - share))
        assert abs(found[part] - count * share) <= 5.5 * deviation + 5, (part, found)


@settings(max_examples=25, deadline=None)
@given(WEIGHTS, SEEDS, st.lists(st.integers(0, 2**31), min_size=1, max_size=10))
def test_a_task_is_a_pure_function_of_seed_and_index(weights, seed, indices):
    one, other = mixed(weights, seed), mixed(weights, seed)
    forwards = [one[i].to_json() for i in indices]
    assert [other[i].to_json() for i in reversed(indices)] == forwards[::-1]
    for index in indices:
        task = one[index]
        part = one.part_of(index)
        assert weights[part] > 0
        assert task.metadata["part"] == f"p{part}"
        assert task.prompt == f"{part}/{index % 7}"
        assert task.id == f"p{part}/{index % 7}"


@given(st.integers(1, 50), st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_a_schedule_counts_steps_of_tasks(tasks_per_step, seed):
    """One part goes out just as the other comes in: before and after the switch there is no choice."""
    source = mixed([[[9, 1], [10, 0]], [[9, 0], [10, 1]]], seed, tasks_per_step)
    switch = 10 * tasks_per_step
    assert {source.part_of(i) for i in range(switch)} == {0}
    assert {source.part_of(i) for i in range(switch, switch + 50)} == {1}


def test_a_finite_part_shows_nothing_twice_within_its_length():
    source = mixed([1, 2], size=20)
    for start in (0, 7, 1000):
        seen = Counter(source[i].prompt for i in range(start, start + 20))
        assert max(seen.values()) == 1
    often = Counter(source[i].prompt for i in range(4000) if source.part_of(i) == 1)
    assert len(often) == 20
    assert max(often.values()) < 2 * min(often.values())


def test_parts_and_neighbours_share_no_streams():
    seeds = [part_seed(seed, part) for seed in range(50) for part in range(5)]
    assert len(set(seeds)) == len(seeds)
    twice = Mixture(parts=[{"env": "Countdown", "name": "a"}, {"env": "Countdown", "name": "b"}])
    prompts = {name: set() for name in "ab"}
    for task in (twice.source(0)[i] for i in range(30)):
        prompts[task.metadata["part"]].add(task.prompt)
    assert not prompts["a"] & prompts["b"]


def test_sources_that_cannot_be():
    one = Schedule.parse(1)
    with pytest.raises(ConfigError, match="as many names"):
        MixtureSource(["a"], listed(3, 3), [one], 0)
    with pytest.raises(ConfigError, match="at least one"):
        MixtureSource([], [], [], 0)
    with pytest.raises(ConfigError, match="different names"):
        MixtureSource(["a", "a"], listed(3, 3), [one, one], 0)
    with pytest.raises(ConfigError, match="tasks_per_step"):
        MixtureSource(["a"], listed(3), [one], 0, 0)
    with pytest.raises(SeedError):
        MixtureSource(["a"], listed(3), [one], 2**32)


# --- the environment ---


def test_the_environment_round_trips_and_dispatches():
    env = gymnasium.make("rlvr_gym:rlvr/Mixture-v0", parts=PARTS)
    copy = gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    seen = set()
    for index in range(60):
        prompt, info = env.reset(seed=4, options={"index": index})
        assert copy.reset(seed=4, options={"index": index}) == (prompt, info)
        task = env.unwrapped.task
        seen.add(task.metadata["part"])
        problem = env.unwrapped.problem
        if task.metadata["part"] != "GuessTheNumber":
            assert env.step(f"<answer>{problem.answer_text(task)}</answer>")[1:3] == (1.0, True)
    assert seen == {"Arithmetic", "numbers", "GuessTheNumber"}


def play(problem, task):
    episode = Episode(problem, task, get_template("plain"), problem.turn_limit(task))
    verifier = problem.make_verifier()
    while not episode.done:
        episode.act(
            episode.problem.oracle(task, episode.state)
            if task.metadata["part"] == "GuessTheNumber"
            else f"<answer>{problem.answer_text(task)}</answer>"
        )
        if episode.pending is not None:
            episode.conclude(verifier.verify(episode.pending, task))
    return episode


def test_single_and_multi_turn_parts_side_by_side():
    mixture = Mixture(parts=PARTS)
    assert mixture.several_turns
    assert not Mixture(parts=PARTS[:2]).several_turns
    source = mixture.source(1)
    episodes = [play(mixture, source[i]) for i in range(90, 130)]
    assert all(episode.verdict.score == 1.0 for episode in episodes)
    turns = {name: set() for name in mixture.components()}
    for episode in episodes:
        turns[episode.task.metadata["part"]].add(episode.turns)
    assert turns["Arithmetic"] == turns["numbers"] == {1}
    assert max(turns["GuessTheNumber"]) > 1


def test_a_vector_of_mixtures_is_verified_in_one_batch():
    envs = gymnasium.make_vec("rlvr_gym:rlvr/Mixture-v0", num_envs=6, parts=PARTS[:2])
    envs.reset(seed=0)
    problem = Mixture(parts=PARTS[:2])
    tasks = [problem.source(seed)[0] for seed in range(6)]
    answers = [f"<answer>{problem.answer_text(task)}</answer>" for task in tasks]
    answers[2] = "<answer>banana</answer>"
    _, rewards, terminations, _, infos = envs.step(answers)
    assert rewards.tolist() == [1, 1, 0, 1, 1, 1]
    assert terminations.all()
    assert [v.reason for v in infos["final_info"]["verdict"]][2] is not Reason.CORRECT
    envs.close()


def test_executors():
    problem = Mixture(parts=PARTS[:2])
    tasks = [problem.source(5)[i] for i in range(8)]
    answers = [f"<answer>{problem.answer_text(task)}</answer>" for task in tasks]
    assert pickle.loads(pickle.dumps(problem)) == problem
    with make_executor("process", workers=1) as executor:
        verdicts = verify_all(problem.make_verifier(), answers, tasks, executor, timeout=60)
    assert [verdict.score for verdict in verdicts] == [1.0] * 8


def test_a_task_of_no_part_is_a_failure_and_no_exception():
    problem = Mixture(parts=PARTS[:2])
    good = problem.source(0)[0]
    strange = [
        Task("?", "1", metadata=metadata) for metadata in ({}, {"part": "x"}, {"part": ["x"]}, {"part": None})
    ]
    answer = f"<answer>{problem.answer_text(good)}</answer>"
    verdicts = problem.make_verifier().verify_batch([answer] * 5, [*strange[:2], good, *strange[2:]])
    assert [verdict.valid for verdict in verdicts] == [False, False, True, False, False]
    assert verdicts[2].correct
    with pytest.raises(DataError, match="this mixture has Arithmetic, numbers"):
        problem.owner(strange[1])


def test_a_part_cannot_be_judged_by_another_parts_verifier():
    """A right answer to one part's question is no answer to another's, whatever its metadata say."""
    problem = Mixture(parts=PARTS[:2])
    tasks = [problem.source(0)[i] for i in range(40)]
    one = next(task for task in tasks if task.metadata["part"] == "Arithmetic")
    other = next(task for task in tasks if task.metadata["part"] == "numbers")
    verdict = problem.make_verifier().verify(f"<answer>{problem.answer_text(other)}</answer>", one)
    assert not verdict.correct


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((), "Mixture needs parts"),
        ("Countdown", "Mixture needs parts"),
        ([{"weight": 1}], "A part of a mixture has 'env'"),
        ([{"env": "Countdown", "wieght": 1}], "A part of a mixture has 'env' and may have"),
        ([{"env": "Countdown", "weight": -1}], "A weight is a number"),
        ([{"env": "Countdown", "weight": 0}], "all weights of the mixture are 0"),
        (
            [{"env": "Countdown"}, {"env": "rlvr/Countdown-v0"}],
            "Two parts of the mixture have the name 'Countdown'",
        ),
        ([{"env": "Countdown", "name": "a/b"}], "without a slash"),
        ([{"env": "Countdown", "settings": 3}], "settings of the part rlvr/Countdown-v0 are a mapping"),
        ([{"env": "Countdown", "settings": {"size": 3}}], "Countdown-v0 has no setting size"),
        ([{"env": "Countdown", "settings": {"difficulty": 11}}], "difficulty goes from 1 to 10"),
        ([{"env": "rlvr/GSM8K-v0"}], "GSM8K needs data"),
        ([{"env": "rlvr/Mixture-v0", "settings": {"parts": PARTS}}], "cannot be a part of a mixture"),
    ],
)
def test_parts_that_cannot_be(parts, message):
    with pytest.raises(ConfigError, match=message):
        rlvr_gym.load_problem("Mixture", parts=parts)


def test_settings_are_json():
    problem = rlvr_gym.load_problem("Mixture", parts=json.loads(json.dumps(PARTS)), tasks_per_step=4)
    assert problem.source(2)[5] == Mixture(parts=PARTS, tasks_per_step=4).source(2)[5]
    assert problem.digest != Mixture(parts=PARTS[:2]).digest


def test_one_task_alone():
    import numpy as np

    problem = Mixture(parts=PARTS)
    names = {problem.generate(np.random.default_rng(i), 1).metadata["part"] for i in range(30)}
    assert names == {"Arithmetic", "numbers"}, "the third has no weight in the first step"
