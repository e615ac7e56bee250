"""The scale of scores against hand-computed values, and what the prompts say about it."""

import re
from fractions import Fraction

import pytest

from rlvr_gym import load_problem
from rlvr_gym.envs.optimisation._graded import Scale
from rlvr_gym.errors import ConfigError

CLASSIC = ["GolombRuler", "SortingNetwork", "CirclePacking", "MinimalEnergyPoints", "LowAutocorrelation"]
GRADED = [*CLASSIC, "TSP", "MaxCut", "JobShop"]


@pytest.mark.parametrize(
    ("value", "score"),
    [
        (100, 1.0),
        (99, 1.0),
        (150, 0.1),
        (125, 0.1 + 0.9 / 8),
        (110, 0.1 + 0.9 * 0.512),
        (300, 0.05),
        (15_000, 0.001),
    ],
)
def test_less_is_better(value, score):
    assert Scale(100, 150).score(value) == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize(
    ("value", "score"), [(60, 1.0), (99, 1.0), (40, 0.1), (50, 0.1 + 0.9 / 8), (20, 0.05), (0, 0.0)]
)
def test_more_is_better(value, score):
    assert Scale(60, 40).score(value) == pytest.approx(score, abs=1e-12)


def test_the_threshold_is_exact():
    scale = Scale(1.0, 0.5, slack=2.0**-10)
    edge = 1 - Fraction(1, 1024)
    assert scale.score(edge) == 1.0
    assert scale.score(edge - Fraction(1, 10**40)) < 1.0
    assert Scale(1, 0.5).score(1 - Fraction(1, 10**40)) < 1.0, "it rounds to 1 and is not the best"


@pytest.mark.parametrize("name", GRADED)
def test_the_prompt_states_the_scale(name, tasks):
    for task in tasks(name, (1, 4, 10), 2):
        best, plain = task.answer["best"], task.answer["plain"]
        assert best != plain
        told = re.search(r"score is 1 for (\d+(?:\.\d+)?).*?0\.1 for (\d+(?:\.\d+)?)", task.prompt)
        assert float(told[1]) == pytest.approx(best, rel=1e-8)
        assert float(told[2]) == pytest.approx(plain, rel=1e-8)
        assert "0.1 + 0.9 g^3" in task.prompt


@pytest.mark.parametrize("name", GRADED)
def test_the_reference_is_exactly_as_good_as_it_is_said_to_be(name, tasks, judged):
    for task in tasks(name, range(1, 11), 2):
        verdict = judged(name, task, task.answer["reference"])
        assert verdict.score == 1.0
        assert verdict.details["value"] == pytest.approx(task.answer["best"], rel=1e-9)


@pytest.mark.parametrize("name", CLASSIC)
def test_the_classic_instances_are_there_and_are_solved(name, tasks, judged):
    for difficulty in range(1, 11):
        first, second = tasks(name, (difficulty,), 2, classic=True)
        assert first.prompt == second.prompt
        assert judged(name, first, first.answer["reference"]).correct


@pytest.mark.parametrize("name", CLASSIC)
def test_classic_is_a_truth_value(name):
    with pytest.raises(ConfigError, match="classic is true or false; got 'yes'"):
        load_problem(name, classic="yes")
