"""ARC1D: a rule on rows of colours, to be found from examples and applied."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from operator import eq
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
EMPTY = b"\x00"

Row = bytes
"""The colour of every cell: as fast as a text to cut, to search and to translate."""
Rule = Callable[[Row], Row]

_EXCHANGE_12 = bytes.maketrans(b"\x01\x02", b"\x02\x01")
_EXCHANGE_13 = bytes.maketrans(b"\x01\x03", b"\x03\x01")
_ALL_4 = bytes.maketrans(b"\x01\x02\x03", b"\x04\x04\x04")
_WHERE_EMPTY = b"\xff" + bytes(255)
_RUN = re.compile(rb"(.)\1*", re.DOTALL)
_RUNS = [bytes([colour]) * 64 for colour in range(COLOURS)]
_GAPS = [bytes(size) for size in range(4)]
_BLOCKS = [[bytes([colour]) * size for size in range(1, 5)] for colour in range(1, COLOURS)]
_DIGITS = bytes.maketrans(bytes(range(COLOURS)), b"01234")


def _shift(row: Row, places: int) -> Row:
    return row[-places:] + row[:-places]


def _gather(row: Row, *, left: bool) -> Row:
    coloured = row.replace(EMPTY, b"")
    return coloured.ljust(len(row), EMPTY) if left else coloured.rjust(len(row), EMPTY)


@lru_cache(maxsize=1024)
def _blocks(row: Row) -> tuple[list[tuple[Row, int, Row]], int]:
    """The runs of equal cells, with their lengths and as many empty cells, and the length of the longest coloured one."""
    runs = [match.group() for match in _RUN.finditer(row)]
    blocks = [(run, len(run), bytes(len(run))) for run in runs]
    return blocks, max([size for run, size, _ in blocks if run[0]], default=0)


def _only_longest(row: Row) -> Row:
    blocks, longest = _blocks(row)
    return b"".join([run if size == longest else empty for run, size, empty in blocks])


def _no_longest(row: Row) -> Row:
    blocks, longest = _blocks(row)
    return b"".join([run if size < longest else empty for run, size, empty in blocks])


def _no_single(row: Row) -> Row:
    return b"".join([run if size > 1 else empty for run, size, empty in _blocks(row)[0]])


def _fill(row: Row) -> Row:
    """Empty cells between two of one colour become that colour."""
    cells = bytearray(row)
    places = [i for i, cell in enumerate(row) if cell]
    for a, b in pairwise(places):
        if row[a] == row[b]:
            cells[a:b] = _RUNS[row[a]][: b - a]
    return bytes(cells)


def _grow(row: Row) -> Row:
    """Every coloured cell also colours an empty cell to its right."""
    size = len(row)
    moved = int.from_bytes(row) >> 8 & int.from_bytes(row.translate(_WHERE_EMPTY))  # all cells at once
    return (int.from_bytes(row) | moved).to_bytes(size)


def _hollow(row: Row) -> Row:
    """Cells between two of their own colour become empty."""
    beside = zip((-1, *row), row, (*row[1:], -1), strict=False)
    return bytes([0 if left == cell == right else cell for left, cell, right in beside])


def _gathered_sorted(row: Row) -> Row:
    return bytes(sorted(row.replace(EMPTY, b""))).ljust(len(row), EMPTY)


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
    "keep only the longest blocks": _only_longest,
    "remove the longest blocks": _no_longest,
    "remove single cells": _no_single,
    "sort the colours to the left, by number": _gathered_sorted,
    "exchange the colours 1 and 2": lambda row: row.translate(_EXCHANGE_12),
    "exchange the colours 1 and 3": lambda row: row.translate(_EXCHANGE_13),
    "turn every colour into 4": lambda row: row.translate(_ALL_4),
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
            names = tuple([pick(rng, LANGUAGE.names) for _ in range(depth)])
            rows = [_draw(luck) for luck in rng.random((EXAMPLES + 1, width, 3)).tolist()]
            results = [LANGUAGE.apply(names, row) for row in rows]
            if any(map(eq, rows, results)) or len(set(results[-1])) < 2:
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
            answer=[_digits(results[-1])],
            metadata={"width": width, "rule": rule, "hardness": width * depth},
            solution="\n".join([f"The rule: {rule}.", *_steps(names, rows[-1])]),
        )

    def answer_text(self, task: Task) -> str:
        """The row."""
        return " ".join(task.answer[0])


def _draw(luck: Sequence[Sequence[float]]) -> Row:
    """Blocks of one to four cells, with gaps; at most as many cells as there are draws of three numbers."""
    cells, width = bytearray(), len(luck)
    for colour, length, gap in luck:
        cells += _GAPS[int(gap * 4)]
        cells += _BLOCKS[int(colour * 4)][int(length * 4)]
        if len(cells) >= width:
            break
    return bytes(cells[:width])


def _steps(names: tuple[str, ...], row: Row) -> list[str]:
    stages = LANGUAGE.stages(names, row)
    return [f"{name.capitalize()}: {_text(stage)}" for name, stage in zip(names, stages, strict=True)]


def _text(row: Row) -> str:
    return " ".join(_digits(row))


def _digits(row: Row) -> str:
    return row.translate(_DIGITS).decode()
