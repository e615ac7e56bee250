"""Files for other trainers, scored by their functions in a process that knows nothing but the file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import rlvr_gym
from rlvr_gym.cli.main import run
from rlvr_gym.errors import ConfigError, DataError
from rlvr_gym.interop import VerificationFailedError, open_instruct, verl
from rlvr_gym.interop.files import write_rows

SCORE_IN_A_FRESH_PROCESS = """
import importlib.util, json, sys
import pyarrow.parquet
spec = importlib.util.spec_from_file_location("custom_module", sys.argv[1])  # as verl's load_extern_object does
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
rows = pyarrow.parquet.read_table(sys.argv[2]).to_pylist()
for row, completions in zip(rows, json.load(sys.stdin), strict=True):
    print(json.dumps([module.compute_score(
        data_source=row["data_source"], solution_str=text, ground_truth=row["reward_model"]["ground_truth"],
        extra_info=row["extra_info"] | {"num_turns": None, "rollout_reward_scores": {}},
    ) for text in completions]))
"""
DESIGN = {"correct": 1.0, "format_r1": 0.25, "repetition": 0.5}


def completions_of(task, answer: str) -> list[str]:
    return [
        f"<answer>{answer}</answer>",
        f"<think>so so so so so</think><answer>{answer}</answer>",
        f"\\boxed{{{answer}}}",
        "<answer>banana</answer>",
        "",
        task.prompt,
        "\x00<answer>" * 50,
    ]


@pytest.mark.parametrize("env", ["Countdown", "Arithmetic", "KnightsAndKnaves"])
def test_verl_scores_an_export_as_the_environment_does(tmp_path, env):
    path = tmp_path / "train.parquet"
    assert run(["export", "--format", "verl", env, "-n", "5", "--seed", "4", "-o", str(path), "--difficulty", "2",
                "--reward", json.dumps(DESIGN)]) == 0  # fmt: skip
    gym = rlvr_gym.make(env, difficulty=2, reward=DESIGN)
    expected, asked = [], []
    for index in range(5):
        gym.reset(seed=4, options={"index": index})
        task = gym.unwrapped.task
        asked.append(completions_of(task, gym.unwrapped.problem.answer_text(task)))
        expected.append([])
        for text in asked[-1]:
            gym.reset(seed=4, options={"index": index})
            _, reward, _, _, info = gym.step(text)
            expected[-1].append({"score": reward, "acc": float(info["correct"]), "valid": 1.0})
    done = subprocess.run(
        [sys.executable, "-c", SCORE_IN_A_FRESH_PROCESS, verl.__file__, str(path)],
        input=json.dumps(asked), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == expected
    assert all(row[0]["acc"] == 1.0 for row in expected)


def test_the_columns_are_verls():
    (row,) = verl.to_rows("Countdown", 1, seed=2, split="test", system_prompt="r1")
    assert row["data_source"] == "rlvr/Countdown-v0"
    assert [message["role"] for message in row["prompt"]] == ["system", "user"]
    assert row["reward_model"]["style"] == "rule"
    assert row["extra_info"]["split"] == "test"
    assert row["extra_info"]["index"] == 0


def test_verl_is_not_told_that_a_failed_verification_is_a_wrong_answer(monkeypatch):
    (row,) = verl.to_rows("Countdown", 1, difficulty=9)
    label = row["reward_model"]["ground_truth"]
    verifier = type(rlvr_gym.load_problem("Countdown").make_verifier())
    monkeypatch.setattr(verifier, "judge", lambda *_: 1 / 0)
    with pytest.raises(VerificationFailedError, match="invalid_score"):
        verl.compute_score("rlvr/Countdown-v0", "<answer>1</answer>", label)
    given = verl.compute_score("rlvr/Countdown-v0", "<answer>1</answer>", label, invalid_score=-0.5)
    assert given == {"score": -0.5, "acc": 0.0, "valid": 0.0}
    with pytest.raises(DataError, match="label"):
        verl.compute_score("gsm8k", "4", "4")


def test_what_one_completion_cannot_decide_is_refused_before_training():
    with pytest.raises(ConfigError, match="several turns"):
        verl.to_rows("GuessTheNumber", 1)
    with pytest.raises(ConfigError, match="compares"):
        open_instruct.to_rows("Countdown", 1, reward={"solve_rate": 1.0})


def test_open_instruct_finds_and_calls_our_verifier(tmp_path, capsys):
    path = tmp_path / "train.jsonl"
    assert run(["export", "--format", "open-instruct", "Countdown", "-n", "3", "-o", str(path)]) == 0
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {"messages", "ground_truth", "dataset"} <= rows[0].keys()

    class VerifierFunction:
        """The interface of open_instruct.ground_truth_utils, which is not on PyPI."""

        def __init__(self, name, weight=1.0, verifier_config=None):
            self.name, self.weight, self.verifier_config = name, weight, verifier_config

    class VerificationResult:
        def __init__(self, score, cost=0.0, reasoning=None):
            self.score = score

    open_instruct.verifier_function(VerifierFunction, VerificationResult)
    (ours,) = VerifierFunction.__subclasses__()  # this is how open-instruct builds its table
    verifier = ours(None)
    assert verifier.name == rows[0]["dataset"]
    source = rlvr_gym.load_problem("Countdown").source(0)
    for i, row in enumerate(rows):
        right = f"<answer>{rlvr_gym.load_problem('Countdown').answer_text(source[i])}</answer>"
        assert verifier([1], right, row["ground_truth"], "query").score == 1.0
        assert verifier([1], "no", row["ground_truth"], query="query", rollout_state={}).score == 0.0


@pytest.mark.parametrize("format", ["trl", "openrlhf", "skyrl", "verl", "open-instruct"])
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_every_format_in_both_kinds_of_file(tmp_path, format, ending):
    import pyarrow.parquet

    path = tmp_path / "deep" / f"rows.{ending}"
    assert run(["export", "--format", format, "Countdown", "-n", "4", "-o", str(path)]) == 0
    if ending == "jsonl":
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    else:
        rows = pyarrow.parquet.read_table(path).to_pylist()
    assert len(rows) == 4
    answer = rlvr_gym.load_problem("Countdown").source(0)[0]
    prompt = rows[0].get("prompt") or rows[0]["messages"]
    assert prompt[-1]["content"] == answer.prompt
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_errors_of_the_command_are_one_sentence(tmp_path, capsys):
    assert run(["export", "--format", "verl", "Countdown", "-o", str(tmp_path / "x.csv")]) == 2
    assert "parquet" in capsys.readouterr().err
    assert run(["export", "--format", "verl", "GuessTheNumber", "-o", str(tmp_path / "x.jsonl")]) == 2
    assert "several turns" in capsys.readouterr().err
    assert (
        run(["export", "--format", "verl", "Countdown", "-o", str(tmp_path / "x.jsonl"), "--reward", "{"])
        == 2
    )
    with pytest.raises(ConfigError, match="written"):
        write_rows(Path("/proc/no/x.jsonl"), [])
