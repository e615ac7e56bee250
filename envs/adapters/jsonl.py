"""An environment out of a file of one's own and the name of a verifier."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rlvr_gym.envs.loading import DataProblem, Row
from rlvr_gym.errors import ConfigError, DataError
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import Verifier, get_verifier

__all__ = ["INSTRUCTION", "JSONL"]

INSTRUCTION = "Think step by step, then give the final answer in answer tags: <answer>...</answer>."


@register("rlvr/JSONL-v0", family="adapters", needs=("data",))
@dataclass(frozen=True, kw_only=True)
class JSONL(DataProblem):
    """Tasks out of a JSONL file, judged by any verifier.

    Each line is an object with a prompt and a reference answer, and optionally a worked solution and ``metadata`` (an
    object; the verifier may look for options there). What ``rlvr-gym sample --json`` prints is of that form. The
    hardness is ``metadata["hardness"]``, or else the number of words of the prompt.

    Attributes:
        data: the file (``.jsonl``, ``.jsonl.gz``), a folder with ``<split>.jsonl``, or a Hugging Face name.
        verifier: the name of the judge; ``rlvr_gym.verifier_names()`` has them all.
        verifier_settings: its settings, such as ``{"policy": {"tolerance": "rel(1e-3)"}}`` for ``math``.
        prompt_field: the field of the prompt; empty for the first of ``prompt``, ``problem`` and ``question``.
        answer_field: the field of the reference: text, or whatever the verifier compares with.
        answer_mark: where the reference is what follows the last of these marks in ``answer_field``, as ``####`` in
            GSM8K's format; what precedes it is then the solution.
        solution_field: the field of the worked solution, which ends in the answer; it may be missing.
        instruction: put under every prompt; it has to ask for the form of answer that the verifier reads.
    """

    verifier: str = "math"  # type: ignore[misc]  # for all other problems it is a constant of the class
    verifier_settings: dict[str, Any] = field(default_factory=dict)
    prompt_field: str = ""
    answer_field: str = "answer"
    answer_mark: str = ""
    solution_field: str = "solution"
    instruction: str = INSTRUCTION

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.answer_field:
            raise ConfigError("answer_field names the field of the reference answer; it is empty.")
        self.make_verifier()  # a wrong name is told now, not at the first verdict

    def make_verifier(self) -> Verifier:
        """The judge, with its settings."""
        return get_verifier(self.verifier, **self.verifier_settings)

    def task_from_row(self, row: Row) -> Task:
        """The task of a line.

        Raises:
            DataError: with file and line, if a field is missing or of another kind.
        """
        names = (self.prompt_field,) if self.prompt_field else ("prompt", "problem", "question")
        prompt = row.text(*names).strip()
        if not prompt:
            raise DataError(f"{row.where}: the prompt is empty.")
        answer, solution = self._answer(row)
        metadata = row.values.get("metadata") or {}
        if not isinstance(metadata, dict):
            raise DataError(f"{row.where}: 'metadata' is an object; got {type(metadata).__name__}.")
        return Task(
            prompt=f"{prompt}\n\n{self.instruction}" if self.instruction else prompt,
            answer=answer,
            metadata={"hardness": len(prompt.split()), **metadata},
            solution=solution,
        )

    def _answer(self, row: Row) -> tuple[Any, str | None]:
        """The reference and the worked solution, if there is one."""
        if self.answer_mark:
            solution, mark, answer = row.text(self.answer_field).rpartition(self.answer_mark)
            if not mark or not answer.strip():
                raise DataError(
                    f"{row.where}: {self.answer_field!r} has to end in {self.answer_mark!r} and the answer; it ends in "
                    f"{answer[-40:]!r}."
                )
            return answer.strip(), solution.strip() or None
        given = row.values.get(self.solution_field)
        if given is not None and not isinstance(given, str):
            raise DataError(f"{row.where}: {self.solution_field!r} is a text; got {type(given).__name__}.")
        answer = row.get(self.answer_field)
        if isinstance(answer, str) and not answer.strip():
            raise DataError(f"{row.where}: {self.answer_field!r} is empty.")
        return answer, (given or "").strip() or None
