"""Two evaluations of the same tasks: paired differences with intervals, and the tasks whose result flips."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from rlvr_gym.errors import DataError
from rlvr_gym.evaluation.run import Sample
from rlvr_gym.evaluation.summary import without_nan
from rlvr_gym.stats import Interval

__all__ = ["Comparison", "Pair", "compare", "paired_difference", "sign_test"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A task that both have attempted.

    Attributes:
        part: of the suite.
        task_id: the task.
        before: the fraction of valid attempts of the first that is correct.
        after: the same of the second.
        reasons: the reason of the first verdict of each.
    """

    part: str
    task_id: str
    before: float
    after: float
    reasons: tuple[str, str]

    @property
    def difference(self) -> float:
        """From the first to the second."""
        return self.after - self.before

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        reasons = dict(zip(("before_reason", "after_reason"), self.reasons, strict=True))
        return {
            "part": self.part,
            "task_id": self.task_id,
            "before": self.before,
            "after": self.after,
            **reasons,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changes from the first evaluation to the second.

    Attributes:
        pairs: the tasks that both have attempted with a verdict.
        unpaired: how many tasks only one of them has, or that one has no verdict on.
        weights: of the parts.
    """

    pairs: tuple[Pair, ...]
    unpaired: int
    weights: Mapping[str, float]

    @property
    def flips(self) -> list[Pair]:
        """The tasks whose rate changes, the greatest losses first."""
        return sorted((pair for pair in self.pairs if pair.difference), key=lambda pair: pair.difference)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: the total, the parts, and the flips."""
        parts: dict[str, list[Pair]] = {}
        for pair in self.pairs:
            parts.setdefault(pair.part, []).append(pair)
        shares = [self.weights.get(pair.part, 1.0) / len(parts[pair.part]) for pair in self.pairs]
        return without_nan(  # type: ignore[no-any-return]
            {
                **_told(self.pairs, shares),
                "unpaired": self.unpaired,
                "parts": {name: _told(pairs, [1.0] * len(pairs)) for name, pairs in parts.items()},
                "flips": [pair.to_dict() for pair in self.flips],
            }
        )


def compare(
    before: Sequence[Sample], after: Sequence[Sample], weights: Mapping[str, float] | None = None
) -> Comparison:
    """Pairs the attempts of two evaluations by part and task.

    Args:
        before: the attempts of the first.
        after: the attempts of the second.
        weights: of the suite's parts; None for equal ones.

    Raises:
        DataError: if they have no task in common.
    """
    first, second = _by_task(before), _by_task(after)
    shared = [
        key for key in first if key in second and first[key][0] is not None and second[key][0] is not None
    ]
    if not shared:
        raise DataError(
            "The two evaluations have no judged task in common; compare runs of the same suite, seed and settings."
        )
    pairs = tuple(
        Pair(*key, float(first[key][0] or 0), float(second[key][0] or 0), (first[key][1], second[key][1]))
        for key in shared
    )
    return Comparison(pairs, len(first.keys() | second.keys()) - len(pairs), dict(weights or {}))


def _by_task(samples: Sequence[Sample]) -> dict[tuple[str, str], tuple[float | None, str]]:
    """The rate of each task, None where nothing is valid, and the reason of its first verdict."""
    groups: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        groups.setdefault((sample.part, sample.rollout.task.id), []).append(sample)
    found: dict[tuple[str, str], tuple[float | None, str]] = {}
    for key, group in groups.items():
        valid = [sample.rollout.verdict for sample in group if sample.rollout.verdict.valid]
        rate = sum(verdict.correct for verdict in valid) / len(valid) if valid else None
        found[key] = (rate, str((valid or [group[0].rollout.verdict])[0].reason))
    return found


def _told(pairs: Sequence[Pair], shares: Sequence[float]) -> dict[str, Any]:
    differences = [pair.difference for pair in pairs]
    interval = paired_difference(differences, shares)
    whole = math.fsum(shares)
    return {
        "tasks": len(pairs),
        "before": math.fsum(s * p.before for s, p in zip(shares, pairs, strict=True)) / whole,
        "after": math.fsum(s * p.after for s, p in zip(shares, pairs, strict=True)) / whole,
        "difference": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "won": sum(d > 0 for d in differences),
        "lost": sum(d < 0 for d in differences),
        "p": sign_test(sum(d > 0 for d in differences), sum(d < 0 for d in differences)),
    }


def paired_difference(
    differences: Sequence[float], weights: Sequence[float] | None = None, confidence: float = 0.95
) -> Interval:
    """The mean of paired differences in [-1, 1] with its interval.

    The adjusted Wald interval of Bonett and Price (2012, J. Educ. Behav. Stat. 37(4), 479-488): one more task is
    won and one more is lost, and the normal interval of the mean is taken then. It holds for few tasks, and where
    nothing differs it does not shrink to a point. With one attempt a task these are the differences of paired
    proportions that it was made for; rates of several attempts go in as they are. The mean itself is not adjusted.

    Args:
        differences: one a task.
        weights: positive; None for equal ones. The two added tasks have the average weight.
        confidence: the level, between 0 and 1.
    """
    n = len(differences)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan)
    given = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    shares = given / given.sum()
    mean = float(shares @ np.asarray(differences, dtype=float))
    values = np.append(np.asarray(differences, dtype=float), [1.0, -1.0])
    adjusted = np.append(shares * n, [1.0, 1.0]) / (n + 2)
    centre = float(adjusted @ values)
    error = math.sqrt(float(adjusted**2 @ (values - centre) ** 2))
    half = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return Interval(mean, max(-1.0, min(mean, centre - half)), min(1.0, max(mean, centre + half)))


def sign_test(won: int, lost: int) -> float:
    """The exact two-sided sign test on tasks that differ; with one attempt a task it is McNemar's exact test.

    1 where nothing differs.
    """
    n, k = won + lost, min(won, lost)
    tail = sum(math.comb(n, i) for i in range(k + 1))
    return min(1.0, 2 * tail / 2**n) if n < 1000 else _far_tail(n, k)


def _far_tail(n: int, k: int) -> float:
    """The same with whole numbers too large for a float."""
    from fractions import Fraction

    return min(1.0, float(Fraction(2 * sum(math.comb(n, i) for i in range(k + 1)), 2**n)))
