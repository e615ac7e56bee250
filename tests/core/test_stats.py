"""Intervals and pass@k against published values, brute force and simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr_gym.stats import (
    bootstrap_mean,
    clopper_pearson,
    difference,
    mean_pass_at_k,
    pass_at_1,
    pass_at_k,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_wilson_gives_the_published_bounds(successes, trials, low, high):
    interval = wilson(successes, trials)
    assert interval.mean == successes / trials
    assert (interval.low, interval.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_its_estimate_and_mirrors(pair):
    successes, trials = pair
    interval = wilson(successes, trials)
    mirrored = wilson(trials - successes, trials)
    assert 0 <= interval.low <= interval.mean <= interval.high <= 1
    assert interval.low == pytest.approx(1 - mirrored.high)


def test_wilson_of_nothing_is_nan_and_of_nonsense_an_error():
    assert math.isnan(wilson(0, 0).mean)
    with pytest.raises(ValueError, match="0 to trials"):
        wilson(3, 2)


@pytest.mark.parametrize(("samples", "correct"), [(1, 0), (1, 1), (5, 2), (6, 0), (6, 6), (7, 3)])
def test_pass_at_k_counts_the_subsets(samples, correct):
    outcomes = [True] * correct + [False] * (samples - correct)
    for k in range(1, samples + 1):
        subsets = [any(chosen) for chosen in itertools.combinations(outcomes, k)]
        assert pass_at_k(samples, correct, k) == pytest.approx(sum(subsets) / len(subsets))


def test_pass_at_k_refuses_what_it_cannot_estimate():
    with pytest.raises(ValueError, match="k=3 with 2 samples"):
        pass_at_k(2, 1, 3)
    with pytest.raises(ValueError, match="0 to samples"):
        pass_at_k(2, 3, 1)


def test_mean_pass_at_k_leaves_out_tasks_with_too_few_samples():
    assert mean_pass_at_k([(4, 2), (1, 1)], k=2) == pytest.approx(1 - 1 / 6)
    assert math.isnan(mean_pass_at_k([(1, 1)], k=2))


def test_pass_at_1_is_wilson_with_one_sample_a_task():
    assert pass_at_1([(1, 1)] * 30 + [(1, 0)] * 70) == pytest.approx(wilson(30, 100))
    assert pass_at_1([(1, 0)] * 9) == pytest.approx(wilson(0, 9))


def test_pass_at_1_does_not_take_copies_for_evidence():
    # eight samples that always agree say no more than one
    assert pass_at_1([(8, 8)] * 30 + [(8, 0)] * 70) == pytest.approx(wilson(30, 100))
    # eight samples that vary as if the tasks did not matter are eight times the data
    assert pass_at_1([(8, 4)] * 100) == pytest.approx(wilson(400, 800))


def test_pass_at_1_leaves_out_tasks_without_valid_samples():
    assert pass_at_1([(0, 0), (2, 1), (2, 2)]).mean == pytest.approx(0.75)
    assert math.isnan(pass_at_1([(0, 0)]).mean)


def test_pass_at_1_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        chances = rng.beta(1.0, 2.0, size=60)
        interval = pass_at_1([(4, int(c)) for c in rng.binomial(4, chances)])
        covered += interval.low <= 1 / 3 <= interval.high
    assert 0.91 <= covered / 400 <= 0.99


def test_bootstrap_agrees_with_the_normal_interval_on_plenty_of_data():
    data = np.random.default_rng(1).normal(5.0, 2.0, size=400)
    interval = bootstrap_mean(data)
    half = 1.96 * data.std() / 20
    assert interval.mean == pytest.approx(data.mean())
    assert interval.low == pytest.approx(data.mean() - half, abs=0.03)
    assert interval.high == pytest.approx(data.mean() + half, abs=0.03)
    assert interval == bootstrap_mean(data)
    assert math.isnan(bootstrap_mean([]).mean)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [  # Newcombe 1998 (Interval estimation for the difference), table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_difference_gives_the_published_bounds(first, second, low, high):
    gain = difference(wilson(*second), wilson(*first))
    assert gain.mean == pytest.approx(first[0] / first[1] - second[0] / second[1])
    assert (gain.low, gain.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 10, 0.0, 1 - 0.025**0.1),  # closed forms at the ends
        (10, 10, 0.025**0.1, 1.0),
        (1, 10, 0.00252858, 0.44501612),  # scipy.stats.binomtest(1, 10).proportion_ci(method="exact")
        (7, 20_000, 0.00014073, 0.00072099),
        (19_990, 20_000, 0.99908067, 0.99976020),
    ],
)
def test_clopper_pearson(successes, trials, low, high):
    rate = clopper_pearson(successes, trials)
    assert rate == pytest.approx((successes / trials, low, high), abs=1e-7)


def test_clopper_pearson_of_nothing_and_of_too_much():
    assert math.isnan(clopper_pearson(0, 0).mean)
    with pytest.raises(ValueError, match="goes from 0 to trials"):
        clopper_pearson(2, 1)
