"""A worker process of :class:`rlvr_gym.executor.process.ProcessExecutor`: one item at a time, until it is killed."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from rlvr_gym.errors import describe
from rlvr_gym.executor.wire import (
    FUNCTION,
    FUNCTION_CACHE,
    ITEM,
    KEY_BYTES,
    RAISED,
    VALUE,
    Frame,
    dumps,
    receive,
    send,
)

__all__ = ["die_with", "main"]

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Has the kernel kill this process as soon as the thread that started it is gone.

    A check in Python would not do: a worker that is stuck in C code and holds the GIL runs no Python.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was told
        os._exit(1)


def _limit_memory(megabytes: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))


class _Worker:
    def __init__(self) -> None:
        self._functions: dict[bytes, Callable[[Any], Any]] = {}

    def answer(self, frame: Frame) -> tuple[bytes, bytes, float]:
        """The reply to one message: kind, payload, seconds. Whatever is raised, SystemExit too, is a reply."""
        key, pickled = bytes(frame.payload[:KEY_BYTES]), memoryview(frame.payload)[KEY_BYTES:]
        start = time.perf_counter()
        try:
            if frame.kind == FUNCTION:
                self._load(key, pickled)
                value = None
            else:
                assert frame.kind == ITEM
                value = self._functions[key](pickle.loads(pickled))
            seconds = time.perf_counter() - start
            return VALUE, dumps(value), seconds
        except BaseException as error:
            return RAISED, describe(error).encode(errors="replace"), time.perf_counter() - start

    def _load(self, key: bytes, pickled: memoryview) -> None:
        function = pickle.loads(pickled)
        if len(self._functions) >= FUNCTION_CACHE:
            self._functions.clear()
        self._functions[key] = function


def main(descriptor: int, parent: int, memory_mb: int) -> None:
    """Serves the socket ``descriptor`` until its other end is closed.

    Args:
        descriptor: an inherited socket; standard output and error stay free for prints.
        parent: the process that must be alive.
        memory_mb: most address space, 0 for no limit.
    """
    die_with(parent)
    connection = socket.socket(fileno=descriptor)
    connection.set_inheritable(False)
    # a copy in a forked child would hide this worker's death from the parent
    os.register_at_fork(after_in_child=connection.close)
    if memory_mb:
        _limit_memory(memory_mb)
    worker = _Worker()
    try:
        while True:
            kind, payload, seconds = worker.answer(receive(connection))
            send(connection, kind, payload, seconds)
    except (EOFError, ConnectionError):
        os._exit(0)  # threads that a function left behind must not keep the process alive
