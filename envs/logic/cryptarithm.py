"""Cryptarithms: sums in which letters stand for digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import shuffled
from rlvr_gym.envs.logic._explain import explain
from rlvr_gym.envs.logic._solver import AllDifferent, Constraint, Model, Relation, Table
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier, parse_assignment

__all__ = ["Cryptarithm"]

LEVELS = {
    1: (1, 3), 2: (2, 4), 3: (2, 5), 4: (3, 6), 5: (3, 7), 6: (4, 7), 7: (4, 8), 8: (5, 8), 9: (5, 9), 10: (6, 10),
}  # fmt: skip
"""Difficulty: digits of the summands, and how many different letters there are."""
LETTERS = "ABCDEFGHIJKLMNOPRSTUVWYZ"


@register_verifier("cryptarithm")
class CryptarithmVerifier(RuleVerifier[dict[str, int]]):
    """Any digits that are all different, begin no number with 0, and make the sum true."""

    def read(self, answer: str, task: Task) -> dict[str, int] | None:
        """A digit for every letter."""
        values = parse_assignment(answer, sorted(set("".join(task.answer["words"]))))
        if values is None or not all(value in "0123456789" for value in values.values()):
            return None
        return {letter: int(value) for letter, value in values.items()}

    def fault(self, value: dict[str, int], task: Task) -> str | None:
        """The first rule that is broken."""
        if len(set(value.values())) < len(value):
            return "two letters have the same digit"
        words = task.answer["words"]
        if any(len(word) > 1 and value[word[0]] == 0 for word in words):
            return "a number begins with 0"
        *summands, total = (int("".join(str(value[letter]) for letter in word)) for word in words)
        return None if sum(summands) == total else "the sum does not hold"


@register("rlvr/Cryptarithm-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class Cryptarithm(Problem):
    """Find the digits that letters stand for in a sum; every solution counts.

    Difficulty 1 has numbers of 1 digit and 3 letters, 5 has 3 digits and 7 letters, 10 has 6 digits and all 10.
    Hardness is the number of values that follow directly (letters and carries), plus four for every value ruled out
    by trying it.

    Attributes:
        worked: whether tasks have a worked solution and with it a measured hardness. To find out how a person would
            solve a sum takes a hundred times as long as to draw it; reinforcement alone has no use for it.
    """

    verifier: ClassVar[str] = "cryptarithm"
    worked: bool = True

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a sum with the right number of different digits and hides them behind letters."""
        size, count = LEVELS[difficulty]
        numbers = _draw_sum(rng, size, count)
        code = str.maketrans("0123456789", "".join(shuffled(rng, LETTERS)[:10]))
        words = [str(number).translate(code) for number in numbers]
        names = sorted(set("".join(words)))
        values = {chr(code[ord(digit)]): int(digit) for number in numbers for digit in str(number)}
        metadata: dict[str, Any] = {"letters": len(names)}
        lines: list[str] = []
        if self.worked:
            told = explain(_model(words, names), lambda var, value: _said(var, value, names))
            values = dict(zip(names, told.solution or [], strict=False))  # the sum may have several solutions
            metadata |= {"assumptions": told.assumptions, "hardness": told.effort}
            lines = told.lines
        reference = ", ".join(f"{name}={values[name]}" for name in names)
        first, second, total = words
        prompt = (
            f"Each letter stands for a digit, different letters for different digits, and no number begins with 0 (unless "
            f"it has only one digit). Find digits that make this sum true:\n\n{first} + {second} = {total}\n\nGive the "
            f"digit of every letter in <answer> tags. For Q + Q = X it would look like this: <answer>Q=1, X=2</answer>"
        )
        return Task(
            prompt=prompt,
            answer={"words": words, "reference": reference},
            metadata=metadata,
            solution="\n".join([*lines, f"So: {reference}"]) if self.worked else None,
        )

    def answer_text(self, task: Task) -> str:
        """One digit for each letter."""
        return str(task.answer["reference"])


def _draw_sum(rng: np.random.Generator, size: int, count: int) -> tuple[int, int, int]:
    low, high = (1 if size == 1 else 10 ** (size - 1)), 10**size
    while True:
        luck = rng.random(16).tolist()
        for a, b in zip(luck[::2], luck[1::2], strict=True):
            first, second = low + int(a * (high - low)), low + int(b * (high - low))
            if len(set(f"{first}{second}{first + second}")) == count:
                return first, second, first + second


def _said(var: int, value: int, names: Sequence[str]) -> str:
    return f"{names[var]}={value}" if var < len(names) else f"carry {var - len(names) + 1} is {value}"


def _model(words: Sequence[str], names: Sequence[str]) -> Model:
    """Letters, then the carry out of each column; a column is a table over its letters and two carries."""
    index = {name: position for position, name in enumerate(names)}
    width = max(map(len, words))
    domains = [(1 << 10) - 1] * len(names) + [3] * width
    domains[-1] = 1
    for word in words:
        if len(word) > 1:
            domains[index[word[0]]] &= ~1
    rules: list[Constraint] = [AllDifferent(range(len(names)), "different letters")]
    for column in range(width):
        scope: list[int] = []
        pattern: list[int | None] = []
        for word in words:
            if column >= len(word):
                pattern.append(None)
                continue
            letter = index[word[-1 - column]]
            if letter not in scope:
                scope.append(letter)
            pattern.append(scope.index(letter))
        carries = ([len(names) + column - 1] if column else []) + [len(names) + column]
        table = _column_relation(tuple(pattern), len(scope), column > 0)
        rules.append(Table([*scope, *carries], table, f"column {column + 1} from the right"))
    return Model(domains, rules)


@cache
def _column_relation(pattern: tuple[int | None, ...], letters: int, carried: bool) -> Relation:
    """Digits, carry in (if any) and carry out that add up; ``pattern`` says which digit stands in which word."""
    rows = []
    for digits in product(range(10), repeat=letters):
        if len(set(digits)) < letters:
            continue
        first, second, total = (0 if place is None else digits[place] for place in pattern)
        for carry in (0, 1) if carried else (0,):
            out, unit = divmod(first + second + carry, 10)
            if unit == total:
                rows.append([*digits, *([carry] if carried else []), out])
    return Relation(rows)
