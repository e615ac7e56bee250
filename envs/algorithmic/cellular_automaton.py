"""CellularAutomaton: a row of cells after some steps of an elementary rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["CellularAutomaton"]


@register("rlvr/CellularAutomaton-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class CellularAutomaton(Problem):
    """Compute steps of an elementary cellular automaton on a ring.

    Difficulty 1 has 6 cells and one step, 10 has 22 cells and six steps. The hardness is the number of cells times the
    number of steps.
    """

    verifier: ClassVar[str] = "exact_grid"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws rules and rows until the last step still changes something."""
        width, steps = level(difficulty, 6, 22), level(difficulty, 1, 6)
        while True:
            rule = integer(rng, 1, 254)
            rows = ["".join(map(str, rng.integers(2, size=width).tolist()))]
            for _ in range(steps):
                rows.append(_next(rows[-1], rule))
            if rows[-1] != rows[-2] and len(set(rows[-1])) == 2:
                break
        table = ", ".join(f"{i:03b} -> {rule >> i & 1}" for i in range(7, -1, -1))
        return Task(
            prompt=ask(
                f"Cells stand in a ring (the last is the left neighbour of the first). In each step every cell gets a new "
                f"value from its left neighbour, itself and its right neighbour, all at once:\n\n{table}\n\nWhat does "
                f"the row {rows[0]} become after {steps} step{'s' if steps > 1 else ''}?",
                "the row",
                "0110",
            ),
            answer=[rows[-1]],
            metadata={"width": width, "steps": steps, "hardness": width * steps},
            solution="\n".join(f"Step {i}: {row}" for i, row in enumerate(rows) if i),
        )

    def answer_text(self, task: Task) -> str:
        """The row."""
        return str(task.answer[0])


def _next(row: str, rule: int) -> str:
    ring = row[-1] + row + row[0]
    return "".join(str(rule >> int(ring[i : i + 3], 2) & 1) for i in range(len(row)))
