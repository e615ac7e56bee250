"""The statistics of evaluations: rates with intervals, unbiased pass@k, bootstrap."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

__all__ = [
    "Interval",
    "bootstrap_mean",
    "clopper_pearson",
    "difference",
    "mean_pass_at_k",
    "pass_at_1",
    "pass_at_k",
    "wilson",
]


class Interval(NamedTuple):
    """A point estimate and the bounds of its confidence interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


NOTHING = Interval(math.nan, math.nan, math.nan)
"""The estimate from no data."""


def wilson(successes: float, trials: float, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a rate (Wilson 1927); it stays in [0, 1] and holds at 0 and at 1.

    Args:
        successes: how many trials succeeded; a fraction if the trials are an effective number.
        trials: how many independent trials there were; 0 gives nan.
        confidence: the level, between 0 and 1.

    Raises:
        ValueError: unless 0 <= successes <= trials.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"successes goes from 0 to trials; got {successes} of {trials}.")
    if trials == 0:
        return NOTHING
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    rate = successes / trials
    shrink = 1 + z * z / trials
    centre = (rate + z * z / (2 * trials)) / shrink
    half = z / shrink * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    # the formula is exact at the ends, floating point is not
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return Interval(rate, low, high)


def clopper_pearson(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """The exact interval of a rate (Clopper and Pearson 1934): it covers at least at its level, at any rate and size.

    Args:
        successes: how many trials succeeded.
        trials: how many independent trials there were; 0 gives nan.
        confidence: the level, between 0 and 1.

    Raises:
        ValueError: unless 0 <= successes <= trials.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"successes goes from 0 to trials; got {successes} of {trials}.")
    if trials == 0:
        return NOTHING
    tail = (1 - confidence) / 2
    # the bounds are the rates at which so many, or so few, successes have just the probability of a tail
    low, high = 0.0, 1.0
    if successes > 0:
        many = _at_least(successes, trials)
        low = _root(lambda rate: many(rate) - tail)
    if successes < trials:
        more = _at_least(successes + 1, trials)
        high = _root(lambda rate: tail - 1 + more(rate))
    return Interval(successes / trials, low, high)


def _at_least(successes: int, trials: int) -> Callable[[float], float]:
    """The probability of at least so many successes as a function of the rate, in (0, 1); sums the shorter side."""
    upper = 2 * successes > trials
    counts = np.arange(successes, trials + 1) if upper else np.arange(successes)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])  # of factorials
    ways = logs[trials] - logs[counts] - logs[trials - counts]

    def probability(rate: float) -> float:
        terms = np.exp(ways + counts * math.log(rate) + (trials - counts) * math.log1p(-rate))
        return float(terms.sum()) if upper else 1.0 - float(terms.sum())

    return probability


def _root(rising: Callable[[float], float]) -> float:
    """Where a function that rises from below 0 to above 0 on (0, 1) is 0."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def pass_at_k(samples: int, correct: int, k: int) -> float:
    """The unbiased estimate of the chance that at least one of ``k`` samples is correct.

    ``1 - C(n - c, k) / C(n, k)`` (Chen et al. 2021, 2107.03374, eq. 1), with exact whole numbers.

    Raises:
        ValueError: unless 0 <= correct <= samples and 1 <= k <= samples.
    """
    if not 0 <= correct <= samples:
        raise ValueError(f"correct goes from 0 to samples; got {correct} of {samples}.")
    if not 1 <= k <= samples:
        raise ValueError(f"pass@k needs 1 <= k <= samples; got k={k} with {samples} samples.")
    return 1.0 - math.comb(samples - correct, k) / math.comb(samples, k)


def mean_pass_at_k(counts: Sequence[tuple[int, int]], k: int) -> float:
    """The mean of :func:`pass_at_k` over tasks, given as ``(samples, correct)``.

    Tasks with fewer than ``k`` samples are left out; nan if none is left.
    """
    values = [pass_at_k(samples, correct, k) for samples, correct in counts if samples >= k]
    return sum(values) / len(values) if values else math.nan


def pass_at_1(
    counts: Sequence[tuple[int, int]], confidence: float = 0.95, weights: Sequence[float] | None = None
) -> Interval:
    """The mean over tasks of the fraction that is correct, with an interval that knows the samples' tasks.

    Samples of one task are not independent: Wilson's interval is taken at the effective number of trials
    ``p (1 - p) / Var(p)`` of the tasks' rates ``p_i`` (the design effect of a cluster sample), which lies between
    the number of tasks and the number of samples. With one sample a task it is Wilson's interval. Under weights the
    tasks count as ``(sum w)**2 / sum w**2`` of them (Kish 1965).

    Args:
        counts: ``(samples, correct)`` of each task; tasks without samples are left out.
        confidence: the level, between 0 and 1.
        weights: of the tasks, positive; None for equal ones.
    """
    given = [1.0] * len(counts) if weights is None else weights
    kept = [(n, c, w) for (n, c), w in zip(counts, given, strict=True) if n > 0]
    if not kept:
        return NOTHING
    whole = math.fsum(w for _, _, w in kept)
    shares = np.array([w / whole for _, _, w in kept])
    rates = np.array([c / n for n, c, _ in kept])
    rate = math.fsum(w * c / n for n, c, w in kept) / whole  # exactly 1 where all are right
    spread = float(shares @ (rates - rate) ** 2)
    tasks = trials = 1.0 / float(shares @ shares)
    if 0 < rate < 1:
        total = tasks * sum(n for n, _, _ in kept) / len(kept)
        trials = min(total, max(trials, tasks * rate * (1 - rate) / spread)) if spread > 0 else total
    low, high = wilson(min(rate * trials, trials), trials, confidence)[1:]
    return Interval(rate, low, high)


def difference(before: Interval, after: Interval) -> Interval:
    """``after - before`` of two independent rates, out of their intervals (Newcombe 1998, method 10).

    Where both were measured on the same tasks it is conservative: the paired interval would be narrower.
    """
    mean = after.mean - before.mean
    low = mean - math.hypot(after.mean - after.low, before.high - before.mean)
    high = mean + math.hypot(after.high - after.mean, before.mean - before.low)
    return Interval(mean, low, high)


def bootstrap_mean(
    values: Sequence[float], confidence: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """The mean with its percentile bootstrap interval (Efron 1979); nan of no values."""
    data = np.asarray(values, dtype=float)
    if data.size == 0:
        return NOTHING
    rng = np.random.default_rng(seed)
    # row by row: a matrix of all resamples could be large
    means = [float(rng.choice(data, data.size).mean()) for _ in range(resamples)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(data.mean()), float(low), float(high))
