"""One finished attempt at a task: what reward terms look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rlvr_gym.errors import DataError
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

    def to_row(self) -> dict[str, Any]:
        """A flat JSON-ready row that holds all that reward terms look at; :meth:`from_row` is its inverse."""
        return {
            "task_id": self.task.id,
            "prompt": self.task.prompt,
            "answer": self.task.answer,
            "metadata": self.task.metadata,
            "completion": self.completion,
            "verdict": self.verdict.to_dict(),
            "num_tokens": self.num_tokens,
            "finished": self.finished,
            "turns": self.turns,
            "metrics": dict(self.metrics),
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Rollout:
        """The inverse of :meth:`to_row`. Other keys are passed over; ``length`` will do for ``num_tokens``.

        Raises:
            DataError: if something that a reward needs is missing, or is not what it should be.
        """
        try:
            return cls(
                task=Task(
                    prompt=str(row["prompt"]),
                    answer=row.get("answer"),
                    id=str(row.get("task_id", "")),
                    metadata=dict(row.get("metadata") or {}),
                ),
                completion=str(row["completion"]),
                verdict=Verdict.from_dict(row["verdict"]),
                num_tokens=int(row["num_tokens"] if "num_tokens" in row else row["length"]),
                finished=bool(row.get("finished", True)),
                turns=int(row.get("turns", 1)),
                metrics=dict(row.get("metrics") or {}),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"A saved rollout has prompt, completion, verdict and num_tokens; this one does not fit: {error!r}."
            ) from error
