"""Propositional formulas as nested lists, with whole truth tables as bitsets.

A formula is a variable's index, ``["not", f]`` or ``[operator, f, g]``: plain JSON. Row r of a truth table over n
variables gives variable i the bit n - 1 - i of r, so that rows count up in binary; bit r of an int is row r.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

__all__ = [
    "LEGEND",
    "Formula",
    "assignment_text",
    "draw_formula",
    "formula_text",
    "holds",
    "operators",
    "row_text",
    "rows_of",
    "truth",
    "variables_of",
]

Formula = Any
"""``int | [str, Formula] | [str, Formula, Formula]``; mypy has no recursive JSON that survives a round trip."""

SIGNS = {"and": "&", "or": "|", "implies": "->", "iff": "<->", "xor": "^"}
LEGEND = "~ is not, & is and, | is or, -> is implies, <-> is if and only if, ^ is exclusive or"


@cache
def _columns(count: int) -> list[int]:
    """The truth table of each variable alone."""
    rows = range(1 << count)
    return [sum(1 << r for r in rows if r >> (count - 1 - i) & 1) for i in range(count)]


def truth(formula: Formula, count: int) -> int:
    """The rows, out of 2**``count``, in which the formula is true."""
    everything = (1 << (1 << count)) - 1
    columns = _columns(count)

    def table(part: Formula) -> int:
        if isinstance(part, int):
            return columns[part]
        if part[0] == "not":
            return everything & ~table(part[1])
        return combine(part[0], table(part[1]), table(part[2]), everything)

    return table(formula)


def combine(operator: str, left: int, right: int, everything: int) -> int:
    """An operator applied to two bitsets."""
    if operator == "and":
        return left & right
    if operator == "or":
        return left | right
    if operator == "implies":
        return everything & ~left | right
    return left ^ right if operator == "xor" else everything & ~(left ^ right)


def holds(formula: Formula, values: Sequence[bool]) -> bool:
    """Whether the formula is true under one assignment."""
    if isinstance(formula, int):
        return values[formula]
    if formula[0] == "not":
        return not holds(formula[1], values)
    return bool(combine(formula[0], holds(formula[1], values), holds(formula[2], values), 1))


def rows_of(table: int) -> list[int]:
    """The numbers of the rows in a bitset."""
    return [row for row in range(table.bit_length()) if table >> row & 1]


def row_text(row: int, count: int) -> str:
    """A row's values without separators: ``010``."""
    return f"{row:0{count}b}"


def assignment_text(row: int, names: Sequence[str]) -> str:
    """A row as ``A=0, B=1``."""
    return ", ".join(f"{name}={bit}" for name, bit in zip(names, row_text(row, len(names)), strict=True))


def operators(formula: Formula) -> int:
    """How many operators it has, nots included."""
    return 0 if isinstance(formula, int) else 1 + sum(operators(part) for part in formula[1:])


def variables_of(formula: Formula) -> set[int]:
    """The variables that occur."""
    return {formula} if isinstance(formula, int) else set().union(*map(variables_of, formula[1:]))


def formula_text(formula: Formula, names: Sequence[str]) -> str:
    """The formula in ASCII signs, with brackets around every binary operation but the outermost."""
    text = _text(formula, names)
    return text[1:-1] if text.startswith("(") else text


def _text(formula: Formula, names: Sequence[str]) -> str:
    if isinstance(formula, int):
        return names[formula]
    if formula[0] == "not":
        return f"~{_text(formula[1], names)}"
    return f"({_text(formula[1], names)} {SIGNS[formula[0]]} {_text(formula[2], names)})"


def draw_formula(
    rng: np.random.Generator,
    count: int,
    binary: int,
    *,
    signs: Sequence[str] = ("and", "or", "implies", "and", "or", "implies", "iff", "xor"),
    negation: float = 0.25,
) -> Formula:
    """A random formula with ``binary`` binary operators.

    Args:
        rng: draws.
        count: variables; every one occurs if there are places enough.
        binary: binary operators.
        signs: the operators to draw from.
        negation: how likely each part is negated.
    """
    leaves: list[int] = rng.permutation(count)[: binary + 1].tolist()
    luck = rng.random(6 * binary + 3).tolist()
    leaves += [int(luck.pop() * count) for _ in range(binary + 1 - len(leaves))]

    def negated(part: Formula) -> Formula:
        return ["not", part] if luck.pop() < negation else part

    parts: list[Formula] = [negated(leaf) for leaf in leaves]
    while len(parts) > 1:
        left = parts.pop(int(luck.pop() * len(parts)))
        right = parts.pop(int(luck.pop() * len(parts)))
        joined = [signs[int(luck.pop() * len(signs))], left, right]
        parts.append(negated(joined) if len(parts) else joined)
    return parts[0]
