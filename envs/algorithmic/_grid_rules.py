"""Rules on grids of colours, 0 being empty; and random grids with objects in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product

import numpy as np

__all__ = ["COLOURS", "RULES", "Grid", "draw_grid"]

COLOURS = 4
"""Colours of the grids that are drawn."""
MARK = 5
"""The colour of what rules add."""

Grid = tuple[tuple[int, ...], ...]
Cell = tuple[int, int]
Rule = Callable[[Grid], Grid]


def _cells(grid: Grid) -> Iterator[tuple[int, int, int]]:
    return ((r, c, colour) for r, row in enumerate(grid) for c, colour in enumerate(row))


def _mapped(grid: Grid, colour_at: Callable[[int, int, int], int]) -> Grid:
    return tuple(tuple(colour_at(r, c, colour) for c, colour in enumerate(row)) for r, row in enumerate(grid))


@lru_cache(maxsize=2048)
def _objects(grid: Grid) -> list[tuple[int, list[Cell]]]:
    """Colour and cells of each object, in reading order: cells of one colour that are joined by their sides."""
    found: list[tuple[int, list[Cell]]] = []
    seen: set[Cell] = set()
    for r, c, colour in _cells(grid):
        if not colour or (r, c) in seen:
            continue
        cells = [(r, c)]
        seen.add((r, c))
        for row, column in cells:
            for near in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
                inside = 0 <= near[0] < len(grid) and 0 <= near[1] < len(grid[0])
                if inside and near not in seen and grid[near[0]][near[1]] == colour:
                    seen.add(near)
                    cells.append(near)
        found.append((colour, cells))
    return found


# --- turning, mirroring, moving ---


def _rotate(grid: Grid) -> Grid:
    return tuple(zip(*grid[::-1], strict=True))


def _flip(grid: Grid) -> Grid:
    return tuple(row[::-1] for row in grid)


def _transpose(grid: Grid) -> Grid:
    return tuple(zip(*grid, strict=True))


def _shift(grid: Grid) -> Grid:
    """To the right."""
    return tuple(row[-1:] + row[:-1] for row in grid)


def _fall(grid: Grid) -> Grid:
    """To the left."""
    return tuple(tuple(sorted(row, key=lambda colour: not colour)) for row in grid)


def _join(grid: Grid) -> Grid:
    """Along the rows."""
    rows = []
    for row in grid:
        cells, last = list(row), -1
        for c, colour in enumerate(row):
            if colour:
                if last >= 0 and row[last] == colour:
                    cells[last:c] = [colour] * (c - last)
                last = c
        rows.append(tuple(cells))
    return tuple(rows)


def _sideways(rule: Rule) -> Rule:
    """A rule along the rows as a rule along the columns."""
    return lambda grid: _transpose(rule(_transpose(grid)))


def _mirrored(rule: Rule) -> Rule:
    """A rule to the left as one to the right, or the other way round."""
    return lambda grid: _flip(rule(_flip(grid)))


def _halves(grid: Grid) -> Grid:
    width = len(grid[0])
    return tuple(row[: (width + 1) // 2] + row[: width // 2][::-1] for row in grid)


def _completed(grid: Grid) -> Grid:
    return tuple(tuple(a or b for a, b in zip(row, row[::-1], strict=True)) for row in grid)


# --- objects ---


def _kept(grid: Grid, wanted: Callable[[int, int], bool]) -> Grid:
    """Only the objects of which ``wanted(size, largest size)`` holds."""
    objects = _objects(grid)
    largest = max((len(cells) for _, cells in objects), default=0)
    kept = {cell for _, cells in objects if wanted(len(cells), largest) for cell in cells}
    return _mapped(grid, lambda r, c, colour: colour if (r, c) in kept else 0)


def _commonest(grid: Grid) -> int:
    """The colour of most cells, of the smallest number if several are; 0 in an empty grid."""
    counts = Counter(colour for _, _, colour in _cells(grid) if colour)
    return min(counts, key=lambda colour: (-counts[colour], colour), default=0)


def _only(grid: Grid, *, commonest: bool) -> Grid:
    found = _commonest(grid)
    return _mapped(grid, lambda r, c, colour: colour if (colour == found) == commonest else 0)


def _sized(grid: Grid) -> Grid:
    sizes = {cell: min(len(cells), 9) for _, cells in _objects(grid) for cell in cells}
    return _mapped(grid, lambda r, c, colour: sizes.get((r, c), 0))


def _cropped(grid: Grid, cells: list[Cell]) -> Grid:
    if not cells:
        return grid
    rows, columns = [r for r, _ in cells], [c for _, c in cells]
    return tuple(row[min(columns) : max(columns) + 1] for row in grid[min(rows) : max(rows) + 1])


def _largest(grid: Grid) -> Grid:
    objects = _objects(grid)
    return _cropped(grid, max(objects, key=lambda found: len(found[1]))[1] if objects else [])


def _near(grid: Grid, r: int, c: int) -> list[int]:
    """The colours above, below, left and right."""
    places = ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1))
    return [grid[a][b] for a, b in places if 0 <= a < len(grid) and 0 <= b < len(grid[0])]


def _grown(grid: Grid) -> Grid:
    return _mapped(grid, lambda r, c, colour: colour or max(_near(grid, r, c), default=0))


def _hollow(grid: Grid) -> Grid:
    return _mapped(grid, lambda r, c, colour: 0 if _near(grid, r, c).count(colour) == 4 else colour)


def _outlined(grid: Grid) -> Grid:
    def colour_at(r: int, c: int, colour: int) -> int:
        around = (row[max(c - 1, 0) : c + 2] for row in grid[max(r - 1, 0) : r + 2])
        return colour or (MARK if any(map(any, around)) else 0)

    return _mapped(grid, colour_at)


def _filled(grid: Grid) -> Grid:
    """Floods the empty cells from the edge; what stays dry is enclosed."""
    height, width = len(grid), len(grid[0])
    edge = [
        (r, c) for r, c in product(range(height), range(width)) if r in (0, height - 1) or c in (0, width - 1)
    ]
    wet = [(r, c) for r, c in edge if not grid[r][c]]
    seen = set(wet)
    for r, c in wet:
        for near in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
            inside = 0 <= near[0] < height and 0 <= near[1] < width
            if inside and near not in seen and not grid[near[0]][near[1]]:
                seen.add(near)
                wet.append(near)
    return _mapped(grid, lambda r, c, colour: colour or (0 if (r, c) in seen else MARK))


def _framed(grid: Grid) -> Grid:
    bottom, right = len(grid) - 1, len(grid[0]) - 1
    return _mapped(grid, lambda r, c, colour: MARK if r in (0, bottom) or c in (0, right) else colour)


def _exchange(first: int, second: int) -> Rule:
    other = {first: second, second: first}
    return lambda grid: tuple(tuple(other.get(colour, colour) for colour in row) for row in grid)


RULES: dict[str, Rule] = {
    "turn the grid a quarter clockwise": _rotate,
    "turn the grid a quarter counterclockwise": lambda grid: _rotate(_rotate(_rotate(grid))),
    "turn the grid by a half": lambda grid: _rotate(_rotate(grid)),
    "mirror the grid left to right": _flip,
    "mirror the grid top to bottom": lambda grid: grid[::-1],
    "mirror the grid along the diagonal from the upper left": _transpose,
    "move everything one cell to the right, around the edge": _shift,
    "move everything one cell to the left, around the edge": _mirrored(_shift),
    "move everything one cell down, around the edge": lambda grid: grid[-1:] + grid[:-1],
    "move everything one cell up, around the edge": lambda grid: grid[1:] + grid[:1],
    "let all coloured cells fall to the left": _fall,
    "let all coloured cells fall to the right": _mirrored(_fall),
    "let all coloured cells fall up": _sideways(_fall),
    "let all coloured cells fall down": _sideways(_mirrored(_fall)),
    "join cells of one colour that have only empty cells between them in their row": _join,
    "join cells of one colour that have only empty cells between them in their column": _sideways(_join),
    "mirror the left half onto the right": _halves,
    "mirror the upper half onto the lower": _sideways(_halves),
    "make it symmetric left to right by colouring empty cells": _completed,
    "make it symmetric top to bottom by colouring empty cells": _sideways(_completed),
    "exchange the colours 1 and 2": _exchange(1, 2),
    "exchange the colours 1 and 3": _exchange(1, 3),
    "exchange the colours 2 and 3": _exchange(2, 3),
    "turn every colour into 5": lambda grid: tuple(tuple(colour and MARK for colour in row) for row in grid),
    "keep only the largest objects": lambda grid: _kept(grid, lambda size, largest: size == largest),
    "remove the largest objects": lambda grid: _kept(grid, lambda size, largest: size < largest),
    "remove objects of a single cell": lambda grid: _kept(grid, lambda size, largest: size > 1),
    "keep only the commonest colour": lambda grid: _only(grid, commonest=True),
    "remove the commonest colour": lambda grid: _only(grid, commonest=False),
    "colour every object by the number of its cells": _sized,
    "crop the grid to its coloured cells": lambda grid: _cropped(
        grid, [(r, c) for r, c, x in _cells(grid) if x]
    ),
    "crop the grid to the largest object": _largest,
    "fill enclosed empty cells with 5": _filled,
    "let every colour grow by one cell in the four directions": _grown,
    "make objects hollow": _hollow,
    "outline all objects with 5": _outlined,
    "draw a frame of 5 along the edge": _framed,
}
"""Objects are cells of one colour that are joined by their sides."""


def draw_grid(rng: np.random.Generator, height: int, width: int) -> Grid:
    """Blocks, lines, frames and dots on an empty ground; some of them overlap."""
    cells = [[0] * width for _ in range(height)]
    luck = iter(rng.random(6 * (height + width)).tolist())
    for _ in range(2 + height * width // 12):
        colour = 1 + int(next(luck) * COLOURS)
        rows, columns = (1 + int(next(luck) ** 2 * min(size, 5)) for size in (height, width))
        top, left = int(next(luck) * (height - rows + 1)), int(next(luck) * (width - columns + 1))
        frame = next(luck) < 0.5
        for r, c in product(range(rows), range(columns)):
            inner = 0 < r < rows - 1 and 0 < c < columns - 1
            cells[top + r][left + c] = 0 if frame and inner else colour
    return tuple(map(tuple, cells))
