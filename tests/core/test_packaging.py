"""The wheel, built from the sdist as PyPI users get it, works outside the repository."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SCRIPT = """
import gymnasium, rlvr_gym
assert not rlvr_gym.__file__.startswith({root!r}), rlvr_gym.__file__
env = gymnasium.make("rlvr_gym:rlvr/Arithmetic-v0")
env.reset(seed=0)
assert env.step(env.unwrapped.task.answer)[1] == 1.0
print(len(rlvr_gym.list_envs()), len(rlvr_gym.verifier_names()))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return out


def sources(package: str) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in (ROOT / package).rglob("*.py")}


def test_sdist_holds_every_file_once(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = archive.getnames()
    assert len(names) == len(set(names))


def test_wheel_holds_the_symlinked_packages(built):
    names = zipfile.ZipFile(next(built.glob("*.whl"))).namelist()
    assert len(names) == len(set(names))
    for package in ("envs", "verifiers", "agents"):
        assert {f"rlvr_gym/{name}" for name in sources(package)} <= set(names)


def test_wheel_works_in_a_clean_environment_outside_the_repository(built, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True, timeout=120)
    python = tmp_path / "venv" / "bin" / "python"
    wheel = next(built.glob("*.whl"))
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--constraint",
        str(ROOT / "constraints.txt"),
        str(wheel),
    ]
    subprocess.run(install, check=True, timeout=500)
    script = SCRIPT.format(root=str(ROOT))
    run = subprocess.run(
        [str(python), "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    here = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(root="/nowhere")], capture_output=True, text=True, check=True
    )
    assert run.stdout == here.stdout
    listed = subprocess.run(
        [str(python.parent / "rlvr-gym"), "list"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert listed.returncode == 0, listed.stderr
