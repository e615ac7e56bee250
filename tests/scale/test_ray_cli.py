"""``rlvr-gym train ... --ray N`` as it is typed: a cluster of its own, started and ended by the command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

STEPS = 4
STALENESS = 1
WITHOUT_RAY = (
    "import sys; sys.modules['ray'] = None; from rlvr_gym.cli.main import run; sys.exit(run(sys.argv[1:]))"
)


@pytest.fixture
def line(tiny_run: dict[str, Any], tmp_path: Path) -> list[str]:
    """The command, without options of Ray."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**tiny_run, "steps": STEPS, "eval": {"tasks": 5}}))
    return ["train", str(config), "--run-dir", str(tmp_path / "run")]


@pytest.fixture
def ray_folder() -> Iterator[str]:
    """Where a cluster may live: sockets lie in it, whose paths have 107 bytes at most."""
    folder = tempfile.mkdtemp(prefix="rg-", dir="/tmp")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def typed(command: list[str], settings: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, which no other cluster is told to."""
    environment = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
    return subprocess.run(
        command,
        env={**environment, **(settings or {}), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def test_a_run_over_ray_from_the_command_line(
    line: list[str], ray_folder: str, ray_settings: dict[str, str], tmp_path: Path, gone: Any
) -> None:
    pytest.importorskip("ray", reason="NO RAY: pip install 'rlvr-gym[ray]'")
    options = ["--ray", "2", "--set", f"ray.staleness={STALENESS}", "--set", "ray.cpus=0.5"]
    done = typed(
        [sys.executable, "-m", "rlvr_gym", *line, *options], {**ray_settings, "RAY_TMPDIR": ray_folder}
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    assert "report" in done.stdout

    run = tmp_path / "run"
    assert (run / "report.html").is_file()
    assert json.loads((run / "config.json").read_text())["ray"]["workers"] == 2
    assert json.loads((run / "summary.json").read_text())["steps"] == STEPS
    metrics = rows(run, "metrics.jsonl")
    assert [row["step"] for row in metrics] == list(range(1, STEPS + 1))
    assert all(0 <= row["staleness"] <= STALENESS for row in metrics)
    assert max(row["staleness"] for row in metrics) == STALENESS, "it has to run ahead, or this says nothing"
    assert len(rows(run, "rollouts.jsonl")) > 0
    assert [row["step"] for row in rows(run, "eval.jsonl")][-1] == STEPS
    assert gone(_of_the_cluster(ray_folder)), "the cluster ends with the command"


def _of_the_cluster(folder: str) -> list[int]:
    """The processes that work in this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if folder.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue  # it has ended meanwhile
    return found


def test_without_ray_the_command_says_so_and_samples_here(line: list[str], tmp_path: Path) -> None:
    done = typed([sys.executable, "-c", WITHOUT_RAY, *line, "--steps", "1", "--ray", "2"])
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Ray is not installed, so rollouts are sampled here: pip install 'rlvr-gym[ray]'." in " ".join(
        done.stdout.split()
    )
    assert len(rows(tmp_path / "run", "metrics.jsonl")) == 1


def test_a_cluster_that_is_not_there_is_told_at_once(line: list[str]) -> None:
    pytest.importorskip("ray", reason="NO RAY: pip install 'rlvr-gym[ray]'")
    options = ["--ray", "1", "--set", "ray.address=127.0.0.1:1", "--set", "sft.steps=0", "--quiet"]
    done = typed([sys.executable, "-m", "rlvr_gym", *line, *options])
    assert done.returncode == 2, done.stderr[-3000:]
    assert done.stderr.startswith(
        "No Ray cluster answers at 127.0.0.1:1 (connection refused); start one by 'ray start"
    )
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("workers", ["0", "many"])
def test_numbers_of_workers_that_are_none(line: list[str], workers: str, capsys: Any) -> None:
    from rlvr_gym.cli.main import run

    assert run([*line, "--ray", workers]) == 2
    assert "--ray" in capsys.readouterr().err
