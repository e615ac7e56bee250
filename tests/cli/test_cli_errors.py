"""Every mistake that a user can make on the command line: exit code 2, one sentence, and no traceback."""

import json

import pytest

from rlvr_gym.cli.main import run

BAD_LINES = [
    (["sample", "zzzzzz"], "rlvr-gym list shows all"),
    (["eval", "zzzzzz", "--model", "oracle"], "Suites are all, code,"),
    (["sample", "Countdwon"], "did you mean rlvr/Countdown-v0?"),
    (["sample", "Arithmetic", "--difficulty", "99"], "1 to 10"),
    (["sample", "Arithmetic", "--difficulty", "hard"], "such as 3"),
    (["sample", "Arithmetic", "--set", "digits"], "KEY=VALUE"),
    (["sample", "Arithmetic", "--set", "digits=many"], "valid integer"),
    (["sample", "Arithmetic", "--set", "prompt=short"], "'full' or 'terse'"),
    (["sample", "Arithmetic", "--set", "colour=red"], "no setting colour"),
    (["sample", "Arithmetic", "--set", "digits=1", "--set", "digits=2"], "twice"),
    (["sample", "Arithmetic", "--count", "x"], "--count"),
    (["sample", "Arithmetic", "--seed", "-1"], "--seed"),
    (["sample", "GSM8K"], "--data FILE"),
    (["sample", "GSM8K", "--data", "/nowhere.jsonl"], "/nowhere.jsonl"),
    (["sample"], "ENV"),
    (["smaple"], "sample"),
    (["list", "--family", "nope"], "no family named 'nope'"),
    (["play", "Arithmetic", "--reward", "nope"], "reward design"),
    (["play", "Arithmetic", "--system-prompt", "nope"], "system prompt"),
    (["eval", "Arithmetic"], "--model"),
    (["eval", "Arithmetic", "--model", "gpt"], "oracle, random"),
    (["eval", "Arithmetic", "--model", "openai:localhost"], "openai:URL#MODEL"),
    (["eval", "Arithmetic", "--model", "ckpt:/nowhere"], "/nowhere"),
    (["eval", "Arithmetic", "--model", "oracle", "--json", "/proc/nowhere/x.json"], "another place"),
    (["verify", "--input", "x.jsonl"], "--env ENV or --verifier NAME"),
    (["verify", "--env", "Arithmetic", "--verifier", "rational", "--input", "x.jsonl"], "either"),
    (["verify", "--verifier", "rationl", "--input", "x.jsonl"], "did you mean rational"),
    (["verify", "--verifier", "rational", "--input", "/nowhere.jsonl"], "no such file"),
    (["verify", "--verifier", "rational", "--input", "x", "--difficulty", "3"], "--env"),
    (["train", "Countdwon"], "did you mean rlvr/Countdown-v0?"),
    (["train", "/nowhere.yaml"], "/nowhere.yaml"),
    (["train", "Arithmetic", "--set", "learning_rate=1"], "learning_rate"),
    (["train", "Arithmetic", "--resume"], "--run-dir"),
    (["report", "/nowhere"], "not the folder of a training run"),
]


@pytest.mark.parametrize(("line", "fragment"), BAD_LINES, ids=[" ".join(line) for line, _ in BAD_LINES])
def test_a_mistake_is_told_in_one_sentence(line, fragment, capsys):
    assert run(line) == 2
    captured = capsys.readouterr()
    assert fragment in captured.err
    assert "Traceback" not in captured.err
    assert captured.err.count("\n") == 1
    assert len(captured.err) < 700  # a sentence, and no list of everything
    assert captured.err.strip().endswith((".", "?", ")", "1", "'"))
    assert captured.out == ""


@pytest.mark.parametrize(
    ("line", "fragment"),
    [
        (b"{not json", "line 2 is not JSON"),
        (b"[1]", "line 2 is not a JSON object; got list"),
        (b'"\xff"', "line 2 is not JSON"),
        (b"[" * 100_000, "line 2 is not JSON"),
        (b'{"answer": "1"}', "line 2 has no 'completion'"),
        (b'{"completion": "1"}', "line 2 has no 'answer'"),
        (b'{"completion": 1, "answer": "1"}', "line 2: 'completion'"),
        (b'{"completion": "1", "answer": "1", "metadata": 3}', "line 2: 'metadata'"),
    ],
)
def test_a_broken_row_is_told_with_its_line_after_the_rows_before_it(line, fragment, tmp_path, capsys):
    rows, output = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows.write_bytes(b'{"completion": "<answer>1</answer>", "answer": "1"}\n' + line + b"\n")
    assert (
        run(["verify", "--verifier", "rational", "-i", str(rows), "-o", str(output), "--workers", "0"]) == 2
    )
    error = capsys.readouterr().err
    assert fragment in error
    assert error.count("\n") == 1
    assert json.loads(output.read_text())["correct"] is True


@pytest.mark.parametrize(
    ("row", "fragment"),
    [
        ({"completion": "1"}, "'seed' and 'index'"),
        ({"completion": "1", "task": {"prompt": "?"}}, "'answer'"),
        ({"completion": "1", "seed": "0", "index": 0}, "'seed' is a whole number"),
        ({"completion": "1", "seed": -1, "index": 0}, "Seeds and task indices"),
    ],
)
def test_a_row_without_a_task_is_told_with_its_line(row, fragment, tmp_path, capsys):
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps(row) + "\n")
    assert run(["verify", "--env", "Arithmetic", "-i", str(rows), "--workers", "0"]) == 2
    error = capsys.readouterr().err
    assert "line 1" in error
    assert fragment in error


def test_a_defect_of_ours_is_no_traceback_either(monkeypatch, capsys):
    monkeypatch.setattr("rlvr_gym.cli.catalogue.list_envs", lambda *_: 1 / 0)
    assert run(["list"]) == 1
    error = capsys.readouterr().err
    assert "RLVR_GYM_DEBUG=1" in error
    assert error.count("\n") == 1
