"""Peers that are not installed beside us, or not at all: who needs one skips, and says so where nobody overlooks it."""

import importlib.util
import json
import os
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest


def skip(package: str, install: str) -> None:
    message = f"THE PEER {package} IS NOT INSTALLED, SO NOTHING IS TESTED AGAINST IT: {install}"
    warnings.warn(message, stacklevel=2)
    pytest.skip(message)


def require(package: str, install: str) -> None:
    """Skips if a peer is not installed here."""
    if importlib.util.find_spec(package) is None:
        skip(package, install)


@dataclass(frozen=True)
class Peer:
    """A peer that pins packages which others here need in other versions: an interpreter of its own runs it.

    Attributes:
        package: as pip takes it.
        variable: of the environment, which names the interpreter; without it, this one is tried.
        probe: Python that works where the peer is installed.
    """

    package: str
    variable: str
    probe: str

    @property
    def python(self) -> str:
        return os.environ.get(self.variable, sys.executable)

    def run(self, script: str, folder: Path, *arguments: str, **environment: str) -> dict:
        """What a script of this folder prints in its last line, as JSON; it is run in ``folder``."""
        # elsewhere than in the repository, where `verifiers` is a folder of ours
        probe = self._python("-c", f"import rlvr_gym; {self.probe}", folder=folder)
        if probe.returncode:
            skip(
                self.package,
                f"pip install rlvr-gym '{self.package}' in an environment of its own, and set {self.variable} to its "
                f"python ({probe.stderr.strip().splitlines()[-1]})",
            )
        path = Path(__file__).with_name(script)
        done = self._python(str(path), *arguments, folder=folder, **environment)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    def _python(self, *arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.python, *arguments], capture_output=True, text=True, timeout=500, check=False, cwd=folder,
            env={**os.environ, **environment},
        )  # fmt: skip


INSPECT = Peer("inspect-ai openai", "RLVR_GYM_INSPECT_PYTHON", "import inspect_ai.model, openai")
PRIME = Peer("verifiers>=0.1.14,<0.2", "RLVR_GYM_PRIME_PYTHON", "import verifiers; verifiers.MultiTurnEnv")
PRIME_V1 = Peer(
    "verifiers>=0.4,<0.5", "RLVR_GYM_PRIME_V1_PYTHON", "import verifiers.v1; verifiers.v1.SubprocessConfig"
)
