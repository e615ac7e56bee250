"""Inspect AI, which pins packages that others here need in other versions: its own interpreter runs it.

RLVR_GYM_INSPECT_PYTHON names the interpreter of an environment with rlvr-gym, ``inspect-ai`` and ``openai``; without
it, this interpreter is tried.
"""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

PEER = Path(__file__).with_name("inspect_peer.py")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    python = os.environ.get("RLVR_GYM_INSPECT_PYTHON", sys.executable)
    folder = tmp_path_factory.mktemp("inspect")
    probe = subprocess.run(
        [python, "-c", "import inspect_ai.model, openai, rlvr_gym"], capture_output=True, text=True, check=False, cwd=folder
    )  # fmt: skip
    if probe.returncode:
        message = (
            "THE PEER inspect-ai IS NOT INSTALLED, SO NOTHING IS TESTED AGAINST IT: pip install rlvr-gym inspect-ai openai "
            f"in an environment of its own, and set RLVR_GYM_INSPECT_PYTHON to its python ({probe.stderr[-200:]})"
        )
        warnings.warn(message, stacklevel=2)
        pytest.skip(message)
    run = subprocess.run(
        [python, str(PEER), str(folder / "logs")], capture_output=True, text=True, timeout=500, check=False, cwd=folder
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout[run.stdout.index('{"countdown"') :])


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
