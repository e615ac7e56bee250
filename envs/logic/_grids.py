"""What puzzles on a grid share: names of cells, the format's words, worked solutions, and how answers are read."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rlvr_gym.envs.logic._explain import Explanation, explain
from rlvr_gym.envs.logic._solver import Model
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem
from rlvr_gym.task import Task
from rlvr_gym.verifiers.grids import RuleVerifier, grid_text, parse_grid

__all__ = [
    "BLANK",
    "GridProblem",
    "GridVerifier",
    "SizedProblem",
    "cell_name",
    "explain_grid",
    "grid_format",
    "grid_rows",
]

BLANK = "."


def cell_name(cell: int, columns: int) -> str:
    """``r1c2`` for the second cell of the first row."""
    return f"r{cell // columns + 1}c{cell % columns + 1}"


def grid_rows(cells: Sequence[str], columns: int) -> list[str]:
    """One-character cells as rows of text."""
    return ["".join(cells[start : start + columns]) for start in range(0, len(cells), columns)]


def grid_format(rows: int, columns: int, example: Sequence[str], cells: str = "numbers") -> str:
    """The sentence that states the answer's format; ``example`` is a smaller grid, which cannot be the answer."""
    return (
        f"Give the filled grid in <answer> tags: {rows} lines of {columns} {cells} separated by spaces. For a "
        f"{len(example)}x{len(example[0])} grid it would look like this:\n<answer>\n{grid_text(example)}\n</answer>"
    )


def explain_grid(model: Model, columns: int, symbols: str, note: str = "") -> tuple[str, Explanation]:
    """The worked solution of a grid whose cells are the model's variables, ending in the filled grid.

    Args:
        model: the puzzle.
        columns: cells a row.
        symbols: what is written for each value.
        note: a first line.
    """
    told = explain(model, lambda cell, value: f"{cell_name(cell, columns)} = {symbols[value]}")
    filled = grid_rows([symbols[value] for value in told.solution or []], columns)
    lines = [*([note] if note else []), *told.lines, "The filled grid:", grid_text(filled)]
    return "\n".join(lines), told


@dataclass(frozen=True, kw_only=True)
class SizedProblem(Problem):
    """A puzzle on a square grid whose size may be set.

    Attributes:
        size: one of :attr:`sizes`; 0 leaves it to the difficulty.
    """

    sizes: ClassVar[Sequence[int]]
    size: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size not in (0, *self.sizes):
            known = ", ".join(map(str, self.sizes))
            raise ConfigError(f"size is one of {known}, or 0 for the difficulty's own; got {self.size!r}.")


@dataclass(frozen=True, kw_only=True)
class GridProblem(SizedProblem):
    """A puzzle whose answer is a grid; ``task.answer["reference"]`` holds its rows as text."""

    def answer_text(self, task: Task) -> str:
        """The rows, cells separated by spaces."""
        return grid_text(task.answer["reference"])


class GridVerifier(RuleVerifier[list[str]]):
    """Reads a grid of ``rows`` x ``columns`` symbols and then applies the puzzle's rules."""

    def read(self, answer: str, task: Task) -> list[str] | None:
        """The rows of the grid."""
        rows, columns = self.shape(task.answer)
        return parse_grid(answer, rows, columns, self.symbols(task.answer))

    def shape(self, puzzle: dict[str, Any]) -> tuple[int, int]:
        """Rows and columns; a square of ``puzzle["size"]`` unless overridden."""
        return puzzle["size"], puzzle["size"]

    @abstractmethod
    def symbols(self, puzzle: dict[str, Any]) -> Collection[str]:
        """What may stand in a cell."""

    def fault(self, value: list[str], task: Task) -> str | None:
        """The first cell that was given and is changed, else the puzzle's own rules."""
        if value == task.answer["reference"]:
            return None
        for r, (row, given) in enumerate(zip(value, task.answer.get("givens", value), strict=True)):
            for c, (cell, fixed) in enumerate(zip(row, given, strict=True)):
                if fixed not in (BLANK, cell):
                    return f"r{r + 1}c{c + 1} is given as {fixed}"
        return self.broken_rule(value, task.answer)

    @abstractmethod
    def broken_rule(self, grid: list[str], puzzle: dict[str, Any]) -> str | None:
        """The first rule that the filled grid breaks, or None."""
