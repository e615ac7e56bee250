"""Which of several formulas are equivalent to a given one?"""

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
    operators,
    row_text,
    rows_of,
    truth,
    variables_of,
)
from rlvr_gym.envs.logic._selection import SELECTION_FORMAT, SelectionProblem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["PropositionalEquivalence"]

LEVELS = {
    1: (2, 1, 3, 1), 2: (2, 2, 3, 1), 3: (2, 2, 4, 2), 4: (3, 2, 4, 2), 5: (3, 3, 4, 2), 6: (3, 3, 5, 3),
    7: (3, 4, 5, 3), 8: (4, 4, 5, 4), 9: (4, 5, 6, 4), 10: (4, 6, 6, 5),
}  # fmt: skip
"""Difficulty: variables, binary operators, candidates, and laws applied to each candidate."""
EQUIVALENT_SHARE = 0.45
NAMES = "ABCD"
OPPOSITE = {"and": "or", "or": "and", "iff": "xor", "xor": "iff"}


@register("rlvr/PropositionalEquivalence-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class PropositionalEquivalence(SelectionProblem):
    """Pick the formulas that are equivalent to a given one, out of rewritten and of subtly changed ones.

    Difficulty 1 has 2 variables and 3 candidates, 5 has 3 and 4, 10 has 4 and 6, changed by more laws. Hardness is the
    number of operators in all formulas together.
    """

    verifier: ClassVar[str] = "selection"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Rewrites the formula by laws; a candidate that is not to be equivalent also gets one false step."""
        count, binary, size, laws = LEVELS[difficulty]
        everything = (1 << (1 << count)) - 1
        table = 0
        while table in (0, everything):
            formula = draw_formula(rng, count, binary)
            table = truth(formula, count)
        names, lines, chosen = NAMES[:count], [], []
        candidates: list[Formula] = []
        while len(candidates) < size:
            equivalent = bool(rng.random() < EQUIVALENT_SHARE)
            candidate = formula if equivalent else _change(formula, count, rng)
            for _ in range(laws):
                candidate = _rewrite(candidate, rng)
            if candidate in [formula, *candidates] or operators(candidate) > 5 * binary + 6:
                continue
            candidates.append(candidate)
            difference = table ^ truth(candidate, count)
            if not difference:
                chosen.append(len(candidates))
            lines.append(_compared(len(candidates), table, difference, count, names))
        listed = "\n".join(f"{i}. {formula_text(c, names)}" for i, c in enumerate(candidates, 1))
        rows = " ".join(row_text(row, count) for row in rows_of(table))
        lines.insert(0, f"The formula is true exactly for {', '.join(names)} = {rows}.")
        prompt = (
            f"Here {LEGEND}. Which of the numbered formulas are logically equivalent to\n\n{formula_text(formula, names)}\n\n"
            f"that is, have the same truth value for all values of the variables?\n\n{listed}\n\n{SELECTION_FORMAT}"
        )
        return self.selection_task(
            prompt, chosen, size, lines, sum(map(operators, [formula, *candidates])), variables=count
        )


def _compared(number: int, table: int, difference: int, count: int, names: str) -> str:
    if not difference:
        return f"Formula {number} is true in the same rows: equivalent."
    row = rows_of(difference)[0]
    is_true = bool(table >> row & 1)
    return (
        f"For {assignment_text(row, names)} the formula is {int(is_true)} and formula {number} is {int(not is_true)}: "
        f"not equivalent."
    )


def _parts(formula: Formula, path: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    """The paths to all parts of a formula."""
    below = (
        []
        if isinstance(formula, int)
        else [p for i in range(1, len(formula)) for p in _parts(formula[i], (*path, i))]
    )
    return [path, *below]


def _replaced(formula: Formula, path: tuple[int, ...], part: Formula) -> Formula:
    """The formula with the part at ``path`` replaced; nothing is changed in place."""
    if not path:
        return part
    copy = list(formula)
    copy[path[0]] = _replaced(copy[path[0]], path[1:], part)
    return copy


def _at(formula: Formula, path: tuple[int, ...]) -> Formula:
    for step in path:
        formula = formula[step]
    return formula


def _negation(formula: Formula) -> Formula:
    return formula[1] if not isinstance(formula, int) and formula[0] == "not" else ["not", formula]


def _laws(part: Formula) -> list[Formula]:
    """What a part may be replaced by without changing its truth table."""
    if isinstance(part, int):
        return []
    if part[0] == "not":
        inner = part[1]
        if isinstance(inner, int):
            return []
        if inner[0] == "not":
            return [inner[1]]
        if inner[0] == "implies":
            return [["and", inner[1], _negation(inner[2])]]
        if inner[0] in ("and", "or"):
            return [[OPPOSITE[inner[0]], _negation(inner[1]), _negation(inner[2])]]
        return [[OPPOSITE[inner[0]], inner[1], inner[2]]]
    sign, left, right = part
    if sign == "implies":
        return [["or", _negation(left), right], ["implies", _negation(right), _negation(left)]]
    found: list[Formula] = [[sign, right, left]]
    if sign == "iff":
        found += [
            ["and", ["implies", left, right], ["implies", right, left]],
            ["iff", _negation(left), _negation(right)],
        ]
    elif sign == "xor":
        found += [["or", ["and", left, _negation(right)], ["and", _negation(left), right]]]
    else:
        found += [["not", [OPPOSITE[sign], _negation(left), _negation(right)]]]
        if not isinstance(right, int) and right[0] == OPPOSITE[sign]:
            found += [[right[0], [sign, left, right[1]], [sign, left, right[2]]]]
    if sign == "or":
        found += [["implies", _negation(left), right]]
    return found


def _rewrite(formula: Formula, rng: np.random.Generator) -> Formula:
    """One law applied somewhere."""
    options = [(path, new) for path in _parts(formula) for new in _laws(_at(formula, path))]
    if not options:
        return ["not", ["not", formula]]
    path, new = options[int(rng.integers(len(options)))]
    return _replaced(formula, path, new)


def _change(formula: Formula, count: int, rng: np.random.Generator) -> Formula:
    """One false step: a sign, a direction, a negation or a variable that changes the truth table."""
    table = truth(formula, count)
    options = []
    for path in _parts(formula):
        part = _at(formula, path)
        changes: list[Formula] = [["not", part]] if path else []
        if isinstance(part, int):
            changes += [other for other in variables_of(formula) if other != part]
        elif part[0] == "implies":
            changes += [["implies", part[2], part[1]], ["iff", part[1], part[2]]]
        elif part[0] in OPPOSITE:
            changes += [[OPPOSITE[part[0]], part[1], part[2]]]
        options += [
            new for change in changes if truth(new := _replaced(formula, path, change), count) != table
        ]
    return options[int(rng.integers(len(options)))]
