"""The guide: its Python and its files work as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rlvr_gym.evaluation import load_suite, make_plan

TEXT = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")


def test_the_python_of_the_guide_runs():
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", block], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["1.0", "20"]


def test_the_files_of_the_guide_are_taken(tmp_path):
    suite, model = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
    (tmp_path / "gsm8k").mkdir()
    (tmp_path / "gsm8k" / "test.jsonl").write_text('{"question": "1+1?", "answer": "#### 2"}\n')
    (tmp_path / "suite.yaml").write_text(suite)
    (tmp_path / "model.yaml").write_text(model)
    loaded = load_suite(str(tmp_path / "suite.yaml"))
    assert "Zebra" not in {part.name for part in loaded.parts}
    assert sum(part.weight for part in loaded.parts) == pytest.approx(1 + 2 + 3 + 1 + 1)
    plan = make_plan(loaded, str(tmp_path / "model.yaml"))
    assert (plan.samples, plan.settings.max_tokens, plan.settings.temperature) == (4, 16384, 1.0)
    assert make_plan(loaded, "openai:http://h/v1#gpt-5-mini").prices.output == 2.0
    assert yaml.safe_load(model)["key_env"] == plan.settings.key_env
