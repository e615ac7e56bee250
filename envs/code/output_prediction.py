"""Saying what a program gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.code._literals import NotLiteralError, read_literal
from rlvr_gym.envs.code._programs import Call, draw_cases, draw_program, fenced
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier
from rlvr_gym.verifiers.code import Comparison

__all__ = ["OutputPrediction", "PythonLiteralVerifier"]

_EXAMPLES: dict[str, tuple[str, str]] = {
    "int": ("-9999", "7777"),
    "bool": ("True", "False"),
    "str": ("'zebra x'", "'quiz'"),
    "list[int]": ("[7, -7]", "[8]"),
    "list[str]": ("['quiz', 'jazz']", "['fizz']"),
}
_LONGEST = 160


@register_verifier("python_literal")
class PythonLiteralVerifier(AnswerVerifier):
    """The answer has to be the literal of the same value with the same types: 1, 1.0, True and '1' all differ.

    ``task.answer`` is the literal's text.
    """

    def check(self, answer: str, task: Task) -> Verdict:
        """Reads both literals and compares them with their types."""
        try:
            value = read_literal(answer)
        except NotLiteralError as error:
            return Verdict.wrong(Reason.UNPARSEABLE, answer[:500], error=str(error))
        right = Comparison("exact").values(None, value, read_literal(task.answer))
        return Verdict.right(answer[:500]) if right else Verdict.wrong(Reason.WRONG, answer[:500])


@register("rlvr/OutputPrediction-v0", family="code")
@dataclass(frozen=True, kw_only=True)
class OutputPrediction(Problem):
    """Say what a Python function returns for given arguments, as a Python literal.

    The functions are the references of FunctionSynthesis, with statements left out. The hardness is the number of
    syntax nodes of the function.
    """

    verifier: ClassVar[str] = "python_literal"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a function and arguments whose value is worth asking for."""
        while True:
            program = draw_program(rng, difficulty)
            calls = [call for calls in draw_cases(program, rng, 4, 8) for call in calls]
            worthy = [call for call in calls if _worthy(call, program.source)]
            if worthy:
                break
        args, value = worthy[int(rng.integers(len(worthy)))]
        answer = repr(value)
        example = next(
            (e for e in _EXAMPLES.get(program.gives, ("{'zebra': -7}", "{}")) if e != answer), "{'zebra': -7}"
        )
        call = f"{program.name}({', '.join(map(repr, args))})"
        return Task(
            prompt=(
                f"{fenced(program.source)}\n\nWhat does `{call}` return? Work it out step by step, then give the value "
                f"as a Python literal in <answer> tags, for example <answer>{example}</answer>."
            ),
            answer=answer,
            metadata={"function": program.name, "hardness": program.size},
            solution=f"{_doing(program.statement)} For {', '.join(map(repr, args))} this gives {answer}.",
        )


def _doing(statement: str) -> str:
    return f"What the function does: {statement}"


def _worthy(call: Call, source: str) -> bool:
    """Neither empty, nor too long to be written, nor simply to be read off."""
    args, value = call
    text = repr(value)
    trivial: tuple[Any, ...] = (0, "", [], {}, -1)
    shown = source + repr(args)
    return len(text) <= _LONGEST and value not in trivial and not (len(text) >= 8 and text in shown)
