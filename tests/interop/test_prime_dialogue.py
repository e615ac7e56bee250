"""Conversations of Prime's verifiers as ours, run by the interpreter that RLVR_GYM_PRIME_PYTHON names."""

import json

import pytest
from interop_peers import PRIME

from rlvr_gym import load_problem
from rlvr_gym.errors import ConfigError


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    return PRIME.run("prime_dialogue_peer.py", folder, str(folder))


def said(played):
    return [message["content"] for message in played["messages"] if message["role"] != "assistant"][1:]


def test_their_loop_plays_and_their_rubric_judges_at_the_end(found):
    assert found["prompt"].startswith("You guess.\n\nA number from 1 to 8, please")
    assert found["trusted"] is False
    at_once, later = found["at_once"], found["later"]
    assert (at_once["verdict"]["score"], at_once["reward"]) == (1.0, 1.0)  # 1 for right, 1 for quick, of 2
    assert at_once["verdict"]["details"]["metrics"] == {"right": 1.0, "quick": 1.0, "num_turns": 1.0}
    assert said(later) == ["lower", "A number, please."]
    assert later["verdict"]["score"] == pytest.approx((1 + 1 / 3) / 2)
    assert not later["verdict"]["correct"]


def test_turns_run_out_in_their_loop_and_the_rubric_judges(found):
    never, few = found["never"], found["few"]
    assert (never["turns"], never["truncated"], never["verdict"]["valid"]) == (6, False, True)
    assert never["verdict"]["score"] == pytest.approx(1 / 6 / 2)
    assert (few["turns"], few["truncated"]) == (2, False)
    assert few["verdict"]["score"] == pytest.approx(1 / 2)


def test_attempts_at_a_row_have_the_same_luck_and_rows_have_their_own(found):
    first, again, other = found["luck"]
    assert first == again != other


def test_what_fails_is_no_wrong_answer_and_harms_no_other(found):
    verdicts = found["failures"]["verdicts"]
    assert [verdict["reason"] for verdict in verdicts[:3]] == ["timeout", "worker_crashed", "verifier_error"]
    assert not any(verdict["valid"] for verdict in verdicts[:3])
    assert "their defect" in json.dumps(verdicts[2]["details"])
    assert found["failures"]["rewards"] == [None, None, None, 1.0, 1.0]
    assert found["after"]["verdict"]["correct"]


def test_a_rubric_that_raises_is_a_failed_verification(found):
    assert not found["rubric"]["verdict"]["valid"]
    assert "a defect of the rubric" in json.dumps(found["rubric"]["verdict"]["details"])


def test_a_prompt_that_changes_when_the_conversation_begins_is_told(found):
    assert "not the prompt of the row" in json.dumps(found["opening"]["verdict"]["details"])
    assert not found["opening"]["verdict"]["valid"]


def test_conversations_that_nobody_goes_on_with_are_ended(found):
    # of seven that were left: the one under way, and the one before it, which goes when the next begins
    assert found["children"] == 2


def test_tools_of_theirs_are_called_in_our_form(found):
    assert '"name": <its name>' in found["tools_prompt"]
    assert "- add: Adds two numbers." in found["tools_prompt"]
    assert '"b"' in found["tools_prompt"]
    results = found["tools"]["messages"][2]
    assert results["role"] == "tool"
    first, second = results["content"].split("\n", 1)
    assert first == "<tool_result>42</tool_result>"
    assert "str" in second  # their message about an argument that is no number
    assert found["tools"]["verdict"]["correct"]
    assert found["tools"]["verdict"]["details"]["metrics"]["add_calls"] == 2.0
    assert not found["no_tools"]["verdict"]["correct"]
    assert found["half_a_call"]["turns"] == 1
    assert (found["endless"]["turns"], found["endless"]["verdict"]["valid"]) == (4, True)


def test_settings_are_checked_first():
    for wrong in ({}, {"environment": "x", "split": "test"}, {"environment": "x", "turns": 0}):
        with pytest.raises(ConfigError):
            load_problem("PrimeDialogue", **wrong)
