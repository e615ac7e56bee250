"""Algebra: SymPy against the verifiers. It only reads what the generators wrote."""

from __future__ import annotations

import random
import re
from math import lcm, prod

import sympy
from proof import Proof, shortened
from sympy.parsing.sympy_parser import (
    convert_xor,
    implicit_multiplication,
    parse_expr,
    rationalize,
    standard_transformations,
)

X = sympy.Symbol("x")
RULES = (*standard_transformations, convert_xor, implicit_multiplication, rationalize)


def read(text):
    return parse_expr(text, local_dict={"x": X, "e": sympy.E}, transformations=RULES)


def same(a, b):
    return sympy.cancel(sympy.together(a - b)) == 0


def terms(expression):
    return list(sympy.Add.make_args(expression))


def term_mutations(_, expression):
    """A term left out, doubled, or with another sign; something more."""
    for term in terms(expression):
        yield from (expression - term, expression + term, expression - 2 * term)
    yield from (expression + X, 2 * expression, expression + 1 / (X + 97))


# --- integrals ---


def antiderivatives(puzzle):
    found = sympy.integrate(read(puzzle["integrand"]), X)
    return [found + 7, sympy.expand(found) - sympy.Rational(2, 3), sympy.factor(found)]


def antiderivative_holds(puzzle, expression):
    return sympy.simplify(sympy.diff(expression, X) - read(puzzle["integrand"])) == 0


def with_ln(expression):
    """SymPy's log is the natural one."""
    return str(expression).replace("log(", "ln(")


# --- factors ---


def factorings(puzzle):
    """All factors in another order; two with their signs turned; the constant drawn into one."""
    constant, factors = sympy.factor_list(read(puzzle), X)
    plain = [f for f, power in factors for _ in range(power)]
    found = [[constant, *plain[::-1]], [*plain[:-1], sympy.expand(constant * plain[-1])]]
    if len(plain) > 1:
        found.append([constant, -plain[0], -plain[1], *plain[2:]])
    return found


def factoring_holds(puzzle, factors):
    whole = [f for f in factors if sympy.degree(f, X) > 0] if factors else []
    return same(prod(factors, start=sympy.Integer(1)), read(puzzle)) and all(
        sympy.Poly(f, X).is_irreducible for f in whole
    )


def factor_mutations(_, factors):
    for i, factor in enumerate(factors):
        rest = [*factors[:i], *factors[i + 1 :]]
        yield [*rest, factor + 1]
        yield [*rest, factor, factor]
        if rest and sympy.degree(factor, X) > 0:
            yield rest
            for j, other in enumerate(rest):
                if sympy.degree(other, X) > 0:
                    yield [*rest[:j], *rest[j + 1 :], sympy.expand(factor * other)]


def write_factors(factors):
    return "*".join(f"({factor})" for factor in factors)


def common_divisors(puzzle):
    """A greatest one is right with any constant in front."""
    divisor = read(puzzle)
    return [sympy.expand(divisor * sympy.Rational(*c)) for c in ((-1, 1), (3, 1), (2, 5))]


def is_same_divisor(puzzle, expression):
    quotient = sympy.cancel(expression / read(puzzle)) if expression != 0 else expression
    return quotient != 0 and quotient.is_number


# --- partial fractions ---


def decompositions(puzzle):
    parts = terms(sympy.apart(sympy.together(read(puzzle["text"])), X))
    return [parts[::-1], [*parts[1:], parts[0]], [sympy.factor(part) for part in parts[::-1]]]


def decomposition_holds(puzzle, parts):
    """The same sum, in as many parts as SymPy finds, each with a power of one irreducible factor below."""
    wanted = read(puzzle["text"])
    if not parts or not same(sum(parts), wanted):
        return False
    if len(parts) != len(terms(sympy.apart(sympy.together(wanted), X))):
        return False
    return all(len(sympy.factor_list(sympy.denom(sympy.together(part)), X)[1]) == 1 for part in parts)


def decomposition_mutations(_, parts):
    yield from shortened(parts)
    for i, part in enumerate(parts):
        rest = [*parts[:i], *parts[i + 1 :]]
        yield from ([*rest, 2 * part], [*rest, -part], [*rest, part / (X + 1)])
    yield [sympy.together(sum(parts))]


def write_sum(parts):
    return " + ".join(f"({part})" for part in parts)


# --- linear algebra ---


def null_spaces(puzzle):
    """Other bases: multiples, and vectors added to others."""
    vectors = [list(v * lcm(*(x.q for x in v))) for v in sympy.Matrix(puzzle["matrix"]).nullspace()]
    rng = random.Random(len(vectors))
    found = [[[-3 * x for x in v] for v in vectors], vectors[::-1]]
    if len(vectors) > 1:
        mixed = [a + 2 * b for a, b in zip(vectors[0], vectors[1], strict=True)]
        found.append([mixed, *vectors[1:]])
    factor = rng.randint(2, 5)
    found.append([[sympy.Rational(x, factor) for x in v] for v in vectors])
    return found


def null_space_holds(puzzle, vectors):
    matrix = sympy.Matrix(puzzle["matrix"])
    if len(vectors) != matrix.cols - matrix.rank():
        return False
    inside = all((matrix * sympy.Matrix(v)).is_zero_matrix for v in vectors)
    return inside and sympy.Matrix(vectors).rank() == len(vectors)


def null_space_mutations(_, vectors):
    for i, vector in enumerate(vectors):
        for j in range(len(vector)):
            yield [*vectors[:i], [*vector[:j], vector[j] + 1, *vector[j + 1 :]], *vectors[i + 1 :]]
        yield [*vectors[:i], [0] * len(vector), *vectors[i + 1 :]]
        yield [*vectors, vector]
        if len(vectors) > 1:
            yield [*vectors[:i], *vectors[i + 1 :]]
            yield [*vectors[:i], vectors[i - 1], *vectors[i + 1 :]]


