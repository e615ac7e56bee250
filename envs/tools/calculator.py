"""Long calculations with large numbers, with a calculator between the turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import integer, pick
from rlvr_gym.envs.tools._dialogue import AnswerDialogue, Calls, turns_for
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.tools import Tool, ToolError
from rlvr_gym.verifiers.expression import MAX_CHARS, MAX_DIGITS, ExpressionError, parse_expression

__all__ = ["Calculator"]

_THINGS = ("bricks", "tiles", "screws", "seeds", "beads", "pipes")
_LEAST = 10_000
"""Smaller results could be guessed."""
_MOST = 10**17
"""Numbers stay shorter than the calculator's longest."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One sentence of the story.

    Attributes:
        text: the sentence, over ``{k}``.
        apply: the number after it, from the number before and ``k``.
        write: the same as an expression over ``{n}`` and ``{k}``; empty if it takes a division with remainder, or the
            number has to be looked at.
    """

    text: str
    apply: Callable[[int, int], int]
    write: str = ""


_ARRIVE = _Step("A delivery brings {k} more.", lambda n, k: n + k, "({n} + {k})")
_SELL = _Step("{k} of them are sold.", lambda n, k: n - k, "({n} - {k})")
_CUT = _Step("Every one is cut into {k} pieces, which count as one each.", lambda n, k: n * k, "({n}) * {k}")
_BUNDLE = _Step(
    "They are tied into full bundles of {k}, which count as one each; what is left over is thrown away.",
    lambda n, k: n // k,
)
_LEAVE = _Step("As many full loads of {k} as there are leave; what is left over stays.", lambda n, k: n % k)
_PARITY = _Step(
    "If their number is even, half of them are given away; if it is odd, {k} more are bought.",
    lambda n, k: n + k if n % 2 else n // 2,
)


@register("rlvr/Calculator-v0", family="tools")
@dataclass(frozen=True, kw_only=True)
class Calculator(AnswerDialogue):
    """Follow the number of things in a warehouse through a story with numbers that are too long for the head.

    Sums and products may be joined into one expression; divisions with remainder, and decisions about even and odd
    numbers, need the number before them. Difficulty 1 to 10 is 2 to 20 steps; the hardness is the number of calls that
    are needed if everything that can be joined is.
    """

    verifier: ClassVar[str] = "rational"
    form: ClassVar[str] = "the number"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws steps until the result is too large to be guessed."""
        while True:
            first = number = integer(rng, 10**5, 10**7)
            steps: list[tuple[_Step, int]] = []
            for _ in range(2 * difficulty):
                step, k = _draw_step(number, rng)
                number = step.apply(number, k)
                steps.append((step, k))
            plan = _plan(first, steps)
            if number >= _LEAST and len(plan) > difficulty // 2:
                break
        things, turns = pick(rng, _THINGS), turns_for(plan)
        story = " ".join(step.text.format(k=k) for step, k in steps)
        return Task(
            prompt=(
                f"A warehouse has {first} {things}. {story} How many are there in the end?\n\n"
                f"{self.rules(TOOLS, turns)} When you know the answer, give it as a whole number in <answer> tags, "
                "without a call, for example <answer>-1</answer>."
            ),
            answer=str(number),
            metadata={"hardness": len(plan), "turns": turns, "plan": plan},
        )

    def open(self, task: Task) -> None:
        """A calculator remembers nothing."""

    def tools(self, world: Any) -> Sequence[Tool]:
        """Exact arithmetic."""
        return TOOLS


def _draw_step(number: int, rng: np.random.Generator) -> tuple[_Step, int]:
    """A step that leaves the number neither small nor too large."""
    if number < _LEAST:
        return (_CUT if rng.integers(2) else _ARRIVE), integer(rng, 10**4, 10**6)
    options = [_ARRIVE, _SELL, _PARITY]
    options += [_CUT] * 2 if number < _MOST // 10**6 else []
    options += [_BUNDLE, _LEAVE] if number > 10**8 else []
    step = pick(rng, options)
    if step is _CUT:
        return step, integer(rng, 10**3, 10**5)
    if step is _BUNDLE:
        return step, integer(rng, 10**2, 10**3)
    if step is _LEAVE:
        return step, integer(rng, number // 1000, number // 10)
    return step, integer(rng, number // 10, number // 2)


def _plan(first: int, steps: Sequence[tuple[_Step, int]]) -> list[Calls]:
    """The fewest calls, one an action: sums and products wait until their value is needed."""
    plan: list[Calls] = []
    number, waiting = first, str(first)

    def settle() -> str:
        nonlocal waiting
        if waiting != str(number):
            plan.append([["calculate", {"expression": waiting}]])
            waiting = str(number)
        return waiting

    for step, k in steps:
        if step.write:
            if len(waiting) > MAX_CHARS // 4:
                settle()
            waiting = step.write.format(n=waiting, k=k)
        elif step is _PARITY:
            waiting = f"({settle()} + {k})" if number % 2 else f"{settle()} / 2"
        else:
            plan.append([["divide", {"dividend": int(settle()), "divisor": k}]])
            waiting = str(step.apply(number, k))
        number = step.apply(number, k)
    settle()
    return plan


def calculate(expression: str) -> str:
    """The exact value of an expression, and a decimal near it if it is no whole number."""
    try:
        value = parse_expression(expression).value
    except ExpressionError as error:
        raise ToolError(f"The expression cannot be read: {error}.") from None
    if value is None:
        raise ToolError("The expression divides by zero.")
    return str(value) if value.denominator == 1 else f"{value} (about {_decimal(value)})"


def _decimal(value: Fraction) -> str:
    """Six digits after the point, rounded half to even; no float, which could overflow."""
    digits = str(abs(round(value * 10**6))).rjust(7, "0")
    return f"{'-' if value < 0 else ''}{digits[:-6]}.{digits[-6:]}"


def divide(dividend: int, divisor: int) -> str:
    """Quotient and remainder."""
    if abs(dividend) >= 10**MAX_DIGITS or abs(divisor) >= 10**MAX_DIGITS:
        raise ToolError(f"The numbers may have {MAX_DIGITS} digits.")
    if divisor == 0:
        raise ToolError("The divisor is zero.")
    quotient, remainder = divmod(dividend, divisor)
    return f"quotient {quotient}, remainder {remainder}"


TOOLS = (
    Tool(
        "calculate",
        f"exact value of an expression of numbers with + - * / and brackets (at most {MAX_DIGITS} digits a number)",
        {"expression": str},
        calculate,
    ),
    Tool("divide", "whole quotient and remainder", {"dividend": int, "divisor": int}, divide),
)
