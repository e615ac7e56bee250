"""Verifiers of expressions: every valid form scores 1; the question itself, near misses and half-done work 0."""

from __future__ import annotations

import pytest

CASES = {
    "expanded_polynomials": (
        "2x^2 - 4x - 6",
        [
            "2x^2 - 4x - 6",
            "-6 - 4x + 2x^2",
            "2*x^2-4*x-6",
            r"2x^{2}-4x-6",
            "$2x^2-4x-6$",
            "p(x) = 2x^2 - 4x - 6",
        ],
        [
            "(x - 3)(2x + 2)",
            "2(x^2 - 2x - 3)",
            "x^2 + x^2 - 4x - 6",
            "2x^2 - 4x - 5",
            "2x^2 - 4x",
            "2y^2 - 4y - 6",
            "",
        ],
    ),
    "polynomial_gcd": (
        "x^2 - 1",
        ["x^2 - 1", "(x-1)(x+1)", "1 - x^2", "(3/2)x^2 - 3/2", "-5(x+1)(x-1)"],
        ["x - 1", "0", "x^2 + 1", "1", "x^3 - x", "(x^2-1)/x", "x^2 - 1, x"],
    ),
    "polynomial_factors": (
        "2x(x - 1)^2(x^2 + 1)",
        [
            "2x(x-1)^2(x^2+1)",
            "(x^2+1)(1-x)^2*2x",
            "2*x*(x-1)*(x-1)*(x^2+1)",
            "x(2x-2)(x-1)(x^2+1)",
            r"2x\left(x-1\right)^{2}\left(x^{2}+1\right)",
            "(1/2)(2x)(2x-2)(x-1)(x^2+1)",
        ],
        [
            "2x^5 - 4x^4 + 4x^3 - 4x^2 + 2x",
            "x(x-1)^2(x^2+1)",
            "2x(x-1)(x^2+1)",
            "2x(x^2-2x+1)(x^2+1)",
            "2(x-1)^2(x^3+x)",
            "2x(x-1)^2(x-i)(x+i)",
            "2x(x-1)^2(x^2-1)",
            "x(x-1), x-1, x^2+1",
        ],
    ),
    "simplified": (
        {"text": "(x + 1)/(x - 2)", "longest": 7},
        ["(x+1)/(x-2)", r"\frac{x+1}{x-2}", "(-x-1)/(2-x)", "(1+x)/(x-2)"],
        [
            "(x^2 - 1)/((x-2)(x-1))",
            "(2x+2)/(2x-4)",
            "(x+1)/(x-3)",
            "(x^2+x)/(x^2-2x)",
            "x + 1",
            "(x+1)/(x-2) + 0*x",
        ],
    ),
    "partial_fractions": (
        {"text": "2/(x - 1) - 3/(x + 2)^2", "factors": [["-1", "1"], ["2", "1"]]},
        [
            "2/(x-1) - 3/(x+2)^2",
            "-3/(x^2+4x+4) + 2/(x-1)",
            "4/(2x-2) - 3*(x+2)^(-2)",
            r"\frac{2}{x-1}-\frac{3}{(x+2)^2}",
        ],
        [
            "(2(x+2)^2 - 3(x-1))/((x-1)(x+2)^2)",
            "2/(x-1) - 3/(x+2)",
            "1/(x-1) + 1/(x-1) - 3/(x+2)^2",
            "2/(x-1) - (3x)/(x*(x+2)^2)",
            "2/(x-1) + 1/(x+2) - (x+5)/(x+2)^2",
            "2/(x-1)",
        ],
    ),
    "solution_set": (
        "(-oo, -1] U (2, 5/2)",
        [
            "(-oo, -1] U (2, 5/2)",
            r"(-\infty, -1] \cup (2, 2.5)",
            "x <= -1 or 2 < x < 5/2",
            r"x \le -1 \text{ or } 2 < x < \frac{5}{2}",
            "(2, 5/2) U (-oo, -1]",
            "(-inf, -2] U [-3, -1] U (2, 5/2)",
            r"\{x : x \le -1 \text{ or } 2<x<5/2\}",
            "x ∈ (-oo, -1] U (2, 5/2)",
            "x \\in (-oo, -1] U (2, 5/2)",
        ],
        [
            "(-oo, -1) U (2, 5/2)",
            "(-oo, -1] U [2, 5/2)",
            "x <= -1",
            "(-oo, -1] U (2, 5/2]",
            "(-oo, oo)",
            "x <= -1 and 2 < x < 5/2",
            "(x+1)(x-2)(2x-5) >= 0",
            "-1, 2, 5/2",
            "(-1, -oo) U (2, 5/2)",
        ],
    ),
    "antiderivative": (
        {"integrand": "2/(2x + 1) + 6x*cos(x^2)", "text": ""},
        [
            "ln(2x+1) + 3sin(x^2)",
            "ln|2x+1| + 3*sin(x^2) + C",
            r"\ln\left|x+\frac12\right| + 3\sin(x^2) + 17",
            "F(x) = 3 sin(x^2) + ln(4x+2) - 1",
        ],
        [
            "2/(2x + 1) + 6x*cos(x^2)",
            "2ln(2x+1) + 3sin(x^2)",
            "ln(2x+1) + 3cos(x^2)",
            "ln(2x+1) + 3sin(x^2) + C*x",
            "ln(2x+1)",
            "F(x)",
            "C",
            "",
        ],
    ),
}


