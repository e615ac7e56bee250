"""Ranks of matrices, and bases of their null spaces."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level
from rlvr_gym.envs.math._algebra import Matrix, matrix_text, row_echelon, stage_lines
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier, parse_matrix

__all__ = ["MatrixRank", "NullSpace", "NullSpaceVerifier"]


@dataclass(frozen=True)
class _Reduced:
    """A matrix, its reduced form, and the way there."""

    matrix: list[list[int]]
    form: Matrix
    pivots: list[int]
    steps: list[str]


def _matrix_of_rank(rng: np.random.Generator, rows: int, columns: int, rank: int, size: int) -> _Reduced:
    """A product of two factors of full rank, without zero rows.

    The right factor holds a unit matrix in a random place, so that the null space has whole coordinates.
    """
    while True:
        left = rng.integers(-size, size + 1, size=(rows, rank))
        right = np.hstack(
            [np.eye(rank, dtype=np.int64), rng.integers(-size, size + 1, size=(rank, columns - rank))]
        )
        matrix: list[list[int]] = (left @ right[:, rng.permutation(columns)]).tolist()
        stages: list[Matrix] = []
        form, pivots = row_echelon(matrix, stages)
        if all(map(any, matrix)) and len(pivots) == rank:
            return _Reduced(matrix, form, pivots, stage_lines(pivots, stages))


@register("rlvr/MatrixRank-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class MatrixRank(Problem):
    """Find the rank of a matrix.

    Difficulty d gives 3 to 7 rows, 4 to 8 columns and a rank of at least 2. There are few possible answers, so
    that guessing earns something; rlvr/NullSpace-v0 asks for the same insight with a proof.
    """

    verifier: ClassVar[str] = "integer"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Chooses the rank first."""
        rows = level(difficulty, 3, 7)
        rank = integer(rng, 2, rows)
        drawn = _matrix_of_rank(rng, rows, rows + 1, rank, 2 + difficulty // 4)
        return Task(
            prompt=ask(
                f"What is the rank of the matrix {matrix_text(drawn.matrix)}?", "it as a whole number", "12"
            ),
            answer=str(rank),
            metadata={"rows": rows, "hardness": rows * (rows + 1) * (rank + 3)},
            solution="\n".join(["Row reduction:", *drawn.steps, f"There are {rank} rows that are not zero."]),
        )


@register_verifier("null_space")
class NullSpaceVerifier(ParsedVerifier[list[list[Fraction]]]):
    """``task.answer`` is ``{"matrix", "nullity", "basis"}``; any basis of the null space is right."""

    def read(self, answer: str, task: Task) -> list[list[Fraction]] | None:
        """A list of vectors."""
        return parse_matrix(answer)

    def holds(self, value: list[list[Fraction]], task: Task) -> bool:
        """As many vectors as the dimension, all in the null space, and independent."""
        matrix, nullity = task.answer["matrix"], task.answer["nullity"]
        if len(value) != nullity or len(value[0]) != len(matrix[0]):
            return False
        if any(sum(a * x for a, x in zip(row, vector, strict=True)) for row in matrix for vector in value):
            return False
        return len(row_echelon(value)[1]) == len(value)


@register("rlvr/NullSpace-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class NullSpace(Problem):
    """Find a basis of the null space of a matrix.

    Difficulty d gives 2 to 5 rows, up to 7 columns and a null space of dimension 1 to 3.
    """

    verifier: ClassVar[str] = "null_space"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Chooses rank and dimension, and reads a basis off the reduced form."""
        rows = level(difficulty, 2, 5)
        rank = integer(rng, max(1, rows - 1), rows)
        nullity = 1 + (difficulty >= 4 and rng.random() < 0.5) + (difficulty >= 8 and rng.random() < 0.5)
        columns = rank + nullity
        drawn = _matrix_of_rank(rng, rows, columns, rank, 2 + difficulty // 4)
        basis = []
        for free in (j for j in range(columns) if j not in drawn.pivots):
            vector = [Fraction(int(j == free)) for j in range(columns)]
            for row, pivot in zip(drawn.form, drawn.pivots, strict=False):
                vector[pivot] = -row[free]
            basis.append(vector)
        answer = matrix_text(basis)
        return Task(
            prompt=ask(
                f"Find a basis of the null space (the vectors v with A v = 0) of the matrix A = {matrix_text(drawn.matrix)}. "
                "Any basis is accepted.",
                "the list of its vectors",
                "[[1, 0, -3/17, 99], [0, 1, 5/19, 98]]",
            ),
            answer={"matrix": drawn.matrix, "nullity": nullity, "basis": answer},
            metadata={
                "rank": rank,
                "nullity": nullity,
                "hardness": rows * columns * rank + sum(map(len, drawn.steps)) / 20,
            },
            solution="\n".join(
                ["Row reduction:", *drawn.steps, "Each free column gives one vector:", answer]
            ),
        )

    def answer_text(self, task: Task) -> str:
        """The basis that belongs to the free columns."""
        return str(task.answer["basis"])
