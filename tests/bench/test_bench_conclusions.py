"""From curves to conclusions: numbers of curves, the alarm for reward hacking, claims, ranks, warnings."""

import json
import math

import numpy as np
import pytest

from rlvr_gym.bench.cells import Arm
from rlvr_gym.bench.claims import compare_all, judge_claims
from rlvr_gym.bench.config import Claim, Design, Experiment
from rlvr_gym.bench.curves import Curves, Target, band, read_curves, samples_to_target, steps_to_target
from rlvr_gym.bench.gap import gap_alarms
from rlvr_gym.errors import ConfigError

X = [100.0 * i for i in range(9)]


def curves(**series):
    return Curves({name: list(zip(X, values, strict=True)) for name, values in series.items()}, X[-1])


def run_of(proxy, true, noise, seed):
    """Curves of 9 evaluations from one value to another."""
    rng = np.random.default_rng(seed)
    p, t = (np.linspace(*ends, 9) + noise * rng.normal(size=9) for ends in (proxy, true))
    return curves(proxy=p, truth=t, gap=p - t)


def arm_of(proxy, true, noise=0.01, seeds=5, first=0):
    return [run_of(proxy, true, noise, first + seed) for seed in range(seeds)]


def test_numbers_of_a_curve_by_hand():
    one = curves(truth=[0, 0, 1, 2, 3, 4, 5, 6, 8])
    assert one.number("truth", "end") == 7  # of nine evaluations the last two
    assert one.number("truth", "mean") == pytest.approx(29 / 9)
    assert one.number("truth", "change") == 7
    assert curves(truth=np.linspace(0.2, 0.6, 9)).number("truth", "slope") == pytest.approx(0.4)
    assert math.isnan(one.number("length_right", "end"))


def test_samples_to_target():
    rising = curves(truth=np.linspace(0, 0.8, 9))
    assert samples_to_target(rising, Target(0.45)) == (pytest.approx(450), True)
    assert samples_to_target(rising, Target(0.0)) == (0.0, True)
    assert samples_to_target(rising, Target(0.9)) == (800.0, False)
    by_step = Curves(rising.series, rising.samples, [(10.0 * i, i / 10) for i in range(9)])
    assert steps_to_target(by_step, Target(0.45)) == (pytest.approx(45), True)
    assert steps_to_target(by_step, Target(0.9)) == (80.0, False)


def test_a_run_that_may_use_more_does_not_lose_by_it():
    """Neither gets to 0.9: they are equal, although one used 800 samples and the other 400."""
    long = curves(truth=np.linspace(0, 0.8, 9))
    short = Curves({"truth": long.series["truth"][:5]}, 400.0)
    target = Target.among(0.9, [long, short])
    assert samples_to_target(long, target) == samples_to_target(short, target) == (400.0, False)
    early, late = Target.among(0.3, [long, short]), Target.among(0.6, [long, short])
    assert samples_to_target(long, early) == (pytest.approx(300), True)
    assert samples_to_target(long, late) == (400.0, False)  # at 600 it does, when the other has ended


def test_band_has_the_mean_and_narrows_where_seeds_agree():
    found = band({0: curves(truth=np.zeros(9)), 1: curves(truth=np.linspace(0, 1, 9))}, "truth")
    assert [row[0] for row in found] == X
    assert found[0][1:] == (0.0, 0.0, 0.0)
    assert found[-1][1] == 0.5
    assert found[-1][2] < 0 < 1 < found[-1][3]
    assert band({0: curves(truth=X)}, "length") == []


def test_the_alarm_needs_the_gap_to_grow():
    alarms = gap_alarms(
        {
            "hacked": arm_of((0.5, 1.0), (0.4, 0.3)),
            "flat": arm_of((0.5, 1.0), (0.4, 0.4), first=20),
            "diverging": arm_of((0.3, 1.0), (0.3, 0.5), first=40),
            "honest": arm_of((0.3, 0.8), (0.3, 0.8), first=60),
            # a large gap that stays is a scale, and a term that dominates is no hacking
            "offset": arm_of((0.8, 0.9), (0.2, 0.3), first=80),
            "collapsing": arm_of((0.5, 0.3), (0.5, 0.1), first=100),
        }
    )
    assert {name: alarm.state for name, alarm in alarms.items()} == {
        "hacked": "hacked",
        "flat": "hacked",
        "diverging": "diverging",
        "honest": "none",
        "offset": "none",
        "collapsing": "none",
    }
    assert alarms["hacked"].growth.mean == pytest.approx(0.6, abs=0.05)


def test_noise_alone_alarms_nobody():
    """Of 60 families of five arms whose gap does not grow, about one in twenty may alarm."""
    false = 0
    for family in range(60):
        arms = {i: arm_of((0.5, 0.5), (0.5, 0.5), noise=0.1, first=1000 * family + 10 * i) for i in range(5)}
        false += any(alarm.state in ("hacked", "diverging") for alarm in gap_alarms(arms).values())
    assert false <= 8


def test_two_seeds_are_too_few_for_an_alarm():
    assert gap_alarms({"a": arm_of((0.5, 1.0), (0.4, 0.3), seeds=2)})["a"].state == "too few seeds"


def experiment(**fields):
    return Experiment.model_validate(
        {
            "environments": {"sums": {"env": "rlvr/Arithmetic-v0"}},
            "designs": {"a": "binary", "b": "graded", "c": "r1"},
            **fields,
        }
    )


def claim(left, right, is_, **fields):
    return {"says": "it is", "metric": "truth", "left": left, "right": right, "is": is_, **fields}


