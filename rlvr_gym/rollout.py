"""One finished attempt at a task: what reward terms look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rlvr_gym.task import Task
from rlvr_gym.verdict import Verdict

__all__ = ["Rollout"]


@dataclass(frozen=True, slots=True)
class Rollout:
    """An attempt and its verdict.

    Attributes:
        task: the task.
        completion: what the policy wrote (all its turns, joined by newlines).
        verdict: the verifier's judgement.
        num_tokens: length of the completion in tokens of the policy; words outside an agent, where there is no
            tokenizer.
        finished: False if it was cut off at the length limit, or ran out of turns.
        turns: actions taken.
        metrics: what a multi-turn environment counted.
    """

    task: Task
    completion: str
    verdict: Verdict
    num_tokens: int
    finished: bool = True
    turns: int = 1
    metrics: Mapping[str, float] = field(default_factory=dict)
