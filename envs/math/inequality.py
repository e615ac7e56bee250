"""Inequalities in one unknown; the answer is a set of real numbers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from math import inf
from typing import ClassVar

import numpy as np

from rlvr_gym.envs.math._algebra import Poly, evaluate, from_roots, multiply, poly, poly_text, scale
from rlvr_gym.envs.math._authoring import ask, integer, level, nonzero, pick
from rlvr_gym.envs.math._expressions import as_poly, read_exactly
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier
from rlvr_gym.verifiers.math.nodes import (
    Bracket,
    Const,
    Listing,
    NamedSet,
    Neg,
    Node,
    Relation,
    SetBuilder,
    SetOp,
    Sym,
)

__all__ = ["Inequality", "SolutionSetVerifier"]

Cut = tuple[Fraction | float, int]
"""A place between the numbers: just before (0) or just after (1) a number."""
RealSet = tuple[tuple[Cut, Cut], ...]
"""Disjoint intervals from cut to cut, in order, none touching the next."""

_LOW: Cut = (-inf, 1)
_HIGH: Cut = (inf, 0)
_ALL: RealSet = ((_LOW, _HIGH),)
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}


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


def complement(a: RealSet) -> RealSet:
    """All other numbers."""
    cuts = [_LOW, *(cut for piece in a for cut in piece), _HIGH]
    return union(tuple((cuts[i], cuts[i + 1]) for i in range(0, len(cuts), 2)))


def _bound(node: Node) -> Fraction | float | None:
    if isinstance(node, Neg):
        value = _bound(node.arg)
        return -value if value is not None else None
    if isinstance(node, Const) and node.name == "infinity":
        return inf
    constant = as_poly(node)
    if constant is None or len(constant) > 1:
        return None
    return constant[0] if constant else Fraction(0)


def _ray(op: str, value: Fraction | float) -> RealSet | None:
    """The numbers x with ``x op value``."""
    if abs(value) == inf:
        return _ALL if (op, value > 0) in (("<", True), (">", False)) else None
    rays: dict[str, RealSet] = {
        "<": ((_LOW, (value, 0)),),
        "<=": ((_LOW, (value, 1)),),
        ">": (((value, 1), _HIGH),),
        ">=": (((value, 0), _HIGH),),
        "=": (((value, 0), (value, 1)),),
    }
    return complement(rays["="]) if op == "!=" else rays.get(op)


def _relation(node: Relation) -> RealSet | None:
    result = _ALL
    for left, op, right in zip(node.operands, node.ops, node.operands[1:], strict=False):
        part: RealSet | None = None
        if op == "in" and left == Sym("x"):
            part = real_set(right)
        elif left == Sym("x") and (value := _bound(right)) is not None:
            part = _ray(op, value)
        elif right == Sym("x") and (value := _bound(left)) is not None:
            part = _ray(_FLIPPED.get(op, ""), value)
        if part is None:
            return None
        result = intersection(result, part)
    return result


def _bracket(node: Bracket) -> RealSet | None:
    values = [_bound(item) for item in node.items]
    bounds = [value for value in values if value is not None]
    if len(bounds) != len(values):
        return None
    if "{" in node.left:
        points = [_ray("=", value) for value in bounds]
        return union(*(p for p in points if p is not None)) if None not in points else None
    if len(bounds) != 2 or node.left not in ("(", "[", "]") or node.right not in (")", "]", "["):
        return None
    low, high = bounds
    if low > high or (low == -inf and node.left == "[") or (high == inf and node.right == "]"):
        return None
    start: Cut = _LOW if low == -inf else (low, 0 if node.left == "[" else 1)
    end: Cut = _HIGH if high == inf else (high, 1 if node.right == "]" else 0)
    return union(((start, end),))


def _listing(node: Listing) -> RealSet | None:
    sets = [real_set(item) for item in node.items]
    found = [one for one in sets if one is not None]
    if len(found) != len(sets):
        return None
    relations = [isinstance(item, Relation) for item in node.items]
    if node.word == "and" and all(relations):
        return reduce(intersection, found)
    # "x < 1, x > 3" could be meant as either; intervals in a list can only be meant as a union
    return union(*found) if node.word == "or" or not any(relations) else None


def real_set(node: Node) -> RealSet | None:
    """The set of real numbers that an answer describes; None if it describes none."""
    match node:
        case NamedSet(name="R"):
            return _ALL
        case NamedSet(name="empty"):
            return ()
        case Relation():
            return _relation(node)
        case Bracket():
            return _bracket(node)
        case Listing():
            return _listing(node)
        case SetBuilder(element=element, condition=condition):
            return real_set(condition) if element == Sym("x") else None
        case SetOp(op=op, left=left, right=right):
            a, b = real_set(left), real_set(right)
            if a is None or b is None:
                return None
            return (
                union(a, b)
                if op == "union"
                else intersection(a, b if op == "intersection" else complement(b))
            )
    return None


@register_verifier("solution_set")
class SolutionSetVerifier(ParsedVerifier[RealSet]):
    """``task.answer`` is a union of intervals with rational ends; intervals and solved inequalities are alike."""

    def read(self, answer: str, task: Task) -> RealSet | None:
        """A set of real numbers."""
        node = read_exactly(answer)
        return real_set(node) if node is not None else None

    def holds(self, value: RealSet, task: Task) -> bool:
        """The same set."""
        return value == self.read(str(task.answer), task)


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
    return question, steps, _ray(turned, value) or ()


def _absolute(rng: np.random.Generator, difficulty: int) -> Solved:
    a, b, c = integer(rng, 2, 3 + difficulty // 2), nonzero(rng, 9), integer(rng, 1, 9 + difficulty)
    op = pick(rng, ("<", "<=", ">", ">="))
    low, high = Fraction(-c - b, a), Fraction(c - b, a)
    inside = intersection(_ray(">" + op[1:], low) or (), _ray("<" + op[1:], high) or ())
    outside = union(_ray("<" + op[1:], low) or (), _ray(">" + op[1:], high) or ())
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
