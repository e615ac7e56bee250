"""Environments of Prime's verifiers as ours, run by the interpreter that RLVR_GYM_PRIME_PYTHON names."""

import pytest
from interop_peers import PRIME

from rlvr_gym import load_problem
from rlvr_gym.errors import ConfigError


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    return PRIME.run("prime_guest_peer.py", folder, str(folder))


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
