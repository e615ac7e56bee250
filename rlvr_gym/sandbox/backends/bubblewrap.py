"""Sandboxes made of namespaces by bubblewrap, without a daemon and without root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
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
from rlvr_gym.sandbox.worker import Worker

__all__ = ["BubblewrapBackend"]

_TMP_BYTES = 64 * 2**20
_DEVICES = ("null", "zero", "full", "random", "urandom")


def _command(root: Path, folders: Sequence[Path] = ()) -> list[str]:
    """The namespaces and mounts: the interpreter read-only, a small /tmp, five devices, and nothing else.

    Args:
        root: the interpreter's file system.
        folders: of packages, which are mounted read-only as ``/opt/0``, ``/opt/1``, ...
    """
    command = [
        "bwrap", "--unshare-all", "--unshare-user", "--die-with-parent", "--as-pid-1", "--new-session",
        "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL", "--hostname", "sandbox",
        "--ro-bind", str(root), "/",
        "--proc", "/proc",
        "--tmpfs", "/dev",
    ]  # fmt: skip
    for device in _DEVICES:
        command += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        command += ["--symlink", f"/proc/self/fd{target}", f"/dev/{name}"]
    if folders:
        command += ["--tmpfs", "/opt"]
        for i, folder in enumerate(folders):
            command += ["--ro-bind", str(folder), f"/opt/{i}"]
        command += ["--remount-ro", "/opt"]
    # only /tmp can be written to, and it has a size
    command += ["--remount-ro", "/dev", "--size", str(_TMP_BYTES), "--perms", "0700", "--tmpfs", "/tmp"]
    return [*command, "--chdir", "/tmp", rootfs.PYTHON, "-S", "-s"]


def _environment(root: Path) -> dict[str, str]:
    return {**GUEST_ENVIRONMENT, "LD_LIBRARY_PATH": rootfs.library_path_in(root)}


@lru_cache(maxsize=1)
def _trial(root: Path) -> str:
    """What goes wrong with a first sandbox; empty if nothing does."""
    uid = private_uid() if os.getuid() == 0 else None
    run = subprocess.run(
        [*_command(root), "-c", "print(1)"],
        env={"PATH": os.environ.get("PATH", "/usr/bin"), **_environment(root)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        **({} if uid is None else {"user": uid, "group": uid, "extra_groups": []}),  # type: ignore[call-overload]
    )
    return (
        "" if run.stdout == "1\n" else (run.stderr.strip()[-300:] or f"it ended with code {run.returncode}")
    )


class BubblewrapBackend(Backend):
    """One set of fresh namespaces for each sandbox: user, process, mount, network, IPC, host name, cgroup.

    The guest is the first process of its PID namespace: what a job leaves behind is killed with certainty. Run by
    root, every sandbox has an unprivileged user of its own on the host, too.
    """

    name = "bubblewrap"
    takes_modules = True

    def check(self) -> Availability:
        """Tries a sandbox once."""
        if shutil.which("bwrap") is None:
            return Availability(
                self.name, False, "the program bwrap is not installed (apt install bubblewrap)"
            )
        try:
            trouble = _trial(rootfs.cached_rootfs())
        except (BackendUnavailableError, OSError, subprocess.SubprocessError) as error:
            trouble = str(error)
        if trouble:
            return Availability(self.name, False, f"bwrap is installed, but a trial failed: {trouble}")
        return Availability(self.name, True, "bwrap is installed and a trial sandbox ran")

    def start(self) -> Worker:
        """A new sandbox."""
        found = shutil.which("bwrap")
        if found is None:
            raise BackendUnavailableError(
                "The bubblewrap sandbox needs the program bwrap: apt install bubblewrap."
            )
        root = rootfs.cached_rootfs()
        folders = package_folders() if self.modules else []
        config = {"workdir": "/tmp", "protected": [1], "filter": True}
        if self.modules:
            config |= {"paths": [f"/opt/{i}" for i in range(len(folders))], "modules": self.modules}
        return spawn(
            [found, *_command(root, folders)[1:]],
            config,
            environment=_environment(root),
            uid=private_uid() if os.getuid() == 0 else None,
        )
