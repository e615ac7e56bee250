"""Writing programs that read their input and print an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.code._judging import LIMITS, TestedProblem
from rlvr_gym.envs.code._programs import draw_cases, draw_program, fenced
from rlvr_gym.envs.code._specs import Program
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers.code import stdin_cases

__all__ = ["StdinProgram"]

_READ = {
    "int": ("a whole number", "int(input())"),
    "str": ("a text, which may be empty", "input()"),
    "list[int]": ("whole numbers separated by spaces, possibly none", "[int(x) for x in input().split()]"),
    "list[str]": ("words separated by spaces, possibly none", "input().split()"),
    "list[list[int]]": (
        "a whole number r, and after it r lines of whole numbers separated by spaces",
        "[[int(x) for x in input().split()] for _ in range(int(input()))]",
    ),
}
_WRITE = {
    "int": ("the number", "print({})"),
    "str": ("the text", "print({})"),
    "bool": ("yes or no", "print('yes' if {} else 'no')"),
    "list[int]": ("the numbers in one line, separated by spaces", "print(*{})"),
    "list[str]": ("the words in one line, separated by spaces", "print(*{})"),
}


def _fits(takes: tuple[str, ...], gives: str) -> bool:
    return gives in _WRITE and all(kind in _READ for kind in takes)


@register("rlvr/StdinProgram-v0", family="code")
@dataclass(frozen=True, kw_only=True)
class StdinProgram(TestedProblem):
    """Write a Python program that reads standard input and prints the answer; it is tested on hidden inputs.

    The tasks are those of FunctionSynthesis whose arguments and results can be written as lines. The hardness is the
    number of syntax nodes of the reference program. White space at the ends of lines and of the output does not
    count; every test has to pass.
    """

    verifier: ClassVar[str] = "code_all_tests"
    tests: ClassVar[int] = 8

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a function, and wraps its reference into reading and printing."""
        program = draw_program(rng, difficulty, _fits)
        shown, hidden = draw_cases(program, rng, 1, self.tests)
        pairs = [(_input(program, args), _output(program, value)) for args, value in hidden[: 2 * self.tests]]
        spec = stdin_cases(pairs, compare="lines", stop_early=self.stop_early, limits=LIMITS)
        (args, value), *_ = shown
        lines = "\n".join(f"- `{name}`: {_READ[kind][0]}" for name, kind in program.parameters)
        return Task(
            prompt=(
                f"Write a Python program that reads standard input and prints to standard output.\n\n"
                f"{program.statement}\n\nThe input has, each beginning on a line of its own:\n{lines}\n\n"
                f"The output is {_WRITE[program.gives][0]}.\n\n"
                f"For the input\n\n{fenced(_input(program, args), 'text')}\n\nthe output is\n\n{fenced(_output(program, value), 'text')}\n\n"
                "It is tested on other inputs, edge cases among them. Give the whole program in a Python code block "
                "(```python)."
            ),
            answer=spec.to_dict(),
            metadata={"function": program.name, "hardness": program.size},
            solution=f"First the function, then reading and printing.\n\n{fenced(_whole(program))}",
        )


def _whole(program: Program) -> str:
    reading = "\n".join(f"{name} = {_READ[kind][1]}" for name, kind in program.parameters)
    call = f"{program.name}({', '.join(name for name, _ in program.parameters)})"
    return f"{program.source}\n\n{reading}\n{_WRITE[program.gives][1].format(call)}"


def _input(program: Program, args: tuple[Any, ...]) -> str:
    kinds = [kind for _, kind in program.parameters]
    return "".join(f"{_lines(value, kind)}\n" for value, kind in zip(args, kinds, strict=True))


def _output(program: Program, value: Any) -> str:
    return f"{_lines(value, program.gives)}\n"


def _lines(value: Any, kind: str) -> str:
    if kind == "bool":
        return "yes" if value else "no"
    if kind == "list[list[int]]":
        return "\n".join([str(len(value)), *(" ".join(map(str, row)) for row in value)])
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
