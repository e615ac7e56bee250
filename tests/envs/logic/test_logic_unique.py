"""Puzzles with a promised unique solution, against brute force over all grids: the verifier accepts exactly one."""

from itertools import permutations, product

import pytest

import rlvr_gym

TASKS = 6


def tasks_of(name, difficulty, count=TASKS, **settings):
    problem = rlvr_gym.load_problem(name, difficulty=difficulty, **settings)
    source = problem.source(3)
    return problem, problem.make_verifier(), [source[i] for i in range(count)]


def grid_answer(rows):
    return "<answer>\n" + "\n".join("".join(map(str, row)) for row in rows) + "\n</answer>"


def latin_squares(size):
    """All of them, row by row."""
    rows = list(permutations(range(1, size + 1)))
    squares = [[row] for row in rows]
    for _ in range(size - 1):
        squares = [
            [*square, row]
            for square in squares
            for row in rows
            if all(a != b for above in square for a, b in zip(above, row, strict=True))
        ]
    return squares


LATIN = {size: latin_squares(size) for size in (3, 4)}


def accepted(verifier, task, answers):
    return [answer for answer in answers if verifier.verify(answer, task).correct]


@pytest.mark.parametrize(
    ("name", "size", "difficulty"),
    [
        ("MiniSudoku", 4, 2),
        ("MiniSudoku", 4, 10),
        ("Futoshiki", 3, 1),
        ("Futoshiki", 4, 3),
        ("Futoshiki", 4, 9),
        ("Skyscrapers", 3, 1),
        ("Skyscrapers", 4, 3),
        ("Skyscrapers", 4, 10),
        ("Kenken", 3, 2),
        ("Kenken", 4, 3),
        ("Kenken", 4, 10),
    ],
)
def test_one_latin_square_is_accepted(name, size, difficulty):
    problem, verifier, tasks = tasks_of(name, difficulty, 3, size=size)
    for task in tasks:
        right = accepted(verifier, task, map(grid_answer, LATIN[size]))
        assert right == [grid_answer(task.answer["reference"])]
        assert verifier.verify(problem.answer_text(task), task).correct


def test_one_binary_grid_is_accepted():
    _, verifier, tasks = tasks_of("BinaryPuzzle", 2)
    balanced = [row for row in product("01", repeat=4) if row.count("0") == 2]
    for task in tasks:
        right = accepted(verifier, task, map(grid_answer, product(balanced, repeat=4)))
        assert right == [grid_answer(task.answer["reference"])]


def test_one_nonogram_picture_is_accepted():
    _, verifier, tasks = tasks_of("Nonogram", 1, 4)
    rows = list(product("01", repeat=4))
    for task in tasks:
        # the rows' clues leave few candidates; the columns' are left to the verifier
        fitting = [
            [row for row in rows if [len(b) for b in "".join(row).split("0") if b] == clue]
            for clue in task.answer["rows"]
        ]
        right = accepted(verifier, task, map(grid_answer, product(*fitting)))
        assert right == [grid_answer(task.answer["reference"])]


def test_one_kakuro_filling_is_accepted():
    _, verifier, tasks = tasks_of("Kakuro", 1, 4)
    for task in tasks:
        columns = len(task.answer["givens"][0])
        across = [(total, run) for total, run in task.answer["runs"] if run[-1] - run[0] == len(run) - 1]
        options = [
            [p for p in permutations("123456789", len(run)) if sum(map(int, p)) == total]
            for total, run in across
        ]
        reference = "".join(task.answer["reference"])
        found = []
        for filling in product(*options):
            cells = list("x" * len(reference))
            for (_, run), digits in zip(across, filling, strict=True):
                for cell, digit in zip(run, digits, strict=True):
                    cells[cell] = digit
            found.append(
                grid_answer(["".join(cells[i : i + columns]) for i in range(0, len(cells), columns)])
            )
        assert accepted(verifier, task, found) == [grid_answer(task.answer["reference"])]


@pytest.mark.parametrize("difficulty", [1, 3])
def test_one_placement_of_stars_is_accepted(difficulty):
    problem, verifier, tasks = tasks_of("StarBattle", difficulty)
    for task in tasks:
        size = len(task.answer["regions"])
        answers = [" ".join(map(str, columns)) for columns in permutations(range(1, size + 1))]
        assert accepted(verifier, task, answers) == [problem.answer_text(task)]


@pytest.mark.parametrize(
    ("name", "difficulty"), [("Zebra", 2), ("Zebra", 3), ("LogicGridTiny", 4), ("LogicGridTiny", 5)]
)
def test_one_arrangement_is_accepted(name, difficulty):
    _, verifier, tasks = tasks_of(name, difficulty)
    for task in tasks:
        labels = task.answer["labels"]
        orders = [list(permutations(column)) for column in task.answer["categories"].values()]
        answers = []
        for columns in product(*orders):
            rows = zip(*columns, strict=True)
            answers.append(
                "\n".join(f"{label}: {', '.join(row)}" for label, row in zip(labels, rows, strict=True))
            )
        right = accepted(verifier, task, answers)
        assert len(right) == 1
        shown = [row if name == "Zebra" else row[1:] for row in task.answer["reference"]]
        assert [set(line.partition(": ")[2].split(", ")) for line in right[0].splitlines()] == [
            set(r) for r in shown
        ]


@pytest.mark.parametrize("difficulty", [1, 5, 8])
def test_one_choice_of_statements_is_consistent(difficulty):
    problem, verifier, tasks = tasks_of("SelfReference", difficulty, 2)
    for task in tasks:
        count = len(task.answer["statements"])
        choices = [[i for i in range(1, count + 1) if mask >> (i - 1) & 1] for mask in range(1 << count)]
        answers = [", ".join(map(str, chosen)) or "none" for chosen in choices]
        assert accepted(verifier, task, answers) == [problem.answer_text(task)]


@pytest.mark.parametrize("name", ["TruthTable", "PropositionalEquivalence", "Syllogism"])
def test_one_answer_of_all_is_accepted(name):
    problem, verifier, tasks = tasks_of(name, 3 if name != "TruthTable" else 4)
    for task in tasks:
        if name == "TruthTable":
            answers = [" ".join(bits) for bits in product("01", repeat=2 ** task.answer["variables"])]
        else:
            numbers = range(1, task.answer["count"] + 1)
            answers = [
                ", ".join(str(n) for n, bit in zip(numbers, bits, strict=True) if bit) or "none"
                for bits in product((0, 1), repeat=len(numbers))
            ]
        assert accepted(verifier, task, answers) == [problem.answer_text(task)]
