"""The same tasks and verdicts in another process, with another hash seed.

Run as a program, it is that other process: a request as JSON on standard input, hashes as JSON on standard output.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rlvr_gym.problem import Dialogue
from rlvr_gym.registration import entry
from rlvr_gym.testing.subject import ConformanceError, Subject, play_oracle, take

__all__ = ["check_determinism", "fingerprint"]


def fingerprint(env_id: str, settings: Mapping[str, Any]) -> str:
    """A hash of an environment's tasks and verdicts: equal in every process, whatever its hash seed."""
    subject = Subject(entry(env_id).id, dict(settings))
    low, high = subject.problem.difficulty_range
    tasks = [
        t
        for level in {low, high}
        for s in (0, 1)
        for t in take(replace(subject.problem, difficulty=level), s, 2)
    ]
    digest = hashlib.sha256()
    for task in tasks:
        digest.update(task.to_json().encode("utf-8", "surrogatepass"))
        owner = subject.problem.owner(task)
        if isinstance(owner, Dialogue):
            digest.update(play_oracle(owner, task).observe("chat").encode())
            continue
        for verdict in subject.judge([(task, subject.answer(task)), (task, "<answer>1, 2, b</answer>")]):
            digest.update(json.dumps(verdict.to_dict()).encode())
    return digest.hexdigest()


def check_determinism(environments: Mapping[str, Mapping[str, Any]]) -> None:
    """Compares tasks and verdicts of this process with those of two others with other hash seeds.

    Args:
        environments: id -> settings. The modules that register them must be importable.

    Raises:
        ConformanceError: if an environment differs, or its module cannot be imported elsewhere.
    """
    here = {env_id: fingerprint(env_id, settings) for env_id, settings in environments.items()}
    request = {
        "modules": sorted({entry(env_id).problem.__module__ for env_id in environments}),
        "environments": {env_id: dict(settings) for env_id, settings in environments.items()},
    }
    for hash_seed in ("1", "4242"):
        done = subprocess.run(
            [sys.executable, "-m", "rlvr_gym.testing.determinism"],
            input=json.dumps(request),
            env={
                **os.environ,
                "PYTHONHASHSEED": hash_seed,
                "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ConformanceError(
                f"The environments could not be made in another process: {done.stderr[-2000:]}"
            )
        there = json.loads(done.stdout.splitlines()[-1])
        differing = [env_id for env_id in here if here[env_id] != there[env_id]]
        if differing:
            raise ConformanceError(
                f"{', '.join(differing)}: tasks or verdicts differ in a process with PYTHONHASHSEED={hash_seed}; "
                "look for sets, hash() or global random state."
            )


def _main() -> None:
    """The other process of :func:`check_determinism`."""
    request = json.load(sys.stdin)
    for module in request["modules"]:
        importlib.import_module(module)
    print(
        json.dumps(
            {env_id: fingerprint(env_id, settings) for env_id, settings in request["environments"].items()}
        )
    )


if __name__ == "__main__":
    _main()
