"""GSM8K: grade-school word problems (Cobbe et al. 2021, arXiv 2110.14168)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from rlvr_gym.envs.loading import DataProblem, Row
from rlvr_gym.errors import DataError
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers.rational import parse_rational

__all__ = ["GSM8K"]

_CALCULATION = re.compile(r"<<[^<>\n]*>>")


@register("rlvr/GSM8K-v0", family="math", needs=("data",))
@dataclass(frozen=True, kw_only=True)
class GSM8K(DataProblem):
    """Grade-school word problems with a number as the answer, from a file or the Hugging Face hub.

    Rows have ``question`` and ``answer``: a worked solution whose last line is ``#### number``. The hardness is the
    number of lines of the worked solution.

    Attributes:
        data: the JSONL file, a folder with ``<split>.jsonl``, or a Hugging Face name such as ``openai/gsm8k``.
        split: ``"test"`` (1,319 rows) or ``"train"`` (7,473 rows), for a folder or a Hugging Face name.
    """

    verifier: ClassVar[str] = "rational"
    hub_config: ClassVar[str | None] = "main"

    def task_from_row(self, row: Row) -> Task:
        """The answer is the number after ``####``; the calculator annotations ``<<3*4=12>>`` are left out."""
        question = row.text("question", "problem").strip()
        reasoning, marker, number = row.text("answer").rpartition("####")
        answer = number.strip().replace(",", "")
        if not marker or parse_rational(answer) is None:
            raise DataError(
                f"{row.where}: the answer has to end in '#### number'; it ends in {number[-40:]!r}."
            )
        solution = _CALCULATION.sub("", reasoning).strip()
        example = "42" if parse_rational(answer) != 42 else "17"  # an example never is the answer
        return Task(
            prompt=f"{question}\n\nThink step by step, then give only the number in <answer> tags, "
            f"for example <answer>{example}</answer>.",
            answer=answer,
            metadata={"hardness": len(solution.splitlines())},
            solution=solution,
        )
