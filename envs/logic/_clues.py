"""Clues about where things are: sentences, predicates and solver rules made from one table of kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import product

import numpy as np

from rlvr_gym.envs.logic._solver import Constraint, Model, Relation, Table

__all__ = ["KINDS", "Clue", "clue_rule", "clue_text", "draw_clue", "first_false_clue", "needed_clues"]

Clue = list[str | int]
"""``[kind, subject, ...]`` as it stands in a task's JSON; a subject is a name, or a position from 0."""

KINDS: dict[str, tuple[Callable[..., bool], str]] = {
    "at": (lambda a, b: a == b, "{0} lives in house {1}"),
    "same": (lambda a, b: a == b, "{0} is {1}"),
    "different": (lambda a, b: a != b, "{0} is not {1}"),
    "left": (lambda a, b: a + 1 == b, "{0} lives directly to the left of {1}"),
    "beside": (lambda a, b: abs(a - b) == 1, "{0} and {1} are next-door neighbours"),
    "before": (lambda a, b: a < b, "{0} lives somewhere to the left of {1}"),
    "apart": (lambda a, b: abs(a - b) == 2, "exactly one house stands between the houses of {0} and {1}"),
    "between": (lambda a, b, c: b < a < c or c < a < b, "{0} lives somewhere between {1} and {2}"),
    "either": (lambda a, b, c: a in (b, c) and b != c, "{0} is either {1} or {2}"),
    "split": (
        lambda a, b, c, d: {a, b} == {c, d} and a != b,
        "of {0} and {1}, one is {2} and the other is {3}",
    ),
}
"""Kind: what holds between the positions of its subjects, and how it is said."""


@cache
def kind_positions(kind: str, size: int) -> list[tuple[int, ...]]:
    """The positions from 0 to ``size`` - 1 of its subjects that a kind of clue allows."""
    holds = KINDS[kind][0]
    return [row for row in product(range(size), repeat=holds.__code__.co_argcount) if holds(*row)]


@cache
def kind_relation(kind: str, size: int, fixed: tuple[int | None, ...]) -> Relation:
    """The positions of the subjects that are not fixed."""
    rows = [
        row
        for row in kind_positions(kind, size)
        if all(f in (None, p) for f, p in zip(fixed, row, strict=True))
    ]
    return Relation([p for f, p in zip(fixed, row, strict=True) if f is None] for row in rows)


def clue_rule(clue: Clue, number: int, variables: Mapping[str, int], size: int) -> Constraint:
    """The solver's rule for a clue; it is called ``clue N``."""
    kind, *subjects = clue
    fixed = tuple(subject if isinstance(subject, int) else None for subject in subjects)
    scope = [variables[subject] for subject in subjects if isinstance(subject, str)]
    return Table(scope, kind_relation(str(kind), size, fixed), f"clue {number}")


def clue_text(clue: Clue, describe: Mapping[str, str]) -> str:
    """The sentence of a clue, with a capital and a full stop; positions are told from 1."""
    kind, *subjects = clue
    told = (str(subject + 1) if isinstance(subject, int) else describe[subject] for subject in subjects)
    text = KINDS[str(kind)][1].format(*told)
    return text[0].upper() + text[1:] + "."


def draw_clue(kind: str, groups: Sequence[Sequence[str]], rng: np.random.Generator) -> Clue | None:
    """A true clue of this kind about different names, if the draw gives one.

    Args:
        kind: a key of :data:`KINDS`.
        groups: the names at each position.
        rng: draws.
    """
    options = kind_positions(kind, len(groups))
    if not options:
        return None
    places = options[int(rng.integers(len(options)))]
    if kind == "at":
        return [kind, str(rng.choice(groups[places[0]])), places[0]]
    names = [groups[place][int(rng.integers(len(groups[place])))] for place in places]
    return [kind, *names] if len(set(names)) == len(names) else None


def first_false_clue(clues: Sequence[Clue], positions: Mapping[str, int]) -> int | None:
    """The number, from 1, of the first clue that does not hold; a subject that is an int stands for itself."""
    for number, (kind, *subjects) in enumerate(clues, 1):
        places = [subject if isinstance(subject, int) else positions[subject] for subject in subjects]
        if not KINDS[str(kind)][0](*places):
            return number
    return None


def needed_clues(
    clues: Sequence[Clue], build: Callable[[Sequence[Clue]], Model], is_enough: Callable[[Model], bool]
) -> list[Clue]:
    """Clues of which none can be left out, the later ones going first.

    Args:
        clues: enough of them.
        build: the model of some clues, whose last rules are the clues' in order.
        is_enough: whether a model still has what is wanted of it, such as exactly one solution.
    """
    kept = _used(clues, build)
    for clue in reversed(kept.copy()):
        fewer = [other for other in kept if other is not clue]
        if clue in kept and is_enough(build(fewer)):
            kept = fewer
    return kept


def _used(clues: Sequence[Clue], build: Callable[[Sequence[Clue]], Model]) -> list[Clue]:
    """The clues that propagation makes any use of, if it solves the puzzle; else all."""
    model = build(clues)
    domains = list(model.domains)
    trace: list[tuple[Constraint, int]] = []
    model.propagate(domains, None, trace)
    if any(domain & (domain - 1) for domain in domains):
        return list(clues)
    busy = {id(rule) for rule, _ in trace}
    own = model.constraints[len(model.constraints) - len(clues) :]
    return [clue for clue, rule in zip(clues, own, strict=True) if id(rule) in busy]
