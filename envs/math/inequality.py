"""Inequalities in one unknown; the answer is a set of real numbers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import inf
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero, pick
from rlvr_gym.envs.math._algebra import Poly, evaluate, from_roots, multiply, poly, poly_text, scale
from rlvr_gym.envs.math._expressions import read_exactly
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier
from rlvr_gym.verifiers.math.budgets import Fuel, TooComplex, Undefined, Unreadable
from rlvr_gym.verifiers.math.inequalities import region_of, solve
from rlvr_gym.verifiers.math.nodes import Node, Relation, Sym, symbols, walk
from rlvr_gym.verifiers.math.regions import Region, same_region

__all__ = ["Inequality", "SolutionSetVerifier"]

Cut = tuple[Fraction | float, int]
"""A place between the numbers: just before (0) or just after (1) a number."""
RealSet = tuple[tuple[Cut, Cut], ...]
"""Disjoint intervals from cut to cut, in order, none touching the next."""

_LOW: Cut = (-inf, 1)
_HIGH: Cut = (inf, 0)
_ALL: RealSet = ((_LOW, _HIGH),)
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def union(*sets: RealSet) -> RealSet:
    """All numbers in any of the sets."""
    merged: list[tuple[Cut, Cut]] = []
    for start, end in sorted(piece for one in sets for piece in one if piece[0] < piece[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def intersection(a: RealSet, b: RealSet) -> RealSet:
    """All numbers in both."""
    return union(*(((max(p[0], q[0]), min(p[1], q[1])),) for p in a for q in b))


def _ray(op: str, value: Fraction) -> RealSet:
    """The numbers x with ``x op value``."""
    edge = (value, int(op in ("<=", ">")))
    return ((_LOW, edge),) if op[0] == "<" else ((edge, _HIGH),)


@register_verifier("solution_set")
class SolutionSetVerifier(ParsedVerifier[Region]):
    """``task.answer`` is a union of intervals; intervals and *solved* inequalities are alike.

    The general ``math`` verifier also takes an unsolved linear or absolute inequality for its solution set, which
    would reward copying the question.
    """

    def read(self, answer: str, task: Task) -> Region | None:
        """A set of real numbers, in which x stands alone on its side of every relation."""
        node = read_exactly(answer)
        if node is None or not _is_solved(node):
            return None
        try:
            solved = solve(node, Fuel())
            if solved is not None:
                return solved[0] if solved[1] == "x" else None
            return region_of(node, Fuel())
        except (Unreadable, Undefined, TooComplex):
            return None

    def holds(self, value: Region, task: Task) -> bool:
        """The same set."""
        gold = self.read(str(task.answer), task)
        return gold is not None and same_region(gold, value, Fuel())


def _is_solved(node: Node) -> bool:
    sides = (side for part in walk(node) if isinstance(part, Relation) for side in part.operands)
    return all(isinstance(side, Sym) or not symbols(side) for side in sides)


@register("rlvr/Inequality-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class Inequality(Problem):
    """Solve an inequality: linear, quadratic, of higher degree, with a quotient, or with an absolute value.

    Difficulty d goes from linear ones to quotients with 5 critical points; the critical points are rational.
    """

    verifier: ClassVar[str] = "solution_set"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Chooses the critical points; the signs between them give the solution."""
        kinds = [_linear, _absolute, _polynomial, _quotient]
        kind = kinds[min(3, max(0, (difficulty - 1) // 2 - (rng.random() < 0.3)))]
        solution: RealSet = ()
        while solution in ((), _ALL):
            question, steps, solution = kind(rng, difficulty)
        answer = _text(solution)
        return Task(
            prompt=ask(
                f"Solve the inequality {question} over the real numbers.",
                "the solution set as an interval or a union of intervals (oo is infinity)",
                "(-oo, -41/3] U (43, oo)",
            ),
            answer=answer,
            metadata={"kind": kind.__name__.strip("_"), "hardness": len(question) + sum(map(len, steps)) / 3},
            solution="\n".join([*steps, answer]),
        )


Solved = tuple[str, list[str], RealSet]


def _text(solution: RealSet) -> str:
    pieces = []
    for (low, after), (high, closed) in solution:
        left = "(-oo" if low == -inf else f"{'(' if after else '['}{low}"
        pieces.append(f"{left}, " + ("oo)" if high == inf else f"{high}{']' if closed else ')'}"))
    return " U ".join(pieces)


def _root(rng: np.random.Generator, difficulty: int) -> Fraction:
    below = integer(rng, 2, 3) if difficulty >= 5 and rng.random() < 0.3 else 1
    return Fraction(nonzero(rng, 5 + difficulty), below)


def _linear(rng: np.random.Generator, difficulty: int) -> Solved:
    size = 4 + 3 * difficulty
    a, b, c, d = nonzero(rng, size), nonzero(rng, size), nonzero(rng, size), nonzero(rng, size)
    while a == c:
        c = nonzero(rng, size)
    op = pick(rng, ("<", "<=", ">", ">="))
    value = Fraction(d - b, a - c)
    turned = op if a > c else _FLIPPED[op]
    steps = [f"{poly_text(poly([0, a - c]))} {op} {d - b}", f"x {turned} {value}"]
    question = f"{poly_text(poly([b, a]))} {op} {poly_text(poly([d, c]))}"
    return question, steps, _ray(turned, value)


def _absolute(rng: np.random.Generator, difficulty: int) -> Solved:
    a, b, c = integer(rng, 2, 3 + difficulty // 2), nonzero(rng, 9), integer(rng, 1, 9 + difficulty)
    op = pick(rng, ("<", "<=", ">", ">="))
    low, high = Fraction(-c - b, a), Fraction(c - b, a)
    inside = intersection(_ray(">" + op[1:], low), _ray("<" + op[1:], high))
    outside = union(_ray("<" + op[1:], low), _ray(">" + op[1:], high))
    steps = [f"{poly_text(poly([b, a]))} is {c} at x = {high} and {-c} at x = {low}."]
    steps.append("The inequality holds between the two." if op[0] == "<" else "It holds outside of the two.")
    return f"|{poly_text(poly([b, a]))}| {op} {c}", steps, inside if op[0] == "<" else outside


def _signs(value_at: list[tuple[Poly, bool]], roots: list[Fraction], op: str) -> tuple[list[str], RealSet]:
    """Where the quotient or product of polynomials has the wanted sign, by a probe between all critical points."""
    poles = {r for p, below in value_at if below for r in roots if not evaluate(p, r)}
    points = sorted(set(roots))
    probes = [points[0] - 1, *((a + b) / 2 for a, b in pairwise(points)), points[-1] + 1]
    steps, pieces = [], []
    edges: list[Cut] = [_LOW, *((p, 0) for p in points), _HIGH]
    for i, probe in enumerate(probes):
        negative = sum(evaluate(p, probe) < 0 for p, _ in value_at) % 2 == 1
        steps.append(f"At x = {probe} the left side is {'negative' if negative else 'positive'}.")
        if negative == (op[0] == "<"):
            start = edges[i] if i == 0 else (points[i - 1], 1)
            pieces.append((start, edges[i + 1]))
    if len(op) == 2:
        pieces += [((p, 0), (p, 1)) for p in points if p not in poles]
    return steps, union(tuple(pieces))


def _polynomial(rng: np.random.Generator, difficulty: int) -> Solved:
    roots = [_root(rng, difficulty) for _ in range(level(difficulty, 2, 4))]
    if difficulty < 6:
        roots = roots[:2]
    leading = nonzero(rng, 2)
    for root in roots:
        leading *= root.denominator
    polynomial = scale(from_roots(roots), leading)
    op = pick(rng, ("<", "<=", ">", ">="))
    steps, solution = _signs([(polynomial, False)], roots, op)
    listed = ", ".join(map(str, sorted(set(roots))))
    return f"{poly_text(polynomial)} {op} 0", [f"The left side is 0 at x = {listed}.", *steps], solution


def _quotient(rng: np.random.Generator, difficulty: int) -> Solved:
    above = [_root(rng, 1) for _ in range(level(difficulty, 1, 3))]
    below = [_root(rng, 1) for _ in range(1 + (difficulty >= 8))]
    while set(above) & set(below):
        below = [_root(rng, 1) for _ in below]
    leading = nonzero(rng, 3)
    top, bottom = multiply(poly([leading]), from_roots(above)), from_roots(below)
    op = pick(rng, ("<", "<=", ">", ">="))
    steps, solution = _signs([(top, False), (bottom, True)], above + below, op)
    zeros, poles = (", ".join(map(str, sorted(set(roots)))) for roots in (above, below))
    steps = [f"The left side is 0 at x = {zeros} and undefined at x = {poles}.", *steps]
    return f"({poly_text(top)})/({poly_text(bottom)}) {op} 0", steps, solution
