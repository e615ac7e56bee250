"""Puzzles that give every value of some categories a place: the model, the clues, and the verifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from rlvr_gym.envs.logic._clues import Clue, clue_rule, draw_clue, first_false_clue, needed_clues
from rlvr_gym.envs.logic._solver import AllDifferent, Constraint, Model
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier, parse_groups, words_of

__all__ = [
    "CATEGORIES",
    "ArrangementVerifier",
    "arrangement",
    "draw_clues",
    "draw_columns",
    "first_fault",
    "known",
    "names_of",
]

CATEGORIES: dict[str, tuple[str, str]] = {
    "name": ("{}", "Ann Ben Cleo Dan Eva Finn Gus Hana"),
    "colour": ("the person in the {} house", "red blue green white yellow pink brown grey"),
    "drink": ("the person who drinks {}", "tea coffee milk juice water cocoa lemonade cider"),
    "pet": ("the owner of the {}", "cat dog horse zebra parrot rabbit snail turtle"),
    "job": ("the {}", "baker doctor painter teacher sailor gardener writer tailor"),
    "hobby": ("the person who likes {}", "chess hiking music cooking skating reading fishing dancing"),
}
"""Category: how a person is called by one of its values, and the values."""

Columns = dict[str, list[str]]
"""Category: its values, in the order of the places that they belong to."""

TRICKY_NODES = 12
"""The longest proof of uniqueness, in nodes, that tricky clues may need."""


@register_verifier("arrangement")
class ArrangementVerifier(RuleVerifier[dict[str, int]]):
    """Every value at one place, no place with two values of a category, and every clue true.

    ``task.answer`` holds the ``labels`` of the places (which clues may speak of), the ``categories`` and ``clues``,
    and the solution that is known (see :func:`known`). To be at its places is right; all else is judged by the rules.
    """

    def read(self, answer: str, task: Task) -> dict[str, int] | None:
        """The place, from 0, of every value in lower case."""
        puzzle, words = task.answer, words_of(answer)
        places: dict[str, int] = puzzle["places"]
        if words == puzzle["words"]:
            return places
        categories: Columns = puzzle["categories"]
        return parse_groups(words, _label_places(*puzzle["labels"]), places, _HEADINGS.union(categories))

    def fault(self, value: dict[str, int], task: Task) -> str | None:
        """A place with two values of one category, or a false clue."""
        puzzle = task.answer
        return None if value == puzzle["places"] else first_fault(value, puzzle)


_HEADINGS = frozenset({"house", "houses", "name"})


@cache
def _label_places(*labels: str) -> dict[str, int]:
    return {label.lower(): place for place, label in enumerate(labels)}


def first_fault(places: Mapping[str, int], puzzle: Mapping[str, Any]) -> str | None:
    """The first rule of a puzzle that is broken, if any.

    Args:
        places: the place, from 0, of every value in lower case.
        puzzle: ``labels``, ``categories`` and ``clues`` of a task.
    """
    for category, column in puzzle["categories"].items():
        if len({places[value.lower()] for value in column}) < len(column):
            return f"two values of {category} are at the same place"
    named = {value: places[value.lower()] for value in names_of(puzzle["categories"])}
    named |= {label: place for place, label in enumerate(puzzle["labels"])}
    false = first_false_clue(puzzle["clues"], named)
    return None if false is None else f"clue {false} is false"


def draw_columns(categories: Sequence[str], places: int, rng: np.random.Generator) -> Columns:
    """Random values of each category, one for each place."""
    return {name: rng.permutation(CATEGORIES[name][1].split())[:places].tolist() for name in categories}


def known(columns: Columns, text: str) -> dict[str, Any]:
    """What the verifier is told of the solution.

    Args:
        columns: the values that are to be placed.
        text: the solution as an answer.

    Returns:
        With ``places`` the place, from 0, of every value in lower case; with ``words`` the words of ``text``, by which
        it is known without being read.
    """
    places = {value.lower(): place for column in columns.values() for place, value in enumerate(column)}
    return {"places": places, "words": words_of(text)}


def names_of(columns: Columns) -> list[str]:
    """All values, category by category: the variables of an arrangement."""
    return [value for column in columns.values() for value in column]


def arrangement(clues: Sequence[Clue], columns: Columns, anchor: str | None = None) -> Model:
    """The puzzle of giving each value a position.

    Args:
        clues: the clues; their rules come last in the model.
        columns: the categories; the order of their values is not used but for the anchor's.
        anchor: a category whose values stand for the positions themselves.
    """
    names = names_of(columns)
    variables = {name: index for index, name in enumerate(names)}
    size = len(next(iter(columns.values())))
    domains = [(1 << size) - 1] * len(names)
    rules: list[Constraint] = []
    for category, column in columns.items():
        rules.append(AllDifferent([variables[v] for v in column], f"one {category} each", (1 << size) - 1))
        if category == anchor:
            for position, name in enumerate(column):
                domains[variables[name]] = 1 << position
    rules += [clue_rule(clue, number, variables, size) for number, clue in enumerate(clues, 1)]
    return Model(domains, rules)


def draw_clues(
    columns: Columns,
    weights: Mapping[str, float],
    rng: np.random.Generator,
    *,
    tricky: bool,
    anchor: str | None = None,
) -> list[Clue]:
    """True clues in random order that leave one arrangement.

    Args:
        columns: the solution.
        weights: how often each kind is drawn.
        rng: draws.
        tricky: leaves out more clues, so that values may have to be tried; else single steps are enough.
        anchor: as in :func:`arrangement`.
    """
    size = len(next(iter(columns.values())))
    groups = [[column[position] for column in columns.values()] for position in range(size)]
    chances = np.array(list(weights.values())) / sum(weights.values())
    clues: list[Clue] = []
    enough = False
    while not enough:
        for kind in rng.choice(list(weights), size=2 * size, p=chances).tolist():
            clue = draw_clue(kind, groups, rng)
            if clue is not None and clue not in clues:
                clues.append(clue)
        enough = _is_solved(arrangement(clues, columns, anchor))
    clues = needed_clues(
        clues, lambda some: arrangement(some, columns, anchor), _is_unique if tricky else _is_solved
    )
    return [clues[i] for i in rng.permutation(len(clues)).tolist()]


def _is_solved(model: Model) -> bool:
    """Whether propagation alone finds the solution, which is then the only one."""
    domains = list(model.domains)
    return model.propagate(domains) is None and all(not domain & (domain - 1) for domain in domains)


def _is_unique(model: Model) -> bool:
    return model.search(limit=2, max_nodes=TRICKY_NODES).unique
