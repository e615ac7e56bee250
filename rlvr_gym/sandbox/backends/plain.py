"""The last resort: a plain subprocess with resource limits and a system call filter."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path

from rlvr_gym.sandbox import rootfs
from rlvr_gym.sandbox.backends.base import (
    GUEST_ENVIRONMENT,
    Availability,
    Backend,
    package_folders,
    private_uid,
    spawn,
)
from rlvr_gym.sandbox.errors import BackendUnavailableError
from rlvr_gym.sandbox.guest.files import empty
from rlvr_gym.sandbox.worker import Worker

__all__ = ["UNPROTECTED", "SubprocessBackend"]

logger = logging.getLogger(__name__)

UNPROTECTED = (
    "Programs run in plain subprocesses: they can read this machine's files, change those of the user they run as, see "
    "its processes and fill its disk; install bubblewrap (apt install bubblewrap) or Docker to confine them."
)


_warned = threading.Lock()


def _warn_once() -> None:
    if _warned.acquire(blocking=False):  # never released: the first one warns
        logger.warning(UNPROTECTED)


def _remove(workdir: Path) -> None:
    if empty(str(workdir)):
        with contextlib.suppress(OSError):
            workdir.rmdir()


class SubprocessBackend(Backend):
    """Sandboxes that share the host's file system and process table.

    Resource limits, the system call filter (no sockets, no tracing, no namespaces) and the guest's cleaning up hold
    here, too. Run by root, every sandbox has a user of its own.
    """

    name = "subprocess"
    takes_modules = True

    def check(self) -> Availability:
        """Works on every Linux."""
        if not sys.platform.startswith("linux"):
            return Availability(self.name, False, f"needs Linux; this is {sys.platform}")
        try:
            rootfs.cached_rootfs()
        except BackendUnavailableError as error:
            return Availability(self.name, False, str(error))
        return Availability(self.name, True, UNPROTECTED)

    def start(self) -> Worker:
        """A new sandbox."""
        _warn_once()
        root = rootfs.cached_rootfs()
        uid = private_uid() if os.getuid() == 0 else None
        workdir = Path(tempfile.mkdtemp(prefix="rlvr-gym-"))
        if uid is not None:
            os.chown(workdir, uid, uid)
        environment = {
            **GUEST_ENVIRONMENT,
            "HOME": str(workdir),
            "TMPDIR": str(workdir),
            "PYTHONHOME": f"{root}/usr",
            "LD_LIBRARY_PATH": rootfs.library_path_below(root),
        }
        config = {"workdir": str(workdir), "protected": [os.getpid()], "filter": True}
        if self.modules:
            config |= {"paths": [*map(str, package_folders())], "modules": self.modules}
        return spawn(
            [f"{root}{rootfs.PYTHON}", "-S", "-s"],
            config,
            environment=environment,
            uid=uid,
            cleanup=partial(_remove, workdir),
        )
