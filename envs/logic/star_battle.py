"""Star Battle: one star in each row, column and region, and no two that touch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, pairwise
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.logic._explain import ASSUMPTION_EFFORT, explain
from rlvr_gym.envs.logic._grids import SizedProblem, grid_rows
from rlvr_gym.envs.logic._solver import AllDifferent, Constraint, Domains, Model, Relation, Table
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier, grid_text, parse_grid

__all__ = ["StarBattle"]

LEVELS = {1: 5, 2: 5, 3: 6, 4: 6, 5: 6, 6: 7, 7: 7, 8: 8, 9: 8, 10: 9}
"""Difficulty: rows, columns and regions."""
REPAIRS = 60
LETTERS = "ABCDEFGHI"
DIGITS = "123456789"


@register_verifier("star_battle")
class StarBattleVerifier(RuleVerifier[list[int]]):
    """One star in each row (by the format), column and region, none beside another."""

    def read(self, answer: str, task: Task) -> list[int] | None:
        """The star's column, from 0, in every row."""
        size = len(task.answer["regions"])
        rows = parse_grid(answer, 1, size, DIGITS[:size])
        return [int(column) - 1 for column in rows[0]] if rows else None

    def fault(self, value: list[int], task: Task) -> str | None:
        """The first rule that the stars break."""
        if len(set(value)) < len(value):
            return "a column has two stars"
        if any(abs(a - b) < 2 for a, b in pairwise(value)):
            return "two stars touch"
        regions = [row[column] for row, column in zip(task.answer["regions"], value, strict=True)]
        return "a region has two stars" if len(set(regions)) < len(regions) else None


