"""MATH: competition mathematics (Hendrycks et al. 2021, arXiv 2103.03874) and its subsets such as MATH-500."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from rlvr_gym.envs.loading import DataProblem, Row
from rlvr_gym.errors import DataError
from rlvr_gym.extraction import boxed_contents
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["MATH"]


@register("rlvr/MATH-v0", family="math", needs=("data",))
@dataclass(frozen=True, kw_only=True)
class MATH(DataProblem):
    r"""Competition problems with a mathematical answer, from a file or the Hugging Face hub.

    Rows have ``problem`` and ``answer``, or ``solution`` with the answer in its last ``\boxed{}``. The hardness is
    the level from 1 to 5 that the data states (``level`` as a number or ``"Level 4"``, or ``difficulty``), 0 if it
    states none.

    Attributes:
        data: the JSONL file, a folder with ``<split>.jsonl``, or a Hugging Face name such as
            ``HuggingFaceH4/MATH-500``.
        split: ``"test"`` or ``"train"``, for a folder or a Hugging Face name.
    """

    verifier: ClassVar[str] = "math"

    def task_from_row(self, row: Row) -> Task:
        """The answer as it is written; the solution, if there is one, without its boxes."""
        problem = row.text("problem", "question").strip()
        solution = row.values.get("solution")
        solution = solution.strip() if isinstance(solution, str) else None
        answer = _answer(row, solution)
        for content in boxed_contents(solution or ""):
            # a demonstration marks the answer itself, and only once
            solution = (solution or "").replace(f"\\boxed{{{content}}}", content)
        example = r"\boxed{\frac{17}{23}}" if answer != r"\frac{17}{23}" else r"\boxed{29}"
        return Task(
            prompt=f"{problem}\n\nThink step by step, then put the final answer in a box, for example {example}.",
            answer=answer,
            metadata={"hardness": _level(row), "subject": str(row.values.get("subject", ""))},
            solution=solution,
        )


def _answer(row: Row, solution: str | None) -> str:
    if row.values.get("answer") is not None:
        answer = row.get("answer")
        return str(answer) if isinstance(answer, int | float) else row.text("answer").strip()
    boxes = boxed_contents(solution or "")
    if not boxes:
        raise DataError(f"{row.where}: an 'answer', or a 'solution' with a \\boxed{{}} in it, is expected.")
    return boxes[-1].strip()


def _level(row: Row) -> float:
    value: Any = row.values.get("level", row.values.get("difficulty"))
    text = str(value).lower().removeprefix("level").strip()
    return float(text) if text.replace(".", "", 1).isdecimal() else 0.0
