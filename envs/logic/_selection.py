"""Problems whose answer is a choice out of numbered statements, none of them included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rlvr_gym.problem import Problem
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier, parse_selection

__all__ = ["SELECTION_FORMAT", "SelectionProblem", "SelectionVerifier", "selection_text"]

SELECTION_FORMAT = "Give the numbers, separated by commas, or the word none, in <answer> tags, for example <answer>98, 99</answer>"


def selection_text(chosen: Sequence[int]) -> str:
    """``1, 3`` or ``none``."""
    return ", ".join(map(str, chosen)) or "none"


@register_verifier("selection")
class SelectionVerifier(RuleVerifier[frozenset[int]]):
    """Exactly the numbers that belong into the choice, which is derived from the puzzle and unique."""

    def read(self, answer: str, task: Task) -> frozenset[int] | None:
        """The chosen numbers."""
        return parse_selection(answer, task.answer["count"])

    def fault(self, value: frozenset[int], task: Task) -> str | None:
        """Whether a number is missing or too many; not which, since the verdict may be shown."""
        wanted = set(task.answer["reference"])
        if value - wanted:
            return "a number does not belong"
        return "a number is missing" if wanted - value else None


@dataclass(frozen=True, kw_only=True)
class SelectionProblem(Problem):
    """A problem with numbered statements; ``task.answer["reference"]`` lists those to be chosen."""

    def selection_task(
        self,
        prompt: str,
        chosen: list[int],
        count: int,
        lines: Sequence[str],
        hardness: float,
        **metadata: Any,
    ) -> Task:
        """The task of choosing ``chosen`` out of 1 to ``count``, with its worked solution."""
        return Task(
            prompt=prompt,
            answer={"count": count, "reference": chosen},
            metadata={"chosen": len(chosen), **metadata, "hardness": hardness},
            solution="\n".join([*lines, f"To choose: {selection_text(chosen)}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The numbers, or ``none``."""
        return selection_text(task.answer["reference"])
