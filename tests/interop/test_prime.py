"""Our environments in Prime's verifiers 0.1, run by the interpreter that RLVR_GYM_PRIME_PYTHON names."""

import subprocess
import sys

import pytest
from interop_peers import PRIME


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return PRIME.run("prime_peer.py", tmp_path_factory.mktemp("elsewhere"))


def test_a_conversation_is_played_to_its_end(found):
    assert [row["reward"] for row in found["guess"]] == [1.0] * 4
    assert all(row["stop"] == "episode_over" and row["turns"] >= 1 for row in found["guess"])
    assert any(row["turns"] > 1 for row in found["guess"])


def test_a_single_turn_is_rewarded_as_the_environment_does(found):
    assert sorted(row["reward"] for row in found["countdown"]) == sorted(found["expected"])
    assert sum(row["correct"] for row in found["countdown"]) == 2
    assert all(row["turns"] == 1 for row in found["countdown"])


def test_a_failed_verification_is_an_error_and_no_reward(found):
    assert all(row["error"] for row in found["failed"])


def test_the_example_plays(found):
    assert "mean reward 1.0" in found["example"]


def test_without_the_peer_the_import_says_what_to_install():
    code = "import sys; sys.modules['verifiers'] = None; import rlvr_gym.interop.prime"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'rlvr-gym[prime]'" in run.stderr


def test_the_wrong_version_is_told_from_none(found):
    assert "use rlvr_gym.interop.prime," in found["other"]
