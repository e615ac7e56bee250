"""Environments of Prime's verifiers as ours; RLVR_GYM_PRIME_PYTHON names the interpreter (see test_prime.py)."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from rlvr_gym import load_problem
from rlvr_gym.errors import ConfigError

PEER = Path(__file__).with_name("prime_guest_peer.py")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    python = os.environ.get("RLVR_GYM_PRIME_PYTHON", sys.executable)
    elsewhere = tmp_path_factory.mktemp("elsewhere")  # in the repository `verifiers` is a folder of ours
    probe = subprocess.run(
        [python, "-c", "import verifiers, rlvr_gym; verifiers.SingleTurnEnv"], capture_output=True, text=True, check=False, cwd=elsewhere
    )  # fmt: skip
    if probe.returncode:
        message = (
            "THE PEER verifiers IS NOT INSTALLED, SO NOTHING IS TESTED AGAINST IT: pip install rlvr-gym 'verifiers<0.2' "
            f"in an environment of its own, and set RLVR_GYM_PRIME_PYTHON to its python ({probe.stderr[-200:]})"
        )
        warnings.warn(message, stacklevel=2)
        pytest.skip(message)
    run = subprocess.run(
        [python, str(PEER), str(elsewhere)],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
        cwd=elsewhere,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout[run.stdout.index("{") :])


def test_their_rows_are_our_tasks(found):
    assert found["count"] == 5
    assert len(set(found["ids"])) == 5
    assert found["prompt"].startswith("Answer in tags.\n\nWhat is ")
    assert found["trusted"] is False


def test_their_rubric_is_our_verdict(found):
    assert (found["right"]["score"], found["right"]["correct"]) == (1.0, True)
    assert found["right"]["details"]["metrics"]["right"] == 1.0
    assert 0 < found["wrong"]["score"] < 0.25
    assert not found["wrong"]["correct"]
    assert found["empty"]["valid"]
    assert not found["empty"]["correct"]
    assert found["reward"] == 1.0


@pytest.mark.parametrize(
    ("name", "reason"), [("hang", "timeout"), ("die", "worker_crashed"), ("raise", "verifier_error")]
)
def test_what_fails_is_no_wrong_answer_and_harms_no_other(name, reason, found):
    assert (found[name]["valid"], found[name]["reason"]) == (False, reason)
    assert found["after_hang"]["correct"]
    assert found["after"]["correct"]


def test_what_cannot_be_adapted_is_told(found):
    assert "single turn" in found["refused"]["talking-env"]
    assert "nowhere" in found["refused"]["nowhere-env"]


def test_settings_are_checked_first():
    for wrong in ({}, {"environment": "x", "split": "test"}, {"environment": "x", "full_reward": 0}):
        with pytest.raises(ConfigError):
            load_problem("PrimeEnvironment", **wrong)
