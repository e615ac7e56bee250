"""Exact algebra for generators: polynomials and matrices over the rationals, and how they are written down.

A polynomial is a tuple of Fractions, lowest degree first and without trailing zeros; ``()`` is zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import reduce
from math import gcd

__all__ = [
    "Matrix",
    "Poly",
    "add",
    "derivative",
    "determinant",
    "divide",
    "evaluate",
    "from_roots",
    "has_rational_root",
    "integral",
    "irreducible",
    "matrix_text",
    "monic",
    "multiply",
    "poly",
    "poly_gcd",
    "poly_text",
    "primitive",
    "product",
    "row_echelon",
    "scale",
    "signed_sum",
    "stage_lines",
    "times",
]

Poly = tuple[Fraction, ...]
Matrix = list[list[Fraction]]


def poly(coefficients: Iterable[int | Fraction]) -> Poly:
    """The polynomial with these coefficients, lowest degree first."""
    values = [c if type(c) is Fraction else Fraction(c) for c in coefficients]
    while values and not values[-1]:
        values.pop()
    return tuple(values)


def add(a: Poly, b: Poly) -> Poly:
    """``a + b``."""
    if len(a) < len(b):
        a, b = b, a
    return poly([x + y for x, y in zip(a, b, strict=False)] + list(a[len(b) :]))


def scale(a: Poly, factor: int | Fraction) -> Poly:
    """``factor * a``."""
    return poly(factor * c for c in a)


def multiply(a: Poly, b: Poly) -> Poly:
    """``a * b``."""
    result = [Fraction(0)] * max(len(a) + len(b) - 1, 0)
    terms = [(j, y) for j, y in enumerate(b) if y]
    for i, x in enumerate(a):
        if x:
            for j, y in terms:
                result[i + j] += x * y
    return poly(result)


def product(factors: Iterable[Poly]) -> Poly:
    """The product of all factors."""
    return reduce(multiply, factors, poly([1]))


def from_roots(roots: Iterable[int | Fraction]) -> Poly:
    """The monic polynomial with these roots."""
    return product(poly([-Fraction(r), 1]) for r in roots)


def divide(a: Poly, b: Poly) -> tuple[Poly, Poly]:
    """Quotient and remainder of ``a`` by ``b``.

    Raises:
        ZeroDivisionError: if ``b`` is zero.
    """
    if not b:
        raise ZeroDivisionError("division by the zero polynomial")
    rest = list(a)
    quotient = [Fraction(0)] * max(len(a) - len(b) + 1, 0)
    for shift in range(len(a) - len(b), -1, -1):
        factor = rest[shift + len(b) - 1] / b[-1]
        quotient[shift] = factor
        for i, c in enumerate(b):
            rest[shift + i] -= factor * c
    return poly(quotient), poly(rest)


def monic(a: Poly) -> Poly:
    """``a`` over its leading coefficient; zero stays zero."""
    return scale(a, 1 / a[-1]) if a else a


def poly_gcd(a: Poly, b: Poly) -> Poly:
    """The monic greatest common divisor."""
    while b:
        a, b = b, divide(a, b)[1]
    return monic(a)


def primitive(a: Poly) -> Poly:
    """The multiple of ``a`` with whole coefficients that share no factor, and a positive leading one."""
    if not a:
        return a
    below = reduce(lambda m, c: m * c.denominator // gcd(m, c.denominator), a, 1)
    above = reduce(gcd, (int(c * below) for c in a))
    return scale(a, Fraction(below, above if a[-1] > 0 else -above))


def has_rational_root(a: Poly) -> bool:
    """Whether a polynomial has a rational root, by the rational root theorem; for small coefficients."""
    whole = primitive(a)
    if not whole or not whole[0]:
        return True
    above, below = ([n for n in range(1, abs(int(c)) + 1) if int(c) % n == 0] for c in (whole[0], whole[-1]))
    return any(not evaluate(whole, Fraction(sign * p, q)) for p in above for q in below for sign in (1, -1))


def irreducible(a: Poly) -> bool:
    """Whether a polynomial of degree 1 to 3 is irreducible over the rationals."""
    return len(a) == 2 or (len(a) in (3, 4) and not has_rational_root(a))


def derivative(a: Poly) -> Poly:
    """``a'``."""
    return poly(i * c for i, c in enumerate(a) if i)


