"""Statements about each other: which of them are true?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import integer, pick
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

Choices = int
"""A set of choices as bits: bit ``c`` stands for the choice in which statement i is true iff bit i - 1 of c is set."""
Statement = list[str | int]
"""``[kind, argument, ...]``; statements count from 1."""


@cache
def _truths(count: int) -> tuple[Choices, ...]:
    """All choices, then for each statement those in which it is true."""
    choices = range(1 << count)
    alone = (sum(1 << c for c in choices if c >> place & 1) for place in range(count))
    return ((1 << (1 << count)) - 1, *alone)


@cache
def _totals(count: int) -> tuple[Choices, ...]:
    """For each number of statements the choices in which so many are true."""
    return tuple(
        sum(1 << c for c in range(1 << count) if c.bit_count() == total) for total in range(count + 1)
    )


# What a kind says, of the sets of choices; the arguments are a number of statements, or statements.
TOTALS: dict[str, tuple[Callable[..., Choices], str]] = {
    "exactly": (lambda n, k: n[k], "Exactly {0} of these statements are true."),
    "at_least": (lambda n, k: sum(n[k:]), "At least {0} of these statements are true."),
    "at_most": (lambda n, k: sum(n[: k + 1]), "At most {0} of these statements are true."),
    "even": (lambda n: sum(n[::2]), "The number of true statements is even."),
}
OTHERS: dict[str, tuple[Callable[..., Choices], str]] = {
    "true": (lambda t, i: t[i], "Statement {0} is true."),
    "false": (lambda t, i: t[0] ^ t[i], "Statement {0} is false."),
    "both": (lambda t, i, j: t[i] & t[j], "Statements {0} and {1} are both true."),
    "one": (lambda t, i, j: t[i] ^ t[j], "Exactly one of the statements {0} and {1} is true."),
    "neither": (lambda t, i, j: t[0] ^ (t[i] | t[j]), "Neither statement {0} nor statement {1} is true."),
    "implies": (lambda t, i, j: (t[0] ^ t[i]) | t[j], "If statement {0} is true, so is statement {1}."),
}
KINDS = [*TOTALS, *OTHERS]
SENTENCES = {kind: text for kind, (_, text) in (TOTALS | OTHERS).items()}


@cache
def _said(count: int, kind: str | int, *arguments: str | int) -> Choices:
    """The choices in which what a statement, one of ``count``, says is so."""
    if kind in TOTALS:
        return TOTALS[str(kind)][0](_totals(count), *arguments)
    return OTHERS[str(kind)][0](_truths(count), *arguments)


@register_verifier("self_reference")
class SelfReferenceVerifier(RuleVerifier[frozenset[int]]):
    """A choice of true statements under which every statement is as true as it says."""

    def read(self, answer: str, task: Task) -> frozenset[int] | None:
        """The statements that are said to be true."""
        return parse_selection(answer, len(task.answer["statements"]))

    def fault(self, value: frozenset[int], task: Task) -> str | None:
        """The first statement whose truth is not what the choice says."""
        if sorted(value) == task.answer["reference"]:
            return None
        statements: list[Statement] = task.answer["statements"]
        count, choice = len(statements), 0
        for number in value:
            choice |= 1 << number - 1
        for number, statement in enumerate(statements, 1):
            if (_said(count, *statement) >> choice & 1) != (number in value):
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
        while True:
            statements = [_draw_statement(rng, number, count) for number in range(1, count + 1)]
            consistent, *truths = _truths(count)
            for statement, true in zip(statements, truths, strict=True):
                consistent &= ~(_said(count, *statement) ^ true)
            if consistent.bit_count() == 1 and consistent != 1:  # choice 0 has no true statement
                break
        choice = consistent.bit_length() - 1
        chosen = [number for number in range(1, count + 1) if choice >> number - 1 & 1]
        model = _model(statements)
        told = explain(model, lambda var, value: f"{var + 1} is {'true' if value else 'false'}")
        listed = "\n".join(
            f"{i}. {SENTENCES[str(kind)].format(*rest)}" for i, (kind, *rest) in enumerate(statements, 1)
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


def _draw_statement(rng: np.random.Generator, number: int, count: int) -> Statement:
    """A statement about the totals or about others, never about itself alone."""
    kind = pick(rng, KINDS)
    if kind == "even":
        return [kind]
    if kind in TOTALS:
        return [kind, integer(rng, 0, count) if kind == "exactly" else integer(rng, 1, count - 1)]
    others = [other for other in range(1, count + 1) if other != number]
    first = others.pop(integer(rng, 0, count - 2))
    return [kind, first] if kind in ("true", "false") else [kind, first, pick(rng, others)]


def _model(statements: Sequence[Statement]) -> Model:
    """One two-valued variable for each statement."""
    count = len(statements)
    rules = []
    for number, (kind, *arguments) in enumerate(statements, 1):
        if kind in TOTALS:
            scope, relation = list(range(count)), _relation(str(kind), tuple(arguments), number, count)
        else:
            scope = [number - 1, *(int(argument) - 1 for argument in arguments)]
            # the same for all statements, as if it were the first about the second and the third
            relation = _relation(str(kind), tuple(range(2, len(scope) + 1)), 1, len(scope))
        rules.append(Table(scope, relation, f"statement {number}"))
    return Model([3] * count, rules)


@cache
def _relation(kind: str, arguments: tuple[str | int, ...], number: int, count: int) -> Relation:
    """The truth values of ``count`` statements under which statement ``number`` is as true as it says."""
    fits = ~(_said(count, kind, *arguments) ^ _truths(count)[number])
    return Relation([c >> place & 1 for place in range(count)] for c in range(1 << count) if fits >> c & 1)
