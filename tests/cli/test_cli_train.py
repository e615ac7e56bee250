"""``train``: a whole small run, its report, going on with it, and evaluating what came of it."""

import json

import pytest

from rlvr_gym.cli.main import run

pytest.importorskip("torch")

CONFIG = """
env: {id: rlvr/Arithmetic-v0, settings: {prompt: terse, terms: 2, difficulty: 1}}
policy: micro
sft: {steps: 3}
sampling: {prompts_per_step: 2, group_size: 2, max_tokens: 8}
eval: {tasks: 5}
logging: {tensorboard: false, rollouts_every: 1}
threads: 1
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train")
    config, run_dir = folder / "config.yaml", folder / "run"
    config.write_text(CONFIG)
    assert (
        run(["train", str(config), "--run-dir", str(run_dir), "--steps", "2", "--seed", "3", "--quiet"]) == 0
    )
    return config, run_dir


def test_options_win_over_the_file_and_the_report_is_there(trained):
    _, run_dir = trained
    written = json.loads((run_dir / "config.json").read_text())
    assert (written["steps"], written["seed"], written["policy"]) == (2, 3, "micro")
    assert "rlvr/Arithmetic-v0" in (run_dir / "report.html").read_text()


def test_a_run_is_not_overwritten_but_goes_on(trained, capsys):
    config, run_dir = trained
    line = ["train", str(config), "--run-dir", str(run_dir), "--steps", "2", "--seed", "3", "--quiet"]
    assert run(line) == 2
    assert "choose another folder" in capsys.readouterr().err
    assert run([*line, "--resume"]) == 0
    shown = capsys.readouterr().out
    assert "before" in shown
    assert "95 % interval" in shown
    assert "report.html" in shown


def test_a_checkpoint_is_evaluated(trained, capsys):
    _, run_dir = trained
    settings = ["--set", "prompt=terse", "--set", "terms=2", "--difficulty", "1", "--max-tokens", "8"]
    line = ["eval", "Arithmetic", "-m", f"ckpt:{run_dir}", *settings, "-n", "6", "-k", "2", "--json", "-"]
    assert run(line) == 0
    first = json.loads(capsys.readouterr().out)
    assert (first["samples"], first["length_unit"]) == (12, "tokens")
    assert 0 < first["mean_length"] <= 8
    assert run(line) == 0
    again = json.loads(capsys.readouterr().out)
    assert {**first, "seconds": 0} == {**again, "seconds": 0}


def test_a_preset_and_an_algorithm_by_name(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    line = ["train", str(config), "--steps", "1", "--quiet", "--run-dir"]
    assert run([*line, str(tmp_path / "a"), "--preset", "dapo"]) == 0
    written = json.loads((tmp_path / "a" / "config.json").read_text())
    assert (written["preset"], written["algorithm"]["eps_high"]) == ("dapo", 0.28)
    assert written["sampling"]["max_tokens"] == 8  # the file says so
    assert run([*line, str(tmp_path / "b"), "--algorithm", "ppo"]) == 0
    assert json.loads((tmp_path / "b" / "config.json").read_text())["algorithm"]["advantage"] == "gae"


def test_a_preset_that_is_not_there(tmp_path, capsys):
    assert run(["train", "Arithmetic", "--preset", "dappo", "--run-dir", str(tmp_path)]) == 2
    assert "did you mean dapo" in capsys.readouterr().err