def integral(a: Poly) -> Poly:
    """The antiderivative without constant term."""
    return poly([Fraction(0), *(c / (i + 1) for i, c in enumerate(a))])


def evaluate(a: Poly, x: int | Fraction) -> Fraction:
    """``a(x)``."""
    return reduce(lambda value, c: value * x + c, reversed(a), Fraction(0))


def times(coefficient: int | Fraction, body: str) -> str:
    """``coefficient`` times ``body`` in writing: ``3x``, ``-x``, ``(3/4)x``; ``body`` empty for a bare number."""
    c = Fraction(coefficient)
    if not body:
        return str(c)
    if abs(c) == 1:
        return body if c > 0 else f"-{body}"
    if c.denominator == 1:
        return f"{c}{body}"
    return f"{'-' if c < 0 else ''}({abs(c)}){body}"


def signed_sum(terms: Iterable[tuple[int | Fraction, str]]) -> str:
    """A sum in writing, in the given order, terms with coefficient 0 left out: ``3x^2 - x + 1``."""
    text = ""
    for coefficient, body in terms:
        if coefficient:
            sign = "-" if coefficient < 0 else "+"
            text += f" {sign} {times(abs(Fraction(coefficient)), body)}" if text else times(coefficient, body)
    return text or "0"


def poly_text(a: Poly, variable: str = "x") -> str:
    """A polynomial in writing, highest degree first: ``2x^2 - (1/2)x + 3``."""
    powers = ["", variable, *(f"{variable}^{i}" for i in range(2, len(a)))]
    return signed_sum((a[i], powers[i]) for i in range(len(a) - 1, -1, -1))


def matrix_text(rows: Sequence[Sequence[int | Fraction]]) -> str:
    """``[[1, 2], [3, 1/2]]``."""
    return "[" + ", ".join("[" + ", ".join(map(str, row)) + "]" for row in rows) + "]"


def stage_lines(pivots: Sequence[int], stages: Sequence[Matrix]) -> list[str]:
    """The way of :func:`row_echelon` in short lines: one for each row after each pivot's turn."""
    return [
        line
        for column, stage in zip(pivots, stages, strict=True)
        for line in (f"After column {column + 1}:", *(", ".join(map(str, row)) for row in stage))
    ]


def row_echelon(
    rows: Sequence[Sequence[int | Fraction]], stages: list[Matrix] | None = None, columns: int | None = None
) -> tuple[Matrix, list[int]]:
    """The reduced row echelon form and its pivot columns.

    Args:
        rows: the matrix.
        stages: the matrix after each pivot's turn is appended to it.
        columns: only the first so many columns may hold pivots.
    """
    matrix = [[Fraction(x) for x in row] for row in rows]
    pivots: list[int] = []
    for column in range(len(matrix[0]) if columns is None else columns):
        top = len(pivots)
        found = next((r for r in range(top, len(matrix)) if matrix[r][column]), None)
        if found is None:
            continue
        matrix[top], matrix[found] = matrix[found], matrix[top]
        pivot = matrix[top][column]
        matrix[top] = [x / pivot for x in matrix[top]]
        for r, row in enumerate(matrix):
            if r != top and row[column]:
                factor = row[column]
                matrix[r] = [x - factor * y for x, y in zip(row, matrix[top], strict=True)]
        pivots.append(column)
        if stages is not None:
            stages.append([list(row) for row in matrix])
    return matrix, pivots


def determinant(rows: Sequence[Sequence[int]]) -> int:
    """The determinant of a matrix of whole numbers, by the elimination of Bareiss, which stays in whole numbers."""
    matrix = [list(row) for row in rows]
    sign, before = 1, 1
    for k in range(len(matrix) - 1):
        found = next((r for r in range(k, len(matrix)) if matrix[r][k]), None)
        if found is None:
            return 0
        if found != k:
            matrix[k], matrix[found] = matrix[found], matrix[k]
            sign = -sign
        for r in range(k + 1, len(matrix)):
            for c in range(k + 1, len(matrix)):
                matrix[r][c] = (matrix[r][c] * matrix[k][k] - matrix[r][k] * matrix[k][c]) // before
        before = matrix[k][k]
    return sign * matrix[-1][-1]
