"""What designs are made of besides terms: noise, operations, files and landscapes; and what holds for any of them."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr_gym import ConfigError, RewardDesign, Rollout, Task, UnknownNameError, Verdict
from rlvr_gym.rewards import DESIGNS, corrupt, make_term
from rlvr_gym.rewards.files import read_design
from rlvr_gym.rewards.landscape import landscape

RIGHT, WRONG = Verdict.right("5"), Verdict.wrong(extracted="6")


def rollout(tokens=10, correct=True, text="5", task=None, **other):
    return Rollout(task or Task("?", "5", "t"), text, RIGHT if correct else WRONG, tokens, **other)


def value(term, *group, **parameters):
    return make_term(term, **parameters).evaluate(list(group) or [rollout()])


# -- noise ------------------------------------------------------------------------------------------------------------


def test_noise_errs_at_its_rates_and_always_alike():
    right = [rollout(text=str(i)) for i in range(4000)]
    wrong = [rollout(text=str(i), correct=False) for i in range(4000)]
    missed = sum(not corrupt(r, 0.05, 0.2).verdict.correct for r in right)
    fooled = sum(corrupt(r, 0.05, 0.2).verdict.correct for r in wrong)
    assert 700 < missed < 900
    assert 150 < fooled < 250
    assert [corrupt(r, 0.05, 0.2) for r in wrong] == [corrupt(r, 0.05, 0.2) for r in wrong]
    other = [corrupt(r, 0.5, 0.5, seed=1).verdict.correct for r in wrong]
    assert other != [corrupt(r, 0.5, 0.5).verdict.correct for r in wrong]
    assert corrupt(right[0], 0, 1).verdict.score == 0.0
    assert corrupt(wrong[0], 1, 0).verdict.score == 1.0
    assert corrupt(right[0], 1, 0) is right[0]
    assert corrupt(wrong[0], 0, 1) is wrong[0]


def test_noise_is_the_same_in_every_process():
    drawn = [corrupt(rollout(text=str(i)), 0, 0.5).verdict.correct for i in range(12)]
    assert drawn == [True, False, False, False, True, True, True, False, False, False, False, False]


def test_the_true_metric_stands_beside_the_noisy_reward():
    design = RewardDesign.parse(
        {"op": "sum", "of": [{"op": "noisy", "fp": 1.0, "of": "correct"}, {"term": "correct", "weight": 0}]}
    )
    (reward,) = design([rollout(correct=False)])
    assert reward.total == 1.0
    assert reward.terms == {"noisy(fp=1,fn=0):correct": 1.0, "correct": 0.0}


# -- operations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "at"),
    [
        ("linear", {0: 1.0, 10: 1.0, 15: 2.0, 20: 3.0, 25: 1.5, 30: 0.0, 999: 0.0}),
        ("cosine", {0: 1.0, 10: 1.0, 15: 2.0, 20: 3.0, 25: 1.5, 30: 0.0}),
        ("constant", {0: 1.0, 10: 1.0, 19: 1.0, 20: 3.0, 29: 3.0, 30: 0.0, 999: 0.0}),
    ],
)
def test_schedules(shape, at):
    points = [[10, 1], [20, 3], [30, 0]]
    design = RewardDesign.parse({"op": "schedule", "points": points, "shape": shape, "of": "correct"})
    assert {step: design([rollout()], step)[0].total for step in at} == pytest.approx(at)
    if shape == "cosine":  # slow at the ends: 1 + 2 (1 - cos(pi/4))/2
        assert design([rollout()], 12.5)[0].total == pytest.approx(2 - math.sqrt(0.5))


def test_the_schedule_of_kimi():
    group = [rollout(10), rollout(20)]
    design = RewardDesign.parse("kimi")
    assert [[r.total for r in design(group, step)] for step in (0, 50, 100)] == [
        [1, 1],
        [1.25, 0.75],
        [1.5, 0.5],
    ]


def test_normalising_within_the_group():
    group = [rollout(n) for n in (1, 2, 3)]
    scaled = RewardDesign.parse({"op": "normalise", "of": "length"})
    assert [r.total for r in scaled(group)] == pytest.approx([-1 / 1.0001, 0, 1 / 1.0001])
    centred = RewardDesign.parse({"op": "normalise", "scale": False, "of": "length"})
    assert [r.total for r in centred(group)] == [-1, 0, 1]
    assert [r.total for r in scaled([rollout(5)])] == [0.0]  # a group of one
    assert [r.total for r in scaled([rollout(5), rollout(5)])] == [0.0, 0.0]
    assert scaled.compares


# -- properties -------------------------------------------------------------------------------------------------------

NUMBER = st.floats(-1e3, 1e3)
ROLLOUT = st.builds(rollout, st.integers(0, 5000), st.booleans(), st.text(max_size=20))
GROUP = st.lists(ROLLOUT, min_size=1, max_size=6)


@given(
    st.sampled_from(["lcpo_exact", "lcpo_max", "lcpo_max_code"]),
    st.integers(1, 3000),
    st.booleans(),
    st.data(),
)
def test_lcpo_is_monotone(name, target, correct, data):
    a, b = sorted(data.draw(st.tuples(st.integers(0, 9000), st.integers(0, 9000))))
    (short,), (long,) = (value(name, rollout(n, correct), target=target) for n in (a, b))
    if name != "lcpo_exact" or a >= target:
        assert short >= long
    elif b <= target:
        assert short <= long
    (right,), (wrong,) = (value(name, rollout(a, c), target=target) for c in (True, False))
    assert right >= wrong


@given(GROUP, NUMBER, NUMBER)
def test_gates_gate(group, then, other):
    spec = {
        "op": "gate",
        "if": "correct",
        "then": {"term": "constant", "value": then},
        "else": {"term": "constant", "value": other},
    }
    totals = [reward.total for reward in RewardDesign.parse(spec)(group)]
    assert totals == [then if r.verdict.correct else other for r in group]


@given(GROUP, NUMBER, NUMBER, NUMBER)
def test_weights_are_linear(group, a, b, factor):
    def totals(correct, length):
        return [r.total for r in RewardDesign.parse({"correct": correct, "length": length})(group)]

    parts = zip(totals(a, 0), totals(0, b), strict=True)
    assert totals(a, b) == pytest.approx([x + y for x, y in parts])
    assert totals(factor * a, factor * b) == pytest.approx([factor * t for t in totals(a, b)], abs=1e-6)


@given(GROUP, st.sampled_from(sorted(DESIGNS)), st.integers(0, 300))
def test_named_designs_round_trip_and_give_numbers(group, name, step):
    design = RewardDesign.parse(name)
    again = RewardDesign.parse(json.loads(design.to_json()))
    assert again == design
    assert again(group, step) == design(group, step)
    assert all(math.isfinite(reward.total) for reward in design(group, step))


@given(GROUP)
def test_rollouts_survive_being_saved(group):
    for item in group:
        assert Rollout.from_row(json.loads(json.dumps(item.to_row()))) == item


# -- files and landscapes ---------------------------------------------------------------------------------------------


def test_designs_out_of_files(tmp_path):
    (tmp_path / "mine.yaml").write_text("correct: 1\nlength: -0.001\n")
    (tmp_path / "run.yaml").write_text("steps: 5\nreward: {correct: 2}\n")
    (tmp_path / "named.json").write_text('{"name": "own", "reward": "correct"}')
    mine = read_design(str(tmp_path / "mine.yaml"))
    assert mine.name == "mine"
    assert mine([rollout(100)])[0].total == pytest.approx(0.9)
    assert read_design(str(tmp_path / "run.yaml"))([rollout()])[0].total == 2
    assert read_design(str(tmp_path / "named.json")).name == "own"
    assert read_design('{"correct": 3}')([rollout()])[0].total == 3
    assert read_design("r1").name == "r1"
    (tmp_path / "bad.yaml").write_text("a: [")
    for text, message in (
        (str(tmp_path / "none.yaml"), "cannot be read"),
        (str(tmp_path / "bad.yaml"), "is not YAML"),
        ("{correct: 1}", "is no JSON"),
        ("r2", "did you mean r1"),
    ):
        with pytest.raises((ConfigError, UnknownNameError), match=message):
            read_design(text)


def test_the_landscape_of_a_design():
    drawn = landscape(
        RewardDesign.parse({"op": "sum", "of": [{"term": "lcpo_exact", "target": 800}, "format_r1"]})
    )
    ends = {(c.correct, c.formed): (c.rewards[0], c.rewards[-1]) for c in drawn.curves}
    assert drawn.curves[0].lengths[0] == 0
    assert drawn.curves[0].lengths[-1] == 1000  # a quarter more than the target
    assert ends[True, True] == pytest.approx((2 - 0.24, 2 - 0.06))
    assert ends[False, False] == pytest.approx((-0.24, -0.06))
    assert drawn.group == ()


@pytest.mark.parametrize("name", DESIGNS)
def test_every_named_design_has_a_landscape(name):
    drawn = landscape(RewardDesign.parse(name), step=100, points=5)
    assert all(math.isfinite(reward) for curve in drawn.curves for reward in curve.rewards)
    # being right is never worth less
    by_kind = {(c.correct, c.formed): c.rewards for c in drawn.curves}
    for formed in (True, False):
        pairs = zip(by_kind[True, formed], by_kind[False, formed], strict=True)
        assert all(right >= wrong - 1e-9 for right, wrong in pairs)
