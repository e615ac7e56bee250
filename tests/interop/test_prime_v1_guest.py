"""Task sets of Prime's verifiers 0.4 as ours, run by the interpreter that RLVR_GYM_PRIME_V1_PYTHON names."""

import json

import pytest
from interop_peers import PRIME_V1


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    return PRIME_V1.run("prime_v1_guest_peer.py", folder, str(folder), HOME=str(folder))


def test_their_tasks_are_ours(found):
    assert found["count"] == 6
    assert found["prompt"].startswith("A number.\n\nWhat is ")
    assert found["endless"] == 1000


def test_their_rewards_are_our_verdict(found):
    assert (found["right"]["score"], found["right"]["correct"]) == (1.0, True)
    assert found["right"]["details"]["metrics"]["right"] == 1.0
    assert found["right"]["details"]["metrics"]["length"] >= 1.0
    for name in ("wrong", "empty"):
        assert (found[name]["score"], found[name]["valid"]) == (0.0, True)


@pytest.mark.parametrize(
    ("name", "reason"), [("hang", "timeout"), ("die", "worker_crashed"), ("raise", "verifier_error")]
)
def test_what_fails_is_no_wrong_answer_and_harms_no_other(name, reason, found):
    assert (found[name]["valid"], found[name]["reason"]) == (False, reason)
    assert found["after_hang"]["correct"]
    assert found["after"]["correct"]
    assert "their defect" in json.dumps(found["raise"]["details"])


def test_what_cannot_be_adapted_is_told(found):
    refused = found["refused"]
    for need in ("an environment of its own", "a container", "setup", "for solved"):
        assert need in refused["machine"]
    assert "nowhere" in refused["nowhere"]
    assert "no splits" in refused["split"]
    assert "verifiers<0.2" in refused["dialogue"]
