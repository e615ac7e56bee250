"""Grid puzzles at all levels: forms that are forgiven, copies of the question and one-cell changes that are not."""

import json

import pytest

import rlvr_gym

GRIDS = ["Sudoku", "MiniSudoku", "Futoshiki", "Skyscrapers", "Kenken", "BinaryPuzzle", "Nonogram", "Kakuro"]
LEVELS = [1, 3, 6, 8]


def tasks_of(name, count=2):
    for level in LEVELS:
        problem = rlvr_gym.load_problem(name, difficulty=level)
        source = problem.source(7)
        for index in range(count):
            yield problem.make_verifier(), source[index]


def text(rows, cell=" ", row="\n"):
    return row.join(cell.join(r) for r in rows)


@pytest.mark.parametrize("name", GRIDS)
def test_any_presentation_of_the_solution_is_right(name):
    for verifier, task in tasks_of(name):
        rows = task.answer["reference"]
        forms = [
            text(rows),
            text(rows, ""),
            text(rows, ", ").upper(),
            text(rows, " ", " \r\n\n"),
            json.dumps([list(row) for row in rows]),
            json.dumps(rows, indent=1),
            f"```\n{text(rows)}\n```",
            "\n".join(f"| {' | '.join(row)} |" for row in rows),
            "\n".join(f"Row {i}: {' '.join(row)}" for i, row in enumerate(rows, 1)),
        ]
        for form in forms:
            for completion in (f"<answer>{form}</answer>", f"So the answer is \\boxed{{{form}}}", form):
                if completion is form and ("\n\n" in form or ":" in form):
                    continue
                verdict = verifier.verify(completion, task)
                assert verdict.correct, (completion, verdict)


@pytest.mark.parametrize("name", GRIDS)
def test_every_change_of_one_cell_is_wrong(name):
    for verifier, task in tasks_of(name, 1):
        rows = task.answer["reference"]
        symbols = {cell for row in rows for cell in row}
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                for other in sorted(symbols - {cell})[:3]:
                    changed = [*rows[:r], row[:c] + other + row[c + 1 :], *rows[r + 1 :]]
                    verdict = verifier.verify(text(changed), task)
                    assert not verdict.correct
                    assert verdict.valid


@pytest.mark.parametrize("name", GRIDS)
def test_the_question_is_no_answer(name):
    for verifier, task in tasks_of(name):
        givens = task.answer.get("givens")
        copies = [task.prompt, f"<answer>{task.prompt}</answer>"]
        if givens is not None:
            copies += [
                text(givens),
                text(givens, ""),
                text(givens).replace(".", "0"),
                text(givens).replace(".", "1"),
            ]
        for copy in copies:
            verdict = verifier.verify(copy, task)
            assert not verdict.correct
            assert verdict.valid


@pytest.mark.parametrize("name", GRIDS)
def test_rows_in_another_order_and_missing_rows_are_wrong(name):
    for verifier, task in tasks_of(name, 1):
        rows = task.answer["reference"]
        for changed in (rows[::-1], rows[1:], [*rows, rows[0]], [row[1:] for row in rows]):
            assert changed == rows or not verifier.verify(text(changed), task).correct


@pytest.mark.parametrize("name", ["Sudoku", "Futoshiki", "Kenken", "BinaryPuzzle"])
def test_given_cells_stay_as_they_are(name):
    """A solution of the empty puzzle is not one of this puzzle."""
    verifier, task = next(iter(tasks_of(name)))
    verdict = verifier.verify(text([row[::-1] for row in task.answer["reference"]][::-1]), task)
    assert not verdict.correct
    assert verdict.details["rule"]


@pytest.mark.parametrize("entry", rlvr_gym.list_envs("logic"), ids=lambda entry: entry.id)
def test_solutions_end_in_the_answer(entry):
    problem = entry.make_problem(difficulty=4)
    for index in range(3):
        task = problem.source(1)[index]
        last = task.solution.rstrip().removesuffix(".")
        assert problem.answer_text(task).splitlines()[-1] in last[-200:]


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("Sudoku", "size", 5),
        ("Sudoku", "empty", -1),
        ("Zebra", "houses", 1),
        ("Zebra", "categories", 9),
        ("Futoshiki", "size", 2),
        ("Skyscrapers", "size", 8),
        ("Kenken", "size", 1),
        ("BinaryPuzzle", "size", 5),
        ("Nonogram", "size", 16),
        ("Kakuro", "size", 1),
        ("StarBattle", "size", 4),
        ("SAT", "variables", 2),
        ("Circuit", "goal", "guess"),
    ],
)
def test_settings_that_cannot_be_are_refused(name, setting, value):
    with pytest.raises(rlvr_gym.errors.ConfigError, match=setting):
        rlvr_gym.load_problem(name, **{setting: value})


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("Sudoku", {"size": 6}),
        ("Sudoku", {"size": 9, "empty": 50}),
        ("Zebra", {"houses": 5, "categories": 5}),
        ("Futoshiki", {"size": 9, "difficulty": 1}),
        ("Skyscrapers", {"size": 7, "difficulty": 1}),
        ("Kenken", {"size": 7}),
        ("BinaryPuzzle", {"size": 12}),
        ("Nonogram", {"size": 15}),
        ("Kakuro", {"size": 8}),
        ("StarBattle", {"size": 9}),
        ("SAT", {"variables": 16}),
    ],
)
def test_settings_win_over_the_difficulty(name, settings):
    problem = rlvr_gym.load_problem(name, **settings)
    task = problem.source(0)[0]
    assert problem.make_verifier().verify(problem.answer_text(task), task).correct
    wanted = settings.get("size") or settings.get("houses") or settings.get("variables")
    assert wanted in (
        task.metadata.get("size"), task.metadata.get("houses"), task.metadata.get("variables"),
        len(task.answer.get("givens", [])),
    )  # fmt: skip
