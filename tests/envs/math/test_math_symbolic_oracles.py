"""Generated tasks of algebra and calculus against SymPy, both ways: its answer is ours, and ours accepts its form."""

from __future__ import annotations

import re

import mpmath
import pytest
import sympy

from rlvr_gym.registration import load_problem

X = sympy.Symbol("x")


def between(text: str, start: str, end: str) -> str:
    return text.split(start, 1)[1].split(end, 1)[0]


def accepts(name: str, task, answer: str) -> bool:
    verdict = load_problem(name).make_verifier().verify(answer, task)
    assert verdict.valid, verdict
    return verdict.correct


def test_products(tasks, sym):
    for task in tasks("PolynomialProduct"):
        wanted = sympy.expand(sym(between(task.prompt, "out: ", "\n")))
        assert accepts("PolynomialProduct", task, str(wanted))


def test_divisions(tasks, sym):
    for task in tasks("PolynomialDivision"):
        a, b = (sym(t) for t in re.search(r"Divide (.*) by (.*), with", task.prompt).groups())
        quotient, remainder = sympy.div(a, b, X)
        assert accepts("PolynomialDivision", task, f"{quotient}; {remainder}")


def test_gcds(tasks, sym):
    for task in tasks("PolynomialGcd"):
        a, b = (sym(t) for t in re.search(r"divisor of (.*) and (.*) over", task.prompt).groups())
        assert accepts("PolynomialGcd", task, str(sympy.gcd(a, b)))


def test_factorizations(tasks, sym):
    for task in tasks("Factorization", range(1, 11), 3):
        polynomial = sym(between(task.prompt, "Factor ", " into"))
        factored = sympy.factor(polynomial)
        assert accepts("Factorization", task, str(factored).replace("**", "^"))
        _, parts = sympy.factor_list(polynomial)
        if sum(k for _, k in parts) > 1:
            merged = sympy.expand(parts[0][0] * (parts[1][0] if parts[0][1] == 1 else parts[0][0]))
            rest = sympy.cancel(polynomial / merged)
            assert not accepts("Factorization", task, f"({merged})*({rest})".replace("**", "^"))


def test_simplifications(tasks, sym):
    for task in tasks("Simplification", range(1, 11), 4):
        question = sym(between(task.prompt, "Simplify ", " as far"))
        assert sympy.cancel(question - sym(task.answer["text"])) == 0
        assert accepts("Simplification", task, str(sympy.cancel(question)).replace("**", "^"))


def test_partial_fractions(tasks, sym):
    for task in tasks("PartialFractions", range(1, 11), 3):
        question = sym(between(task.prompt, "decomposition of ", " over"))
        assert accepts("PartialFractions", task, str(sympy.apart(question)).replace("**", "^"))
        assert not accepts("PartialFractions", task, str(sympy.together(question)).replace("**", "^"))


def test_inequalities(tasks, sym):
    for task in tasks("Inequality", (1, 3, 5, 6, 8, 10), 2):
        question = between(task.prompt, "inequality ", " over the real")
        left, op, right = re.fullmatch(r"(.*) (<=|>=|<|>) (.*)", question).groups()
        left = re.sub(r"\|(.*)\|", r"Abs(\1)", left)
        relation = sympy.Rel(sym(left.replace("Abs", "abs")), sym(right), op)
        solution = sympy.solve_univariate_inequality(
            relation.subs(X, sympy.Symbol("x", real=True)), sympy.Symbol("x", real=True), relational=False
        )
        parts = solution.args if isinstance(solution, sympy.Union) else (solution,)
        written = []
        for part in parts:
            if isinstance(part, sympy.FiniteSet):
                written += [f"[{p}, {p}]" for p in part]
            else:
                written.append(
                    f"{'(' if part.left_open else '['}{part.start}, {part.end}{')' if part.right_open else ']'}"
                )
        assert accepts("Inequality", task, " U ".join(written)), (task.prompt, solution)


def test_quadratic_equations(tasks, sym):
    for task in tasks("QuadraticEquation", (1, 3, 5, 8, 10), 3):
        left, right = between(task.prompt, "Solve ", " over").split(" = ")
        first, second = sympy.solve(sym(left) - sym(right), X)
        assert accepts("QuadraticEquation", task, f"x = {second} or x = {first}".replace("I", "i"))
        assert accepts("QuadraticEquation", task, f"{first}, {second}".replace("I", "i"))
        assert not accepts("QuadraticEquation", task, str(first).replace("I", "i"))
        assert not accepts("QuadraticEquation", task, f"{first}, {second + 1}".replace("I", "i"))


def test_derivatives(tasks, sym):
    for task in tasks("Derivative", range(1, 11), 4):
        slope = sympy.diff(sym(between(task.prompt, "f(x) = ", " with respect")), X)
        assert accepts(
            "Derivative", task, str(slope).replace("**", "^").replace("log", "ln").replace("exp", "e^")
        )
        assert not accepts(
            "Derivative",
            task,
            f"{slope} + 1/1000".replace("**", "^").replace("log", "ln").replace("exp", "e^"),
        )


def test_antiderivatives(tasks, sym):
    for task in tasks("Antiderivative", range(1, 11), 4):
        integrand = sym(between(task.prompt, "f(x) = ", ". The constant"))
        difference = sympy.diff(sym(task.answer["text"]), X) - integrand
        points = (sympy.Rational(7, 3), sympy.Rational(19, 7), 5)
        assert all(abs(sympy.N(difference.subs(X, p), 40)) < 1e-20 for p in points), task.prompt
        assert accepts("Antiderivative", task, task.answer["text"] + " + C")
        assert not accepts("Antiderivative", task, task.answer["text"] + " + x/1000")


def test_definite_integrals(tasks, sym):
    for task in tasks("DefiniteIntegral", range(1, 11), 3):
        text, low, high = re.search(r"f\(x\) = (.*) from x = (-?\d+) to x = (-?\d+)", task.prompt).groups()
        mpmath.mp.dps = 30
        value = mpmath.quad(sympy.lambdify(X, sym(text), "mpmath"), [int(low), int(high)])
        assert abs(value - mpmath.mpf(sympy.N(sym(task.answer), 30))) < 1e-12 * (1 + abs(value)), task.prompt


def test_limits(tasks, sym):
    for task in tasks("Limit", range(1, 11), 2):
        function, place = re.search(r"limit of (.*) as x goes to (.*)\.\n", task.prompt).groups()
        target = sympy.oo if place == "infinity" else sympy.Integer(place)
        assert sympy.simplify(sympy.limit(sym(function), X, target) - sym(task.answer)) == 0, task.prompt


@pytest.mark.parametrize("name", ["Derivative", "Antiderivative"])
def test_zero_is_never_the_answer(name, tasks):
    for task in tasks(name, range(1, 11), 10):
        assert not accepts(name, task, "0")
        assert not accepts(name, task, "C")
