"""A package of ``rlvr-gym init``, installed beside rlvr-gym's wheel in an environment of its own."""

import json
import subprocess

import pytest

ID = "graph-games/EgyptianFractions-v0"
pytestmark = pytest.mark.timeout(1800)  # seconds each on an idle machine


@pytest.fixture(scope="module")
def shell(fresh_shell, tmp_path_factory):
    folder = tmp_path_factory.mktemp("author")

    def call(line: str, code: int = 0) -> str:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            env=fresh_shell,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    call("rlvr-gym init graph-games && pip install --quiet ./graph-games")
    return call


def test_it_is_listed_among_the_others(shell):
    (listed,) = json.loads(shell("rlvr-gym list --family graph-games --json"))
    assert (listed["id"], listed["verifier"]) == (ID, "graph_games.egyptian_fractions")
    assert "rlvr/Countdown-v0" in shell("rlvr-gym list")


def test_its_own_tests_pass(shell):
    assert " passed" in shell("cd graph-games && pytest -q -p no:cacheprovider")


def test_it_is_shown_and_judged(shell):
    (task,) = map(json.loads, shell(f"rlvr-gym sample {ID} --count 1 --json").splitlines())
    assert task["answer"]["reference"] in task["solution"]


def test_the_oracle_solves_all_of_it(shell):
    shell(f"rlvr-gym eval {ID} --difficulty 1-10 --model oracle --limit 40 --json eval.json")
    summary = json.loads(shell("cat eval.json"))
    assert summary["pass@1"] == 1.0


def test_no_attack_is_paid_for(shell):
    assert "1 of 1 environments are clean" in shell(f"rlvr-gym audit {ID}")


def test_it_trains(shell):
    small = {
        "sft.steps": 5,
        "sampling.prompts_per_step": 4,
        "sampling.group_size": 4,
        "sampling.max_tokens": 32,
        "eval.tasks": 8,
    }
    settings = " ".join(f"--set {key}={value}" for key, value in small.items())
    assert "report" in shell(f"rlvr-gym train {ID} --difficulty 1 --steps 2 --run-dir run --quiet {settings}")
    assert shell("ls run").split()
    last = shell("tail -n 1 run/metrics.jsonl")
    assert json.loads(last)["step"] == 2
