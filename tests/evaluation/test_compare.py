"""Paired comparison: by hand, against known formulas, and through the command line."""

import json
import math
import shutil

import numpy as np
import pytest

from rlvr_gym.cli.main import run
from rlvr_gym.errors import DataError
from rlvr_gym.evaluation import Sample
from rlvr_gym.evaluation.compare import compare, paired_difference, sign_test
from rlvr_gym.rollout import Rollout
from rlvr_gym.stats import pass_at_1, wilson
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict


def sample(task, correct, part="p", number=0):
    verdict = Verdict.failed(Reason.TIMEOUT) if correct is None else Verdict.graded(float(correct))
    return Sample(0, number, Rollout(Task("?", "5", task), "x", verdict, 1), part)


def test_the_interval_is_that_of_bonett_and_price():
    # 100 pairs: 15 won, 5 lost; their formula (6) with p12 = (f12 + 1) / (n + 2)
    won, lost, n = 15, 5, 100
    p12, p21 = (won + 1) / (n + 2), (lost + 1) / (n + 2)
    half = 1.959963985 * math.sqrt((p12 + p21 - (p12 - p21) ** 2) / (n + 2))
    found = paired_difference([1.0] * won + [-1.0] * lost + [0.0] * (n - won - lost))
    assert found.mean == pytest.approx(0.10)
    assert (found.low, found.high) == pytest.approx((p12 - p21 - half, p12 - p21 + half))


def test_where_nothing_differs_the_interval_still_has_a_width():
    found = paired_difference([0.0] * 20)
    assert found.mean == 0
    assert 0.05 < found.high == -found.low < 0.3
    assert paired_difference([1.0]) == (1.0, pytest.approx(paired_difference([1.0]).low), 1.0)
    assert math.isnan(paired_difference([]).mean)


def test_weights_count_as_repeated_tasks_do_for_the_mean_and_less_for_the_width():
    plain = paired_difference([1.0, 1.0, 0.0, -1.0])
    weighted = paired_difference([1.0, 0.0, -1.0], [2.0, 1.0, 1.0])
    assert weighted.mean == pytest.approx(plain.mean)
    assert weighted.high - weighted.low > plain.high - plain.low
    assert paired_difference([1.0, 0.0, -1.0], [7.0] * 3) == pytest.approx(
        paired_difference([1.0, 0.0, -1.0])
    )


def test_the_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    n, p_won, p_lost, hits = 30, 0.25, 0.10, 0
    for _ in range(2000):
        draws = rng.choice([1.0, -1.0, 0.0], size=n, p=[p_won, p_lost, 1 - p_won - p_lost])
        found = paired_difference(list(draws))
        hits += found.low <= p_won - p_lost <= found.high
    assert 0.935 <= hits / 2000 <= 0.985


def test_the_sign_test_by_hand():
    assert sign_test(0, 0) == 1
    assert sign_test(5, 0) == pytest.approx(2 / 32)
    assert sign_test(8, 2) == sign_test(2, 8) == pytest.approx(2 * (1 + 10 + 45) / 1024)
    assert sign_test(600, 600) == 1
    assert sign_test(1000, 200) < 1e-100


def test_pairs_by_hand():
    before = [
        sample("a", 1),
        sample("b", 0),
        sample("c", 1),
        sample("d", None),
        sample("e", 1),
        sample("x", 0, "q"),
    ]
    after = [
        sample("a", 1),
        sample("b", 1),
        sample("c", 0),
        sample("d", 1),
        sample("f", 1),
        sample("x", 1, "q"),
    ]
    told = compare(before, after, {"p": 1.0, "q": 3.0}).to_dict()
    assert (told["tasks"], told["unpaired"], told["won"], told["lost"]) == (4, 3, 2, 1)
    assert told["parts"]["p"]["difference"] == 0
    assert told["parts"]["q"]["difference"] == 1
    assert told["difference"] == pytest.approx(0.75)
    assert [(f["task_id"], f["before"], f["after"]) for f in told["flips"]] == [
        ("c", 1, 0),
        ("b", 0, 1),
        ("x", 0, 1),
    ]


def test_several_attempts_at_a_task_are_one_pair():
    before = [sample("a", 1, number=0), sample("a", 0, number=1), sample("b", None), sample("b", 1, number=1)]
    after = [sample("a", 1), sample("b", 1)]
    told = compare(before, after).to_dict()
    assert (told["tasks"], told["difference"]) == (2, 0.25)


def test_runs_without_a_common_task_are_refused():
    with pytest.raises(DataError, match="no judged task in common"):
        compare([sample("a", 1)], [sample("b", 1)])


