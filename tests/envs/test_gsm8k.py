"""GSM8K on its own files where they are there, and on rows of our own."""

import json
import os
from pathlib import Path

import pytest

import rlvr_gym
from rlvr_gym import DataError
from rlvr_gym.envs.loading import Row

DATA = Path(os.environ.get("RLVR_GYM_DATA", Path(__file__).parents[3] / "shared" / "data")) / "gsm8k"
real = pytest.mark.skipif(not (DATA / "test.jsonl").is_file(), reason="the GSM8K files are not there")


@pytest.fixture
def problem(tmp_path):
    return rlvr_gym.load_problem("GSM8K", data=str(tmp_path))


def row(answer):
    return Row({"question": "How many?", "answer": answer}, "file, line 1", "test-1")


def test_a_row(problem):
    task = problem.task_from_row(row("He has 2*600=<<2*600=1200>>1,200 eggs.\nHe eats none.\n#### 1,200"))
    assert task.answer == "1200"
    assert task.solution == "He has 2*600=1,200 eggs.\nHe eats none."
    assert task.metadata == {"hardness": 2}


def test_the_example_is_never_the_answer(problem):
    assert "<answer>42</answer>" in problem.task_from_row(row("x\n#### 41")).prompt
    assert "<answer>42</answer>" not in problem.task_from_row(row("x\n#### 42")).prompt


@pytest.mark.parametrize("answer", ["no marker", "x\n#### many", "x\n####"])
def test_rows_without_a_number(problem, answer):
    with pytest.raises(DataError, match="file, line 1: the answer has to end in '#### number'"):
        problem.task_from_row(row(answer))


@real
@pytest.mark.parametrize(("split", "count"), [("test", 1319), ("train", 7473)])
def test_the_worked_solutions_as_they_are_score_one(split, count):
    problem = rlvr_gym.load_problem("GSM8K", data=str(DATA), split=split)
    tasks, verifier = problem.tasks(), problem.make_verifier()
    lines = (DATA / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    solutions = [json.loads(line)["answer"] for line in lines]
    assert len(tasks) == len(solutions) == count
    verdicts = verifier.verify_batch(solutions, tasks)
    assert [t.id for t, v in zip(tasks, verdicts, strict=True) if v.score != 1.0] == []
    shifted = verifier.verify_batch(solutions[1:] + solutions[:1], tasks)
    answers = [task.answer for task in tasks]
    assert [v.correct for v in shifted] == [
        a == b for a, b in zip(answers, answers[1:] + answers[:1], strict=True)
    ]


@real
def test_the_splits_share_no_question():
    test, train = (rlvr_gym.load_problem("GSM8K", data=str(DATA), split=s).tasks() for s in ("test", "train"))
    assert not {task.prompt for task in test} & {task.prompt for task in train}
    assert not {task.id for task in test} & {task.id for task in train}
