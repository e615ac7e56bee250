"""Inspect AI, run by the interpreter that RLVR_GYM_INSPECT_PYTHON names."""

import subprocess
import sys

import pytest
from interop_peers import INSPECT


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inspect")
    return INSPECT.run("inspect_peer.py", folder, str(folder / "logs"))


def test_our_verifier_scores_a_single_turn(found):
    assert found["countdown"]["values"] == [1.0, 0.0, 1.0, 1.0]
    assert found["countdown"]["metrics"]["mean"] == 0.75
    assert found["countdown"]["turns"] == [1] * 4


def test_a_conversation_is_played_to_its_end(found):
    assert found["guess"]["values"] == [1.0] * 3
    assert max(found["guess"]["turns"]) > 1


def test_a_failed_verification_is_unscored_and_in_no_mean(found):
    failed = found["failed"]
    assert failed["values"] == [None, 0.0, 1.0, 1.0]
    assert failed["reasons"][0] == "scoring_failed"
    assert failed["unscored"] == 1
    assert failed["metrics"]["mean"] == pytest.approx(2 / 3)


def test_the_example_is_a_file_for_inspect_eval(found):
    assert found["example"]["values"] == found["countdown"]["values"]


def test_without_the_peer_the_import_says_what_to_install():
    code = "import sys; sys.modules['inspect_ai'] = None; import rlvr_gym.interop.inspect"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'rlvr-gym[inspect]'" in run.stderr
