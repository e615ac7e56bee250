"""Small logic-grid puzzles: who has what, out of clues with either, neither and respectively."""

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
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["LogicGridTiny"]

LEVELS = {
    1: (3, 1), 2: (4, 1), 3: (3, 2), 4: (4, 2), 5: (3, 3), 6: (3, 4), 7: (4, 3), 8: (5, 3), 9: (4, 4), 10: (5, 4),
}  # fmt: skip
"""Difficulty: people, and categories beside their names."""
WEIGHTS = {"same": 1, "different": 4, "either": 3, "split": 3}
TRICKY_FROM = 7


@register("rlvr/LogicGridTiny-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class LogicGridTiny(Problem):
    """Match people with their things by clues that say what is not, what is either, and which of two is which.

    Difficulty 1 has 3 people and 1 category, 5 has 3 and 3, 10 has 5 and 4; exactly one solution. Hardness is the
    number of values that follow directly, plus four for every value ruled out by trying it.
    """

    verifier: ClassVar[str] = "arrangement"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws people and clues that leave one solution, then takes out what is not needed."""
        people, count = LEVELS[difficulty]
        names = ["name", *rng.permutation(list(CATEGORIES)[1:])[:count].tolist()]
        columns = draw_columns(names, people, rng)
        columns["name"].sort()
        clues = draw_clues(columns, WEIGHTS, rng, tricky=difficulty >= TRICKY_FROM, anchor="name")
        values = names_of(columns)
        told = explain(
            arrangement(clues, columns, "name"),
            lambda var, who: f"{values[var]} belongs to {columns['name'][who]}",
        )
        rows = [[columns[name][who] for name in names] for who in range(people)]
        shuffled = {name: sorted(column) for name, column in columns.items() if name != "name"}
        return Task(
            prompt=_prompt(columns["name"], shuffled, clues),
            answer={
                "labels": columns["name"],
                "categories": shuffled,
                "clues": clues,
                "reference": rows,
                **known({name: columns[name] for name in shuffled}, _text(rows)),
            },
            metadata={
                "people": people,
                "categories": count,
                "clues": len(clues),
                "assumptions": told.assumptions,
                "hardness": told.effort,
            },
            solution="\n".join([*told.lines, "So:", _text(rows)]),
        )

    def answer_text(self, task: Task) -> str:
        """One line for each person."""
        return _text(task.answer["reference"])


def _text(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"{name}: {', '.join(values)}" for name, *values in rows)


def _prompt(people: Sequence[str], categories: dict[str, list[str]], clues: Sequence[Clue]) -> str:
    describe = {v: CATEGORIES[c][0].format(v) for c, column in categories.items() for v in column}
    describe |= {name: name for name in people}
    if "colour" in categories:
        describe |= {colour: f"the person with the {colour} house" for colour in categories["colour"]}
    numbered = "\n".join(f"{n}. {clue_text(clue, describe)}" for n, clue in enumerate(clues, 1))
    values = "\n".join(f"- {category}: {', '.join(column)}" for category, column in categories.items())
    return (
        f"{', '.join(people[:-1])} and {people[-1]} each have exactly one of each of these, and no two have the same:\n"
        f"{values}\n\nClues:\n{numbered}\n\nWho has what? Give one line for each person in <answer> tags, such as\n"
        f"<answer>\n{people[0]}: {', '.join(f'<{category}>' for category in categories)}\n{people[1]}: ...\n</answer>"
    )
