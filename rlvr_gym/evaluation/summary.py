"""What an evaluation comes to: pass@k with an interval, lengths, and why attempts failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rlvr_gym.evaluation.run import Sample
from rlvr_gym.stats import Interval, mean_pass_at_k, pass_at_1

__all__ = ["Summary", "summarise"]


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of an evaluation. Invalid samples are counted, and in none of the other numbers.

    Attributes:
        tasks: how many tasks.
        samples: how many attempts, invalid ones included.
        invalid: attempts without a verdict, because the model's endpoint or the verification failed.
        pass_at_1: the mean over tasks of the fraction that is correct, with its 95 % interval.
        pass_at_k: the unbiased estimate for each ``k``.
        mean_score: the mean of the graded score.
        mean_length: in the model's unit.
        clipped: the fraction that was cut off at the length limit, or ran out of turns.
        reasons: how many verdicts with each reason, the most frequent first.
    """

    tasks: int
    samples: int
    invalid: int
    pass_at_1: Interval
    pass_at_k: dict[int, float]
    mean_score: float
    mean_length: float
    clipped: float
    reasons: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, under the names that metrics have."""
        return {
            "tasks": self.tasks,
            "samples": self.samples,
            "invalid": self.invalid,
            "pass@1": self.pass_at_1.mean,
            "low": self.pass_at_1.low,
            "high": self.pass_at_1.high,
            **{f"pass@{k}": value for k, value in self.pass_at_k.items() if k > 1},
            "mean_score": self.mean_score,
            "mean_length": self.mean_length,
            "clipped_ratio": self.clipped,
            "reasons": self.reasons,
        }


def summarise(samples: Iterable[Sample]) -> Summary:
    """The summary of all samples."""
    total = 0
    counts: dict[int, tuple[int, int]] = {}
    valid: list[Sample] = []
    reasons: Counter[str] = Counter()
    for sample in samples:
        verdict = sample.rollout.verdict
        total += 1
        reasons[str(verdict.reason)] += 1
        tried, correct = counts.get(sample.index, (0, 0))
        counts[sample.index] = (tried + verdict.valid, correct + (verdict.valid and verdict.correct))
        if verdict.valid:
            valid.append(sample)
    most = max((tried for tried, _ in counts.values()), default=0)
    return Summary(
        tasks=len(counts),
        samples=total,
        invalid=total - len(valid),
        pass_at_1=pass_at_1(list(counts.values())),
        pass_at_k={k: mean_pass_at_k(list(counts.values()), k) for k in _ks(most)},
        mean_score=_mean([sample.rollout.verdict.score for sample in valid]),
        mean_length=_mean([sample.rollout.num_tokens for sample in valid]),
        clipped=_mean([not sample.rollout.finished for sample in valid]),
        reasons=dict(reasons.most_common()),
    )


def _ks(most: int) -> list[int]:
    """1, 2, 4, ... and ``most``."""
    return sorted({2**i for i in range(most.bit_length()) if 2**i <= most} | ({most} if most else set()))


def _mean(values: list[float] | list[int] | list[bool]) -> float:
    return sum(values) / len(values) if values else float("nan")
