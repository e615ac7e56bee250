"""Parsers that read the commonest form in a shorter way: they read it as the way for all forms does.

A space at the end is presentation, which every parser forgives, and which the short ways do not know: so a text and
the same text with a space take two ways to one value.
"""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import rlvr_gym
from rlvr_gym import Task, get_verifier
from rlvr_gym.envs.algorithmic._reading import parse_names
from rlvr_gym.verifiers.answers import parse_matrix, parse_numbers
from rlvr_gym.verifiers.grids import parse_bits, parse_selection, words_of

PARTS = [
    *"0123456789abcxABX-+/.,:;=_ ()[]{}|*&\n\t\\$'\"",
    *(
        ", ",
        "], [",
        "[[",
        "]]",
        " = ",
        " and ",
        "none",
        "true",
        "is ",
        "x_1",
        "x1",
        "007",
        "1e3",
        "1/2",
        "-0",
    ),
    *(
        "٣",
        "²",
        "½",
        "\u2212",
        "\u00a0",
        "İ",
        "ß",
        "\uff11",
        "\x1c",
        "9" * 301,
        "1_0",
        "Infinity",
        "NaN",
        "null",
    ),
]
TEXT = st.lists(st.sampled_from(PARTS), max_size=20).map("".join) | st.text(max_size=30)
NUMBER = st.integers(-120, 120).map(str) | st.sampled_from(
    [
        "007",
        "-0",
        "1/2",
        "-6/4",
        "0/5",
        "2/0",
        "02/03",
        "1/-2",
        "1 /2",
        "1/2/3",
        "9" * 300,
        "9" * 301,
        "1.5",
        "",
    ]
)
BETWEEN = st.sampled_from([", ", ",", ", ", ",  ", " ", "; "])


def lists_of(parts, most=8):
    return st.builds(lambda found, sign: sign.join(found), st.lists(parts, max_size=most), BETWEEN)


@given(st.text(st.characters(exclude_categories=[]), max_size=100) | TEXT)
@settings(max_examples=500)
def test_words(text):
    assert words_of(text) == re.findall(r"[^\W_]+", text.lower())


def longer(text):
    """The same to a reader, but the patterns of the short ways do not fit. A backslash and a space are a space in LaTeX."""
    return f" {text}" if text.endswith("\\") else f"{text} "


@given(TEXT | lists_of(NUMBER))
@example("0\\")
@settings(max_examples=500)
def test_lists(text):
    assert parse_numbers(text) == parse_numbers(longer(text))


@given(
    TEXT
    | st.builds(
        lambda rows, sign: f"[[{sign.join(rows)}]]",
        st.lists(lists_of(NUMBER)),
        st.sampled_from(["], [", "],[", "],\n[", "]["]),
    )
)
@example("0\\")
@example("[[1, [2]], [3]]")
@example("[[1, 2], [3]]")
@example("[" * 2000 + "1" + "]" * 2000)
@settings(max_examples=500)
def test_matrices(text):
    assert parse_matrix(text) == parse_matrix(longer(text))


@given(TEXT | lists_of(st.integers(-1, 8).map(str) | st.sampled_from(["01", "none", "x"])), st.integers(1, 6))
@settings(max_examples=500)
def test_selections(text, count):
    assert parse_selection(text, count) == parse_selection(longer(text), count)


@given(TEXT | lists_of(st.sampled_from(["A", "b", "B", "C", "a", "and", "D", "A B"])))
@settings(max_examples=500)
def test_names(text):
    assert parse_names(text, ["A", "B", "C"]) == parse_names(longer(text), ["A", "B", "C"])


BIT = st.builds(
    "{}{}{}".format,
    st.sampled_from(["x1", "x2", "X1", "x_1", "x3", "x"]),
    st.sampled_from(["=", " = ", "= ", ": ", " "]),
    st.sampled_from(["0", "1", "true", "2", "10", "-1"]),
)


@given(TEXT | lists_of(BIT, 3), st.sampled_from([["x1"], ["x1", "x2"]]))
@settings(max_examples=1000)
def test_bits(text, names):
    assert parse_bits(text, names) == parse_bits(longer(text), names)


@given(TEXT | NUMBER | st.builds("{}/{}".format, NUMBER, NUMBER), st.sampled_from(["1/2", "-7", "0", "0.25"]))
@example("1/0", "0")
@example("0/0", "0")
@example("-2/-4", "1/2")
@settings(max_examples=500)
def test_rationals(text, gold):
    verifier, task = get_verifier("rational"), Task("?", gold)
    short, long = verifier.check(text, task), verifier.check(longer(text), task)
    assert (short.score, short.reason) == (long.score, long.reason)


@pytest.mark.parametrize("difficulty", [2, 5, 9])
@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Zebra", "places"),
        ("LogicGridTiny", "places"),
        ("SelfReference", "reference"),
        ("Sudoku", "reference"),
        ("MiniSudoku", "reference"),
        ("Futoshiki", "reference"),
        ("Skyscrapers", "reference"),
        ("Kenken", "reference"),
        ("BinaryPuzzle", "reference"),
        ("Nonogram", "reference"),
        ("Kakuro", "reference"),
    ],
)
def test_the_rules_accept_the_solution_that_is_known(name, known, difficulty):
    """A verifier that is told another solution judges by the rules, and they accept the true one."""
    problem = rlvr_gym.load_problem(name, difficulty=difficulty)
    verifier = problem.make_verifier()
    for index in range(3):
        task = problem.source(5)[index]
        answer = f"<answer>{problem.answer_text(task)}</answer>"
        assert verifier.verify(answer, task).correct
        told = dict.fromkeys(task.answer[known], 0) if known == "places" else []
        assert verifier.verify(answer, Task(task.prompt, {**task.answer, known: told, "words": []})).correct
