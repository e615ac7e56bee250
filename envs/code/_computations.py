"""Questions whose answers take too long to work out in the head, and programs that print them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["QUESTIONS", "Question"]

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Question:
    """A question with numbers in it.

    Attributes:
        text: with ``{a}``, ``{b}`` and ``{c}``.
        code: a program that assigns the answer to ``answer``, with the same names.
        draw: the numbers for a difficulty from 1 to 10.
    """

    text: str
    code: str
    draw: Callable[[Rng, int], tuple[int, int, int]]


def _ranges(
    first: tuple[int, int], second: tuple[int, int] = (1, 1), third: tuple[int, int] = (1, 1)
) -> Callable[[Rng, int], tuple[int, int, int]]:
    """Each number near the difficulty's place between a lowest and a highest one."""

    def draw(rng: Rng, difficulty: int) -> tuple[int, int, int]:
        numbers = []
        for low, high in (first, second, third):
            center = low + (high - low) * (difficulty - 1) / 9
            numbers.append(max(1, round(center * float(rng.uniform(0.85, 1.15)))))
        return numbers[0], numbers[1], numbers[2]

    return draw


QUESTIONS = (
    Question(
        "What is the sum of the decimal digits of {a}**{b}?",
        "answer = sum(map(int, str({a}**{b})))",
        _ranges((7, 60), (30, 400)),
    ),
    Question(
        "How many numbers from 1 to {a} are divisible by neither {b} nor {c}, and have no digit 7?",
        "answer = sum(n % {b} != 0 and n % {c} != 0 and '7' not in str(n) for n in range(1, {a} + 1))",
        _ranges((400, 40_000), (3, 7), (5, 13)),
    ),
    Question(
        "What is the sum of all prime numbers below {a}?",
        "answer = sum(n for n in range(2, {a}) if all(n % d for d in range(2, int(n**0.5) + 1)))",
        _ranges((150, 20_000)),
    ),
    Question(
        "Start with x = {a}, and replace x by (x * x + {b}) % 1000003 exactly {c} times. What is x at the end?",
        "x = {a}\nfor _ in range({c}):\n    x = (x * x + {b}) % 1000003\nanswer = x",
        _ranges((20, 900), (5, 99), (12, 5_000)),
    ),
    Question(
        "How many pairs (x, y) of whole numbers with 1 <= x <= y <= {a} have a sum of squares divisible by {b}?",
        "answer = sum((x * x + y * y) % {b} == 0 for y in range(1, {a} + 1) for x in range(1, y + 1))",
        _ranges((25, 500), (5, 29)),
    ),
    Question(
        "Among the numbers from 1 to {a}, which one needs the most steps to reach 1, if a step halves an even number and "
        "replaces an odd number x by 3 * x + 1? Give the smallest of several.",
        "best, answer = -1, 0\nfor n in range(1, {a} + 1):\n    x, steps = n, 0\n    while x != 1:\n"
        "        x, steps = (x // 2 if x % 2 == 0 else 3 * x + 1), steps + 1\n"
        "    if steps > best:\n        best, answer = steps, n",
        _ranges((60, 6_000)),
    ),
    Question(
        "In how many ways can {a} be written as a sum of numbers out of 1, 2, {b} and {c} (each as often as you like, the "
        "order does not matter)?",
        "ways = [1] + [0] * {a}\nfor part in sorted({{1, 2, {b}, {c}}}):\n    for n in range(part, {a} + 1):\n"
        "        ways[n] += ways[n - part]\nanswer = ways[{a}]",
        _ranges((60, 3_000), (3, 12), (7, 25)),
    ),
    Question(
        "What is the remainder when the {a}-th Fibonacci number (number 1 and number 2 are 1) is divided by {b}?",
        "a, b = 0, 1\nfor _ in range({a}):\n    a, b = b, (a + b) % {b}\nanswer = a % {b}",
        _ranges((70, 9_000), (300, 90_000)),
    ),
)