@register("rlvr/StarBattle-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class StarBattle(SizedProblem):
    """Place one star in each row, column and region so that no two touch; exactly one solution.

    Difficulty 1 is 5x5, 5 is 6x6, 10 is 9x9. Hardness is the number of cells that have to be crossed out, plus
    four for every place ruled out by trying it.

    Attributes:
        size: from 5 to 9; 0 leaves it to the difficulty.
    """

    verifier: ClassVar[str] = "star_battle"
    sizes = range(5, 10)

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws stars, grows regions around them, and moves cells between regions until one solution is left."""
        size = self.size or LEVELS[difficulty]
        regions = None
        while regions is None:
            stars = _placements(size)[rng.integers(len(_placements(size)))].tolist()
            regions = _make_unique(_grow(stars, rng), stars, rng)
        told = explain(
            _model(regions, size), lambda row, column: f"row {row + 1} has its star in column {column + 1}"
        )
        letters = grid_rows([LETTERS[region] for region in regions], size)
        reference = [column + 1 for column in stars]
        text = " ".join(map(str, reference))
        prompt = (
            f"Place stars in this {size}x{size} grid so that each row, each column and each region (cells with the same "
            f"letter) holds exactly one star, and no two stars touch, not even at a corner. There is exactly one solution."
            f"\n\n{grid_text(letters)}\n\nGive the column of the star in each row, from the top row to the bottom row, in "
            f"<answer> tags. For a grid of 3 rows it would look like this: <answer>3 1 2</answer>"
        )
        return Task(
            prompt=prompt,
            answer={"regions": letters, "reference": reference},
            metadata={
                "size": size,
                "assumptions": told.assumptions,
                "hardness": size * (size - 1) + ASSUMPTION_EFFORT * told.assumptions,
            },
            solution="\n".join([*told.lines, f"From the top row to the bottom row: {text}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The columns, separated by spaces."""
        return " ".join(map(str, task.answer["reference"]))


class OneStar(Constraint):
    """Exactly one row has its star in the region; ``cells[row]`` is the mask of the region's columns."""

    __slots__ = ("cells",)

    def __init__(self, cells: Sequence[int], label: str) -> None:
        super().__init__([row for row, mask in enumerate(cells) if mask], label)
        self.cells = cells

    def prune(self, domains: Domains) -> list[int] | None:
        """A row that must use the region bars it to all others; the last row that can use it must."""
        able = [row for row in self.scope if domains[row] & self.cells[row]]
        bound = [row for row in able if not domains[row] & ~self.cells[row]]
        if not able or len(bound) > 1:
            return None
        if len(able) == 1:
            row = able[0]
            narrowed = domains[row] & self.cells[row]
            changed = [row] if narrowed != domains[row] else []
            domains[row] = narrowed
            return changed
        if not bound:
            return []
        others = [row for row in able if row != bound[0]]
        for row in others:
            domains[row] &= ~self.cells[row]
        return others


@cache
def _apart(size: int) -> Relation:
    return Relation((a, b) for a in range(size) for b in range(size) if abs(a - b) > 1)


def _model(regions: Sequence[int], size: int) -> Model:
    """One variable for each row: its star's column."""
    full = (1 << size) - 1
    rules: list[Constraint] = [AllDifferent(range(size), "one star a column", full)]
    rules += [
        Table((r, r + 1), _apart(size), f"no touching in rows {r + 1} and {r + 2}") for r in range(size - 1)
    ]
    for region in range(size):
        masks = [sum(1 << c for c in range(size) if regions[r * size + c] == region) for r in range(size)]
        rules.append(OneStar(masks, f"region {LETTERS[region]}"))
    return Model([full] * size, rules)


@cache
def _placements(size: int) -> np.ndarray[Any, np.dtype[np.int8]]:
    """All ways to put a star in each row and column without touching: columns [placement, row]."""
    partial = np.arange(size, dtype=np.int8)[:, None]
    for _ in range(size - 1):
        options = np.repeat(partial, size, axis=0)
        column = np.tile(np.arange(size, dtype=np.int8), len(partial))
        fits = (options != column[:, None]).all(axis=1) & (abs(options[:, -1] - column) > 1)
        partial = np.column_stack([options, column])[fits]
    return partial


@cache
def _through(size: int) -> list[np.ndarray[Any, np.dtype[np.intp]]]:
    """The numbers of the placements that have a star in each cell."""
    return [
        np.flatnonzero(_placements(size)[:, row] == column) for row in range(size) for column in range(size)
    ]


def _near(cell: int, size: int) -> list[int]:
    row, column = divmod(cell, size)
    steps = [
        (cell - size, row > 0),
        (cell + size, row < size - 1),
        (cell - 1, column > 0),
        (cell + 1, column < size - 1),
    ]
    return [near for near, inside in steps if inside]


def _grow(stars: Sequence[int], rng: np.random.Generator) -> list[int]:
    """Every cell joins a neighbouring region at random; -1 does not stay."""
    size = len(stars)
    regions = [-1] * size**2
    for row, column in enumerate(stars):
        regions[row * size + column] = row
    frontier = [row * size + column for row, column in enumerate(stars)]
    while frontier:
        position = int(rng.integers(len(frontier)))
        cell = frontier[position]
        free = [near for near in _near(cell, size) if regions[near] < 0]
        if not free:
            frontier[position] = frontier[-1]
            frontier.pop()
            continue
        chosen = free[int(rng.integers(len(free)))]
        regions[chosen] = regions[cell]
        frontier.append(chosen)
    return regions


def _make_unique(regions: list[int], stars: Sequence[int], rng: np.random.Generator) -> list[int] | None:
    """Breaks other solutions by giving the cell that most of them use to a neighbouring region."""
    size = len(stars)
    own = {row * size + column for row, column in enumerate(stars)}
    cells = np.arange(size) * size + _placements(size)
    # A placement's regions as a sum of powers of two: n of them make 2**n - 1 only if they are all different. All
    # placements are looked at, which proves uniqueness.
    totals = (1 << np.array(regions, dtype=np.int16))[cells].sum(axis=1, dtype=np.int16)
    for _ in range(REPAIRS):
        solutions = np.flatnonzero(totals == (1 << size) - 1)
        if len(solutions) == 1:
            return regions
        used = Counter(cells[solutions].ravel().tolist())
        able = (c for c, _ in used.most_common() if c not in own and _may_leave(c, regions, size))
        moves = [(c, regions[n]) for c in islice(able, 3) for n in _near(c, size) if regions[n] != regions[c]]
        if not moves:
            return None
        cell, region = moves[int(rng.integers(len(moves)))]
        totals[_through(size)[cell]] += (1 << region) - (1 << regions[cell])
        regions[cell] = region
    return None


def _may_leave(cell: int, regions: Sequence[int], size: int) -> bool:
    """Whether the rest of the cell's region stays connected without it."""
    rest = {c for c, region in enumerate(regions) if region == regions[cell]} - {cell}
    reached: set[int] = set()
    todo = [min(rest)] if rest else []
    while todo:
        current = todo.pop()
        if current not in reached:
            reached.add(current)
            todo += [near for near in _near(current, size) if near in rest]
    return bool(rest) and reached == rest
