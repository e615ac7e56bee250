"""Verifiers of numbers, lists and matrices: every valid answer scores 1, near misses 0."""

from __future__ import annotations

import pytest

CASES = {
    "prime_factors": (
        [2, 2, 2, 5],
        [
            "2^3 * 5",
            "5*2^3",
            "2*2*2*5",
            r"2^3 \cdot 5",
            "2³×5",
            "2**3*5",
            "2, 2, 2, 5",
            "40 = 2^{3} \\times 5",
            "2^3 x 5",
        ],
        ["40", "8*5", "2^3*5*1", "2^2*5", "2^3*5^2", "2^3+5", "", "-2*-2*2*5", "2^99999*5", "1*40"],
    ),
    "numeral": (
        {"digits": "1f", "base": 16},
        ["1f", "1F", "0x1F", "1f_16", "1F_{16}", "001f", "1 f"],
        ["31", "1g", "f1", "1f1", "-1f", "1f_15"],
    ),
    "modular_inverse": (
        {"a": 3, "modulus": 11, "inverse": 4},
        ["4", "15", "-7", "x = 4", "4 (mod 11)", r"x = 4 \pmod{11}", "4 mod 11", "x = 15 (mod 11)"],
        ["3", "0", "1", "4 (mod 7)", "4/1.5", "four"],
    ),
    "congruences": (
        {"congruences": [[2, 7], [3, 5]], "value": 23},
        ["23", "58", "-12", "x = 23"],
        ["2", "3", "24", "23.5", "(2, 3)"],
    ),
    "integer": (
        "-12",
        ["-12", "−12", "x = -12", "-12.0", "-24/2", "[-12]"],
        ["12", "-12.5", "-1 2", "-12 or 12"],
    ),
    "reduced_fraction": (
        "-5/6",
        ["-5/6", "\\frac{-5}{6}", "- 5 / 6", "(-5/6)", "$-5/6$"],
        ["-10/12", "5/6", "-0.8333333", "5/-6", "-5/06.0", "-5/0"],
    ),
    "number_multiset": (
        "-1/2, 2, 2",
        [
            "2, 2, -1/2",
            "[2, -0.5, 2]",
            "{2; 2; -1/2}",
            "x = 2, x = 2, x = -1/2",
            "2 2 -1/2",
            "x_1 = 2, x_2 = 2, x_3 = -1/2",
        ],
        ["2, -1/2", "2, 2, 2, -1/2", "2, 2, 1/2", "2, -1/2, -1/2", "2 (twice), -1/2"],
    ),
    "number_tuple": (
        "(1/2, -3)",
        [
            "(1/2, -3)",
            "(0.5, -3)",
            "1/2, -3",
            r"\left(\frac{1}{2}, -3\right)",
            r"(\frac12, -3)",
            "P = (1/2, -3)",
        ],
        ["(-3, 1/2)", "(1/2, 3)", "(1/2, -3, 0)", "1/2"],
    ),
    "matrix": (
        "[[1, -2], [1/3, 4]]",
        [
            "[[1,-2],[1/3,4]]",
            r"\begin{pmatrix}1 & -2\\ \frac{1}{3} & 4\end{pmatrix}",
            "[1 -2; 1/3 4]",
            "1 -2\n1/3 4",
            "((1, -2), (1/3, 4))",
            "A = [[1, -2], [2/6, 4]]",
        ],
        [
            "[[1,-2],[1/3,5]]",
            "[[1,1/3],[-2,4]]",
            "[1,-2,1/3,4]",
            "[[1,-2],[1/3]]",
            "[[1,-2],[1/3,4],[0,0]]",
            "[[1,-2] x [1/3,4]]",
        ],
    ),
    "null_space": (
        {"matrix": [[1, 1, 1]], "nullity": 2, "basis": ""},
        ["[[1,-1,0],[0,1,-1]]", "[[2,-1,-1],[0,1,-1]]", "(1,-1,0), (1/2,0,-1/2)"],
        [
            "[[1,-1,0]]",
            "[[1,-1,0],[2,-2,0]]",
            "[[0,0,0],[1,-1,0]]",
            "[[1,-1,0],[0,1,1]]",
            "[[1,-1,0],[0,1,-1],[1,0,-1]]",
        ],
    ),
    "quantity": (
        {"value": "25", "unit": "m/s"},
        ["25 m/s", "25", "25.0 m s^-1", "25 m s⁻¹", r"25 \text{ m}/\text{s}", "50/2 m/s"],
        ["25 km/h", "90 km/h", "25 m", "25 m*s", "26 m/s", "impossible: 0, 1, -1", "25 parsec"],
    ),
    "parity": ("odd", ["odd", "Odd", "ODD."], ["even", "even or odd", "1", "not odd"]),
}


@pytest.mark.parametrize("verifier", CASES)
def test_valid_answers_and_near_misses(verifier, score):
    gold, right, wrong = CASES[verifier]
    for answer in right:
        assert score(verifier, gold, answer) == 1.0, answer
        assert score(verifier, gold, f"<answer> {answer} </answer>") == 1.0, answer
    for answer in wrong:
        assert score(verifier, gold, answer) == 0.0, answer


def test_impossible_conversions_need_the_dimension(score):
    gold = {"dimension": [1, 0, -2]}
    assert score("quantity", gold, "impossible: 1, 0, -2") == 1.0
    for answer in ("impossible", "impossible: 0, 1, -2", "1, 0, -2", "5 kg"):
        assert score("quantity", gold, answer) == 0.0


SYSTEMS = {
    "one": ([[1, 1, 3], [1, -1, 1]], ["x = 2, y = 1", "y=1, x=2", "(x = 2, y = 4/4)"]),
    "many": (
        [[1, 1, 3], [2, 2, 6]],
        ["x = 0, y = 3; x = 1, y = 2", "x = 3, y = 0; x = 1/2, y = 5/2; x = 0, y = 3"],
    ),
    "none": ([[1, 1, 3], [2, 2, 7]], ["none: 2, -1", "no solution: -4, 2", "None: [1, -1/2]"]),
}


@pytest.mark.parametrize("kind", SYSTEMS)
def test_each_kind_of_system_has_its_proof(kind, score):
    rows, right = SYSTEMS[kind]
    gold = {"kind": kind, "rows": rows, "text": ""}
    for answer in right:
        assert score("linear_system", gold, answer) == 1.0, answer
    others = [answer for other, (_, answers) in SYSTEMS.items() if other != kind for answer in answers]
    for answer in [
        *others,
        "none",
        "infinitely many",
        "none: 0, 0",
        "x = 5, y = -2; x = 5, y = -2",
        "x = 2",
        "x = 2, z = 1",
    ]:
        if kind == "one" and answer == "x = 2, y = 1":
            continue
        assert score("linear_system", gold, answer) == 0.0, answer


def test_one_solution_is_no_proof_of_infinitely_many(score):
    gold = {"kind": "many", "rows": SYSTEMS["many"][0], "text": ""}
    assert score("linear_system", gold, "x = 0, y = 3") == 0.0
    assert score("linear_system", gold, "x = 0, y = 3; x = 0, y = 3") == 0.0
    assert score("linear_system", gold, "x = 0, y = 3; x = 1, y = 1") == 0.0
