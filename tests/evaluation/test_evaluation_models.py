"""Evaluation: baselines, samples, invalid attempts, and what a summary makes of them."""

import json
import math

import pytest

from rlvr_gym.cli.main import run
from rlvr_gym.evaluation import (
    Completion,
    Model,
    ModelSettings,
    Prices,
    Usage,
    evaluate,
    load_model,
    summarise,
)
from rlvr_gym.prompts import get_template
from rlvr_gym.registration import load_problem

PLAIN = get_template("plain")


def tasks_of(problem, count):
    source = problem.source(0)
    return [(i, source[i]) for i in range(count)]


def attempt(problem, model, count=20, **options):
    return [
        sample for wave in evaluate(problem, model, tasks_of(problem, count), **options) for sample in wave
    ]


@pytest.mark.parametrize("name", ["Arithmetic", "Countdown", "KnightsAndKnaves", "GuessTheNumber"])
@pytest.mark.parametrize("template", ["plain", "r1", "boxed"])
def test_the_oracle_is_always_right(name, template):
    model = load_model("oracle", get_template(template), ModelSettings())
    assert all(s.rollout.verdict.correct for s in attempt(load_problem(name), model, system_prompt=template))


def test_guesses_are_seldom_right_and_the_same_in_any_wave():
    problem = load_problem("Countdown")
    model = load_model("random", PLAIN, ModelSettings())
    together = attempt(problem, model, samples=3)
    assert summarise(together).pass_at_1.mean < 0.2
    assert len({sample.rollout.completion for sample in together}) > 50
    model.wave = 1
    assert [s.rollout.completion for s in attempt(problem, model, samples=3)] == [
        s.rollout.completion for s in together
    ]


class Scripted(Model):
    """Right, wrong, or broken, by the number of the attempt."""

    def complete(self, queries):
        return [self._one(query) for query in queries]

    def _one(self, query):
        kind = query.address[2] % 3
        if kind == 2:
            return Completion(error="the line went dead")
        text = query.episode.task.answer if kind == 0 else "banana"
        reason = "stop" if kind == 0 else "length"
        return Completion(f"<answer>{text}</answer>", 10 * (kind + 1), reason, Usage(100, 10))


def test_a_summary_leaves_out_what_was_not_judged():
    summary = summarise(attempt(load_problem("Arithmetic"), Scripted(), count=50, samples=3))
    assert (summary.tasks, summary.samples, summary.invalid) == (50, 150, 50)
    assert summary.pass_at_1.mean == pytest.approx(0.5)
    assert summary.pass_at_k == {1: pytest.approx(0.5), 2: pytest.approx(1.0)}
    assert summary.score == summary.pass_at_1
    assert summary.mean_length == pytest.approx(15)
    assert summary.clipped == pytest.approx(0.5)
    assert (summary.truncated, summary.truncated_correct) == (50, 0)
    assert summary.finish_reasons == {"stop": 50, "length": 50}
    assert summary.reasons == {"correct": 50, "unparseable": 50, "infrastructure_error": 50}
    assert summary.usage == Usage(10_000, 1_000)
    assert summary.to_dict(Prices(3.0, 10.0))["cost"] == pytest.approx(0.03 + 0.01)


def test_an_environment_that_breaks_costs_its_own_attempts_alone(monkeypatch):
    problem = load_problem("GuessTheNumber")
    reply = type(problem).reply

    def breaks(self, task, state, action):
        if task.id.endswith("-1"):
            raise RuntimeError("a defect")
        return reply(self, task, state, action)

    monkeypatch.setattr(type(problem), "reply", breaks)
    samples = attempt(problem, load_model("oracle", PLAIN, ModelSettings()), count=3)
    assert [s.rollout.verdict.valid for s in samples] == [True, False, True]
    assert "a defect" in samples[1].rollout.verdict.details["error"]


def test_a_summary_of_nothing_has_no_rates():
    summary = summarise([])
    assert math.isnan(summary.pass_at_1.mean)
    assert summary.pass_at_k == {}


def test_eval_prints_and_writes_its_numbers(tmp_path, capsys):
    numbers, rollouts = tmp_path / "n.json", tmp_path / "r.jsonl"
    line = ["eval", "Arithmetic", "-m", "oracle", "-n", "7", "-k", "2", "--workers", "1"]
    assert run([*line, "--json", str(numbers), "--rollouts", str(rollouts)]) == 0
    shown = capsys.readouterr().out
    assert "pass@1" in shown
    assert "95 % interval" in shown
    assert "pass@2" in shown
    result = json.loads(numbers.read_text())
    assert (result["pass@1"], result["pass@2"], result["tasks"], result["samples"]) == (1.0, 1.0, 7, 14)
    assert result["high"] == 1.0
    assert 0.6 < result["low"] < 0.7
    rows = [json.loads(row) for row in rollouts.read_text().splitlines()]
    assert [(row["index"], row["sample"]) for row in rows] == [(i, n) for i in range(7) for n in range(2)]
    assert all(row["verdict"]["correct"] for row in rows)


def test_saved_rollouts_can_be_scored_again_even_by_the_reference(tmp_path, capsys):
    rollouts = tmp_path / "r.jsonl"
    assert run(["eval", "Arithmetic", "-m", "oracle", "-n", "5", "-k", "2", "--rollouts", str(rollouts)]) == 0
    capsys.readouterr()
    assert run(["rescore", str(rollouts), "--design", '{"exact_match": 2.0}', "--json", "-"]) == 0
    summary = json.loads(capsys.readouterr().out)["summary"]
    assert (summary["rollouts"], summary["groups"], summary["without_reward"]) == (10, 5, 0)
    assert (summary["mean_old"], summary["mean_new"]) == (1.0, 2.0)


def test_eval_takes_every_row_of_a_data_file(tmp_path, capsys):
    data = tmp_path / "data.jsonl"
    data.write_text(
        "".join(json.dumps({"question": f"{i}+1?", "answer": f"#### {i + 1}"}) + "\n" for i in range(137))
    )
    assert run(["eval", "GSM8K", "--data", str(data), "-m", "oracle", "--json", "-"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["tasks"], result["pass@1"]) == (137, 1.0)
