"""The author's tutorial: its commands, files and tests, in order, in a new environment."""

import re
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "author.md"
FENCE = re.compile(
    r'(<!-- not run: [^>]+-->\n)?^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL
)
SMALLER = {
    "--steps 20": "--steps 2",
    "sft.steps=200": "sft.steps=5 --set eval.tasks=8 --set sampling.prompts_per_step=4 --set sampling.group_size=4",
    "--limit 50": "--limit 10",
}
"""The same commands with numbers that take seconds."""
pytestmark = [
    pytest.mark.skipif(not PAGE.exists(), reason="needs the repository"),
    pytest.mark.timeout(1800),  # half a minute on an idle machine
]


def test_the_tutorial_from_its_first_command_to_its_last(fresh_shell, tmp_path):
    script = ["set -e -o pipefail", f"cd {tmp_path}"]
    for skipped, language, title, text in FENCE.findall(PAGE.read_text(encoding="utf-8")):
        if skipped:
            continue
        if title:
            script.append(f"cat > {title} <<'END_OF_FILE'\n{text}END_OF_FILE")
        else:
            assert language == "console"
            script += [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]
    lines = "\n".join(script)
    for given, smaller in SMALLER.items():
        assert given in lines
        lines = lines.replace(given, smaller)
    done = subprocess.run(
        ["bash", "-x", "-c", lines],
        env=fresh_shell,
        capture_output=True,
        text=True,
        timeout=1700,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ passed", done.stdout, re.MULTILINE)
    assert re.search(r"my-env/Coins-v0 +clean", done.stdout)
    assert (tmp_path / "my-env" / "runs" / "coins" / "report.html").exists()