def level(value, seeds=5, spread=0.01):
    return {s: curves(truth=[value + spread * (s - 2)] * 9) for s in range(seeds)}


def test_claims_are_shown_contradicted_or_open():
    arms = {
        Arm("sums", "a", "grpo"): level(0.8),
        Arm("sums", "b", "grpo"): {s: curves(truth=[0.5 + 0.002 * s] * 9) for s in range(5)},
        Arm("sums", "c", "grpo"): {s: curves(truth=[0.8 + 0.05 * (-1) ** s] * 9) for s in range(5)},
    }
    asked = experiment(
        claims=[
            claim({"design": "a"}, {"design": "b"}, "higher"),
            claim({"design": "a"}, {"design": "b"}, "lower"),
            claim({"design": "a"}, {"design": "c"}, "higher"),
        ]
    )
    verdicts = judge_claims(asked, arms)
    assert [v.state for v in verdicts] == ["shown", "contradicted", "open"]
    assert verdicts[0].pairs == 5
    assert verdicts[0].left == pytest.approx(0.8)
    assert verdicts[0].difference.low < 0.296 < verdicts[0].difference.high


def test_a_claim_about_one_side_is_about_change():
    rising = {s: curves(truth=np.linspace(0.2, 0.6 + 0.01 * s, 9)) for s in range(5)}
    arms = {Arm("sums", "a", "grpo"): rising}
    asked = experiment(claims=[claim({"design": "a"}, None, "higher", at="slope")])
    (verdict,) = judge_claims(asked, arms)
    assert verdict.state == "shown"
    assert verdict.difference.mean == pytest.approx(0.42)
    assert math.isnan(verdict.right)
    with pytest.raises(ConfigError, match="change or slope"):
        judge_claims(experiment(claims=[claim({"design": "a"}, None, "higher")]), arms)


def test_sides_of_several_arms_are_averaged_by_seed():
    arms = {
        Arm("sums", "a", "grpo"): level(0.2, seeds=4),
        Arm("sums", "a", "dapo"): level(0.4, seeds=5),
        Arm("sums", "b", "grpo"): level(0.1, seeds=5),
    }
    asked = experiment(
        algorithms={"grpo": "grpo", "dapo": "dapo"},
        claims=[claim({"design": "a"}, {"design": "b"}, "higher")],
    )
    (verdict,) = judge_claims(asked, arms)
    assert verdict.pairs == 4
    assert verdict.difference.mean == pytest.approx(0.2)


def test_a_claim_without_data_says_so():
    asked = experiment(claims=[claim({"design": "a"}, {"design": "b"}, "higher")])
    (verdict,) = judge_claims(asked, {Arm("sums", "a", "grpo"): {}, Arm("sums", "b", "grpo"): {}})
    assert verdict.state == "no data"


def test_comparisons_stay_within_an_environment_and_are_corrected():
    arms = {
        Arm("sums", "a", "grpo"): level(0.8, spread=0.05),
        Arm("sums", "b", "grpo"): level(0.75, spread=0.04),
        Arm("sums", "c", "grpo"): level(0.7, spread=0.03),
        Arm("other", "a", "grpo"): level(0.1),
    }
    rows = compare_all(arms)
    assert {(row.left.design, row.right.design) for row in rows} == {("a", "b"), ("a", "c"), ("b", "c")}
    assert all(row.difference.mean > 0 for row in rows)
    assert max(row.p for row in rows) <= 1


def test_wrong_claims_are_told():
    with pytest.raises(ValueError, match="names the design 'z'"):
        experiment(claims=[claim({"design": "z"}, None, "lower")])
    with pytest.raises(ValueError, match="needs a target"):
        experiment(claims=[claim({"design": "a"}, None, "lower", metric="samples_to_target")])
    assert Claim.model_validate(claim({}, {}, "lower")).at == "end"


def write_cell(folder):
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    steps = [
        {"step": i, "samples": 32.0 if i < 3 else 64.0, "frac_reward_zero_std": i / 10} for i in range(1, 5)
    ]
    base = {"pass@1": 0.2, "rewards/proxy": 2.0, "mean_length": 9.0, "entropy": 0.5, "rewards/extra": 7.0}
    rows = [
        {"step": -1, "stage": "base", **base},
        {"step": 2, "stage": "train", **base, "pass@1": 0.4, "mean_length_right": 8.0},
        {"step": 4, "stage": "train", **base, "rewards/proxy": 3.0},
    ]
    for name, content in (("metrics.jsonl", steps), ("eval.jsonl", rows)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in content))
    return folder


def test_curves_of_a_cell(tmp_path):
    found = read_curves(
        write_cell(tmp_path / "cell"), Design(reward="binary", range=(1.0, 3.0)), experiment()
    )
    assert found.samples == 192
    assert found.by_step == [(0.0, 0.2), (2.0, 0.4), (4.0, 0.2)]
    assert found.series["truth"] == [(0.0, 0.2), (64.0, 0.4), (192.0, 0.2)]
    assert found.series["proxy"] == [(0.0, 0.5), (64.0, 0.5), (192.0, 1.0)]
    assert [y for _, y in found.series["gap"]] == pytest.approx([0.3, 0.1, 0.8])
    assert found.series["length_right"] == [(64.0, 8.0)]
    assert found.series["extra"][0] == (0.0, 7.0)
    assert found.series["zero_variance"] == [(64.0, pytest.approx(0.15)), (192.0, pytest.approx(0.35))]