def test_a_weighted_rate_has_the_interval_of_kishs_number_of_tasks():
    counts = [(1, 1), (1, 0), (1, 1), (1, 1)]
    assert pass_at_1(counts, weights=[2.0] * 4) == pytest.approx(pass_at_1(counts))
    weights = [4.0, 1.0, 1.0, 1.0]
    found = pass_at_1(counts, weights=weights)
    trials = 7**2 / 19
    assert found.mean == pytest.approx(6 / 7)
    assert found[1:] == pytest.approx(wilson(6 / 7 * trials, trials)[1:])


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    base = tmp_path_factory.mktemp("runs")
    for model in ("oracle", "random", "empty"):
        assert run(["eval", "quick", "-m", model, "--limit", "30", "-o", str(base / model)]) == 0
    return base


def test_compare_tells_and_writes(folders, tmp_path, capsys):
    out = tmp_path / "c.json"
    assert (
        run(["compare", str(folders / "empty"), str(folders / "oracle"), "--json", str(out), "--show", "4"])
        == 0
    )
    shown = capsys.readouterr().out
    assert "26 more flip" in shown
    assert "no_answer" in shown
    told = json.loads(out.read_text())
    assert (told["before_rate"], told["after_rate"], told["won"], told["lost"]) == (0, 1, 30, 0)
    assert told["low"] > 0.8
    assert len(told["flips"]) == 30
    assert len(told["parts"]) == 10
    assert run(["compare", str(folders / "oracle"), str(folders / "oracle")]) == 0
    assert "flipped" not in capsys.readouterr().out


def test_the_leaderboard_puts_the_best_first(folders, tmp_path, capsys):
    paths = [str(folders / name) for name in ("empty", "oracle", "random")]
    out, page = tmp_path / "b.json", tmp_path / "b.html"
    assert run(["leaderboard", *paths, "--json", str(out), "--html", str(page), "--markdown", "-"]) == 0
    table = capsys.readouterr().out
    assert table.index("| oracle |") < table.index("| empty |")
    board = json.loads(out.read_text())
    assert board["rows"][0]["behind"] is None
    assert board["rows"][-1]["behind"]["high"] < -0.5
    assert "GuessTheNumber" in page.read_text()
    assert run(["leaderboard", *paths]) == 0
    assert "behind the first" in capsys.readouterr().out


def test_runs_of_other_tasks_make_no_leaderboard(folders, tmp_path, capsys):
    other = str(tmp_path / "other")
    assert run(["eval", "quick", "-m", "empty", "--limit", "20", "-o", other]) == 0
    assert run(["leaderboard", str(folders / "oracle"), other]) == 2
    assert "same tasks" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["compare", "leaderboard"])
def test_folders_without_a_result_are_told(command, tmp_path, capsys):
    assert run([command, str(tmp_path), str(tmp_path / "nowhere")]) == 2
    told = capsys.readouterr().err
    assert (
        "summary.json cannot be read (no such file or directory); give the folder of a finished evaluation"
        in told
    )
    (tmp_path / "summary.json").write_text("{")
    assert run([command, str(tmp_path), str(tmp_path)]) == 2
    assert "summary.json is no JSON" in capsys.readouterr().err


@pytest.mark.parametrize("left_out", ["suite_digest", "cost", "parts.weight"])
def test_a_summary_of_another_version_is_told(folders, tmp_path, capsys, left_out):
    shutil.copytree(folders / "oracle", tmp_path / "old")
    summary = json.loads((tmp_path / "old" / "summary.json").read_text())
    holder = next(iter(summary["parts"].values())) if left_out.startswith("parts") else summary
    del holder[left_out.removeprefix("parts.")]
    (tmp_path / "old" / "summary.json").write_text(json.dumps(summary))
    for command in ("leaderboard", "compare"):
        assert run([command, str(folders / "random"), str(tmp_path / "old")]) == 2
        told = " ".join(capsys.readouterr().err.split())
        assert f"it lacks {left_out.removeprefix('parts.')}; start the same 'rlvr-gym eval' again" in told


def test_results_that_cannot_be_written_leave_nothing_behind(tmp_path, capsys):
    (tmp_path / "rollouts.jsonl").mkdir()
    assert run(["eval", "quick", "-m", "empty", "--limit", "10", "-o", str(tmp_path)]) == 2
    assert "rollouts.jsonl cannot be written (is a directory)" in capsys.readouterr().err
    assert not list(tmp_path.glob("tmp*"))
