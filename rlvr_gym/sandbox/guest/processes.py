"""The processes of a job: how large they are, how long they waited for a processor, and their end."""

from __future__ import annotations

import contextlib
import os
import signal
import time

__all__ = ["Processes", "of_user", "run_delay"]

_PATIENCE_S = 5.0


def run_delay(pid: int) -> float:
    """Seconds that a process's threads were ready to run and had no processor (0 where the kernel does not count)."""
    total = 0.0
    with contextlib.suppress(OSError, ValueError, IndexError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[1]) / 1e9
    return total


def _all() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _status(pid: int, *fields: str) -> int:
    """The sum of the first numbers of some fields of ``/proc/pid/status``; 0 for a process that is gone."""
    total = 0
    with (
        contextlib.suppress(OSError, ValueError, IndexError),
        open(f"/proc/{pid}/status", errors="replace") as file,
    ):
        for line in file:
            name, _, value = line.partition(":")
            if name in fields:
                total += int(value.split()[0])
    return total


def of_user() -> int:
    """How many processes this process's user has on the machine."""
    return sum(_status(pid, "Uid") == os.getuid() for pid in _all())


class Processes:
    """What runs besides the server, which is a subreaper: every orphan of a job becomes its child.

    Args:
        alone: every process that the server may signal is a job's. Otherwise they are found by their parents.
    """

    def __init__(self, alone: bool) -> None:
        self._alone = alone
        self._me = os.getpid()

    def descendants(self) -> list[int]:
        """The ids of the job's processes."""
        if self._me == 1:
            return [pid for pid in _all() if pid != 1]
        children: dict[int, list[int]] = {}
        for pid in _all():
            children.setdefault(_status(pid, "PPid"), []).append(pid)
        found: list[int] = []
        waiting = [self._me]
        while waiting:
            more = children.get(waiting.pop(), [])
            found += more
            waiting += more
        return found

    def memory(self) -> int:
        """Bytes of memory that the job's processes have, beyond what they share with the server."""
        fields = ("RssAnon", "RssShmem")
        shared = _status(self._me, *fields)
        return sum(max(0, _status(pid, *fields) - shared) for pid in self.descendants()) * 1024

    def kill_all(self, child: int) -> int:
        """Ends every process of the job and waits until they are gone; the child's exit code, or minus its signal.

        Raises:
            OSError: if some cannot be ended; the sandbox is then not to be used again.
        """
        code = -int(signal.SIGKILL)
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:  # no child, so no descendant either
                return code
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
            elif pid == 0:
                self._kill_round()
                time.sleep(0.0003)
                if time.monotonic() > deadline:
                    raise OSError("processes of the job cannot be killed")

    def _kill_round(self) -> None:
        for pid in [-1] if self._alone else self.descendants():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
