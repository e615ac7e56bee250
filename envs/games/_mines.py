"""Mine fields: laying mines, and finding safe cells by reasoning that is never a guess.

A cell is the number ``row * columns + column``, a set of cells is an int with their bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

__all__ = ["Deduced", "Field", "bits", "deduce", "lay", "neighbours"]

MOST_FACTS = 200
"""Facts that the reasoning keeps; the boards here need a fraction of them."""

Fact = tuple[int, int]
"""A set of cells, and how many mines are among them."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field whose mines are laid when the first cell is opened.

    Attributes:
        rows: how many there are.
        columns: how many there are.
        mines: how many there are.
        seed: says, together with the first cell, where the mines are.
    """

    rows: int
    columns: int
    mines: int
    seed: int

    @property
    def cells(self) -> int:
        """All cells, as bits."""
        return (1 << self.rows * self.columns) - 1


@dataclass(frozen=True, slots=True)
class Deduced:
    """What follows from what is seen.

    Attributes:
        safe: cells that have no mine in any arrangement that fits.
        mines: cells that have one in all of them.
        rounds: how many times the facts had to be compared in pairs.
    """

    safe: int
    mines: int
    rounds: int


def bits(mask: int) -> list[int]:
    """The numbers of the bits, from the lowest."""
    return [i for i in range(mask.bit_length()) if mask >> i & 1]


@lru_cache(maxsize=64)
def neighbours(rows: int, columns: int) -> tuple[int, ...]:
    """The up to eight cells around each cell."""
    around = []
    for cell in range(rows * columns):
        row, column = divmod(cell, columns)
        near = [(r, c) for r in (row - 1, row, row + 1) for c in (column - 1, column, column + 1)]
        inside = [r * columns + c for r, c in near if 0 <= r < rows and 0 <= c < columns]
        around.append(sum(1 << i for i in inside if i != cell))
    return tuple(around)


@lru_cache(maxsize=4_096)
def lay(field: Field, first: int) -> int:
    """The mines, as bits: none on or beside ``first``, and never a need to guess after it is opened."""
    near = neighbours(field.rows, field.columns)
    free = np.array(bits(field.cells & ~(near[first] | 1 << first)))
    rng = np.random.default_rng([field.seed, first])
    while True:
        mines: int = sum(1 << cell for cell in rng.permutation(free)[: field.mines].tolist())
        if solvable(field, mines, first):
            return mines


def solvable(field: Field, mines: int, first: int) -> bool:
    """Whether reasoning opens all safe cells."""
    opened = flood(field, mines, 0, first)
    while opened | mines != field.cells:
        safe = deduce(field, opened, numbers(field, mines, opened)).safe
        if not safe:
            return False
        for cell in bits(safe):
            opened = flood(field, mines, opened, cell)
    return True


def flood(field: Field, mines: int, opened: int, cell: int) -> int:
    """The open cells after ``cell``, which is safe, is opened; around a cell without mines near it all are."""
    near = neighbours(field.rows, field.columns)
    queue = [cell]
    for at in queue:
        if opened >> at & 1:
            continue
        opened |= 1 << at
        if not near[at] & mines:
            queue += bits(near[at] & ~opened)
    return opened


def numbers(field: Field, mines: int, opened: int) -> dict[int, int]:
    """What stands on each open cell: how many mines are beside it."""
    near = neighbours(field.rows, field.columns)
    return {cell: (near[cell] & mines).bit_count() for cell in bits(opened)}


def deduce(field: Field, opened: int, shown: dict[int, int]) -> Deduced:
    """What follows from the numbers, and from the number of all mines, by comparing facts in pairs.

    Sound and not complete: a cell that is called safe is safe, but there are arguments that this does not make.

    Args:
        field: its size and number of mines; where they are is not looked at.
        opened: the open cells.
        shown: the number on each of them.
    """
    near = neighbours(field.rows, field.columns)
    hidden = field.cells & ~opened
    facts = {(near[cell] & hidden, count) for cell, count in shown.items() if near[cell] & hidden}
    facts.add((hidden, field.mines))
    safe = mines = rounds = 0
    while True:
        facts, new_safe, new_mines = _settle(facts)
        safe, mines = safe | new_safe, mines | new_mines
        if safe:
            return Deduced(safe, mines, rounds)
        found = _combine(facts)
        if not found - facts or len(facts) > MOST_FACTS:
            return Deduced(safe, mines, rounds)
        rounds += 1
        facts |= found


def _settle(facts: set[Fact]) -> tuple[set[Fact], int, int]:
    """Facts about cells that are not settled, and the cells that are: all or none of a fact's cells are mines."""
    safe = mines = 0
    while True:
        for cells, count in facts:
            if count == 0:
                safe |= cells
            elif count == cells.bit_count():
                mines |= cells
        known = safe | mines
        rest = {
            (cells & ~known, count - (cells & mines).bit_count()) for cells, count in facts if cells & ~known
        }
        if rest == facts:
            return facts, safe, mines
        facts = rest


def _combine(facts: set[Fact]) -> set[Fact]:
    """Facts that follow from two that share cells."""
    found: set[Fact] = set()
    pairs = sorted(facts)
    for cells, count in pairs:
        for others, number in pairs:
            if cells & others and cells != others:
                only = others & ~cells
                if not cells & ~others:  # inside of the other one: the rest of that has the rest of the mines
                    found.add((only, number - count))
                elif number - count == only.bit_count():  # all that the other one has more has to be outside
                    found |= {(only, number - count), (cells & ~others, 0), (cells & others, count)}
    return found
