"""Truth tables: the last column of a formula's table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs.logic._formulas import (
    LEGEND,
    Formula,
    assignment_text,
    draw_formula,
    formula_text,
    holds,
    operators,
    row_text,
    truth,
)
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier, parse_grid

__all__ = ["TruthTable"]

LEVELS = {
    1: (2, 2),
    2: (2, 3),
    3: (3, 3),
    4: (3, 4),
    5: (3, 6),
    6: (4, 5),
    7: (4, 7),
    8: (4, 9),
    9: (5, 8),
    10: (5, 11),
}
"""Difficulty: variables and binary operators."""
NAMES = "ABCDE"


@register_verifier("truth_table")
class TruthTableVerifier(RuleVerifier[str]):
    """One truth value a row, each as the formula has it."""

    def read(self, answer: str, task: Task) -> str | None:
        """As many zeros and ones as the table has rows."""
        rows = parse_grid(answer, 1, 1 << task.answer["variables"], "01")
        column = parse_grid(answer, 1 << task.answer["variables"], 1, "01")
        return rows[0] if rows else "".join(column) if column else None

    def fault(self, value: str, task: Task) -> str | None:
        """The first row that is wrong."""
        count = task.answer["variables"]
        for row, said in enumerate(value):
            values = [bit == "1" for bit in row_text(row, count)]
            if holds(task.answer["formula"], values) != (said == "1"):
                return f"row {row + 1} is wrong"
        return None


@register("rlvr/TruthTable-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class TruthTable(Problem):
    """Work out the last column of a formula's truth table.

    Difficulty 1 has 2 variables and 2 binary operators, 5 has 3 and 6, 10 has 5 and 11. Hardness is the number of
    operators to be worked out over all rows.
    """

    verifier: ClassVar[str] = "truth_table"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws formulas until one is neither always true nor always false."""
        count, binary = LEVELS[difficulty]
        rows = 1 << count
        table = 0
        while table in (0, (1 << rows) - 1):
            formula = draw_formula(rng, count, binary)
            table = truth(formula, count)
        names = NAMES[:count]
        column = "".join(str(table >> row & 1) for row in range(rows))
        prompt = (
            f"Here {LEGEND}. Work out the truth table of\n\n{formula_text(formula, names)}\n\nThe {rows} rows count up in "
            f"binary: {', '.join(names)} = {' '.join('0' * count)} in the first row, {' '.join('0' * (count - 1) + '1')} "
            f"in the second, and {' '.join('1' * count)} in the last. Give the values of the formula (1 true, 0 false) "
            f"from the first row to the last, separated by spaces, in <answer> tags. For ~A, a table of 2 rows, it would be "
            f"<answer>1 0</answer>"
        )
        lines = [_row_line(formula, row, names) for row in range(rows)]
        return Task(
            prompt=prompt,
            answer={"variables": count, "formula": formula, "reference": column},
            metadata={
                "variables": count,
                "operators": operators(formula),
                "hardness": rows * operators(formula),
            },
            solution="\n".join([*lines, f"The column: {' '.join(column)}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The column with spaces."""
        return " ".join(task.answer["reference"])


def _row_line(formula: Formula, row: int, names: str) -> str:
    """The values of the two sides of the outermost operator, and of the formula."""
    values = [bit == "1" for bit in row_text(row, len(names))]
    sides = formula[1:] if not isinstance(formula, int) else []
    told = ", ".join(f"{formula_text(side, names)} is {int(holds(side, values))}" for side in sides)
    return f"{assignment_text(row, names)}: {told}, so {int(holds(formula, values))}"
