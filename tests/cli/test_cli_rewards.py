"""``rewards``, ``rewards plot`` and ``rescore``: designs listed, drawn, and held against a run."""

import builtins
import json
import math
import xml.etree.ElementTree as ET

import pytest

from rlvr_gym import RewardDesign, Rollout, Task, Verdict
from rlvr_gym.cli.main import run
from rlvr_gym.rescoring import read_rollouts, rescore
from rlvr_gym.verdict import Reason


def output(capsys, *line):
    assert run(list(line)) == 0
    return capsys.readouterr().out


def told(capsys, *line):
    assert run(list(line)) == 2
    return capsys.readouterr().err


def row(task, attempt, reward, *, correct, tokens=10, step=1, verdict=None, **other):
    verdict = verdict or (Verdict.right("5") if correct else Verdict.wrong())
    made = Rollout(Task(f"What is {task}?", "5", task), "<answer>5</answer>", verdict, tokens, **other)
    return {"step": step, "attempt": attempt, "reward": reward, **made.to_row()}


ROWS = [
    # one prompt: right but long, right and short, wrong and short
    row("a", 0, 1.0, correct=True, tokens=3000),
    row("a", 1, 1.0, correct=True, tokens=100),
    row("a", 2, 0.0, correct=False, tokens=50),
    # another: nothing to learn before
    row("b", 0, 1.0, correct=True, tokens=100),
    row("b", 1, 1.0, correct=True, tokens=200),
    # the same prompt in a later step is a group of its own; one verification failed
    row("b", 0, 0.0, correct=False, step=2),
    row("b", 1, None, correct=False, step=2, verdict=Verdict.failed(Reason.TIMEOUT)),
]
SHORT = {"correct": 1, "length": -0.001}


@pytest.fixture
def run_dir(tmp_path):
    (tmp_path / "rollouts.jsonl").write_text("".join(json.dumps(r) + "\n" for r in ROWS))
    return tmp_path


def test_the_summary_by_hand():
    result = rescore(ROWS, RewardDesign.parse(SHORT))
    # a: -2, 0.9, -0.05; b: 0.9, 0.8; later: -0.01 and nothing
    assert [r.new for r in result.rows[:6]] == pytest.approx([-2.0, 0.9, -0.05, 0.9, 0.8, -0.01])
    assert math.isnan(result.rows[6].new)
    assert result.summary() == {
        "design": "custom",
        "rollouts": 7,
        "unreadable": 0,
        "without_reward": 1,
        "groups": 3,
        "largest_group": 3,
        "changed": 6,
        "mean_old": pytest.approx(4 / 6),
        "mean_new": pytest.approx(0.54 / 6),
        "mean_change": pytest.approx(-3.46 / 6),
        "sign_flips": 1,  # the long one
        "pairs": 2,  # in a: each right one and the wrong one
        "order_flips": 1,  # the long right one falls below the wrong one
        "pairs_lost": 0,
        "pairs_gained": 2,  # the two right ones of a, and those of b
        "groups_lost": 0,
        "groups_gained": 1,
    }


def test_the_same_design_changes_nothing():
    summary = rescore(ROWS, RewardDesign.parse("binary")).summary()
    assert (
        summary["changed"] == summary["sign_flips"] == summary["order_flips"] == summary["pairs_gained"] == 0
    )
    assert summary["mean_change"] == 0


def test_what_is_no_longer_told_apart():
    summary = rescore(ROWS, RewardDesign.parse({"term": "constant", "value": 2.0})).summary()
    assert (summary["pairs"], summary["pairs_lost"], summary["groups_lost"]) == (0, 2, 1)


def test_groups_and_steps_reach_the_design():
    kimi = rescore([{**r, "step": 100} for r in ROWS[:3]], RewardDesign.parse("kimi"))
    assert [r.new for r in kimi.rows] == pytest.approx([0.5, 1 + 0.5 - 50 / 2950, 0.0])
    assert [
        r.new for r in rescore([{**r, "step": 0} for r in ROWS[:3]], RewardDesign.parse("kimi")).rows
    ] == [1, 1, 0]


