"""``list``, ``rewards``, ``sample``, ``doctor``: what there is."""

import json

from rlvr_gym.cli.main import run
from rlvr_gym.registration import list_envs, load_problem
from rlvr_gym.task import Task


def output(capsys, *line):
    assert run(list(line)) == 0
    return capsys.readouterr().out


def test_list_shows_every_environment(capsys):
    text = output(capsys, "list")
    assert all(env.id in text for env in list_envs())


def test_list_as_json_says_what_an_environment_needs(capsys):
    rows = {row["id"]: row for row in json.loads(output(capsys, "list", "--json"))}
    assert rows.keys() == {env.id for env in list_envs()}
    arithmetic = rows["rlvr/Arithmetic-v0"]
    assert arithmetic["difficulty"] == [1, 10]
    assert arithmetic["verifier"] == "rational"
    assert arithmetic["settings"]["prompt"] == "full"
    assert rows["rlvr/GSM8K-v0"]["needs"] == ["data"]


def test_list_by_family(capsys):
    rows = json.loads(output(capsys, "list", "--json", "--family", "numbers"))
    assert {row["family"] for row in rows} == {"numbers"}


def test_rewards_lists_designs_and_terms(capsys):
    text = output(capsys, "rewards")
    assert "logic_rl" in text
    assert "format_strict" in text
    listed = json.loads(output(capsys, "rewards", "--json"))
    assert listed["designs"]["binary"] == {"correct": 1.0, "length": 0.0}
    assert listed["terms"]["format_r1"]["parameters"] == {"prefilled": False}


def test_sample_gives_the_tasks_of_the_stream(capsys):
    lines = output(
        capsys, "sample", "Arithmetic", "--seed", "7", "--start", "2", "-n", "3", "--json"
    ).splitlines()
    source = load_problem("Arithmetic").source(7)
    for index, line in zip(range(2, 5), lines, strict=True):
        row = json.loads(line)
        assert (row.pop("seed"), row.pop("index")) == (7, index)
        assert Task.from_dict(row) == source[index]


def test_sample_takes_settings(capsys):
    settings = ["--difficulty", "2-4", "--set", "prompt=terse", "--set", "terms=5", "--set", "operations=+"]
    for line in output(capsys, "sample", "Arithmetic", "-n", "20", "--json", *settings).splitlines():
        row = json.loads(line)
        assert row["prompt"].count("+") == 4
        assert 2 <= row["metadata"]["difficulty"] <= 4


def test_sample_shows_prompt_answer_and_solution(capsys):
    task = load_problem("Arithmetic").source(0)[0]
    shown = output(capsys, "sample", "Arithmetic")
    assert task.answer in shown
    assert task.solution in shown
    assert task.solution not in output(capsys, "sample", "Arithmetic", "--no-solution")


def test_a_prompt_cannot_steer_the_terminal(capsys, tmp_path):
    data = tmp_path / "data.jsonl"
    data.write_text(json.dumps({"question": "\x1b[31m[red]What[/red] is 1+1?\x07", "answer": "2\n#### 2"}))
    shown = output(capsys, "sample", "GSM8K", "--data", str(data))
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "[red]What[/red]" in shown


def test_doctor_names_versions_and_extras(capsys):
    text = output(capsys, "doctor")
    assert "rlvr-gym" in text
    assert "extra [train]" in text
    assert "processors" in text
