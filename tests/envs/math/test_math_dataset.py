"""The MATH loader, on rows of every shape that its files have."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rlvr_gym.errors import DataError
from rlvr_gym.registration import load_problem
from rlvr_gym.testing import check_text_env

DATA = Path(os.environ.get("RLVR_GYM_DATA", Path(__file__).parents[3] / ".." / "shared" / "data")) / "math500"


@pytest.fixture
def load(tmp_path):
    def make(*rows):
        path = tmp_path / "test.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return load_problem("MATH", data=str(path)).tasks()

    return make


def test_answer_field_or_last_box(load):
    first, second, third = load(
        {"problem": "P1", "answer": r"\frac{1}{2}", "level": 3, "subject": "Algebra"},
        {"problem": "P2", "solution": r"First \boxed{1}, then $x = \boxed{\sqrt{2}}$.", "level": "Level 5"},
        {"problem": "P3", "answer": 7},
    )
    assert (first.answer, first.metadata["hardness"], first.metadata["subject"]) == (
        r"\frac{1}{2}",
        3.0,
        "Algebra",
    )
    assert (second.answer, second.metadata["hardness"]) == (r"\sqrt{2}", 5.0)
    assert second.solution == r"First 1, then $x = \sqrt{2}$."
    assert (third.answer, third.metadata["hardness"], third.solution) == ("7", 0.0, None)


def test_verified_as_mathematics(load):
    problem = load_problem("MATH", data="unused.jsonl")
    (task,) = load({"problem": "P", "answer": r"\frac{1}{2}"})
    verifier = problem.make_verifier()
    assert verifier.verify(r"so it is \boxed{0.5}", task).correct
    assert not verifier.verify(r"so it is \boxed{0.51}", task).correct
    assert not verifier.verify(task.prompt, task).correct


def test_a_row_without_an_answer_is_told(load):
    with pytest.raises(DataError, match="line 1"):
        load({"problem": "P", "solution": "no box"})


@pytest.mark.skipif(not DATA.exists(), reason="the data set is not there")
def test_math500_references_verify_in_every_form():
    problem = load_problem("MATH", data=str(DATA))
    verifier = problem.make_verifier()
    for task in problem.tasks():
        for form in (task.answer, f"\\boxed{{{task.answer}}}", f"<answer>{task.answer}</answer>"):
            assert verifier.verify(form, task).correct, (form, task.answer)
        assert not verifier.verify(task.prompt, task).correct
    check_text_env("MATH", data=str(DATA), across_processes=False)