@pytest.mark.parametrize("verifier", CASES)
def test_valid_forms_and_near_misses(verifier, score):
    gold, right, wrong = CASES[verifier]
    for answer in right:
        assert score(verifier, gold, answer) == 1.0, answer
        assert score(verifier, gold, f"<answer>{answer}</answer>") == 1.0, answer
    for answer in wrong:
        assert score(verifier, gold, answer) == 0.0, answer


def test_quotient_and_remainder(score):
    gold = "2x + 2; -3"
    for answer in ("2x + 2; -3", "2 + 2x;-3", "q = 2x + 2; r = -3"):
        assert score("expanded_polynomials", gold, answer) == 1.0, answer
    for answer in (
        "2x + 2",
        "-3; 2x + 2",
        "2x + 2; -3; 0",
        "2(x + 1); -3",
        "2x + 2 - 3/(x-3); 0",
        "2x+2, -3",
    ):
        assert score("expanded_polynomials", gold, answer) == 0.0, answer


BOMBS = [
    "((((10^60)^60)^60)^60)^60",
    "(x+1)^60" * 20,
    "(((x+1)^50)^50)^50",
    "x^999999999",
    "2^(2^(2^(2^9)))",
    "1/(x-x)",
    "(x-x)^(-1)",
    "0^0",
    "1/0",
    "(" * 500 + "x" + ")" * 500,
    "sin(" * 30 + "x" + ")" * 30,
    "x^x^x",
    "+".join(f"x^{i}" for i in range(200)),
    "__import__('os')",
    "{" * 300,
]


@pytest.mark.parametrize("verifier", list(CASES))
def test_bombs_are_wrong_and_bounded(verifier, score):
    gold = CASES[verifier][0]
    for text in BOMBS:
        assert score(verifier, gold, text) == 0.0, text


QUESTIONS = [
    "Simplification", "Factorization", "PartialFractions", "PolynomialProduct", "PolynomialGcd", "Derivative",
    "Antiderivative", "Inequality", "LinearEquation", "QuadraticEquation", "Limit", "DefiniteIntegral", "Fractions",
]  # fmt: skip


@pytest.mark.parametrize("name", QUESTIONS)
def test_copying_the_question_earns_nothing(name, tasks):
    import re

    from rlvr_gym.registration import load_problem

    verifier = load_problem(name).make_verifier()
    for task in tasks(name, range(1, 11), 6):
        question = task.prompt.split("\nThink")[0]
        pieces = re.split(
            r"(?:Simplify|Factor|decomposition of|out:|divisor of| and |f\(x\) =|inequality|for x:|Solve|limit of|"
            r"Work out|over the|as far|with respect|from x|as x goes|\. The| into|\.$| = )",
            question,
        )
        for piece in (question, *pieces):
            for text in (piece.strip(), f"<answer>{piece.strip()}</answer>"):
                assert verifier.verify(text, task).score == 0.0, (text, task.prompt)
