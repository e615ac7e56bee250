"""Every example is short, and runs as it stands."""

import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from interop_endpoint import serve

EXAMPLES = Path(__file__).parents[2] / "examples"
LIGHT = {
    "gymnasium_loop": "solved 5 of 5",
    "verl_reward": "'score': 0.0",
    "open_instruct_verifier": "wrong answer: 0.0",
    "skyrl_env": "8 [{'role': 'user'",
}


def run(name: str, *arguments: str) -> str:
    """What an example prints."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments], capture_output=True, text=True, timeout=500, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_every_example_has_less_than_forty_lines():
    lengths = {
        path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in EXAMPLES.glob("*.py")
    }
    assert len(lengths) >= 9
    assert max(lengths.values()) < 40, lengths


@pytest.mark.parametrize("name", LIGHT)
def test_example(name, tmp_path, require):
    if name == "skyrl_env":
        require("skyrl_gym", "pip install 'rlvr-gym[skyrl]'")
    ending = "jsonl" if name == "open_instruct_verifier" else "parquet"
    assert LIGHT[name] in run(name, str(tmp_path / f"rows.{ending}"))


def test_stable_baselines_learns_with_a_callback(require):
    require("stable_baselines3", "pip install stable-baselines3")
    shown = run("stable_baselines", "2048").splitlines()
    assert [line.split(":")[0] for line in shown] == ["step 1024", "step 2048"]
    assert all(0 <= float(re.search(r"mean reward (\S+)", line)[1]) <= 1 for line in shown)


def test_the_reward_server_of_the_example_answers(tmp_path):
    import requests

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = tmp_path / "rows.jsonl"
    server = subprocess.Popen([sys.executable, str(EXAMPLES / "openrlhf_reward.py"), str(data), str(port)])
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                requests.get(f"http://127.0.0.1:{port}/health", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.2)
        row = json.loads(data.read_text(encoding="utf-8").splitlines()[0])
        body = {"query": ["p<answer>1</answer>"], "prompts": ["p"], "labels": [row["label"]]}
        reply = requests.post(f"http://127.0.0.1:{port}/get_reward", json=body, timeout=120)
        assert reply.json()["rewards"] == [0.0]
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(60)


def test_a_model_behind_an_endpoint_plays(require):
    require("openai", "pip install 'rlvr-gym[eval]'")
    said = run("openai_agent", serve(lambda texts: "<answer>8</answer>"), "m", "rlvr/GuessTheNumber-v0")
    assert "max_turns" in said
    assert "mean reward" in said


@pytest.mark.parametrize("name", ["trl_grpo", "trl_multiturn"])
def test_trl_trains(name, tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "1"))
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    trainer = module.main(str(tiny), 1, str(tmp_path), use_cpu=True, bf16=False, save_strategy="no")
    assert trainer.state.global_step == 1


BLOCKS = re.findall(
    r"```python\n(.*?)```", (EXAMPLES.parent / "docs" / "interop.md").read_text("utf-8"), flags=re.DOTALL
)


def test_the_docs_have_a_block_for_each_way():
    assert len(BLOCKS) >= 5


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_block_of_the_docs_runs(block):
    done = subprocess.run(
        [sys.executable, "-c", block], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip()
