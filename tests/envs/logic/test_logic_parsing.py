"""What the shared parsers of grids, assignments, groups and selections forgive, and what they do not."""

import pytest

from rlvr_gym.verifiers.grids import (
    parse_assignment,
    parse_bits,
    parse_grid,
    parse_groups,
    parse_selection,
    words_of,
)

GRID = ["123", "231"]
PLACES = {"1": 0, "2": 1}
VALUES = {"ann", "ben", "red", "blue"}


@pytest.mark.parametrize(
    "text",
    [
        "1 2 3\n2 3 1",
        "123\n231",
        "1,2,3\n2,3,1",
        "  1  2 3 \r\n\n 2 3 1\n",
        "[[1, 2, 3], [2, 3, 1]]",
        '["123", "231"]',
        '[["1","2","3"],\n ["2","3","1"]]',
        "| 1 | 2 | 3 |\n|---|---|---|\n| 2 | 3 | 1 |",
        "+---+---+\n|1 2 3|\n+---+---+\n|2 3 1|\n+---+",
        "```\n1 2 3\n2 3 1\n```",
        "```text\n123\n231\n```",
        "Row 1: 1 2 3\nRow 2: 2 3 1",
        "r1: 123\nr2: 231",
        "1 2 3; 2 3 1",
        "1 2 3 2 3 1",
        r"\begin{pmatrix}1 & 2 & 3\\2 & 3 & 1\end{pmatrix}",
        r"\begin{array}{|c|c|c|}\hline 1 & 2 & 3\\ \hline 2 & 3 & 1\\ \hline\end{array}",
        "**1** 2 3\n2 3 1",
    ],
)
def test_grid_presentation_is_forgiven(text):
    assert parse_grid(text, 2, 3, "123") == GRID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 2 3",
        "1 2 3\n2 3",
        "1 2 3\n2 3 1\n1 2 3",
        "1 2 3\n2 3 4",
        "1 2 .\n2 3 1",
        "1 2 3\n2 3 -1",
        "1 2 3\n2 3 1.5",
        "Row 2: 1 2 3\nRow 1: 2 3 1",
        "Solution:\n1 2 3\n2 3 1",
        "1 2 3\n2 3 1\nor\n1 2 3\n2 3 1",
        "1 2 3\n2 3 \u0661",
        "1 2 3 2 3",
    ],
)
def test_grid_content_is_not(text):
    assert parse_grid(text, 2, 3, "123") is None


def test_letters_of_a_grid_may_be_capital():
    assert parse_grid("X 1\n2 X", 2, 2, "12x") == ["x1", "2x"]


@pytest.mark.parametrize(
    "text",
    [
        "a=1, b=0",
        "A = 1\nB = 0",
        '{"a": 1, "b": 0}',
        "- a: 1\n- b: 0",
        "**a** = 1; **b** = 0",
        "a is 1 and b is 0",
        "a -> 1, b -> 0.",
        "```json\n{'a': 1, 'b': 0}\n```",
        "a=1, b=0, a=1",
    ],
)
def test_assignment_presentation_is_forgiven(text):
    assert parse_assignment(text, ["a", "b"]) == {"a": "1", "b": "0"}


@pytest.mark.parametrize(
    "text", ["", "a=1", "a=1, b=0, c=1", "a=1, b=0, a=0", "a=1 or b=0", "a=1, b", "not a=1, b=0", "a=1, b=?"]
)
def test_assignment_content_is_not(text):
    assert parse_assignment(text, ["a", "b"]) is None


def test_names_may_have_a_subscript():
    assert parse_assignment("x_1 = 1, x_2 = 0", ["x1", "x2"]) == {"x1": "1", "x2": "0"}


def test_bits_are_truth_values_only():
    assert parse_bits("a=True, b=0", ["a", "b"]) == [True, False]
    assert parse_bits("a=2, b=0", ["a", "b"]) is None


@pytest.mark.parametrize(
    "text",
    [
        "House 1: Ann, red\nHouse 2: Ben, blue",
        "| House | Name | Colour |\n|---|---|---|\n| 1 | Ann | Red |\n| 2 | Ben | Blue |",
        '{"1": ["Ann", "red"], "2": ["Ben", "blue"]}',
        '{"house_2": {"name": "Ben", "colour": "blue"}, "house_1": {"name": "Ann", "colour": "red"}}',
    ],
)
def test_groups_presentation_is_forgiven(text):
    found = parse_groups(words_of(text), PLACES, VALUES, {"house", "name", "colour"})
    assert found == {"ann": 0, "red": 0, "ben": 1, "blue": 1}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ann, red, 1, Ben, blue, 2",
        "1: Ann red Ben",
        "1: Ann red 2: Ben blue red",
        "1: Ann, not red 2: Ben, blue",
    ],
)
def test_groups_content_is_not(text):
    assert parse_groups(words_of(text), PLACES, VALUES) is None


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("1, 3", {1, 3}),
        ("{3,1}", {1, 3}),
        ("Statements 1 and 3.", {1, 3}),
        ("[1 3]", {1, 3}),
        ("2", {2}),
        ("None.", set()),
        ("none of them", set()),
        ("1-3", None),
        ("1.3", None),
        ("-1", None),
        ("4", None),
        ("0", None),
        ("", None),
        ("all", None),
        ("not 1", None),
        ("1, 2, 3, 1", None),
    ],
)
def test_selection(text, chosen):
    assert parse_selection(text, 3) == chosen


@pytest.mark.parametrize("size", [10_000, 1_000_000])
def test_long_texts_are_refused_at_once(size):
    for text in ("1 " * size, "a=" * size, "[" * size, "-" * size, "`" * size, " " * size):
        assert parse_grid(text, 2, 2, "12") is None
        assert parse_assignment(text, ["a"]) is None
        assert parse_selection(text, 3) is None
