"""SAT: an assignment that satisfies all clauses, or the statement that there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import ClassVar

import numpy as np

from rlvr_gym.envs.logic._explain import explain
from rlvr_gym.envs.logic._solver import Model, Relation, Table
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier, parse_bits

__all__ = ["SAT"]

LEVELS = {1: 3, 2: 4, 3: 5, 4: 6, 5: 7, 6: 8, 7: 9, 8: 10, 9: 11, 10: 12}
"""Difficulty: variables."""
UNSATISFIABLE_SHARE = 0.3
MOST_MODELS = 4
"""Clauses are added to a satisfiable formula until so few assignments are left."""

Clause = list[int]
"""Signed variable numbers from 1, as in DIMACS."""


@register_verifier("sat")
class SATVerifier(RuleVerifier[list[bool]]):
    """Any satisfying assignment; "unsatisfiable" only if there is none."""

    impossible = "unsatisfiable"

    def read(self, answer: str, task: Task) -> list[bool] | None:
        """A truth value for every variable."""
        return parse_bits(answer, _names(task.answer["variables"]))

    def fault(self, value: list[bool], task: Task) -> str | None:
        """The first clause that is false."""
        for number, clause in enumerate(task.answer["clauses"], 1):
            if not any(value[abs(literal) - 1] == (literal > 0) for literal in clause):
                return f"clause {number} is false"
        return None


@register("rlvr/SAT-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class SAT(Problem):
    """Satisfy a set of clauses, or say that it cannot be done; every satisfying assignment counts.

    Difficulty 1 has 3 variables and each level one more, to 12; clauses have 2 or 3 literals and leave at most four
    assignments. Three tasks of ten cannot be satisfied, which is proved by going through all assignments. Hardness is
    the number of clauses, plus four for every value ruled out by trying it.

    Attributes:
        variables: from 3 to 16; 0 leaves it to the difficulty.
    """

    verifier: ClassVar[str] = "sat"
    variables: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.variables and not 3 <= self.variables <= 16:
            raise ConfigError(
                f"variables goes from 3 to 16, or is 0 for the difficulty's own; got {self.variables!r}."
            )

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Adds random clauses until few assignments are left, or none."""
        count = self.variables or LEVELS[difficulty]
        clauses = _draw_clauses(rng, count, satisfiable=bool(rng.random() >= UNSATISFIABLE_SHARE))
        names = _names(count)
        told = explain(_model(clauses, count), lambda var, value: f"{names[var]}={value}")
        reference = None
        if told.solution is not None:
            reference = ", ".join(f"{name}={value}" for name, value in zip(names, told.solution, strict=True))
        listed = "\n".join(f"{number}. {_clause_text(clause)}" for number, clause in enumerate(clauses, 1))
        prompt = (
            f"Find values for {names[0]} to {names[-1]} (1 true, 0 false) that make all of these clauses true:\n\n{listed}"
            f"\n\nGive a value for every variable in <answer> tags, for example <answer>y1=0, y2=1</answer> if the "
            f"variables were y1 and y2. If no values make all clauses true, answer with the word unsatisfiable."
        )
        return Task(
            prompt=prompt,
            answer={"variables": count, "clauses": clauses, "reference": reference},
            metadata={
                "variables": count,
                "clauses": len(clauses),
                "satisfiable": reference is not None,
                "assumptions": told.assumptions,
                "hardness": len(clauses) + 4 * told.assumptions,
            },
            solution="\n".join([*told.lines, f"So: {reference or SATVerifier.impossible}"]),
        )

    def answer_text(self, task: Task) -> str:
        """An assignment, or the word for there being none."""
        return task.answer["reference"] or SATVerifier.impossible


def _names(count: int) -> list[str]:
    return [f"x{number}" for number in range(1, count + 1)]


def _clause_text(clause: Sequence[int]) -> str:
    return " or ".join(f"x{literal}" if literal > 0 else f"not x{-literal}" for literal in clause)


@cache
def _literal_rows(count: int) -> dict[int, int]:
    """The assignments, as bits of an int, in which each literal is true."""
    everything = (1 << (1 << count)) - 1
    rows: dict[int, int] = {}
    for variable in range(1, count + 1):
        run = 1 << (variable - 1)
        # blocks of `run` zeros and `run` ones, repeated over the whole table
        block = ((1 << run) - 1) << run
        rows[variable] = block * (everything // ((1 << 2 * run) - 1))
        rows[-variable] = everything & ~rows[variable]
    return rows


def _draw_clauses(rng: np.random.Generator, count: int, *, satisfiable: bool) -> list[Clause]:
    rows = _literal_rows(count)
    left = (1 << (1 << count)) - 1
    clauses: list[Clause] = []
    while left.bit_count() > (MOST_MODELS if satisfiable else 0):
        chosen = np.sort(rng.permutation(count)[: 2 if rng.random() < 0.3 else 3]).tolist()
        clause = [int(v + 1) if rng.random() < 0.5 else -int(v + 1) for v in chosen]
        allowed = 0
        for literal in clause:
            allowed |= rows[literal]
        # a clause that rules nothing out is no clue, one that rules all out would end a satisfiable formula
        if left & ~allowed and (left & allowed or not satisfiable):
            clauses.append(clause)
            left &= allowed
    return [clauses[i] for i in rng.permutation(len(clauses)).tolist()]


@cache
def _clause_relation(signs: tuple[bool, ...]) -> Relation:
    rows = product((0, 1), repeat=len(signs))
    return Relation(
        row for row in rows if any(bool(value) == sign for value, sign in zip(row, signs, strict=True))
    )


def _model(clauses: Sequence[Clause], count: int) -> Model:
    rules = [
        Table(
            [abs(x) - 1 for x in clause], _clause_relation(tuple(x > 0 for x in clause)), f"clause {number}"
        )
        for number, clause in enumerate(clauses, 1)
    ]
    return Model([3] * count, rules)
