"""The example, and what the documentation says, run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "serving.md"


def run(*command):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *command], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.skipif(not DOCS.exists(), reason="needs the repository")
def test_the_example_plays(cli):
    server = cli("GuessTheNumber", "--set", "difficulty=1")
    assert "mean reward 1.0" in run(str(ROOT / "examples" / "openenv_client.py"), server.url)


@pytest.mark.skipif(not DOCS.exists(), reason="needs the repository")
def test_the_blocks_of_the_docs_run(cli):
    server = cli("Countdown")
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), flags=re.DOTALL)
    assert len(blocks) >= 2
    for block in blocks:
        assert run("-c", block.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")).strip()
