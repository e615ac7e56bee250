"""ARC1D: a rule on rows of colours, to be found from examples and applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level, pick
from rlvr_gym.envs.algorithmic._rules import Language
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["ARC1D"]

EXAMPLES = 3
COLOURS = 5

Row = tuple[int, ...]
Rule = Callable[[Row], Row]


def _shift(row: Row, places: int) -> Row:
    return row[-places:] + row[:-places]


def _gather(row: Row, *, left: bool) -> Row:
    coloured = tuple(cell for cell in row if cell)
    empty = (0,) * (len(row) - len(coloured))
    return coloured + empty if left else empty + coloured


@lru_cache(maxsize=1024)
def _blocks(row: Row) -> list[tuple[int, int]]:
    """Colour and length of every run."""
    return [(colour, len(list(run))) for colour, run in groupby(row)]


def _keep(row: Row, wanted: Callable[[int, int], bool]) -> Row:
    """Only the coloured runs of which ``wanted(length, longest)`` holds."""
    longest = max((length for colour, length in _blocks(row) if colour), default=0)
    cells: list[int] = []
    for colour, length in _blocks(row):
        cells += [colour if colour and wanted(length, longest) else 0] * length
    return tuple(cells)


def _fill(row: Row) -> Row:
    """Empty cells between two of one colour become that colour."""
    cells = list(row)
    places = [i for i, cell in enumerate(row) if cell]
    for a, b in pairwise(places):
        if row[a] == row[b]:
            cells[a:b] = [row[a]] * (b - a)
    return tuple(cells)


def _grow(row: Row) -> Row:
    """Every coloured cell also colours an empty cell to its right."""
    return tuple(cell or before for cell, before in zip(row, (0, *row[:-1]), strict=True))


def _hollow(row: Row) -> Row:
    """Cells between two of their own colour become empty."""
    beside = zip((-1, *row), row, (*row[1:], -1), strict=False)
    return tuple(0 if left == cell == right else cell for left, cell, right in beside)


def _gathered_sorted(row: Row) -> Row:
    return tuple(sorted(row, key=lambda cell: cell or COLOURS + 1))


RULES: dict[str, Rule] = {
    "move everything one cell to the right, around the end": lambda row: _shift(row, 1),
    "move everything two cells to the right, around the end": lambda row: _shift(row, 2),
    "move everything one cell to the left, around the end": lambda row: _shift(row, -1),
    "move everything two cells to the left, around the end": lambda row: _shift(row, -2),
    "reverse the row": lambda row: row[::-1],
    "push all colours to the left": lambda row: _gather(row, left=True),
    "push all colours to the right": lambda row: _gather(row, left=False),
    "fill gaps between cells of one colour": _fill,
    "let every colour grow one cell to the right": _grow,
    "let every colour grow one cell to the left": lambda row: _grow(row[::-1])[::-1],
    "make blocks hollow": _hollow,
    "keep only the longest blocks": lambda row: _keep(row, lambda length, longest: length == longest),
    "remove the longest blocks": lambda row: _keep(row, lambda length, longest: length < longest),
    "remove single cells": lambda row: _keep(row, lambda length, longest: length > 1),
    "sort the colours to the left, by number": _gathered_sorted,
    "exchange the colours 1 and 2": lambda row: tuple({1: 2, 2: 1}.get(cell, cell) for cell in row),
    "exchange the colours 1 and 3": lambda row: tuple({1: 3, 3: 1}.get(cell, cell) for cell in row),
    "turn every colour into 4": lambda row: tuple(4 if cell else 0 for cell in row),
    "mirror the left half onto the right": lambda row: (
        row[: (len(row) + 1) // 2] + row[: len(row) // 2][::-1]
    ),
}


LANGUAGE = Language(RULES)


@register("rlvr/ARC1D-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class ARC1D(Problem):
    """Find the rule behind three examples of rows of colours, and apply it to a fourth row.

    Difficulty 1 has rows of 8 cells and 10 of 26; from 6 on two rules are applied one after the other. All rules that
    agree with the examples (out of all that there are, alone or in pairs) agree on the answer. The hardness is the
    number of cells of an example times the number of rules.
    """

    verifier: ClassVar[str] = "exact_grid"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a rule and rows until the examples tell enough."""
        width, depth = level(difficulty, 8, 26), 1 + (difficulty >= 6)
        while True:
            names = tuple(pick(rng, LANGUAGE.names) for _ in range(depth))
            rows = [_draw(rng, width) for _ in range(EXAMPLES + 1)]
            results = [LANGUAGE.apply(names, row) for row in rows]
            if any(a == b for a, b in zip(rows, results, strict=True)) or len(set(results[-1])) < 2:
                continue
            if LANGUAGE.determined(rows, results, depth):
                break
        pairs = list(zip(rows, results, strict=True))
        listed = "\n".join(f"{_text(a)} becomes {_text(b)}" for a, b in pairs[:-1])
        rule = ", then ".join(names)
        return Task(
            prompt=ask(
                f"One rule turns each of these rows of colours (0 is empty) into another row:\n\n{listed}\n\nWhat does the "
                f"same rule make of {_text(rows[-1])}?",
                "the row",
                "0 1 2",
            ),
            answer=["".join(map(str, results[-1]))],
            metadata={"width": width, "rule": rule, "hardness": width * depth},
            solution="\n".join([f"The rule: {rule}.", *_steps(names, rows[-1])]),
        )

    def answer_text(self, task: Task) -> str:
        """The row."""
        return " ".join(task.answer[0])


def _draw(rng: np.random.Generator, width: int) -> Row:
    """Blocks of one to four cells, with gaps."""
    cells: list[int] = []
    luck = iter(rng.random(3 * width).tolist())
    while len(cells) < width:
        colour, length = 1 + int(next(luck) * (COLOURS - 1)), 1 + int(next(luck) * 4)
        cells += [0] * int(next(luck) * 4) + [colour] * length
    return tuple(cells[:width])


def _steps(names: tuple[str, ...], row: Row) -> list[str]:
    stages = LANGUAGE.stages(names, row)
    return [f"{name.capitalize()}: {_text(stage)}" for name, stage in zip(names, stages, strict=True)]


def _text(row: Row) -> str:
    return " ".join(map(str, row))
