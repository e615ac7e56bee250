"""What an evaluation comes to: pass@k with an interval, lengths, tokens, cost, and why attempts failed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rlvr_gym.evaluation.model import Usage
from rlvr_gym.evaluation.run import Sample
from rlvr_gym.stats import Interval, bootstrap_mean, mean_pass_at_k, pass_at_1

__all__ = ["Prices", "Summary", "summarise", "summarise_parts", "without_nan"]


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in any currency.

    Attributes:
        input: of prompts.
        output: of completions.
    """

    input: float
    output: float

    def of(self, usage: Usage) -> float:
        """What these tokens cost."""
        return (self.input * usage.input + self.output * usage.output) / 1e6


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of an evaluation. Invalid samples are counted, and in none of the rates.

    Attributes:
        tasks: how many tasks.
        samples: how many attempts, invalid ones included.
        invalid: attempts without a verdict, because the model's endpoint or the verification failed.
        pass_at_1: the mean over tasks of the fraction that is correct, with its 95 % interval.
        pass_at_k: the unbiased estimate for each ``k``.
        score: the mean over tasks of the graded score, with its 95 % bootstrap interval.
        mean_length: in the model's unit.
        clipped: the fraction that was cut off at the length limit, or ran out of turns.
        truncated: attempts that were cut off at the length limit; they are judged like all others.
        truncated_correct: how many of those are correct.
        filtered: attempts in which an endpoint's filter cut something.
        usage: tokens that were billed.
        unmetered: completions whose tokens nobody counted.
        reasons: how many verdicts with each reason, the most frequent first.
        finish_reasons: how many attempts ended for each.
    """

    tasks: int
    samples: int
    invalid: int
    pass_at_1: Interval
    pass_at_k: dict[int, float]
    score: Interval
    mean_length: float
    clipped: float
    truncated: int
    truncated_correct: int
    filtered: int
    usage: Usage
    unmetered: int
    reasons: dict[str, int]
    finish_reasons: dict[str, int]

    def to_dict(self, prices: Prices | None = None) -> dict[str, Any]:
        """JSON-ready, under the names that metrics have; with ``prices`` also the cost."""
        return {
            "tasks": self.tasks,
            "samples": self.samples,
            "invalid": self.invalid,
            "pass@1": self.pass_at_1.mean,
            "low": self.pass_at_1.low,
            "high": self.pass_at_1.high,
            **{f"pass@{k}": value for k, value in self.pass_at_k.items() if k > 1},
            "mean_score": self.score.mean,
            "mean_score_low": self.score.low,
            "mean_score_high": self.score.high,
            "mean_length": self.mean_length,
            "clipped_ratio": self.clipped,
            "truncated": self.truncated,
            "truncated_correct": self.truncated_correct,
            "content_filter": self.filtered,
            "tokens": {"input": self.usage.input, "output": self.usage.output, "unmetered": self.unmetered},
            "cost": None if prices is None else prices.of(self.usage),
            "reasons": self.reasons,
            "finish_reasons": self.finish_reasons,
        }


def summarise(samples: Iterable[Sample], weights: Mapping[str, float] | None = None) -> Summary:
    """The summary of all samples.

    Args:
        samples: of one environment, or of a suite.
        weights: of a suite's parts: rates and scores are then the weighted means of those of the parts. The
            interval is that of tasks drawn from the suite as a whole; to know that every part has its fixed
            share could only make it narrower. pass@k beyond 1 is weighted alike.
    """
    rows = list(samples)
    tasks: dict[tuple[str, int], list[Sample]] = {}
    for row in rows:
        tasks.setdefault((row.part, row.index), []).append(row)
    judged = {key: [row for row in group if row.rollout.verdict.valid] for key, group in tasks.items()}
    kept = {key: group for key, group in judged.items() if group}
    shares = _shares(list(kept), weights)
    counts = [(len(group), sum(r.rollout.verdict.correct for r in group)) for group in kept.values()]
    scores = [_mean([r.rollout.verdict.score for r in group]) for group in kept.values()]
    valid = [row for group in kept.values() for row in group]
    cut = [row for row in valid if row.truncated]
    rate = pass_at_1(counts, weights=shares)
    graded = any(score != correct / tried for score, (tried, correct) in zip(scores, counts, strict=True))
    return Summary(
        tasks=len(tasks),
        samples=len(rows),
        invalid=len(rows) - len(valid),
        pass_at_1=rate,
        pass_at_k=_pass_at_k(list(kept), counts, weights),
        score=_weighted_score(scores, shares) if graded else rate,
        mean_length=_mean([row.rollout.num_tokens for row in valid]),
        clipped=_mean([not row.rollout.finished for row in valid]),
        truncated=len(cut),
        truncated_correct=sum(row.rollout.verdict.correct for row in cut),
        filtered=sum(row.finish_reason == "content_filter" for row in rows),
        usage=sum((row.usage for row in rows), Usage()),
        unmetered=sum(row.unmetered for row in rows),
        reasons=_counted(str(row.rollout.verdict.reason) for row in rows),
        finish_reasons=_counted(row.finish_reason for row in valid),
    )


def summarise_parts(samples: Iterable[Sample]) -> dict[str, Summary]:
    """The summary of each part of a suite, in the order in which they come."""
    parts: dict[str, list[Sample]] = {}
    for sample in samples:
        parts.setdefault(sample.part, []).append(sample)
    return {name: summarise(rows) for name, rows in parts.items()}


def without_nan(value: Any) -> Any:
    """JSON has no nan: rates over nothing become null."""
    if isinstance(value, dict):
        return {key: without_nan(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _shares(tasks: Sequence[tuple[str, int]], weights: Mapping[str, float] | None) -> list[float]:
    """The weight of each task: that of its part over the number of its tasks; equal ones without weights."""
    if weights is None:
        return [1.0] * len(tasks)
    sizes = Counter(part for part, _ in tasks)
    return [weights[part] / sizes[part] for part, _ in tasks]


def _pass_at_k(
    tasks: Sequence[tuple[str, int]], counts: Sequence[tuple[int, int]], weights: Mapping[str, float] | None
) -> dict[int, float]:
    by_part: dict[str, list[tuple[int, int]]] = {}
    for (part, _), count in zip(tasks, counts, strict=True):
        by_part.setdefault("" if weights is None else part, []).append(count)
    found: dict[int, float] = {}
    for k in _ks(max((tried for tried, _ in counts), default=0)):
        means = {part: mean_pass_at_k(some, k) for part, some in by_part.items()}
        known = {part: mean for part, mean in means.items() if not math.isnan(mean)}
        whole = math.fsum(1.0 if weights is None else weights[part] for part in known)
        found[k] = math.fsum((1.0 if weights is None else weights[p]) * m for p, m in known.items()) / whole
    return found


def _weighted_score(scores: Sequence[float], shares: Sequence[float]) -> Interval:
    """The weighted mean with a bootstrap over tasks, whose deviations from it count by their weights."""
    if not scores:
        return Interval(math.nan, math.nan, math.nan)
    whole = math.fsum(shares)
    mean = math.fsum(s * w for s, w in zip(scores, shares, strict=True)) / whole
    scale = len(scores) / whole
    deviations = [mean + (s - mean) * w * scale for s, w in zip(scores, shares, strict=True)]
    _, low, high = bootstrap_mean(deviations, resamples=1000)
    return Interval(mean, max(low, 0.0), min(high, 1.0))


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _ks(most: int) -> list[int]:
    """1, 2, 4, ... and ``most``."""
    return sorted({2**i for i in range(most.bit_length()) if 2**i <= most} | ({most} if most else set()))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
