"""Kakuro: runs of different digits with given sums."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.logic._grids import (
    BLANK,
    GridProblem,
    GridVerifier,
    cell_name,
    explain_grid,
    grid_format,
    grid_rows,
)
from rlvr_gym.envs.logic._solver import AllDifferent, Model, Relation, Table, reveal_until_solved, take_back
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import grid_text

__all__ = ["Kakuro"]

LEVELS = {
    1: (2, 3), 2: (3, 3), 3: (3, 4), 4: (4, 4), 5: (4, 5), 6: (5, 5), 7: (5, 6), 8: (6, 6), 9: (6, 7), 10: (7, 7),
}  # fmt: skip
"""Difficulty: rows and columns."""
BLOCK = "x"
BLOCKED_SHARE = 0.15
LONGEST_RUN = 5
FEWEST_CELLS_TO_SHARPEN, SWEEPS = 9, 2
"""Rounds of making the sums of a filling sharper; a tiny grid would always come out the same."""
FILLS = 2
"""Fillings drawn; the one that needs the fewest given digits is taken."""
SYMBOLS = "123456789" + BLOCK


@register_verifier("kakuro")
class KakuroVerifier(GridVerifier):
    """Blocked and given cells as printed, and every run with different digits and its sum."""

    def shape(self, puzzle: dict[str, Any]) -> tuple[int, int]:
        """As many rows and columns as are given."""
        return len(puzzle["givens"]), len(puzzle["givens"][0])

    def symbols(self, puzzle: dict[str, Any]) -> str:
        """Digits and the sign of a blocked cell."""
        return SYMBOLS

    def broken_rule(self, grid: list[str], puzzle: dict[str, Any]) -> str | None:
        """A run is ``[sum, cells]``."""
        cells, columns = "".join(grid), len(grid[0])
        for total, run in puzzle["runs"]:
            digits = [cells[cell] for cell in run]
            if BLOCK in digits or len(set(digits)) < len(digits) or sum(map(int, digits)) != total:
                return f"the run {_run_text(total, run, columns)} does not hold"
        return None


@register("rlvr/Kakuro-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class Kakuro(GridProblem):
    """Fill runs with different digits that add up to given sums; exactly one solution.

    Difficulty 1 is 2x3, 5 is 4x5, 10 is 7x7; runs have 2 to 5 cells. Hardness is the number of values that follow
    directly, plus four for every value ruled out by trying it.

    Attributes:
        size: rows and columns of a square grid, from 2 to 8; 0 leaves it to the difficulty.
    """

    verifier: ClassVar[str] = "kakuro"
    sizes = range(2, 9)

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a layout, then the filling whose sums need the fewest given digits."""
        rows, columns = (self.size, self.size) if self.size else LEVELS[difficulty]
        runs = _layout(rows, columns, rng)
        white = {cell for run in runs for cell in run}
        digits, revealed = min(
            (_fill(rows * columns, runs, rng) for _ in range(FILLS)), key=lambda pair: len(pair[1])
        )
        shown = set(revealed)
        sums = [(sum(digits[c] + 1 for c in run), run) for run in runs]
        cells = [SYMBOLS[digits[c]] if c in white else BLOCK for c in range(rows * columns)]
        givens = grid_rows(
            [BLANK if c in white - shown else cells[c] for c in range(rows * columns)], columns
        )
        model = _model(rows * columns, sums)
        for cell in shown:
            model.domains[cell] = 1 << digits[cell]
        solution, told = explain_grid(model, columns, SYMBOLS)
        return Task(
            prompt=_prompt(givens, sums, rows, columns),
            answer={
                "givens": givens,
                "runs": [list(s) for s in sums],
                "reference": grid_rows(cells, columns),
            },
            metadata={"cells": len(white), "runs": len(runs), "givens": len(shown), "hardness": told.effort},
            solution=solution,
        )


def _layout(rows: int, columns: int, rng: np.random.Generator) -> list[list[int]]:
    """Runs, across and then down, of a grid in which every white cell lies in one of each."""
    while True:
        white = rng.random((rows, columns)) >= (BLOCKED_SHARE if min(rows, columns) > 2 else 0)
        lonely = True
        while lonely:
            runs = _runs(white)
            twice = np.zeros(rows * columns, dtype=int)
            for run in runs:
                twice[run] += 1
            lonely = bool((white.ravel() & (twice < 2)).any())
            white &= (twice == 2).reshape(rows, columns)
        if white.mean() >= 0.5 and all(len(run) <= LONGEST_RUN for run in runs):
            return runs


