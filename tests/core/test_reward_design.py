"""Reward designs: forms, operations, errors, and totals worked out by hand."""

import json
import math
from dataclasses import dataclass

import pytest

from rlvr_gym import ConfigError, Reason, RewardDesign, Rollout, Task, UnknownNameError, Verdict
from rlvr_gym.rewards import DESIGNS, GroupTerm, make_term, register_term, term_names

TASK = Task("?", "5")
FORMED = "<think>2+3</think><answer>5</answer>"


def rollout(completion=FORMED, verdict=None, num_tokens=10, **other):
    return Rollout(TASK, completion, verdict or Verdict.right("5"), num_tokens, **other)


def total(spec, *group):
    return [reward.total for reward in RewardDesign.parse(spec)(group or [rollout()])]


LOST = rollout(verdict=Verdict.failed(Reason.TIMEOUT))


@pytest.mark.parametrize(
    ("completion", "verdict", "expected"),
    [
        (FORMED, Verdict.right("5"), 3.0),  # format +1, answer +2
        (FORMED, Verdict.wrong(Reason.WRONG, "4"), -0.5),  # +1 - 1.5
        (FORMED, Verdict.wrong(Reason.UNPARSEABLE), -1.0),  # +1 - 2
        (FORMED, Verdict.wrong(Reason.NO_ANSWER), -1.0),
        ("<answer>5</answer>", Verdict.right("5"), -3.0),  # -1 - 2, however right
        (FORMED + "<answer>5</answer>", Verdict.right("5"), -3.0),
        ("<answer>5</answer><think></think>", Verdict.right("5"), -3.0),
    ],
)
def test_logic_rl_totals(completion, verdict, expected):
    assert total("logic_rl", rollout(completion, verdict)) == [expected]


@pytest.mark.parametrize(
    ("name", "completion", "verdict", "expected"),
    [
        ("binary", "5", Verdict.right(), 1.0),
        ("binary", "5", Verdict.graded(0.5), 0.0),
        ("graded", "5", Verdict.graded(0.5), 0.5),
        ("r1", FORMED, Verdict.right(), 2.0),
        ("r1", "5", Verdict.right(), 1.0),
        ("r1", FORMED, Verdict.wrong(), 1.0),
        ("r1", "<think>5</think>", Verdict.wrong(), 0.0),
    ],
)
def test_named_designs(name, completion, verdict, expected):
    assert total(name, rollout(completion, verdict)) == [expected]


def test_weights_and_metrics():
    (reward,) = RewardDesign.parse({"correct": 2, "format_r1": 0.5, "length": 0})([rollout(num_tokens=17)])
    assert reward.total == 2.5
    assert reward.terms == {"correct": 1.0, "format_r1": 1.0, "length": 17.0}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"term": "length"}, 10),
        ({"term": "constant", "value": -2}, -2),
        ({"op": "sum", "of": ["correct", {"term": "length", "weight": -0.01}]}, 0.9),
        ({"op": "sum", "of": [{"correct": 3, "score": 1, "weight": 2}]}, 8),
        ({"op": "product", "of": ["correct", "length", {"term": "constant", "value": 2}]}, 20),
        ({"op": "clip", "low": 0, "high": 4, "of": "length"}, 4),
        ({"op": "clip", "low": 12, "of": "length"}, 12),
        ({"op": "clip", "high": 12, "of": "length"}, 10),
        ({"op": "gate", "if": "correct", "then": "length"}, 10),
        ({"op": "gate", "if": {"term": "constant"}, "then": "length"}, 0),
        (
            {
                "op": "gate",
                "if": {"term": "constant"},
                "then": "length",
                "else": {"term": "constant", "value": 7},
            },
            7,
        ),
        ({"op": "sum", "of": [{"op": "gate", "if": "correct", "then": "score", "weight": 3}]}, 3),
        ({"name": "mine", "reward": {"correct": 1}}, 1),
    ],
)
def test_operations(spec, expected):
    assert total(spec) == [pytest.approx(expected)]
    design = RewardDesign.parse(spec)
    again = RewardDesign.parse(json.loads(design.to_json()))
    assert again == design
    assert again([rollout(), rollout("x", Verdict.wrong())]) == design(
        [rollout(), rollout("x", Verdict.wrong())]
    )


