"""What importing the package costs, and which way its arrows point."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = [
    "torch",
    "docker",
    "ray",
    "transformers",
    "datasets",
    "sympy",
    "pydantic",
    "typer",
    "rich",
    "jinja2",
    "yaml",
]


@pytest.mark.parametrize(
    "code",
    [
        "import rlvr_gym",
        "import rlvr_gym; rlvr_gym.make('rlvr/Arithmetic-v0').reset(seed=0)",
        "import rlvr_gym; rlvr_gym.TextEnv('rlvr/Arithmetic-v0', executor='process', reward='r1').close()",
    ],
)
def test_heavy_packages_stay_out(code):
    script = f"import sys; {code}; print(*sorted(set(sys.modules) & set({HEAVY})))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == []


def test_everything_that_is_exported_exists():
    script = "import rlvr_gym; [getattr(rlvr_gym, name) for name in rlvr_gym.__all__]; from rlvr_gym import *"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


@pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="needs the repository")
def test_the_layers_hold():
    pytest.importorskip("importlinter")
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
