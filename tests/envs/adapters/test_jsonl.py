"""A file and a verifier's name make an environment; what is wrong with a file is told with its line."""

import gzip
import json
from pathlib import Path

import gymnasium
import pytest

import rlvr_gym
from rlvr_gym import ConfigError, DataError, UnknownNameError
from rlvr_gym.envs.adapters.jsonl import JSONL

BUNDLED = str(Path(__file__).parents[3] / "datasets" / "wordproblems" / "test.jsonl")
ROWS = [
    {"prompt": f"What is {i} halves?", "answer": f"{i}/2", "solution": f"It is {i}/2."} for i in range(1, 9)
]


def write(path, rows=ROWS):
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n"
    (gzip.open if path.suffix == ".gz" else open)(path, "wb").write(text.encode())
    return str(path)


@pytest.mark.parametrize("name", ["mine.jsonl", "mine.jsonl.gz"])
def test_a_file_is_an_environment(tmp_path, name):
    env = gymnasium.make("rlvr_gym:rlvr/JSONL-v0", data=write(tmp_path / name), verifier="math")
    prompt, info = env.reset(seed=0)
    task = env.unwrapped.task
    assert info["task_id"].startswith("JSONL-mine-")
    assert prompt.startswith("What is ")
    assert task.solution == f"It is {task.answer}."
    assert task.answer not in prompt
    assert env.step(f"\\boxed{{{float(task.answer[0]) / 2}}}")[1] == 1.0
    env.reset()
    assert env.step("<answer>...</answer>")[1] == 0.0


def test_fields_and_instruction_are_mine(tmp_path):
    rows = [{"frage": "2 + 3?", "loesung": 5, "weg": "3 und 2 sind 5."}]
    problem = JSONL(
        data=write(tmp_path / "a.jsonl", rows),
        prompt_field="frage",
        answer_field="loesung",
        solution_field="weg",
        instruction="Put the number in a box.",
        verifier="rational",
    )
    (task,) = problem.tasks()
    assert (task.prompt, task.answer, task.solution) == (
        "2 + 3?\n\nPut the number in a box.",
        5,
        "3 und 2 sind 5.",
    )
    assert problem.make_verifier().verify("\\boxed{5}", task).correct
    (bare,) = JSONL(
        data=write(tmp_path / "b.jsonl", [{"question": "1+1", "answer": "2"}]), instruction=""
    ).tasks()
    assert bare.prompt == "1+1"


def test_the_format_of_gsm8k():
    problem = JSONL(data=BUNDLED, answer_mark="####")
    task = problem.tasks()[0]
    assert task.answer.isdigit()
    assert task.solution.endswith(task.answer)


def test_tasks_of_another_environment_come_back(tmp_path):
    knights = rlvr_gym.load_problem("KnightsAndKnaves")
    tasks = [knights.source(3)[i] for i in range(5)]
    data = write(tmp_path / "knights.jsonl", [task.to_json() for task in tasks])
    problem = JSONL(data=data, verifier=knights.verifier, instruction="")
    for before, after in zip(tasks, problem.tasks(), strict=True):
        assert (after.prompt, after.answer, after.metadata, after.solution) == (
            before.prompt,
            before.answer,
            before.metadata,
            before.solution,
        )
        assert problem.make_verifier().verify(knights.answer_text(before), after).correct


def test_settings_of_the_verifier(tmp_path):
    data = write(tmp_path / "pi.jsonl", [{"prompt": "Pi?", "answer": "3.14159265"}])
    strict, loose = (
        JSONL(data=data, verifier_settings={"policy": {"tolerance": tolerance}})
        for tolerance in ("exact", "rel(1e-2)")
    )
    verdicts = [p.make_verifier().verify("<answer>3.14</answer>", p.tasks()[0]) for p in (strict, loose)]
    assert [verdict.correct for verdict in verdicts] == [False, True]
    with pytest.raises(ConfigError, match="'rational' does not take the settings"):
        JSONL(data=data, verifier="rational", verifier_settings={"policy": {}})
    with pytest.raises(UnknownNameError, match="did you mean math"):
        JSONL(data=data, verifier="maths")


@pytest.mark.parametrize(
    ("row", "settings", "message"),
    [
        ('{"prompt": "1+1", "answer"', {}, r"mine\.jsonl, line 3: this is no JSON"),
        ("[1, 2]", {}, r"line 3: a JSON object is expected; got list"),
        (
            {"text": "1+1", "answer": "2"},
            {},
            r"line 3: a field 'prompt' or 'problem' or 'question' is expected",
        ),
        ({"prompt": "1+1"}, {}, r"line 3: a field 'answer' is expected; there are \['prompt'\]"),
        ({"prompt": ["1+1"], "answer": "2"}, {}, r"line 3: text is expected in prompt"),
        ({"prompt": " ", "answer": "2"}, {}, r"line 3: the prompt is empty"),
        ({"prompt": "1+1", "answer": " "}, {}, r"line 3: 'answer' is empty"),
        ({"prompt": "1+1", "answer": "2", "solution": 2}, {}, r"line 3: 'solution' is a text; got int"),
        ({"prompt": "1+1", "answer": "2", "metadata": [1]}, {}, r"line 3: 'metadata' is an object; got list"),
        ({"prompt": "1+1", "answer": "x 2"}, {"answer_mark": "x "}, None),
        ({"prompt": "1+1", "answer": "2"}, {"answer_mark": "####"}, r"line 3: 'answer' has to end in '####'"),
        (
            {"prompt": "1+1", "answer": "2 ####"},
            {"answer_mark": "####"},
            r"line 3: 'answer' has to end in '####'",
        ),
    ],
)
def test_errors_name_the_line(tmp_path, row, settings, message):
    good = {"prompt": "1+2", "answer": "3 #### x 3"}
    data = write(tmp_path / "mine.jsonl", [good, "", row])
    problem = JSONL(data=data, **settings)
    if message is None:
        assert [task.answer for task in problem.tasks()] == ["3", "2"]
    else:
        with pytest.raises(DataError, match=message):
            problem.source(0)


def test_settings_that_cannot_be(tmp_path):
    with pytest.raises(ConfigError, match="JSONL needs data"):
        JSONL()
    with pytest.raises(ConfigError, match="answer_field"):
        JSONL(data=BUNDLED, answer_field="")
    with pytest.raises(DataError, match="There is no file"):
        JSONL(data=str(tmp_path / "none.jsonl")).source(0)
