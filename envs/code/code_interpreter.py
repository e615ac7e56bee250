"""Answering questions with the help of a Python interpreter, over several turns."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.code._computations import QUESTIONS
from rlvr_gym.errors import ConfigError, RLVRError
from rlvr_gym.extraction import extract_answer
from rlvr_gym.problem import Dialogue, Reply
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.tools import Tool, ToolError, describe_tools, use_tools
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifiers.code import Limits, Status, get_sandbox
from rlvr_gym.verifiers.rational import parse_rational

__all__ = ["CodeInterpreter"]

_CPU_SECONDS, _WALL_SECONDS = 2.0, 4.0
"""For each call; the oracle's programs need less than 0.1 seconds."""
_ACTION_SECONDS = 6.0
"""For all calls of an action together: eight endless programs at once must not hold a whole batch up."""
_MOST_ERROR_CHARS = 1_000


@dataclass(slots=True)
class _Session:
    """What has been computed so far: the oracle's memory."""

    result: str = ""


@register("rlvr/CodeInterpreter-v0", family="code")
@dataclass(frozen=True, kw_only=True)
class CodeInterpreter(Dialogue):
    """Answer questions that are too long for the head, with a Python interpreter in the sandbox between the turns.

    An action with tool calls is answered with their results, whatever else stands in it; one without is the answer.
    Each call is a fresh program: nothing is kept from one to the next. The metrics are ``tool_calls`` and
    ``tool_errors`` (calls of the wrong form; a program that fails is no error of the call). The hardness is the number
    of digits of the numbers in the question, with which the work grows.

    Attributes:
        turns: actions in an episode, 2 to 50.
    """

    turns: int = 6

    verifier: ClassVar[str] = "rational"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.turns <= 50:
            raise ConfigError(f"turns goes from 2 to 50; got {self.turns!r}.")

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a question; our own program says the answer."""
        question = QUESTIONS[int(rng.integers(len(QUESTIONS)))]
        numbers = dict(zip("abc", question.draw(rng, difficulty), strict=True))
        code = question.code.format(**numbers)
        answer = _answer(code)
        example = "-1"  # no answer is negative
        return Task(
            prompt=(
                f"{question.text.format(**numbers)}\n\n{describe_tools([PYTHON])}\n\nWrite one or more calls, and then "
                "wait: the results come in the next message. Every call runs a new program, so nothing is kept from one "
                f"to the next. You have {self.turns} turns. When you know the answer, give it as a whole number in "
                f"<answer> tags, without a call, for example <answer>{example}</answer>."
            ),
            answer=str(answer),
            metadata={
                "hardness": sum(len(str(n)) for n in numbers.values()),
                "code": f"{code}\nprint(answer)",
            },
        )

    def turn_limit(self, task: Task) -> int:
        """The configured turns."""
        return self.turns

    @property
    def side_by_side(self) -> int:
        """As many as there are workers in the sandbox: a call's time runs while it waits for one."""
        try:
            return get_sandbox().workers
        except RLVRError:  # replies will say why
            return 1

    def start(self, task: Task) -> _Session:
        """Nothing is computed."""
        return _Session()

    def reply(self, task: Task, state: Any, action: str) -> Reply:
        """Results of calls; else the answer goes to the verifier."""
        try:
            reply = use_tools(action, [_timed_python()])
        except RLVRError as error:  # nothing that runs programs: says nothing about the policy
            return Reply(verdict=Verdict.failed(Reason.INFRASTRUCTURE_ERROR, error=str(error)))
        if reply is not None:
            state.result = reply.text
            return reply
        found = extract_answer(action)
        if found.marked or any(parse_rational(candidate) is not None for candidate in found.candidates):
            return Reply(answer=action)
        return Reply(text="Call a tool, or give the answer as a whole number in <answer> tags.")

    def oracle(self, task: Task, state: Any) -> str:
        """Computes, then says what came out."""
        if not state.result:
            call = {"name": "python", "arguments": {"code": task.metadata["code"]}}
            return f"A program will tell.\n<tool_call>{json.dumps(call)}</tool_call>"
        number = state.result.removeprefix("<tool_result>").partition("</tool_result>")[0].strip()
        return f"The program printed {number}. <answer>{number}</answer>"


def _answer(code: str) -> int:
    """What a program of ours computes; never used on text of a policy."""
    namespace: dict[str, Any] = {}
    exec(compile(code, "<question>", "exec", dont_inherit=True), namespace)
    return int(namespace["answer"])


def run_python(code: str, wall_seconds: float = _WALL_SECONDS) -> str:
    """What a program prints, and how it failed if it did."""
    limits = Limits(cpu_seconds=_CPU_SECONDS, wall_seconds=wall_seconds, total_seconds=wall_seconds)
    result = get_sandbox().run(code, limits=limits)
    printed = result.stdout.decode("utf-8", "replace")
    if result.status is Status.EXITED:
        return printed or "(nothing was printed)"
    told = result.stderr.decode("utf-8", "replace")[-_MOST_ERROR_CHARS:].strip()
    return f"{printed}\n[{result.status}] {told or result.error}".strip()


PYTHON = Tool("python", "runs a Python program and gives what it prints", {"code": str}, run_python)


def _timed_python() -> Tool:
    """The tool for one action: its calls share the time."""
    end = time.monotonic() + _ACTION_SECONDS

    def run(code: str) -> str:
        left = end - time.monotonic()
        if left <= 0:
            raise ToolError(
                f"The calls of an action have {_ACTION_SECONDS:g} seconds together; they are used up."
            )
        return run_python(code, min(_WALL_SECONDS, max(left, 0.5)))

    return replace(PYTHON, run=run)
