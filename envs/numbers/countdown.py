"""Countdown: combine given numbers to reach a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Countdown"]


class _Level(NamedTuple):
    size: int
    largest: int
    operations: str


_LEVELS = (
    _Level(2, 20, "+-"),
    _Level(3, 10, "+-"),
    _Level(3, 20, "+-*"),
    _Level(4, 20, "+-*"),
    _Level(4, 50, "+-*/"),
    _Level(5, 50, "+-*/"),
    _Level(5, 100, "+-*/"),
    _Level(6, 100, "+-*/"),
    _Level(7, 100, "+-*/"),
    _Level(8, 100, "+-*/"),
)
_LARGEST_TARGET = 999  # as in the television game
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2}
_RULES = {
    "exactly_once": "Use every number exactly once",
    "at_most_once": "Use each number at most once (not all of them are needed)",
}


class _Part(NamedTuple):
    """A value that has been reached, and how."""

    value: int
    text: str
    precedence: int = 3

    def within(self, precedence: int) -> str:
        """The text as an operand of an operator of this precedence."""
        return self.text if self.precedence >= precedence else f"({self.text})"


@register("rlvr/Countdown-v0", family="numbers")
@dataclass(frozen=True, kw_only=True)
class Countdown(Problem):
    """Reach a target number by combining given numbers with + - * /.

    The target is reached by construction: numbers are combined at random, through positive whole intermediate
    results, until one is left. Difficulty 1 to 10 goes from two numbers up to 20 with + and - to eight numbers up
    to 100 with all four operations. The hardness is the number of operations in the construction, multiplications
    and divisions twice (they are what makes the search hard); another solution may be shorter.

    Attributes:
        rule: ``"exactly_once"``, or ``"at_most_once"``: then the construction leaves out one number of three.
        count: how many numbers, 2 to 12; 0 leaves it to the difficulty.
        largest: the largest number, 5 to 1000; 0 leaves it to the difficulty.
        operations: the operators to draw from; empty leaves it to the difficulty. An answer may use all four.
    """

    verifier: ClassVar[str] = "countdown"
    rule: Literal["exactly_once", "at_most_once"] = "exactly_once"
    count: int = 0
    largest: int = 0
    operations: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rule not in _RULES:
            raise ConfigError(f"rule is one of {', '.join(_RULES)}; got {self.rule!r}.")
        if self.count != 0 and not 2 <= self.count <= 12:
            raise ConfigError(f"count is 0 or goes from 2 to 12; got {self.count!r}.")
        if self.largest != 0 and not 5 <= self.largest <= 1000:
            raise ConfigError(f"largest is 0 or goes from 5 to 1000; got {self.largest!r}.")
        if not set(self.operations) <= set("+-*/") or (self.operations and "+" not in self.operations):
            raise ConfigError(f"operations are out of + - * /, with + among them; got {self.operations!r}.")

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws numbers and combines them until the result is a target that is not one of them."""
        level = _LEVELS[difficulty - 1]
        count, largest = self.count or level.size, self.largest or level.largest
        used = count if self.rule == "exactly_once" else max(2, count - count // 3)
        limit = max(_LARGEST_TARGET, count * largest)  # a plain sum is always within it
        while True:
            numbers = rng.integers(1, largest + 1, size=count).tolist()
            result, steps = _combine(numbers[:used], self.operations or level.operations, 10 * limit, rng)
            if result is not None and result.value <= limit and result.value not in numbers:
                break
        numbers = [numbers[i] for i in rng.permutation(count)]
        products = result.text.count("*") + result.text.count("/")
        return Task(
            prompt=_prompt(numbers, result.value, self.rule),
            answer={"numbers": numbers, "target": result.value, "rule": self.rule, "expression": result.text},
            metadata={"operations": used - 1, "hardness": used - 1 + products},
            solution=f"{' '.join(steps)} So {result.text} = {result.value}.",
        )

    def answer_text(self, task: Task) -> str:
        """The construction's expression; any other valid one is right as well."""
        expression: str = task.answer["expression"]
        return expression


def _prompt(numbers: list[int], target: int, rule: str) -> str:
    example = "(7 + 3) * 2" if target != 20 else "(9 - 4) * 6"  # an example never is an answer
    return (
        f"Write an expression with the value {target} out of the numbers {', '.join(map(str, numbers))}. "
        f"{_RULES[rule]}; the operations are + - * / and brackets. Think step by step, then give only the "
        f"expression in <answer> tags, for example <answer>{example}</answer>."
    )


def _combine(
    numbers: list[int], operations: str, limit: int, rng: np.random.Generator
) -> tuple[_Part | None, list[str]]:
    """Joins two random parts again and again; None if a value grows beyond ``limit`` on the way."""
    parts = [_Part(n, str(n)) for n in numbers]
    steps: list[str] = []
    draws = rng.random((len(numbers) - 1, 3)).tolist()
    for first, second, third in draws:
        left = parts.pop(int(first * len(parts)))
        right = parts.pop(int(second * len(parts)))
        possible = [o for o in operations if _allowed(o, left.value, right.value)]
        if not possible:
            return None, steps
        operation = possible[int(third * len(possible))]
        joined = _join(operation, left, right)
        if joined.value > limit:
            return None, steps
        steps.append(f"{left.value} {operation} {right.value} = {joined.value}.")
        parts.append(joined)
    return parts[0], steps


def _allowed(operation: str, left: int, right: int) -> bool:
    """Whether the result is a positive whole number, and the step is not idle (times or divided by one)."""
    if operation == "+":
        return True
    if operation == "-":
        return left > right
    if operation == "*":
        return left > 1 and right > 1
    return right > 1 and left % right == 0


def _join(operation: str, left: _Part, right: _Part) -> _Part:
    value = {
        "+": left.value + right.value,
        "-": left.value - right.value,
        "*": left.value * right.value,
        "/": left.value // right.value,
    }[operation]
    level = _PRECEDENCE[operation]
    # a - (b + c) and a / (b * c) need their brackets, a + (b - c) does not
    right_level = level + (operation in "-/")
    return _Part(value, f"{left.within(level)} {operation} {right.within(right_level)}", level)
