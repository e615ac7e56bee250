"""StackMachine: what a program leaves on the stack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, pick
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["StackMachine"]

LARGEST = 999

Stack = list[int]

OPERATIONS: dict[str, tuple[int, Callable[..., Stack]]] = {
    "ADD": (2, lambda a, b: [a + b]),
    "SUB": (2, lambda a, b: [a - b]),
    "MUL": (2, lambda a, b: [a * b]),
    "MAX": (2, lambda a, b: [max(a, b)]),
    "SWAP": (2, lambda a, b: [b, a]),
    "OVER": (2, lambda a, b: [a, b, a]),
    "ROT": (3, lambda a, b, c: [b, c, a]),
    "DUP": (1, lambda a: [a, a]),
    "NEG": (1, lambda a: [-a]),
    "DROP": (1, lambda a: []),
}
"""Operation: how many numbers it takes from the top, and what it puts there; the last is the top."""

_MANUAL = """PUSH n puts n on top. The others take their operands from the top, the last of them is the top:
ADD: a b becomes a+b; SUB: a b becomes a-b; MUL: a b becomes a*b; MAX: a b becomes the greater one;
SWAP: a b becomes b a; OVER: a b becomes a b a; ROT: a b c becomes b c a; DUP: b becomes b b;
NEG: b becomes -b; DROP removes b."""


@register("rlvr/StackMachine-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class StackMachine(Problem):
    """Run a program on a stack of numbers.

    Difficulty 1 has 5 instructions and each level three more, to 32. The hardness is the number of instructions plus
    the number of numbers that the operations touch.
    """

    verifier: ClassVar[str] = "number_tuple"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws instructions that can be carried out, until two numbers or more are left."""
        count = level(difficulty, 5, 32)
        while True:
            program, stages, touched = _draw(rng, count)
            if len(stages[-1]) > 1:
                break
        listed = "\n".join(program)
        return Task(
            prompt=ask(
                f"A machine has a stack of numbers, which is empty at first.\n{_MANUAL}\n\nIt runs this program:\n\n"
                f"{listed}\n\nWhat is on the stack at the end?",
                "the numbers from the bottom to the top",
                "1000, -1000",
            ),
            answer=", ".join(map(str, stages[-1])),
            metadata={"instructions": count, "hardness": count + touched},
            solution="\n".join(
                f"{line}: {' '.join(map(str, stage)) or 'empty'}"
                for line, stage in zip(program, stages, strict=True)
            ),
        )


def _draw(rng: np.random.Generator, count: int) -> tuple[list[str], list[Stack], int]:
    """A program, the stack after each instruction, and how many numbers the operations took."""
    stack: Stack = []
    program: list[str] = []
    stages: list[Stack] = []
    touched = 0
    while len(program) < count:
        name = pick(rng, list(OPERATIONS)) if rng.random() < 0.65 else "PUSH"
        if name == "PUSH":
            number = integer(rng, -9, 20)
            program.append(f"PUSH {number}")
            stack = [*stack, number]
        else:
            taken, effect = OPERATIONS[name]
            if taken > len(stack):
                continue
            result = effect(*stack[-taken:])
            if any(abs(number) > LARGEST for number in result):
                continue
            program.append(name)
            stack = stack[:-taken] + result
            touched += taken
        stages.append(stack)
    return program, stages, touched
