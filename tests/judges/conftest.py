"""Real servers to ask: llama-cpp-python with SmolLM2. Skipped where its packages are absent."""

import pytest


@pytest.fixture(scope="session")
def likely_server(serve_smollm2):
    """It tells log-probabilities."""
    pytest.importorskip("openai")
    with serve_smollm2("--logits_all", "true") as (model, _):
        yield model


@pytest.fixture
def mortal_server(serve_smollm2):
    """Model and process, to be killed by the test; it tells no log-probabilities."""
    pytest.importorskip("openai")
    with serve_smollm2() as running:
        yield running