@pytest.mark.parametrize("name", DESIGNS)
def test_named_designs_round_trip(name):
    design = RewardDesign.parse(name)
    assert design.name == name
    assert RewardDesign.parse(json.loads(design.to_json())) == design
    assert RewardDesign.parse(design) is design


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("binry", "no reward design named 'binry'; did you mean binary"),
        ({"corect": 1}, "no reward term named 'corect'; did you mean correct"),
        ({}, "at least one term"),
        (5, "A reward is a name"),
        ({"correct": "1"}, "weight of 'correct' is a finite number"),
        ({"correct": True}, "weight of 'correct' is a finite number"),
        ({"correct": math.nan}, "weight of 'correct' is a finite number"),
        ({"correct": 1, "weight": 2}, "no reward term named 'weight'"),
        ({"term": "correct", "weight": 2}, "takes no parameters"),
        ({"term": "constant", "valu": 2}, "takes \\['value'\\]"),
        ({"op": "max", "of": ["correct"]}, "no reward operation named 'max'"),
        ({"op": "sum"}, "'sum' needs 'of'"),
        ({"op": "sum", "of": []}, "a list that is not empty"),
        ({"op": "sum", "of": "correct"}, "a list that is not empty"),
        ({"op": "sum", "of": [{"term": "correct", "weight": None}]}, "A weight is a finite number"),
        ({"op": "product", "of": [{"term": "correct", "weight": 2}]}, "takes no parameters"),
        ({"op": "gate", "then": "correct"}, "'if' and 'then'"),
        (
            {"op": "gate", "if": "correct", "then": "score", "otherwise": "length"},
            "takes \\['else', 'if', 'then'\\]",
        ),
        ({"op": "clip", "low": 2, "high": 1, "of": "length"}, "low <= high"),
        ({"op": "clip", "low": "a", "of": "length"}, "low is a finite number"),
        ({"op": "clip", "low": 0}, "'clip' needs 'of'"),
        ({"op": "schedule", "of": "correct"}, "'schedule' needs 'points' and 'of'"),
        ({"op": "schedule", "points": [], "of": "correct"}, "pairs \\[\\[step, factor\\]"),
        ({"op": "schedule", "points": [[5, 1], [5, 0]], "of": "correct"}, "rising steps"),
        ({"op": "schedule", "points": [[-1, 1]], "of": "correct"}, "rising steps from 0"),
        ({"op": "schedule", "points": [[0, "1"]], "of": "correct"}, "A factor is a finite number"),
        ({"op": "schedule", "points": [[0, 1]], "shape": "cosin", "of": "correct"}, "did you mean cosine"),
        ({"op": "normalise", "scale": 1, "of": "correct"}, "scale is true or false"),
        ({"op": "noisy", "fp": 1.5, "of": "correct"}, "a rate from 0 to 1"),
        ({"op": "noisy", "seed": "a", "of": "correct"}, "seed of a noisy reward is a whole number"),
        ({"op": ["sum"], "of": ["correct"]}, "no reward operation"),
        ({"term": ["correct"]}, "name of a reward term is a text"),
        ({"term": "correct", "name": "x"}, "takes no parameter 'name'"),
        ({"term": "constant", "value": math.inf}, "'value' of the reward term 'constant' is a finite number"),
        (
            {"term": "lcpo_exact", "alpha": "much"},
            "'alpha' of the reward term 'lcpo_exact' is a finite number",
        ),
        ({"term": "lcpo_exact", "target": 1.5}, "is a whole number"),
        ({"term": "lcpo_exact", "target": True}, "is a whole number"),
        ({"term": "format_r1", "prefilled": 1}, "is true or false"),
        ({"term": "brier", "tag": 3}, "is a text"),
        ({"term": "retrieval_format", "stage": "third"}, "is one of 'retrieve', 'answer'"),
    ],
)
def test_errors(spec, message):
    with pytest.raises((ConfigError, UnknownNameError), match=message):
        RewardDesign.parse(spec)


@pytest.mark.parametrize("name", DESIGNS)
def test_lost_verifications_have_no_reward(name):
    rewards = RewardDesign.parse(name)([rollout(), LOST, rollout()])
    assert math.isnan(rewards[1].total)
    assert rewards[1].terms == {}
    assert rewards[0] == rewards[2] == RewardDesign.parse(name)([rollout()])[0]
    assert [math.isnan(r.total) for r in RewardDesign.parse(name)([LOST, LOST])] == [True, True]


