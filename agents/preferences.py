"""Preference pairs out of judged attempts: nobody is asked what is better, verdicts and lengths say it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from rlvr_gym.agents.best_of_n import Attempt
from rlvr_gym.agents.seeds import derive_seed

__all__ = ["Pair", "pairs_by_length", "pairs_by_verdict"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two attempts at the same task.

    Attributes:
        chosen: the better one.
        rejected: the worse one.
    """

    chosen: Attempt
    rejected: Attempt


def pairs_by_verdict(groups: Iterable[Sequence[Attempt]], per_task: int, seed: int) -> list[Pair]:
    """Right attempts against wrong ones.

    An attempt that verification failed on is in no pair; one that is correct but was cut off is neither right nor wrong.

    Args:
        groups: the attempts at each task.
        per_task: most pairs of one task, drawn at random out of all.
        seed: of that draw.
    """
    pairs: list[Pair] = []
    for number, group in enumerate(groups):
        right = [attempt for attempt in group if attempt.right]
        wrong = [attempt for attempt in group if attempt.valid and not attempt.correct]
        pairs += _draw(list(product(right, wrong)), per_task, derive_seed(seed, "pairs", number))
    return pairs


def pairs_by_length(
    groups: Iterable[Sequence[Attempt]], per_task: int, seed: int, ratio: float = 1.5
) -> list[Pair]:
    """The shortest right attempt against longer ones (long2short DPO, Kimi k1.5 2501.12599 sec. 2.4).

    What is longer and wrong is rejected, and so is what is right and at least ``ratio`` times as long.

    Args:
        groups: the attempts at each task.
        per_task: most pairs of one task, drawn at random out of all.
        seed: of that draw.
        ratio: from which on a right attempt is too long.
    """
    pairs: list[Pair] = []
    for number, group in enumerate(groups):
        right = [attempt for attempt in group if attempt.right]
        if not right:
            continue
        best = min(right, key=lambda attempt: attempt.length)
        worse = [
            attempt
            for attempt in group
            if (attempt.right and attempt.length >= ratio * best.length and attempt.length > best.length)
            or (attempt.valid and not attempt.correct and attempt.length > best.length)
        ]
        pairs += _draw([(best, attempt) for attempt in worse], per_task, derive_seed(seed, "pairs", number))
    return pairs


def _draw(candidates: list[tuple[Attempt, Attempt]], most: int, seed: int) -> list[Pair]:
    """At most so many of the candidates, in their order."""
    if len(candidates) > most:
        index = np.random.default_rng(seed).choice(len(candidates), most, replace=False)
        candidates = [candidates[i] for i in sorted(index.tolist())]
    return [Pair(chosen, rejected) for chosen, rejected in candidates]