def _runs(white: np.ndarray[Any, np.dtype[np.bool_]]) -> list[list[int]]:
    """The white stretches of two cells or more."""
    rows, columns = white.shape
    cells = np.where(white, np.arange(rows * columns).reshape(rows, columns), -1)
    found: list[list[int]] = []
    for line in (*cells, *cells.T):
        run: list[int] = []
        for cell in (*line.tolist(), -1):
            if cell >= 0:
                run.append(cell)
                continue
            if len(run) > 1:
                found.append(run)
            run = []
    return found


def _fill(count: int, runs: Sequence[Sequence[int]], rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Digits from 0 that differ in each run, and the cells to reveal so that the sums have one solution."""
    white = {cell for run in runs for cell in run}
    domains = [(1 << 9) - 1 if cell in white else 1 for cell in range(count)]
    rules = [AllDifferent(run, "run") for run in runs]
    digits: list[int] = []
    while not digits:
        found = Model(domains, rules).search(limit=1, max_nodes=8 * count, rng=rng).solutions
        digits = found[0] if found else []
    _sharpen(digits, runs, rng)
    model = _model(count, [(sum(digits[c] + 1 for c in run), run) for run in runs])
    return digits, take_back(model, digits, reveal_until_solved(model, digits, rng))


def _sharpen(digits: list[int], runs: Sequence[Sequence[int]], rng: np.random.Generator) -> None:
    """Changes digits one by one, in place, as long as that leaves fewer ways to make the sums of their runs."""
    runs_of: dict[int, list[Sequence[int]]] = {}
    for run in runs:
        for cell in run:
            runs_of.setdefault(cell, []).append(run)
    for _ in range(SWEEPS if len(runs_of) >= FEWEST_CELLS_TO_SHARPEN else 0):
        for cell in rng.permutation(list(runs_of)).tolist():
            taken = {digits[c] for run in runs_of[cell] for c in run if c != cell}
            ways = {}
            for digit in sorted(set(range(9)) - taken):
                totals = [
                    (len(run), sum(digits[c] for c in run) - digits[cell] + digit) for run in runs_of[cell]
                ]
                ways[digit] = math.prod(len(_by_sum(length)[total + length]) for length, total in totals)
            digits[cell] = min(ways, key=lambda digit: (ways[digit], rng.random()))


def _model(count: int, sums: Sequence[tuple[int, Sequence[int]]]) -> Model:
    """Cells as variables with the digits from 0; a blocked cell has the value 9, the sign of a block."""
    white = {cell for _, run in sums for cell in run}
    domains = [(1 << 9) - 1 if cell in white else 1 << 9 for cell in range(count)]
    rules = [
        Table(run, _sum_relation(len(run), total), f"the sum {total} of {len(run)} cells")
        for total, run in sums
    ]
    return Model(domains, rules)


@cache
def _by_sum(length: int) -> dict[int, list[tuple[int, ...]]]:
    found: dict[int, list[tuple[int, ...]]] = {}
    for digits in permutations(range(9), length):
        found.setdefault(sum(digits) + length, []).append(digits)
    return found


@cache
def _sum_relation(length: int, total: int) -> Relation:
    return Relation(_by_sum(length)[total])


def _run_text(total: int, run: Sequence[int], columns: int) -> str:
    return f"{cell_name(run[0], columns)} to {cell_name(run[-1], columns)}: {total}"


def _prompt(givens: list[str], sums: Sequence[tuple[int, Sequence[int]]], rows: int, columns: int) -> str:
    listed = "\n".join(f"- {_run_text(total, run, columns)}" for total, run in sums)
    return (
        f"Solve this Kakuro: fill the empty cells (.) with digits from 1 to 9. The cells of each run below hold "
        f"different digits that add up to its sum; {BLOCK} is a blocked cell. There is exactly one solution."
        f"\n\n{grid_text(givens)}\n\nRuns (r1c2 is row 1, column 2):\n{listed}\n\nWrite {BLOCK} for blocked cells. "
        f"{grid_format(rows, columns, (f'{BLOCK}12', '412', f'98{BLOCK}'), 'cells')}"
    )
