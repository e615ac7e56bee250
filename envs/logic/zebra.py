"""Zebra puzzles: who lives where, with what, out of clues about neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs.logic._arrangement import (
    CATEGORIES,
    arrangement,
    draw_clues,
    draw_columns,
    known,
    names_of,
)
from rlvr_gym.envs.logic._clues import Clue, clue_text
from rlvr_gym.envs.logic._explain import explain
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Zebra"]

LEVELS = {
    1: (2, 2), 2: (3, 2), 3: (3, 3), 4: (3, 4), 5: (4, 3), 6: (4, 4), 7: (4, 5), 8: (5, 4), 9: (5, 5), 10: (6, 5),
}  # fmt: skip
"""Difficulty: houses and categories."""
MAX_HOUSES = 8
TRICKY_FROM = 8
"""From this difficulty on, clues may be so few that values have to be tried."""
WEIGHTS = {"same": 5, "left": 3, "beside": 3, "before": 1, "apart": 1, "between": 1, "different": 2, "at": 1}
"""How often each kind of clue is drawn."""


@register("rlvr/Zebra-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class Zebra(Problem):
    """Put people and their things into a row of houses by clues; exactly one solution.

    Difficulty 1 has 2 houses and 2 categories, 5 has 4 and 3, 10 has 6 and 5; from 8 on some values have to be
    tried. Hardness is the number of values that follow directly, plus four for every value ruled out by trying it.

    Attributes:
        houses: from 2 to 8; 0 leaves it to the difficulty.
        categories: from 2 to 6; 0 leaves it to the difficulty.
    """

    verifier: ClassVar[str] = "arrangement"
    houses: int = 0
    categories: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.houses and not 2 <= self.houses <= MAX_HOUSES:
            raise ConfigError(f"houses goes from 2 to {MAX_HOUSES}, or 0; got {self.houses!r}.")
        if self.categories and not 2 <= self.categories <= len(CATEGORIES):
            raise ConfigError(f"categories goes from 2 to {len(CATEGORIES)}, or 0; got {self.categories!r}.")

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a street, adds clues until they solve it, and takes out the clues that are not needed."""
        houses, count = LEVELS[difficulty]
        houses, count = self.houses or houses, self.categories or count
        names = ["name", *rng.permutation(list(CATEGORIES)[1:])[: count - 1].tolist()]
        columns = draw_columns(names, houses, rng)
        weights = {
            kind: weight for kind, weight in WEIGHTS.items() if houses > 2 or kind not in ("apart", "between")
        }
        clues = draw_clues(columns, weights, rng, tricky=difficulty >= TRICKY_FROM)
        told = explain(
            arrangement(clues, columns), lambda var, house: f"{names_of(columns)[var]} in house {house + 1}"
        )
        rows = [[columns[name][h] for name in names] for h in range(houses)]
        reference = _text(rows)
        shuffled = {name: sorted(column) for name, column in columns.items()}
        return Task(
            prompt=_prompt(shuffled, clues, houses),
            answer={
                "labels": [str(h) for h in range(1, houses + 1)],
                "categories": shuffled,
                "clues": clues,
                "reference": rows,
                **known(columns, reference),
            },
            metadata={
                "houses": houses,
                "categories": count,
                "clues": len(clues),
                "assumptions": told.assumptions,
                "hardness": told.effort,
            },
            solution="\n".join([*told.lines, "So this is the street:", reference]),
        )

    def answer_text(self, task: Task) -> str:
        """One line for each house."""
        return _text(task.answer["reference"])


def _text(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"House {h}: {', '.join(row)}" for h, row in enumerate(rows, 1))


def _prompt(columns: dict[str, list[str]], clues: Sequence[Clue], houses: int) -> str:
    describe = {v: CATEGORIES[c][0].format(v) for c, column in columns.items() for v in column}
    numbered = "\n".join(f"{n}. {clue_text(clue, describe)}" for n, clue in enumerate(clues, 1))
    values = "\n".join(f"- {category}: {', '.join(column)}" for category, column in columns.items())
    example = ", ".join(f"<{category}>" for category in columns)
    return (
        f"There are {houses} houses in a row, numbered 1 to {houses} from left to right. In each lives one person, and "
        f"each of these values belongs to exactly one house:\n{values}\n\nClues:\n{numbered}\n\nWho lives where, "
        f"with what? Give one line for each house in <answer> tags, such as\n<answer>\nHouse 1: {example}\nHouse 2: "
        f"...\n</answer>"
    )
