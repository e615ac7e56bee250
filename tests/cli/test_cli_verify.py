"""``verify``: order, resolution of tasks, and items that hang or kill their worker."""

import json
import sys

import pytest

from rlvr_gym.cli.main import run
from rlvr_gym.registration import load_problem

HOSTILE = """
import os, time
from rlvr_gym.verdict import Verdict
from rlvr_gym.verifier import Verifier, register_verifier

@register_verifier("hostile_for_test")
class Hostile(Verifier):
    def judge(self, completion, task):
        if completion == "hang":
            while True:
                time.sleep(1)
        if completion == "die":
            os._exit(9)
        if completion == "raise":
            raise RuntimeError("no")
        return Verdict.right(completion)
"""


def verify(tmp_path, rows, *options):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run(["verify", *options, "--input", str(source), "--output", str(target)]) == 0
    return [json.loads(line) for line in target.read_text().splitlines()]


@pytest.mark.parametrize("workers", ["0", "2"])
def test_rows_come_out_in_order_with_their_verdicts(workers, tmp_path, capsys):
    rows = [{"id": f"row {i}", "completion": f"<answer>{i % 5}</answer>", "answer": "3"} for i in range(300)]
    results = verify(tmp_path, rows, "--verifier", "rational", "--workers", workers)
    assert [result["id"] for result in results] == [row["id"] for row in rows]
    assert [result["correct"] for result in results] == [i % 5 == 3 for i in range(300)]
    assert all(result.keys() >= {"score", "extracted", "reason", "seconds", "valid"} for result in results)
    assert results[4]["extracted"] == "4"
    assert all(0 <= result["seconds"] < 60 for result in results)
    summary = capsys.readouterr().err
    assert "300 rows" in summary
    assert "60 of 300 correct (20.0%)" in summary


def test_a_task_is_found_by_seed_and_index_or_given_whole(tmp_path):
    source = load_problem("Arithmetic", difficulty=2).source(5)
    task = source[11]
    right, wrong = f"<answer>{task.answer}</answer>", "<answer>banana</answer>"
    rows = [
        {"id": 1, "completion": right, "seed": 5, "index": 11},
        {"id": 2, "completion": right, "task": {**task.to_dict(), "seed": 5, "index": 11}},
        {"id": 3, "completion": wrong, "task": task.to_dict()},
        {"completion": wrong, "seed": 5, "index": 11},
    ]
    results = verify(tmp_path, rows, "--env", "Arithmetic", "--difficulty", "2", "--workers", "0")
    assert [result["correct"] for result in results] == [True, True, False, False]
    assert [result["id"] for result in results] == [1, 2, 3, 4]


def test_actions_of_several_turns_are_replayed(tmp_path):
    problem = load_problem("GuessTheNumber")
    task = problem.source(0)[0]
    state, actions, reply = problem.start(task), [], None
    while reply is None or (reply.verdict is None and reply.answer is None):
        actions.append(problem.oracle(task, state))
        reply = problem.reply(task, state, actions[-1])
    rows = [
        {"completion": actions, "seed": 0, "index": 0},
        {"completion": actions[:1] if len(actions) > 1 else [], "seed": 0, "index": 0},
        {"completion": "nonsense", "seed": 0, "index": 0},
    ]
    results = verify(tmp_path, rows, "--env", "GuessTheNumber", "--workers", "0")
    assert [result["correct"] for result in results] == [True, False, False]


def test_hostile_items_lose_only_themselves(tmp_path, monkeypatch):
    (tmp_path / "hostile_plugin.py").write_text(HOSTILE)
    monkeypatch.syspath_prepend(tmp_path)
    __import__("hostile_plugin")
    monkeypatch.setattr("rlvr_gym.verifier._registry", {**sys.modules["rlvr_gym.verifier"]._registry})
    completions = ["a", "hang", "b", "die", "raise", "c"]
    rows = [{"id": c, "completion": c, "answer": ""} for c in completions]
    options = ["--verifier", "hostile_for_test", "--workers", "2", "--timeout", "1"]
    results = verify(tmp_path, rows, *options)
    assert [r["id"] for r in results] == completions
    assert [r["correct"] for r in results] == [True, False, True, False, False, True]
    assert [r["valid"] for r in results] == [True, False, True, False, False, True]
    assert [r["reason"] for r in results if not r["valid"]] == ["timeout", "worker_crashed", "verifier_error"]
    assert results[1]["seconds"] >= 1


def test_lone_surrogates_stay_json(tmp_path):
    rows = [{"id": "\ud800", "completion": "<answer>\ud800 3</answer>", "answer": "3"}]
    (result,) = verify(tmp_path, rows, "--verifier", "rational", "--workers", "0")
    assert result["id"] == "\ud800"


def test_the_input_is_never_overwritten(tmp_path, capsys):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"completion": "1", "answer": "1"}\n')
    assert run(["verify", "--verifier", "rational", "-i", str(path), "-o", str(path)]) == 2
    assert "is the input file" in capsys.readouterr().err
    assert path.read_text()


def test_a_broken_input_leaves_an_old_output_alone(tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("nonsense\n")
    target.write_text("old\n")
    assert run(["verify", "--verifier", "rational", "-i", str(source), "-o", str(target)]) == 2
    assert target.read_text() == "old\n"
