"""Statistics against numbers worked out by hand, or by scipy."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rlvr_gym.bench.statistics import (
    detectable,
    holm,
    interquartile_mean,
    iqm_interval,
    one_sample,
    paired,
    probability_of_improvement,
    slope,
    t_interval,
)


def test_t_interval_by_hand():
    # mean 2, deviation 1, 1 / sqrt(3) and t = 4.302653 with two degrees of freedom
    mean, low, high = t_interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert high - 2 == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert 2 - low == pytest.approx(high - 2)


def test_one_seed_has_no_interval_and_none_no_mean():
    assert t_interval([0.5]) == (0.5, -math.inf, math.inf)
    assert math.isnan(t_interval([]).mean)
    assert one_sample([0.5]) == 1.0


def test_one_sample_by_hand():
    # t = 2 / (1 / sqrt(3)) = 3.4641 with two degrees of freedom: p = 0.0742 (two-sided)
    assert one_sample([1.0, 2.0, 3.0]) == pytest.approx(0.074180, abs=1e-6)
    assert one_sample([1.0, 2.0, 3.0], "greater") == pytest.approx(0.037090, abs=1e-6)
    assert one_sample([1.0, 2.0, 3.0], "less") == pytest.approx(1 - 0.037090, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "side", "p"),
    [([0.0, 0.0], "two-sided", 1.0), ([0.1, 0.1], "greater", 0.0), ([0.1, 0.1], "less", 1.0)],
)
def test_values_that_are_all_alike(values, side, p):
    assert one_sample(values, side) == p


def test_paired_uses_the_seeds_that_both_have():
    left, right = {0: 0.5, 1: 0.7, 2: 0.6, 9: 100.0}, {0: 0.4, 1: 0.5, 2: 0.3, 8: -100.0}
    difference, p, pairs = paired(left, right)
    assert pairs == 3
    assert difference.mean == pytest.approx(0.2)
    assert p == pytest.approx(stats.ttest_rel([0.5, 0.7, 0.6], [0.4, 0.5, 0.3]).pvalue)


def test_pairing_removes_what_the_seeds_share():
    seeds = {seed: float(seed) for seed in range(5)}
    better = {seed: value + 0.1 + 0.001 * seed for seed, value in seeds.items()}
    assert paired(better, seeds)[1] < 1e-4
    assert stats.ttest_ind(list(better.values()), list(seeds.values())).pvalue > 0.9


def test_holm_by_hand():
    # 3 x 0.01, then 2 x 0.04 and, not below it, 1 x 0.03 becomes the same
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_between_no_correction_and_bonferronis(p_values):
    for p, adjusted in zip(p_values, holm(p_values), strict=True):
        assert p <= adjusted <= min(1.0, len(p_values) * p) + 1e-12 or adjusted == max(holm(p_values))


def test_interquartile_mean_by_hand():
    assert interquartile_mean([100.0, 2.0, 4.0, 0.0]) == 3.0
    assert interquartile_mean([1.0, 2.0, 6.0]) == 3.0  # nothing to cut off
    assert interquartile_mean([0, 1, 2, 3, 4, 5, 6, 700]) == 3.5
    assert interquartile_mean(list(range(11))) == pytest.approx(stats.trim_mean(range(11), 0.25))
    assert math.isnan(interquartile_mean([]))


def test_iqm_interval_holds_the_estimate_and_narrows():
    few = iqm_interval([[0.1, 0.5, 0.9]], resamples=300)
    many = iqm_interval([[0.1, 0.5, 0.9] * 20], resamples=300)
    assert few.low <= few.mean <= few.high
    assert many.high - many.low < few.high - few.low
    assert iqm_interval([[0.4, 0.4], [0.4]]) == pytest.approx((0.4, 0.4, 0.4))


def test_strata_are_resampled_within():
    # two environments of very different level: resampling across them would move the mean by a lot
    found = iqm_interval([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], resamples=200)
    assert found.low == found.high == 0.5


def test_probability_of_improvement_by_hand():
    # 3 > 2, 3 > 1, 1 < 2, and a tie
    assert probability_of_improvement([[3.0, 1.0]], [[2.0, 1.0]]) == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    assert probability_of_improvement([[1.0], [0.0]], [[0.0], [1.0]]) == 0.5
    assert probability_of_improvement([[1.0]], [[1.0]]) == 0.5
    xs, ys = [0.3, 0.9, 0.5, 0.7], [0.2, 0.8, 0.4]
    u = stats.mannwhitneyu(xs, ys).statistic
    assert probability_of_improvement([xs], [ys]) == pytest.approx(u / 12)


def test_detectable_falls_with_seeds():
    assert detectable([0.1, -0.1] * 8) < detectable([0.1, -0.1])
    assert math.isnan(detectable([0.1]))
    # n = 2: (t_0.975 + t_0.8) s / sqrt(2) with one degree of freedom
    wanted = (12.706205 + 1.376382) * math.sqrt(0.02) / math.sqrt(2)
    assert detectable([0.1, -0.1]) == pytest.approx(wanted, rel=1e-5)


def test_slope():
    assert slope([(0, 1), (1, 3), (2, 5)]) == pytest.approx(2)
    assert math.isnan(slope([(1, 1)]))
    assert math.isnan(slope([(1, 1), (1, 2)]))
