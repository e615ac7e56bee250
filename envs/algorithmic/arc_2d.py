"""Arc2D: a rule on grids of colours, to be found from examples and applied."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import integer, pick
from rlvr_gym.envs.algorithmic._grid_rules import RULES, Grid, draw_grid
from rlvr_gym.envs.algorithmic._rules import Language, Names
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers.grids import grid_text

__all__ = ["Arc2D"]

LANGUAGE = Language(RULES)
LEVELS = {
    1: (3, 1), 2: (4, 1), 3: (5, 1), 4: (6, 1), 5: (7, 1), 6: (6, 2), 7: (7, 2), 8: (8, 2), 9: (9, 2), 10: (10, 2),
}  # fmt: skip
"""Difficulty: rows and columns (one more or less), and how many rules there are one after the other."""
EXAMPLES = 3
SHOWN_RIVALS = 3
FAMILIES = (
    "turning, mirroring or cropping the grid, moving cells or letting them fall, joining, growing, outlining, filling "
    "or hollowing objects (cells of one colour that are joined by their sides), completing a symmetry, recolouring, or "
    "choosing objects or colours by size or number"
)


@register("rlvr/ARC2D-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class Arc2D(Problem):
    """Find the rule behind three examples of grids of colours, and apply it to a fourth grid.

    Difficulty 1 has grids of about 3 x 3 and 5 of 7 x 7; from 6 on two rules are applied one after the other, on
    grids of 6 x 6 to 10 x 10. All rules that agree with the examples (out of all that there are, alone or in pairs)
    agree on the answer, and no single rule explains what takes two. The hardness is the number of cells of an example
    times the number of rules, plus the number of rules that the first example alone would allow.
    """

    verifier: ClassVar[str] = "exact_grid"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws rules and grids until the examples tell enough."""
        size, depth = LEVELS[difficulty]
        while True:
            names = tuple(pick(rng, LANGUAGE.names) for _ in range(depth))
            inputs = [_draw(rng, size) for _ in range(EXAMPLES + 1)]
            outputs = [LANGUAGE.apply(names, grid) for grid in inputs]
            if not _tells(inputs, outputs):
                continue
            first = list(LANGUAGE.candidates(inputs[0], outputs[0], depth))
            if any(_fits(short, inputs, outputs) for short in first if len(short) < depth):
                continue
            if LANGUAGE.determined(inputs, outputs, depth):
                break
        rivals = [other for other in first if not _fits(other, inputs, outputs)]
        return Task(
            prompt=_prompt(inputs, outputs, depth),
            answer=["".join(map(str, row)) for row in outputs[-1]],
            metadata={
                "rule": ", then ".join(names),
                "rivals": len(rivals),
                "hardness": len(inputs[0]) * len(inputs[0][0]) * depth + len(rivals),
            },
            solution=_solution(names, inputs, outputs, rivals),
        )

    def answer_text(self, task: Task) -> str:
        """The rows, cells separated by spaces."""
        return grid_text(task.answer)


def _draw(rng: np.random.Generator, size: int) -> Grid:
    return draw_grid(rng, size, size + integer(rng, -1, 1) if size > 3 else size)


def _tells(inputs: list[Grid], outputs: list[Grid]) -> bool:
    """Whether something happens in every pair, and the answer is no plain area."""
    changed = all(before != after for before, after in zip(inputs, outputs, strict=True))
    return changed and len({colour for row in outputs[-1] for colour in row}) > 1


def _fits(names: Names, inputs: list[Grid], outputs: list[Grid]) -> bool:
    """Whether the rules agree with the examples."""
    return all(LANGUAGE.apply(names, a) == b for a, b in zip(inputs[:-1], outputs[:-1], strict=True))


def _prompt(inputs: list[Grid], outputs: list[Grid], depth: int) -> str:
    shown = "\n\n".join(
        f"Example {number}, before:\n{grid_text(before)}\nafter:\n{grid_text(after)}"
        for number, (before, after) in enumerate(zip(inputs[:-1], outputs[:-1], strict=True), 1)
    )
    steps = "one step" if depth == 1 else "two steps, one after the other"
    return (
        f"The same rule turns each of these grids of colours (0 is empty) into another grid. It has {steps}. A step is "
        f"something like {FAMILIES}.\n\n{shown}\n\nWhat does the rule make of this grid?\n{grid_text(inputs[-1])}\n\n"
        "Think step by step, then give the resulting grid in <answer> tags, one line for each row, for example\n"
        "<answer>\n9 8\n8 9\n</answer>"
    )


def _solution(names: Names, inputs: list[Grid], outputs: list[Grid], rivals: list[Names]) -> str:
    lines = []
    for rival in islice(rivals, SHOWN_RIVALS):
        failed = next(
            number
            for number, (before, after) in enumerate(zip(inputs, outputs, strict=True), 1)
            if LANGUAGE.apply(rival, before) != after
        )
        lines.append(
            f"Example 1 could mean: {', then '.join(rival)}. Example {failed} shows that it does not."
        )
    lines.append(f"All examples agree with: {', then '.join(names)}.")
    for name, grid in zip(names, LANGUAGE.stages(names, inputs[-1]), strict=True):
        lines.append(f"{name.capitalize()}:\n{grid_text(grid)}")
    return "\n".join(lines)
