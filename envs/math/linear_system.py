"""Systems of linear equations with one solution, none, or infinitely many; each answer carries its proof."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, nonzero, shuffled
from rlvr_gym.envs.math._algebra import Matrix, row_echelon, signed_sum
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier, parse_assignments, parse_numbers

__all__ = ["LinearSystem", "LinearSystemVerifier"]

_NAMES = "xyzw"
Claim = tuple[str, list[list[Fraction]]]


@register_verifier("linear_system")
class LinearSystemVerifier(ParsedVerifier[Claim]):
    """``task.answer`` is ``{"kind", "rows", "text"}``, rows being augmented.

    One solution: it is checked in every equation. Infinitely many: two different ones are. None: multipliers of the
    equations whose sum reads 0 = c with c not 0 (by Fredholm's alternative they exist exactly then).
    """

    def read(self, answer: str, task: Task) -> Claim | None:
        """``x = 1, y = 2``; two of these with ``;`` between; or ``none: 2, -1``."""
        head, colon, tail = answer.partition(":")
        if colon and head.strip().lower() in ("none", "no solution"):
            multipliers = parse_numbers(tail)
            return ("none", [multipliers]) if multipliers else None
        names = sorted(_NAMES[: len(task.answer["rows"][0]) - 1])
        points = [parse_assignments(part) for part in answer.split(";")[:10]]
        if not all(point is not None and sorted(point) == names for point in points):
            return None
        return "points", [[point[n] for n in _NAMES if n in point] for point in points if point]

    def holds(self, value: Claim, task: Task) -> bool:
        """The proof that belongs to the kind of the system."""
        claim, vectors = value
        kind, rows = task.answer["kind"], task.answer["rows"]
        if claim == "none":
            if kind != "none" or len(vectors[0]) != len(rows):
                return False
            combined = [
                sum(m * row[j] for m, row in zip(vectors[0], rows, strict=True)) for j in range(len(rows[0]))
            ]
            return not any(combined[:-1]) and combined[-1] != 0
        if any(
            sum(a * x for a, x in zip(row, point, strict=False)) != row[-1]
            for row in rows
            for point in vectors
        ):
            return False
        return kind == "one" or len({tuple(point) for point in vectors}) > 1


@register("rlvr/LinearSystem-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class LinearSystem(Problem):
    """Solve a system of linear equations, or prove that it has no solution or more than one.

    Difficulty d gives 2 to 4 unknowns and coefficients up to 3 to 9; systems without a single solution come in
    at 3, in two cases of five.
    """

    verifier: ClassVar[str] = "linear_system"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Chooses a solution, then equations through it; a dependent equation makes the other kinds."""
        n, size = level(difficulty, 2, 4), level(difficulty, 3, 9)
        kind = "one" if difficulty < 3 or rng.random() < 0.6 else ("none" if rng.random() < 0.5 else "many")
        rows, weights = _system(rng, n, size, kind)
        order = shuffled(rng, range(n))
        rows = [rows[i] for i in order]
        text, steps = _answer(rows, kind, [weights[i] for i in order])
        names = _NAMES[:n]
        equations = "\n".join(f"{signed_sum(zip(row, names, strict=False))} = {row[-1]}" for row in rows)
        form = ", ".join(
            f"{name} = {value}" for name, value in zip(names, ("7/31", "-5", "10", "1/13"), strict=False)
        )
        question = f"Solve the system\n{equations}"
        if difficulty >= 3:
            multipliers = ", ".join(("17", "-19", "23", "29")[:n])
            question += (
                "\nIf it has infinitely many solutions, give two different ones, with a semicolon between them. If "
                "it has no solution, prove it: give a multiplier for each equation, in order, such that the sum of "
                f"the multiplied equations reads 0 = c with c not 0, in the form none: {multipliers}"
            )
        return Task(
            prompt=ask(question, "the solution", form),
            answer={"kind": kind, "rows": rows, "text": text},
            metadata={"kind": kind, "hardness": n**3 + sum(len(str(c)) for row in rows for c in row) / 2},
            solution="\n".join([*steps, text]),
        )

    def answer_text(self, task: Task) -> str:
        """The generator's own solution or proof."""
        return str(task.answer["text"])


def _system(rng: np.random.Generator, n: int, size: int, kind: str) -> tuple[list[list[int]], list[int]]:
    """Augmented rows of rank n ("one") or n - 1; the weights combine the rows to 0 = 0 or to 0 = c."""
    while True:
        point = [nonzero(rng, size + 2) for _ in range(n)]
        rows = [[nonzero(rng, size) for _ in range(n)] for _ in range(n)]
        weights = [nonzero(rng, 2) for _ in range(n - 1)] + [-1]
        if kind != "one":
            rows[-1] = [sum(w * row[j] for w, row in zip(weights[:-1], rows, strict=False)) for j in range(n)]
        if len(row_echelon(rows)[1]) == n - (kind != "one"):
            break
    for row in rows:
        row.append(sum(a * x for a, x in zip(row, point, strict=True)))
    if kind == "none":
        rows[-1][-1] += integer(rng, 1, size)
    return rows, weights


def _answer(rows: list[list[int]], kind: str, weights: list[int]) -> tuple[str, list[str]]:
    """The answer's text and the elimination that leads to it."""
    n = len(rows)
    if kind == "none":
        gap = sum(w * row[-1] for w, row in zip(weights, rows, strict=True))
        text = ", ".join(map(str, weights))
        return f"none: {text}", [
            f"The multipliers {text} make the left sides cancel and the right sides add to {gap}."
        ]
    names = _NAMES[:n]
    stages: list[Matrix] = []
    reduced, pivots = row_echelon(rows, stages, columns=n)
    steps: list[str] = []
    for j, stage in zip(pivots, stages, strict=True):
        steps.append(f"With {names[j]} in one equation only:")
        steps += [f"{signed_sum(zip(row, names, strict=False))} = {row[-1]}" for row in stage if any(row)]
    free = [j for j in range(n) if j not in pivots]
    points: list[Any] = []
    for choice in (0, 1) if free else (0,):
        values = {j: Fraction(choice) for j in free}
        for row, j in zip(reduced, pivots, strict=False):
            values[j] = row[-1] - sum(row[k] * values[k] for k in free)
        points.append(", ".join(f"{names[j]} = {values[j]}" for j in range(n)))
    return "; ".join(points), steps