def write_matrix(rows):
    return f"[{', '.join(str(list(row)) for row in rows)}]"


def systems(puzzle):
    """Points, two for a system with many solutions; or multipliers that make it read 0 = c."""
    rows = sympy.Matrix(puzzle["rows"])
    left, right = rows[:, :-1], rows[:, -1]
    for proof in left.T.nullspace():
        if (right.T * proof)[0] != 0:
            return [("none", [list(proof * factor)]) for factor in (1, -2, sympy.Rational(1, 3))]
    free = left.nullspace()
    names = sympy.symbols("x y z w")[: left.cols]
    point = sympy.Matrix(next(iter(sympy.linsolve((left, right), *names)))).subs(dict.fromkeys(names, 0))
    if not free:
        return [("points", [list(point)])]
    return [("points", [list(point + a * free[0]), list(point + b * free[0])]) for a, b in ((3, 5), (-1, 2))]


def system_holds(puzzle, claim):
    kind, vectors = claim
    rows = sympy.Matrix(puzzle["rows"])
    left, right = rows[:, :-1], rows[:, -1]
    if kind == "none":
        combined = sympy.Matrix([vectors[0]]) * rows
        return combined[:, :-1].is_zero_matrix and combined[-1] != 0
    solved = all(left * sympy.Matrix(v) == right for v in vectors)
    distinct = len(set(map(tuple, vectors)))
    return solved and (distinct > 1 if left.nullspace() else distinct == 1)


def system_mutations(_, claim):
    kind, vectors = claim
    for i, vector in enumerate(vectors):
        for j in range(len(vector)):
            for change in (1, -1):
                changed = [*vector[:j], vector[j] + change, *vector[j + 1 :]]
                yield kind, [*vectors[:i], changed, *vectors[i + 1 :]]
    if kind == "points" and len(vectors) > 1:
        yield kind, [vectors[0], vectors[0]]
        yield kind, vectors[:1]
    if kind == "none":
        yield "points", vectors


def write_system(claim):
    kind, vectors = claim
    if kind == "none":
        return f"none: {', '.join(map(str, vectors[0]))}"
    return "; ".join(
        ", ".join(f"{n} = {v}" for n, v in zip("xyzw", vector, strict=False)) for vector in vectors
    )


# --- numbers ---


def prime_factors(puzzle):
    """Powers, the largest first; single factors, the largest first."""
    powers = sympy.factorint(prod(puzzle))
    single = [p for p in sorted(powers, reverse=True) for _ in range(powers[p])]
    return [[(p, powers[p]) for p in sorted(powers, reverse=True)], [(p, 1) for p in single]]


def primes_hold(puzzle, powers):
    whole = prod(p**k for p, k in powers) == prod(puzzle)
    return whole and all(sympy.isprime(p) for p, k in powers if k)


def prime_mutations(_, powers):
    for i, (p, k) in enumerate(powers):
        rest = [*powers[:i], *powers[i + 1 :]]
        yield from ([*rest, (p, k + 1)], [*rest, (p + 2, k)], [*rest, (p, k), (3, 1)])
        if rest:
            yield rest
            yield [*rest[1:], (p**k * rest[0][0] ** rest[0][1], 1)]


def residues(value, modulus):
    """Some of a class; negative and large ones too."""
    return [value + k * modulus for k in (1, -1, 7, -10)]


def congruent(puzzle):
    moduli = [m for _, m in puzzle["congruences"]]
    value, modulus = sympy.ntheory.modular.crt(moduli, [r for r, _ in puzzle["congruences"]])
    return residues(int(value), int(modulus))


def inverses(puzzle):
    return residues(int(sympy.mod_inverse(puzzle["a"], puzzle["modulus"])), puzzle["modulus"])


def number_mutations(_, number):
    return [number + d for d in (-10, -2, -1, 1, 2, 10)] + [-number, 2 * number]


PROOFS = {
    "Antiderivative": Proof(
        antiderivatives, antiderivative_holds, with_ln, term_mutations, difficulties=(1, 2, 3)
    ),
    "Factorization": Proof(
        factorings, factoring_holds, write_factors, factor_mutations, difficulties=(1, 4, 8)
    ),
    "PolynomialGcd": Proof(
        common_divisors,
        is_same_divisor,
        str,
        lambda p, s: [*term_mutations(p, s), sympy.expand(s * (X - 1)), sympy.Integer(1)],
        difficulties=(2, 5, 8),
    ),
    "PartialFractions": Proof(
        decompositions, decomposition_holds, write_sum, decomposition_mutations, difficulties=(1, 3, 5)
    ),
    "NullSpace": Proof(
        null_spaces, null_space_holds, write_matrix, null_space_mutations, difficulties=(1, 4, 8)
    ),
    "LinearSystem": Proof(systems, system_holds, write_system, system_mutations, difficulties=(3, 5, 9)),
    "PrimeFactorization": Proof(
        prime_factors,
        primes_hold,
        lambda s: " * ".join(f"{p}^{k}" if k > 1 else str(p) for p, k in s),
        prime_mutations,
        key=lambda text: re.sub(r"\s", "", text),
        difficulties=(2, 5, 9),
    ),
    "ChineseRemainder": Proof(
        congruent,
        lambda p, s: all(s % m == r for r, m in p["congruences"]),
        str,
        number_mutations,
        difficulties=(1, 5, 10),
    ),
    "ModularInverse": Proof(
        inverses,
        lambda p, s: s * p["a"] % p["modulus"] == 1,
        str,
        number_mutations,
        difficulties=(1, 5, 10),
    ),
}
