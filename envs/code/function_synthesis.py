"""Writing functions from a statement, tested on hidden inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs.code._judging import LIMITS, TestedProblem
from rlvr_gym.envs.code._programs import call_text, draw_cases, draw_program, fenced
from rlvr_gym.errors import ConfigError
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers.code import Comparison, function_cases

__all__ = ["FunctionSynthesis"]


@register("rlvr/FunctionSynthesis-v0", family="code")
@dataclass(frozen=True, kw_only=True)
class FunctionSynthesis(TestedProblem):
    """Write a Python function that does what a statement says; it is tested on hidden inputs and edge cases.

    Half of the tasks are one of a hundred specifications (strings, lists, dicts, numbers, recursion, graphs, dynamic
    programming) with constants drawn anew, the larger ones at higher difficulties; half are pipelines of 1 to 7 steps,
    in which specifications occur as steps. The hardness is the number of syntax nodes of the reference. All values
    have to be equal in type as well; every test has to pass.

    Attributes:
        examples: how many calls and their values the prompt shows; none of them is among the tests.
        tests: how many hidden tests there are at least.
    """

    verifier: ClassVar[str] = "code_all_tests"
    examples: int = 2
    tests: int = 12

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.examples <= 10 or not 3 <= self.tests <= 100:
            raise ConfigError(
                f"examples goes from 0 to 10 and tests from 3 to 100; got {self.examples!r} and {self.tests!r}."
            )

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a function and its cases; the reference says what is expected."""
        program = draw_program(rng, difficulty)
        shown, hidden = draw_cases(program, rng, self.examples, self.tests)
        examples = "".join(f"\n    {call_text(program.name, call)}" for call in shown)
        spec = function_cases(
            program.name,
            [(list(args), value) for args, value in hidden],
            compare=Comparison("exact"),
            limits=LIMITS,
            stop_early=self.stop_early,
        )
        return Task(
            prompt=(
                f"Write a Python function.\n\n{program.statement}\n\nComplete this:\n\n"
                f"{fenced(f'{program.signature}:{chr(10)}    ...')}\n\n"
                + (f"For example:\n{examples}\n\n" if shown else "")
                + "It is tested on other inputs, edge cases among them. Give the whole function, with its imports, in a "
                "Python code block (```python)."
            ),
            answer=spec.to_dict(),
            metadata={"function": program.name, "tests": len(hidden), "hardness": program.size},
            solution=f"The function follows the statement.\n\n{fenced(program.source)}",
        )
