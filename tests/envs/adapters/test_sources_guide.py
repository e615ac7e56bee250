"""What docs/sources.md shows runs as it stands, and says what it prints."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.curriculum import CurriculumSettings

GUIDE = (Path(__file__).parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_blocks_run_and_print_what_they_say(block, tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
    for promised in re.findall(r"^print\(.*?\)  # (.*)$", block, flags=re.MULTILINE):
        assert promised in run.stdout


def test_the_curriculum_shown_is_the_default():
    (block,) = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
    config = TrainConfig.parse(yaml.safe_load(block))
    assert config.env.curriculum.settings() == CurriculumSettings()
