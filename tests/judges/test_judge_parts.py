"""The parts of a judge that need no model: cache, budget, reading of answers, terms that need not ask."""

import json
import logging
import math
import sqlite3

import pytest

from rlvr_gym import ConfigError, RewardDesign, Rollout, Task, Verdict
from rlvr_gym.judges import Budget, JudgeSettings, ScoreCache, get_judge
from rlvr_gym.judges.endpoint import word_probability, yes_probability
from rlvr_gym.rewards import make_term

NOBODY = "openai:http://127.0.0.1:9/v1#nobody"


def rollout(completion, answer="Paris", **metadata):
    return Rollout(Task("Capital of France?", answer, "t", metadata), completion, Verdict.wrong(), 3)


def test_a_cache_keeps_scores_in_its_file(tmp_path):
    path = str(tmp_path / "deep" / "scores.sqlite")
    cache = ScoreCache(path)
    assert cache.get(["a"]) == {}
    cache.put({"a": 0.25, "b": 0.0})
    other = ScoreCache(path)  # as another process would, while the first is open
    assert other.get(["b", "a", "c"]) == {"b": 0.0, "a": 0.25}
    cache.put({"c": 1.0})
    assert other.get(["c"]) == {"c": 1.0}


def test_a_cache_without_a_file_forgets():
    cache = ScoreCache()
    cache.put({"a": 0.5})
    assert cache.get(["a"]) == {"a": 0.5}
    assert ScoreCache().get(["a"]) == {}


def test_a_file_that_is_no_cache_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text(
        "no database, but text that is long enough to be read as a header" * 20
    )
    with pytest.raises(ConfigError, match=r"notes.txt cannot be used"):
        ScoreCache(str(tmp_path / "notes.txt"))
    with pytest.raises(ConfigError, match="cannot be used"):
        ScoreCache(str(tmp_path))


def test_nan_is_never_kept(tmp_path):
    with pytest.raises((ConfigError, sqlite3.Error)):
        ScoreCache(str(tmp_path / "a.sqlite")).put({"a": math.nan})


def test_a_budget_of_calls(caplog):
    budget = Budget(calls=2)
    with caplog.at_level(logging.WARNING):
        assert [budget.take() for _ in range(4)] == [True, True, False, False]
    assert len(caplog.records) == 1
    assert "2 calls" in caplog.text


def test_a_budget_of_tokens():
    budget = Budget(tokens=10)
    assert budget.take()
    budget.spend(9)
    assert budget.take()
    budget.spend(9)
    assert not budget.take()
    assert all(Budget().take() for _ in range(100))


@pytest.mark.parametrize(
    ("likely", "expected"),
    [
        ([("Yes", math.log(0.6)), ("No", math.log(0.2))], 0.75),
        ([(" yes", math.log(0.3)), ("YES", math.log(0.3)), ("no", math.log(0.2))], 0.75),
        ([("Yes", math.log(0.5))], 1.0),
        ([("\u0120No", math.log(0.5)), ("Maybe", math.log(0.5))], 0.0),
    ],
)
def test_the_probability_of_yes(likely, expected):
    assert yes_probability(likely) == pytest.approx(expected)


def test_neither_yes_nor_no_is_no_score():
    assert math.isnan(yes_probability([("Maybe", -0.1), ("Yesterday", -3.0)]))
    assert math.isnan(yes_probability([]))
    assert [word_probability(text) for text in ("Yes.", " **No**", "yes, but no")] == [1.0, 0.0, 1.0]
    assert all(
        math.isnan(word_probability(text)) for text in ("", "Nobody knows", "The answer is yes", "Yessir")
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "gpt"}, "openai:URL#MODEL, smollm2, hf:PATH or ckpt:DIR; got 'gpt'"),
        ({"model": "openai:http://127.0.0.1/v1"}, "is written openai:URL#MODEL"),
        ({"model": "openai:ftp://a#b"}, "is written openai:URL#MODEL"),
        ({"concurrency": 0}, "concurrency of at least 1"),
        ({"max_calls": -1}, "at least 0"),
        ({"timeout": 0.0}, "above 0"),
        ({"model": "smollm2", "probabilities": False}, "always tells probabilities"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(ConfigError, match=message):
        get_judge(JudgeSettings(**settings))


def test_a_server_that_is_not_there_is_told_at_once():
    pytest.importorskip("openai")
    with pytest.raises(ConfigError, match="does not answer"):
        RewardDesign.parse({"term": "soft_score", "model": NOBODY, "retries": 0})([rollout("Paris")])


def test_what_offers_no_answer_is_not_asked_about():
    term = make_term("soft_score", model=NOBODY, retries=0)
    offers = ["", "<think>Paris</think>", "<answer>Paris</answer><answer>Rome</answer>", "Paris " * 2000]
    assert term.evaluate([rollout(text) for text in offers]) == [0.0] * 4
    assert make_term("rlmt", model=NOBODY, retries=0).evaluate([rollout("<think>hm</think>")]) == [0.0]


def test_a_reference_has_to_be_text():
    term = make_term("soft_score", model=NOBODY)
    with pytest.raises(ConfigError, match="whose answer is a text or a number"):
        term.evaluate([rollout("Paris", answer={"numbers": [1]})])


def test_designs_with_judges_round_trip():
    spec = {
        "op": "sum",
        "of": [
            {"term": "soft_score", "model": NOBODY, "cache": "scores.sqlite", "max_calls": 9, "decoy": True},
            {"term": "rlmt", "thinking": False, "weight": 0.5},
            {"term": "reward_model", "path": "rm", "weight": 0},
        ],
    }
    design = RewardDesign.parse(spec)
    assert RewardDesign.parse(json.loads(design.to_json())) == design
    assert [term.label for term in design.root.terms()] == [
        "soft_score(nobody)",
        "rlmt(smollm2)",
        "reward_model(rm)",
    ]


def test_a_reward_model_needs_a_folder(tmp_path):
    for path in ("", str(tmp_path / "none")):
        with pytest.raises(ConfigError, match="needs path, the folder of a trained reward model"):
            make_term("reward_model", path=path).evaluate([rollout("Paris")])


def test_a_learned_reward_is_that_of_the_model(tmp_path):
    pytest.importorskip("torch")
    from rlvr_gym.agents.policy import load_policy
    from rlvr_gym.agents.reward_model import RewardModel

    model = RewardModel(load_policy("micro"), seed=3)
    model.save(tmp_path / "rm")
    group = [rollout("Paris"), rollout("Rome")]
    wanted = model.score([[{"role": "user", "content": "Capital of France?"}]] * 2, ["Paris", "Rome"])
    term = make_term("reward_model", path=str(tmp_path / "rm"))
    assert term.evaluate(group) == pytest.approx(wanted)
    assert wanted[0] != wanted[1]
    long = rollout("a" * (model.trunk.max_context + 1))
    values = term.evaluate([*group, long])
    assert values[:2] == pytest.approx(wanted)
    assert math.isnan(values[2])
