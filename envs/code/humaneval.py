"""HumanEval: functions to be completed from signature and docstring (Chen et al. 2021, arXiv 2107.03374)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rlvr_gym.envs.code._judging import DATA_LIMITS, TestedProblem
from rlvr_gym.envs.code._programs import fenced
from rlvr_gym.envs.loading import DataProblem, Row
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers.code import humaneval_spec

__all__ = ["HumanEval"]


@register("rlvr/HumanEval-v0", family="code", needs=("data",))
@dataclass(frozen=True, kw_only=True)
class HumanEval(DataProblem, TestedProblem):
    """Complete a Python function from its signature and docstring; from a file or the Hugging Face hub.

    Rows have ``prompt``, ``entry_point``, ``test`` and ``canonical_solution``. All tests have to pass, so the mean
    score is pass@1. The answer may be the whole function or only what follows the prompt. The hardness is the number
    of lines of the canonical solution.

    Attributes:
        data: the JSONL file (``.gz`` allowed), a folder with ``<split>.jsonl``, or a Hugging Face name such as
            ``openai/openai_humaneval``.
        split: ``"test"`` (164 rows), for a folder or a Hugging Face name.
    """

    verifier: ClassVar[str] = "code_all_tests"

    def task_from_row(self, row: Row) -> Task:
        """The tests become cases where they are plain assertions, which nearly all are."""
        stub, body = row.text("prompt"), row.text("canonical_solution")
        values = {name: row.text(name) for name in ("prompt", "entry_point", "test")}
        return Task(
            prompt=(
                f"Complete this Python function:\n\n{fenced(stub)}\n\nGive the whole program, with its imports, in a "
                "Python code block (```python)."
            ),
            answer=humaneval_spec(values, limits=DATA_LIMITS, stop_early=self.stop_early).to_dict(),
            metadata={
                "function": values["entry_point"],
                "hardness": sum(bool(line.strip()) for line in body.splitlines()),
            },
            solution=fenced(stub + body),
        )
