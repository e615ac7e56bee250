"""The bundled data sets load, are judged right, and keep their splits apart."""

from pathlib import Path

import pytest

from rlvr_gym import load_problem

FOLDER = Path(__file__).parents[2] / "datasets" / "wordproblems"


@pytest.mark.parametrize(("split", "rows"), [("train", 400), ("test", 100)])
def test_every_worked_solution_is_correct(split, rows):
    problem = load_problem("GSM8K", data=str(FOLDER), split=split)
    verifier, source = problem.make_verifier(), problem.source(0)
    assert len(source) == rows
    for task in source:
        completion = f"{task.solution}\n#### {task.answer}"
        assert verifier.verify(completion, task).correct, task.id
        assert not verifier.verify(f"{task.solution}\n#### {int(task.answer) + 1}", task).correct, task.id


def test_no_question_is_in_both_splits():
    train, test = (
        {task.prompt for task in load_problem("GSM8K", data=str(FOLDER), split=split).source(0)}
        for split in ("train", "test")
    )
    assert len(train) == 400
    assert len(test) == 100
    assert not train & test
