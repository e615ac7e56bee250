"""What a backend does: start sandboxes, and say whether it can."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

from rlvr_gym.sandbox.channel import Channel
from rlvr_gym.sandbox.errors import BackendUnavailableError
from rlvr_gym.sandbox.guest import bootstrap
from rlvr_gym.sandbox.worker import Worker

__all__ = ["GUEST_ENVIRONMENT", "Availability", "Backend", "package_folders", "private_uid", "spawn"]

GUEST_ENVIRONMENT = {
    "PATH": "/usr/bin",
    "HOME": "/tmp",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OPENBLAS_NUM_THREADS": "1",  # jobs are forked from a process that must have a single thread
    "OMP_NUM_THREADS": "1",
}
"""The same everywhere, so that the same program gives the same output everywhere."""

_FIRST_UID, _LAST_UID = 200_000, 2_000_000_000


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a backend can be used here, and a sentence about it."""

    name: str
    ok: bool
    why: str


def package_folders() -> list[Path]:
    """The folders of this interpreter's installed packages."""
    found = (Path(path) for path in sys.path if path)
    return [path for path in found if path.name in ("site-packages", "dist-packages") and path.is_dir()]


class Backend(ABC):
    """Starts sandboxes of one kind.

    Args:
        modules: installed packages of the host that every sandbox imports at its start, so that jobs can import them;
            only where :attr:`takes_modules`. They are code that the host trusts: they are loaded outside of any job.
    """

    name: ClassVar[str]
    takes_modules: ClassVar[bool] = False

    def __init__(self, modules: Sequence[str] = ()) -> None:
        if modules and not self.takes_modules:
            raise BackendUnavailableError(
                f"The {self.name} sandbox cannot import the host's packages ({', '.join(modules)}); use bubblewrap."
            )
        self.modules = tuple(modules)

    @abstractmethod
    def check(self) -> Availability:
        """Whether sandboxes can be started, and why not; quick, and without side effects that stay."""

    @abstractmethod
    def start(self) -> Worker:
        """A new sandbox.

        Raises:
            BackendUnavailableError: if it cannot be started.
        """

    def close(self) -> None:  # noqa: B027
        """Frees what the backend itself holds; its sandboxes are closed by their owner."""


def private_uid() -> int:
    """A user id that nobody has, for one sandbox: limits on processes are counted for each user."""
    return random.SystemRandom().randrange(_FIRST_UID, _LAST_UID)


# "die with the parent" means the thread that started a process: so it has to be one that lives as long as the host
_spawners: dict[int, ThreadPoolExecutor] = {}


def _popen(arguments: Sequence[str], settings: dict[str, Any]) -> subprocess.Popen[bytes]:
    spawner = _spawners.get(os.getpid())
    if spawner is None:  # after a fork, the parent's thread is not here
        spawner = _spawners.setdefault(
            os.getpid(), ThreadPoolExecutor(1, thread_name_prefix="sandbox-spawner")
        )
    return spawner.submit(lambda: subprocess.Popen(arguments, **settings)).result()


def _tail(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read()[-1500:].decode(errors="replace")


def spawn(
    arguments: Sequence[str],
    config: dict[str, Any],
    *,
    environment: dict[str, str],
    uid: int | None,
    cleanup: Callable[[], None] = lambda: None,
) -> Worker:
    """A sandbox whose server is a child process of the host.

    Args:
        arguments: the command, up to and including Python's own options; the guest's bootstrap is appended.
        config: for the guest.
        environment: its whole environment.
        uid: the user that the command runs as; None for the host's own.
        cleanup: called when the sandbox is closed.

    Raises:
        BackendUnavailableError: if it does not start.
    """
    ours, theirs = socket.socketpair()
    log = tempfile.TemporaryFile()  # noqa: SIM115
    settings: dict[str, Any] = {
        "stdin": theirs,
        "stdout": theirs,
        "stderr": log,
        "env": environment,
        "start_new_session": True,
        "cwd": "/",
    }
    if uid is not None:
        settings |= {"user": uid, "group": uid, "extra_groups": []}
    try:
        process = _popen([*arguments, "-c", bootstrap.COMMAND], settings)
    except (OSError, subprocess.SubprocessError) as error:
        ours.close()
        log.close()
        cleanup()
        raise BackendUnavailableError(f"{arguments[0]} cannot be started: {error}.") from None
    finally:
        theirs.close()

    def kill() -> None:
        try:
            process.wait(timeout=2.0)  # its channel is closed: it tidies up and goes by itself
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()
        cleanup()

    return Worker(Channel(ours), config, kill, lambda: _tail(log))
