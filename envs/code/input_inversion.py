"""Finding arguments for which a program gives a wanted value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.code._judging import LIMITS, SandboxAnswerVerifier
from rlvr_gym.envs.code._literals import NotLiteralError, read_arguments, read_literal
from rlvr_gym.envs.code._mutation import bounded_function
from rlvr_gym.envs.code._programs import Call, draw_cases, draw_program, fenced
from rlvr_gym.envs.code._specs import Program
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.code import Comparison, get_sandbox, read_record

__all__ = ["InputInversion", "InputInversionVerifier"]

_LONGEST = 120
_TRIVIAL: tuple[Any, ...] = (0, 1, "", [], {}, None, True, False, "yes", "no")


@register_verifier("input_inversion")
class InputInversionVerifier(SandboxAnswerVerifier):
    """Any arguments for which the program returns the wanted value, with its types.

    ``task.answer`` has ``program``, ``entry``, the literal ``output`` and an ``input`` that gives it. The arguments
    are read as literals here; the call happens in the sandbox, for they may be such that it takes forever.
    """

    def check(self, answer: str, task: Task) -> Verdict:
        """Reads the arguments and calls the program with them."""
        wanted = task.answer
        try:
            arguments = read_arguments(answer)
        except NotLiteralError as error:
            return Verdict.wrong(Reason.UNPARSEABLE, answer[:500], error=str(error))
        result = get_sandbox().call(wanted["program"], wanted["entry"], [arguments], LIMITS)
        if not result.records:
            return Verdict.wrong(Reason.RUNTIME_ERROR, answer[:500], error=str(result.status))
        record = read_record(result.records[0])
        if record.raised:
            return Verdict.wrong(Reason.RUNTIME_ERROR, answer[:500], error=record.raised)
        right = Comparison("exact").values(None, record.value, read_literal(wanted["output"]))
        return Verdict.right(answer[:500]) if right else Verdict.wrong(Reason.WRONG, answer[:500])


@register("rlvr/InputInversion-v0", family="code")
@dataclass(frozen=True, kw_only=True)
class InputInversion(Problem):
    """Find arguments for which a Python function returns a given value; any that do are right.

    The functions are the references of FunctionSynthesis; the wanted value is given neither by constants nor by other
    random arguments. The hardness is the number of syntax nodes of the function.
    """

    verifier: ClassVar[str] = "input_inversion"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a function, and a value of it that is not come by easily."""
        while True:
            program = draw_program(rng, difficulty, _not_bool)
            shown, hidden = draw_cases(program, rng, 2, 16)
            wanted = next((call for call in shown if _worthy(call, hidden, program)), None)
            if wanted is not None:
                break
        args, value = wanted
        answer = ", ".join(map(repr, args))
        example = next(e for e in (_example(other) for other, _ in hidden) if e != answer)
        return Task(
            prompt=(
                f"{fenced(program.source)}\n\nFind arguments for which `{program.name}` returns `{value!r}`. Any that do "
                "are right. Think step by step, then give the arguments in <answer> tags as they stand between the "
                f"parentheses of the call, as Python literals, for example <answer>{example}</answer> (which gives "
                "something else)."
            ),
            answer={
                "program": program.source,
                "entry": program.name,
                "output": repr(value),
                "input": answer,
            },
            metadata={"function": program.name, "hardness": program.size},
            solution=f"What the function does: {program.statement} For {answer} this gives {value!r}.",
        )

    def answer_text(self, task: Task) -> str:
        """The arguments that the generator had in mind."""
        return str(task.answer["input"])


def _not_bool(takes: tuple[str, ...], gives: str) -> bool:
    return gives != "bool"


def _example(args: tuple[Any, ...]) -> str:
    return ", ".join(map(repr, args))


def _worthy(call: Call, others: list[Call], program: Program) -> bool:
    """Whether neither constants nor many other arguments give the same value."""
    args, value = call
    text = repr(value)
    if max(len(text), len(_example(args))) > _LONGEST or any(repr(other) == text for _, other in others):
        return False
    return not any(_gives(program, guess, text) for guess in _TRIVIAL)


def _gives(program: Program, guess: Any, text: str) -> bool:
    if len(program.parameters) != 1:
        return False
    # with the wrong type of argument it may raise, or never end
    return repr(bounded_function(program.source, program.name)((guess,))) == text
