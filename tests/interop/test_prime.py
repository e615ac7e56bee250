"""Prime's verifiers, which pins packages that others here need in other versions: its own interpreter runs it.

RLVR_GYM_PRIME_PYTHON names the interpreter of an environment with rlvr-gym and ``verifiers<0.2``; without it, this
interpreter is tried.
"""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

PEER = Path(__file__).with_name("prime_peer.py")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    python = os.environ.get("RLVR_GYM_PRIME_PYTHON", sys.executable)
    elsewhere = tmp_path_factory.mktemp("elsewhere")  # in the repository `verifiers` is a folder of ours
    probe = subprocess.run(
        [python, "-c", "import verifiers, rlvr_gym; verifiers.MultiTurnEnv"], capture_output=True, text=True, check=False, cwd=elsewhere
    )  # fmt: skip
    if probe.returncode:
        message = (
            "THE PEER verifiers IS NOT INSTALLED, SO NOTHING IS TESTED AGAINST IT: pip install rlvr-gym 'verifiers<0.2' "
            f"in an environment of its own, and set RLVR_GYM_PRIME_PYTHON to its python ({probe.stderr[-200:]})"
        )
        warnings.warn(message, stacklevel=2)
        pytest.skip(message)
    run = subprocess.run(
        [python, str(PEER)], capture_output=True, text=True, timeout=500, check=False, cwd=elsewhere
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout[run.stdout.index("{") :])


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
