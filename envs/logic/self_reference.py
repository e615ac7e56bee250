"""Statements about each other: which of them are true?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.logic._explain import ASSUMPTION_EFFORT, explain
from rlvr_gym.envs.logic._selection import SELECTION_FORMAT, selection_text
from rlvr_gym.envs.logic._solver import Model, Relation, Table
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier, parse_selection

__all__ = ["SelfReference"]

LEVELS = {1: 3, 2: 4, 3: 4, 4: 5, 5: 6, 6: 6, 7: 7, 8: 8, 9: 9, 10: 10}
"""Difficulty: statements."""

Bits = np.ndarray[Any, np.dtype[np.bool_]]
Statement = list[str | int]
"""``[kind, argument, ...]``; statements count from 1."""

KINDS: dict[str, tuple[Callable[..., Any], str]] = {
    # What it says of the truth values [..., statement], and in words. Totals come first, then single statements.
    "exactly": (lambda v, k: v.sum(-1) == k, "Exactly {0} of these statements are true."),
    "at_least": (lambda v, k: v.sum(-1) >= k, "At least {0} of these statements are true."),
    "at_most": (lambda v, k: v.sum(-1) <= k, "At most {0} of these statements are true."),
    "even": (lambda v: v.sum(-1) % 2 == 0, "The number of true statements is even."),
    "true": (lambda v, i: v[..., i - 1], "Statement {0} is true."),
    "false": (lambda v, i: ~v[..., i - 1], "Statement {0} is false."),
    "both": (lambda v, i, j: v[..., i - 1] & v[..., j - 1], "Statements {0} and {1} are both true."),
    "one": (
        lambda v, i, j: v[..., i - 1] ^ v[..., j - 1],
        "Exactly one of the statements {0} and {1} is true.",
    ),
    "neither": (
        lambda v, i, j: ~(v[..., i - 1] | v[..., j - 1]),
        "Neither statement {0} nor statement {1} is true.",
    ),
    "implies": (
        lambda v, i, j: ~v[..., i - 1] | v[..., j - 1],
        "If statement {0} is true, so is statement {1}.",
    ),
}
TOTALS = ("exactly", "at_least", "at_most")


@register_verifier("self_reference")
class SelfReferenceVerifier(RuleVerifier[frozenset[int]]):
    """A choice of true statements under which every statement is as true as it says."""

    def read(self, answer: str, task: Task) -> frozenset[int] | None:
        """The statements that are said to be true."""
        return parse_selection(answer, len(task.answer["statements"]))

    def fault(self, value: frozenset[int], task: Task) -> str | None:
        """The first statement whose truth is not what the choice says."""
        statements: list[Statement] = task.answer["statements"]
        values = np.array([number in value for number in range(1, len(statements) + 1)])
        for number, (kind, *arguments) in enumerate(statements, 1):
            if bool(KINDS[str(kind)][0](values, *arguments)) != (number in value):
                return f"statement {number} would be {'false' if number in value else 'true'}"
        return None


@register("rlvr/SelfReference-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class SelfReference(Problem):
    """Find which of several statements about each other are true; exactly one choice is consistent.

    Difficulty 1 has 3 statements, 5 has 6, 10 has 10. Hardness is the number of statements that each of them speaks
    of, itself included, in sum, plus four for every truth value ruled out by trying it.
    """

    verifier: ClassVar[str] = "self_reference"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws statements until exactly one of all choices is consistent; about every third draw does."""
        count = LEVELS[difficulty]
        table = _all_choices(count)
        while True:
            statements = [_draw_statement(rng, number, count) for number in range(1, count + 1)]
            said = np.column_stack(
                [KINDS[str(kind)][0](table, *arguments) for kind, *arguments in statements]
            )
            consistent = table[(said == table).all(axis=1)]
            if len(consistent) == 1 and consistent.any():
                break
        chosen = [number for number, is_true in enumerate(consistent[0], 1) if is_true]
        model = _model(statements, table)
        told = explain(model, lambda var, value: f"{var + 1} is {'true' if value else 'false'}")
        listed = "\n".join(
            f"{i}. {KINDS[str(kind)][1].format(*rest)}" for i, (kind, *rest) in enumerate(statements, 1)
        )
        prompt = (
            f"Here are {count} statements about each other:\n\n{listed}\n\nThere is exactly one way to call each of them "
            f"true or false so that every statement is as it is called. Which statements are true? {SELECTION_FORMAT}"
        )
        return Task(
            prompt=prompt,
            answer={"statements": statements, "reference": chosen},
            metadata={
                "statements": count,
                "true": len(chosen),
                "assumptions": told.assumptions,
                "hardness": sum(len(rule.scope) for rule in model.constraints)
                + ASSUMPTION_EFFORT * told.assumptions,
            },
            solution="\n".join([*told.lines, f"True: {selection_text(chosen)}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The numbers of the true statements."""
        return selection_text(task.answer["reference"])


@cache
def _all_choices(count: int) -> Bits:
    """All truth values [choice, statement]."""
    return (np.arange(1 << count)[:, None] >> np.arange(count) & 1).astype(bool)


def _draw_statement(rng: np.random.Generator, number: int, count: int) -> Statement:
    """A statement about the totals or about others, never about itself alone."""
    kinds = list(KINDS)
    kind = kinds[int(rng.integers(len(kinds)))]
    if kind in TOTALS:
        low, high = (0, count) if kind == "exactly" else (1, count - 1)
        return [kind, int(rng.integers(low, high + 1))]
    others = [other for other in (rng.permutation(count) + 1).tolist() if other != number]
    return [kind, *others[: KINDS[kind][0].__code__.co_argcount - 1]]


def _model(statements: Sequence[Statement], table: Bits) -> Model:
    """One two-valued variable for each statement."""
    count = len(statements)
    rules = []
    for index, (kind, *arguments) in enumerate(statements):
        totals = kind in TOTALS or kind == "even"
        scope = (
            list(range(count)) if totals else list(dict.fromkeys([index, *(int(a) - 1 for a in arguments)]))
        )
        said = KINDS[str(kind)][0](table, *arguments)
        rows = np.unique(table[said == table[:, index]][:, scope], axis=0)
        rules.append(Table(scope, Relation(rows.astype(int).tolist()), f"statement {index + 1}"))
    return Model([3] * count, rules)
