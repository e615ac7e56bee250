"""Our environments in Prime's verifiers 0.4, run by the interpreter that RLVR_GYM_PRIME_V1_PYTHON names."""

import subprocess
import sys
from pathlib import Path

import pytest
from interop_peers import PRIME_V1

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    # their caches are in the home
    return PRIME_V1.run("prime_v1_peer.py", folder, HOME=str(folder), PYTHONPATH=str(EXAMPLES))


def rewards(rows):
    return [row["reward"] for row in sorted(rows, key=lambda row: row["task"])]


def test_a_conversation_is_played_to_its_end(found):
    assert rewards(found["guess"]) == [1.0] * 4
    assert all(row["ok"] and row["correct"] == 1.0 for row in found["guess"])
    assert any(row["turns"] > 1 for row in found["guess"])
    for row in found["guess"]:
        assert row["roles"] == ["system", *["user", "assistant"] * row["turns"]]


def test_a_conversation_that_is_cut_off_has_no_reward(found):
    solved = [row["turns"] == 1 and row["reward"] for row in found["cut"]]
    assert [row["correct"] for row in found["cut"]] == [float(s) for s in solved]
    assert not all(solved)
    assert all(row["ok"] and row["turns"] == 1 for row in found["cut"])


def test_a_single_turn_is_rewarded_as_the_environment_does(found):
    assert rewards(found["countdown"]) == found["expected"]
    assert sum(row["correct"] for row in found["countdown"]) == 2
    assert all(row["turns"] == 1 for row in found["countdown"])


def test_tasks_are_judged_in_environments_of_theirs_too(found):
    assert rewards(found["their_env"]) == found["expected"]


def test_a_failed_verification_is_an_error_and_no_reward(found):
    for row in found["failed"]:
        assert not row["ok"]
        assert "VerificationFailedError" in row["errors"][0]


def test_the_command_of_the_example_evaluates(found):
    assert found["command"] == [1.0] * 3


def test_task_sets_say_whether_they_end(found):
    assert found["bounded"] == [True, False]


def test_what_cannot_be_is_refused_before_anything_runs(found):
    assert "DirectHarness" in found["refused"]["no harness"]
    assert "group" in found["refused"]["group"]
    assert "difficulty" in found["refused"]["settings"]


def test_without_the_peer_the_import_says_what_to_install():
    code = "import sys; sys.modules['verifiers'] = None; import rlvr_gym.interop.prime_v1"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'rlvr-gym[prime-v1]'" in run.stderr


def test_the_wrong_version_is_told_from_none(found):
    assert "use rlvr_gym.interop.prime_v1," in found["other"]
