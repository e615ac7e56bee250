"""MBPP: mostly basic Python problems (Austin et al. 2021, arXiv 2108.07732)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from rlvr_gym.envs.code._judging import DATA_LIMITS, TestedProblem
from rlvr_gym.envs.code._programs import fenced
from rlvr_gym.envs.loading import DataProblem, Row
from rlvr_gym.errors import DataError
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers.code import mbpp_spec

__all__ = ["MBPP"]


@register("rlvr/MBPP-v0", family="code", needs=("data",))
@dataclass(frozen=True, kw_only=True)
class MBPP(DataProblem, TestedProblem):
    """Write a short Python function from a sentence; from a file or the Hugging Face hub.

    Rows have ``text`` or ``prompt``, ``code`` and ``test_list``. The first assertion is shown, because only it tells
    the function's name and the form of its arguments; all of them are tested, and with them those of
    ``challenge_test_list`` where there are any. All have to pass. The hardness is the number of lines of the
    reference.

    Attributes:
        data: the JSONL file, a folder with ``<split>.jsonl``, or a Hugging Face name such as
            ``google-research-datasets/mbpp``.
        split: ``"test"`` (500 rows), ``"train"``, ``"validation"`` or ``"prompt"``.
    """

    verifier: ClassVar[str] = "code_all_tests"

    def task_from_row(self, row: Row) -> Task:
        """The assertions become cases where they are plain."""
        statement, code = row.text("text", "prompt").strip(), row.text("code").replace("\r\n", "\n")
        tests = [*_lines(row, "test_list"), *(_lines(row, "challenge_test_list", needed=False))]
        setup = row.values.get("test_setup_code") or row.values.get("test_imports") or ""
        setup = "\n".join(setup) if isinstance(setup, list) else str(setup)
        spec = mbpp_spec(
            {"test_list": tests, "code": code, "test_setup_code": setup},
            limits=DATA_LIMITS,
            stop_early=self.stop_early,
        )
        return Task(
            prompt=(
                f"{statement}\n\nYour Python code has to pass this and other tests:\n\n    {tests[0]}\n\nGive the whole "
                "program, with its imports, in a Python code block (```python)."
            ),
            answer=spec.to_dict(),
            metadata={
                "function": spec.entry,
                "hardness": sum(bool(line.strip()) for line in code.splitlines()),
            },
            solution=fenced(code),
        )


def _lines(row: Row, name: str, *, needed: bool = True) -> list[str]:
    """A list of assertions; Hugging Face's files have lists, some others have them as NumPy-like sequences of text."""
    value: Any = row.get(name) if needed else row.values.get(name) or []
    if not isinstance(value, list | tuple) or not all(isinstance(line, str) for line in value):
        raise DataError(
            f"{row.where}: a list of assertions is expected in {name}; got {type(value).__name__}."
        )
    if needed and not value:
        raise DataError(f"{row.where}: {name} is empty, so nothing could be tested.")
    return list(value)