def test_rescore_tells_and_writes(capsys, run_dir):
    shown = output(
        capsys, "rescore", str(run_dir), "--design", json.dumps(SHORT), "--json", str(run_dir / "o.json")
    )
    assert "7 rollouts in 3 groups of up to 3" in shown
    assert "1 of 2 pairs of one prompt flip" in shown
    assert "sign flips  1" in shown
    assert "1 rollouts have no reward" in shown
    lines = shown[shown.index("step") :].splitlines()[1:]
    assert "3000" in lines[0]
    assert "sign" in lines[0]
    written = json.loads((run_dir / "o.json").read_text())
    assert written["summary"]["order_flips"] == 1
    assert RewardDesign.parse({"name": "x", "reward": written["reward"]["reward"]}) == RewardDesign(
        "x", RewardDesign.parse(SHORT).root
    )
    assert written["rollouts"][6]["new"] is None
    alone = output(capsys, "rescore", str(run_dir / "rollouts.jsonl"), "--design", "r1", "--json", "-")
    assert json.loads(alone)["summary"]["design"] == "r1"


def test_one_attempt_a_prompt_is_said(capsys, tmp_path):
    (tmp_path / "few.jsonl").write_text(json.dumps(ROWS[0]) + "\n")
    shown = output(capsys, "rescore", str(tmp_path / "few.jsonl"), "--design", "graded")
    assert "Only one completion of each prompt was saved" in shown


def test_rows_of_an_evaluation_will_do():
    sample = {
        "index": 0,
        "sample": 3,
        "task_id": "t",
        "prompt": "?",
        "completion": "5",
        "length": 7,
        "finished": True,
        "turns": 1,
        "verdict": Verdict.right("5").to_dict(),
    }
    (only,) = rescore([sample], RewardDesign.parse({"length": 1})).rows
    assert (only.new, only.attempt) == (7.0, 3)
    assert math.isnan(only.old)


def test_a_line_that_was_cut_off_is_left_out(run_dir):
    with (run_dir / "rollouts.jsonl").open("a") as file:
        file.write('{"step": 3, "comp')
    assert len(read_rollouts(run_dir)) == 7


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has no rollouts.jsonl"),
        ("", "is empty"),
        ('{"a"\n{}\n', "line 1 is broken"),
        ("[1]\n{}\n", "line 1 is broken: it holds list"),
        ('{"prompt": "?"}\n', "A saved rollout has prompt, completion"),
    ],
)
def test_runs_that_hold_no_rollouts(capsys, tmp_path, content, message):
    if content is not None:
        (tmp_path / "rollouts.jsonl").write_text(content)
    assert message in " ".join(told(capsys, "rescore", str(tmp_path), "--design", "r1").split())


def test_designs_that_are_none(capsys, run_dir):
    assert "did you mean r1" in told(capsys, "rescore", str(run_dir), "--design", "r2")
    assert "is no JSON" in told(capsys, "rewards", "plot", "{correct")
    assert "ends in .svg, .png, .html" in told(capsys, "rewards", "plot", "r1", "-o", str(run_dir / "a.pdf"))


def test_rewards_lists_operations(capsys):
    assert "operations: sum, product, gate, clip, schedule, normalise, noisy" in output(capsys, "rewards")
    listed = json.loads(output(capsys, "rewards", "--json"))
    assert "schedule" in listed["operations"]
    assert listed["terms"]["soft_score"]["parameters"]["model"] == "smollm2"
    own = {
        name: term for name, term in listed["terms"].items() if not name.startswith("test_")
    }  # of other tests
    assert all(term["summary"].endswith(".") for term in own.values()), "one sentence on one line"


@pytest.mark.parametrize("suffix", ["svg", "png", "html"])
def test_a_landscape_is_drawn(capsys, tmp_path, suffix):
    pytest.importorskip("matplotlib")
    figure = tmp_path / "deep" / f"kimi.{suffix}"
    assert output(capsys, "rewards", "plot", "kimi", "--step", "100", "-o", str(figure)).strip() == str(
        figure
    )
    data = figure.read_bytes()
    if suffix == "png":
        assert data.startswith(b"\x89PNG")
    else:
        assert b"right, in form" in data
        assert b"http://cdn" not in data
    if suffix == "svg":
        ET.fromstring(data)
        assert len(data) < 60_000
        run(["rewards", "plot", "kimi", "--step", "100", "-o", str(figure)])
        assert figure.read_bytes() == data, "the same bytes every time"


def test_without_matplotlib_the_extra_is_named(capsys, tmp_path, monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest, **more):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    shown = told(capsys, "rewards", "plot", "r1", "-o", str(tmp_path / "a.svg"))
    assert "pip install 'rlvr-gym[plot]'" in shown