def test_no_rollouts_no_rewards():
    assert RewardDesign.parse("binary")([]) == []


@register_term("test_rank")
@dataclass(frozen=True)
class Rank(GroupTerm):
    """How many rollouts of the group are longer."""

    def evaluate(self, group):
        return [float(sum(other.num_tokens > r.num_tokens for other in group)) for r in group]


def test_group_terms_see_the_group_without_lost_ones():
    group = [rollout(num_tokens=5), LOST, rollout(num_tokens=7), rollout(num_tokens=6)]
    totals = total({"test_rank": 1}, *group)
    assert [totals[i] for i in (0, 2, 3)] == [2.0, 0.0, 1.0]
    assert math.isnan(totals[1])


def test_whether_rollouts_are_compared():
    assert RewardDesign.parse({"correct": 1, "test_rank": 0}).compares
    assert RewardDesign.parse({"op": "clip", "low": 0, "of": {"test_rank": 1}}).compares
    assert {name for name in DESIGNS if RewardDesign.parse(name).compares} == {"kimi", "concise"}


@register_term("test_unknown")
@dataclass(frozen=True)
class Unknown(GroupTerm):
    """A judge that cannot be asked about completions that say so."""

    def evaluate(self, group):
        return [math.nan if "?" in r.completion else 0.5 for r in group]


def test_a_metric_that_is_nan_does_not_reach_the_reward():
    spec = {"correct": 1, "test_unknown": 0}
    assert total(spec, rollout("?"), rollout("a")) == [1.0, 1.0]
    never = {"op": "schedule", "points": [[0, 0]], "of": "test_unknown"}
    assert total({"op": "sum", "of": ["correct", never]}, rollout("?")) == [1.0]


@pytest.mark.parametrize(
    "spec",
    [
        {"correct": 1, "test_unknown": 0.1},
        {"op": "product", "of": [{"term": "constant"}, "test_unknown"]},
        {"op": "gate", "if": "test_unknown", "then": "correct"},
        {"op": "clip", "low": 0, "high": 1, "of": "test_unknown"},
        {"op": "normalise", "of": {"correct": 1, "test_unknown": 1}},
        {"op": "noisy", "of": "test_unknown"},
        {"op": "schedule", "points": [[0, 1]], "of": "test_unknown"},
    ],
)
def test_a_term_without_a_value_leaves_no_reward(spec):
    first, second = total(spec, rollout("?"), rollout("a"))
    assert math.isnan(first)
    assert not math.isnan(second)


def test_terms_by_name():
    assert {"correct", "score", "length", "format_r1"} <= set(term_names())
    assert make_term("format_r1", prefilled=True).to_dict() == {"term": "format_r1", "prefilled": True}


@pytest.mark.parametrize(
    ("term", "item", "expected"),
    [
        ("finished", rollout(finished=False), 0.0),
        ("finished", rollout(), 1.0),
        ("score", rollout(verdict=Verdict.graded(0.3)), 0.3),
        ("format_strict", rollout(), 1.0),
        ("format_strict", rollout("5"), -1.0),
        ({"term": "format_r1", "prefilled": True}, rollout("2+3</think>5"), 1.0),
        ({"term": "format_r1", "prefilled": True}, rollout(FORMED), 0.0),
        ({"term": "format_strict", "prefilled": True}, rollout("2+3</think><answer>5</answer>"), 1.0),
        ("format_r1", rollout("<think>a</think>"), 0.0),
        ("format_r1", rollout("x<think>a</think>b"), 0.0),
    ],
)
def test_terms(term, item, expected):
    assert total(term if isinstance(term, dict) else {"term": term}, item) == [expected]


def test_the_same_term_with_other_parameters_is_logged_apart():
    design = RewardDesign.parse(
        {"op": "sum", "of": [{"term": "format_r1"}, {"term": "format_r1", "prefilled": True}]}
    )
    reward = design([Rollout(Task("p", "1"), "thought</think>1", Verdict.right("1"), 3)])[0]
    assert reward.terms == {"format_r1": 0.0, "format_r1(prefilled=True)": 1.0}
    assert reward.total == 1.0
