"""Statistics over seeds: intervals, paired tests with Holm's correction, interquartile means, improvement."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rlvr_gym.errors import MissingExtraError
from rlvr_gym.stats import NOTHING, Interval

__all__ = [
    "detectable",
    "holm",
    "interquartile_mean",
    "iqm_interval",
    "one_sample",
    "paired",
    "probability_of_improvement",
    "slope",
    "t_interval",
]


def scipy_stats() -> Any:
    """``scipy.stats``.

    Raises:
        MissingExtraError: if scipy is not installed.
    """
    try:
        stats = importlib.import_module("scipy.stats")
    except ImportError as error:
        raise MissingExtraError("scipy", "bench", "Statistics of a benchmark") from error
    return stats


def t_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The mean with Student's interval; infinitely wide for one value, nan for none."""
    data = np.asarray(values, dtype=float)
    if data.size == 0:
        return NOTHING
    mean = float(data.mean())
    if data.size == 1:
        return Interval(mean, -math.inf, math.inf)
    half = float(
        scipy_stats().t.ppf(0.5 + confidence / 2, data.size - 1) * data.std(ddof=1) / math.sqrt(data.size)
    )
    return Interval(mean, mean - half, mean + half)


def one_sample(values: Sequence[float], side: str = "two-sided") -> float:
    """The p value of the t test that the mean is 0; ``side`` is two-sided, greater or less. 1 for fewer than 2 values.

    Values that do not differ from each other have no standard error: 0 if their mean is on the stated side, else 1.
    """
    data = np.asarray(values, dtype=float)
    if data.size < 2:
        return 1.0
    if np.ptp(data) < 1e-12 * max(1.0, float(np.abs(data).max())):
        mean = float(data.mean())
        beyond = {"two-sided": mean != 0, "greater": mean > 0, "less": mean < 0}[side]
        return 0.0 if beyond else 1.0
    return float(scipy_stats().ttest_1samp(data, 0.0, alternative=side).pvalue)


def paired(left: Mapping[int, float], right: Mapping[int, float]) -> tuple[Interval, float, int]:
    """``left - right`` on the seeds that both have: mean with its t interval, two-sided p value, number of pairs."""
    seeds = sorted(left.keys() & right.keys())
    differences = [left[seed] - right[seed] for seed in seeds]
    return t_interval(differences), one_sample(differences), len(seeds)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p values (Holm 1979), in the order given: the family-wise error stays below the level.

    The i-th smallest (from 0) of m is multiplied by ``m - i``; none is smaller than one before it, and none above 1.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def interquartile_mean(values: Sequence[float]) -> float:
    """The mean of the middle half (Agarwal et al. 2108.13264): ``floor(n / 4)`` values are cut off at each end."""
    data = np.sort(np.asarray(values, dtype=float).ravel())
    if data.size == 0:
        return math.nan
    cut = data.size // 4
    return float(data[cut : data.size - cut].mean())


def iqm_interval(
    strata: Sequence[Sequence[float]], confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """The interquartile mean over environments and seeds, with a bootstrap interval that resamples seeds within each.

    Args:
        strata: the values over seeds, an environment each.
        confidence: the level.
        resamples: of the percentile bootstrap.
        seed: of the bootstrap.
    """
    data = [np.asarray(values, dtype=float) for values in strata if len(values)]
    if not data:
        return NOTHING
    rng = np.random.default_rng(seed)
    found = [
        interquartile_mean(np.concatenate([rng.choice(values, values.size) for values in data]).tolist())
        for _ in range(resamples)
    ]
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return Interval(interquartile_mean(np.concatenate(data).tolist()), float(low), float(high))


def probability_of_improvement(left: Sequence[Sequence[float]], right: Sequence[Sequence[float]]) -> float:
    """How likely a run of ``left`` beats one of ``right``, ties counting half; the mean over environments (2108.13264).

    Args:
        left: the values over seeds, an environment each.
        right: the same of the other, environments in the same order.
    """
    rates = [
        float(np.mean([(x > y) + 0.5 * (x == y) for x in xs for y in ys]))
        for xs, ys in zip(left, right, strict=True)
        if len(xs) and len(ys)
    ]
    return float(np.mean(rates)) if rates else math.nan


def detectable(differences: Sequence[float], power: float = 0.8, level: float = 0.05) -> float:
    """The smallest true difference that a paired t test on so many seeds finds with this power; nan for fewer than 2.

    ``(t_{1 - level / 2} + t_power) s / sqrt(n)`` with ``n - 1`` degrees of freedom: the usual approximation.
    """
    data = np.asarray(differences, dtype=float)
    if data.size < 2:
        return math.nan
    t: Callable[..., float] = scipy_stats().t.ppf
    steps = float(t(1 - level / 2, data.size - 1)) + float(t(power, data.size - 1))
    return steps * float(data.std(ddof=1)) / math.sqrt(data.size)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The least-squares slope of y over x; nan if the points do not span any x."""
    if len(points) < 2:
        return math.nan
    x, y = (np.asarray(column, dtype=float) for column in zip(*points, strict=True))
    x = x - x.mean()
    spread = float((x * x).sum())
    return float((x * (y - y.mean())).sum() / spread) if spread > 0 else math.nan
