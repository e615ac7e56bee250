"""ScaleRL's law: known curves are found again, and what they cannot tell is said."""

import json
import math
import re

import numpy as np
import pytest

from rlvr_gym.bench.scaling import Sigmoid, fit_curve, fit_sigmoid, read_curve
from rlvr_gym.cli.main import run
from rlvr_gym.errors import DataError

TRUE = Sigmoid(start=0.2, asymptote=0.8, middle=4000.0, exponent=1.6)
COMPUTE = np.linspace(500, 24000, 48)


def curve(sigmoid=TRUE, noise=0.0, seed=0):
    values = sigmoid(COMPUTE) + noise * np.random.default_rng(seed).normal(size=COMPUTE.size)
    return [(0.0, sigmoid.start), *zip(COMPUTE.tolist(), values.tolist(), strict=True)]


def test_the_law_by_hand():
    assert float(TRUE(4000.0)) == pytest.approx(0.5)  # half of the way
    assert float(TRUE(0.0)) == pytest.approx(0.2)
    assert float(TRUE(1e12)) == pytest.approx(0.8)
    # R0 + (A - R0) / (1 + (1/2)^B) at twice the middle
    assert float(Sigmoid(0.0, 1.0, 10.0, 2.0)(20.0)) == pytest.approx(0.8)


@pytest.mark.parametrize("start", [0.2, None])
def test_exact_curves_are_found_again(start):
    found = fit_sigmoid(COMPUTE, TRUE(COMPUTE), start)
    assert found.asymptote == pytest.approx(0.8, abs=1e-3)
    assert found.middle == pytest.approx(4000, rel=1e-2)
    assert found.exponent == pytest.approx(1.6, rel=1e-2)
    assert found.start == pytest.approx(0.2, abs=1e-2)


@pytest.mark.parametrize("true", [TRUE, Sigmoid(0.0, 0.55, 2500.0, 2.5), Sigmoid(0.4, 0.95, 6000.0, 1.2)])
def test_half_of_a_noisy_curve_predicts_the_rest(true):
    fit = fit_curve(curve(true, noise=0.005), resamples=40)
    assert len(fit.fitted) == 24
    assert len(fit.rest) == 24
    assert fit.rest_error < 0.03
    assert fit.fit_error < 0.008
    assert fit.asymptote[0] <= fit.curve.asymptote <= fit.asymptote[1]
    assert fit.asymptote[0] - 0.02 <= true.asymptote <= fit.asymptote[1] + 0.02
    assert fit.middle[0] * 0.9 <= true.middle <= fit.middle[1] * 1.1
    assert fit.rest_error < fit.naive_error


def test_the_beginning_of_a_curve_does_not_say_where_it_ends():
    early = Sigmoid(0.1, 0.9, 60000.0, 1.0)
    fit = fit_curve(curve(early, noise=0.01), resamples=40)
    assert not fit.settled
    assert fit_curve(curve(noise=0.002), resamples=40).settled


def test_a_flat_curve_has_a_fit_without_a_rise():
    fit = fit_curve([(0.0, 0.3), *((float(c), 0.3) for c in range(1, 21))], resamples=10)
    assert float(fit.curve(20.0)) == pytest.approx(0.3, abs=1e-3)
    assert fit.rest_error == pytest.approx(0, abs=1e-2)


def test_all_of_a_curve_has_no_rest():
    fit = fit_curve(curve(), fraction=1.0, resamples=5)
    assert fit.rest == []
    assert math.isnan(fit.rest_error)


def test_few_points_are_refused():
    with pytest.raises(DataError, match="at least 5"):
        fit_curve([(0.0, 0.1), (1.0, 0.2), (2.0, 0.3)])


def write_run(folder, sigmoid=TRUE):
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    steps = [{"step": i, "samples": 500.0, "tokens": 5000.0} for i in range(1, 49)]
    rows = [{"step": max(i, 0), "stage": "train", "pass@1": float(sigmoid(500.0 * i))} for i in range(49)]
    for name, content in (("metrics.jsonl", steps), ("eval.jsonl", rows)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in content))
    return folder


def test_the_axis_is_what_was_spent(tmp_path):
    folder = write_run(tmp_path / "run")
    assert read_curve(folder)[2] == (1000.0, pytest.approx(float(TRUE(1000.0))))
    assert read_curve(folder, "tokens")[2][0] == 10000.0
    assert read_curve(folder, "steps")[2][0] == 2.0
    with pytest.raises(DataError, match="no held-out 'nothing'"):
        read_curve(folder, metric="nothing")


def test_scaling_command(tmp_path, capsys):
    folders = [write_run(tmp_path / "a"), write_run(tmp_path / "b", Sigmoid(0.1, 0.6, 3000.0, 2.0))]
    figure = tmp_path / "fit.svg"
    options = ["--figure", str(figure), "--json", str(tmp_path / "fit.json"), "--resamples", "10"]
    assert run(["scaling", *map(str, folders), *options]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"asymptote.*0\.800", shown.replace("\n", " "))
    written = json.loads((tmp_path / "fit.json").read_text())
    assert written[1]["asymptote"][0] == pytest.approx(0.6, abs=1e-2)
    assert written[1]["middle"][0] == pytest.approx(3000, rel=0.05)
    assert figure.read_text().startswith("<svg")
    assert run(["scaling", str(tmp_path / "nowhere")]) == 2
