"""Choosing a backend, and the sandboxes that a process shares."""

from __future__ import annotations

import atexit
import os
import threading
from typing import Any

from rlvr_gym.errors import ConfigError, UnknownNameError
from rlvr_gym.sandbox.backends.base import Availability, Backend
from rlvr_gym.sandbox.backends.bubblewrap import BubblewrapBackend
from rlvr_gym.sandbox.backends.docker import DockerBackend
from rlvr_gym.sandbox.backends.plain import SubprocessBackend
from rlvr_gym.sandbox.errors import BackendUnavailableError
from rlvr_gym.sandbox.pool import Sandbox

__all__ = ["BACKENDS", "get_sandbox", "make_backend", "make_sandbox", "sandbox_status"]

BACKENDS: dict[str, type[Backend]] = {
    backend.name: backend for backend in (DockerBackend, BubblewrapBackend, SubprocessBackend)
}
"""By name, strongest first."""

_shared: dict[tuple[int, str, tuple[str, ...]], Sandbox] = {}
_lock = threading.Lock()


def make_backend(name: str = "auto", modules: tuple[str, ...] = ()) -> Backend:
    """The backend of this name; ``auto`` is the strongest that works here.

    Args:
        name: of the backend.
        modules: the host's packages that its sandboxes can import.

    Raises:
        UnknownNameError: if there is no such backend.
        BackendUnavailableError: if ``auto`` finds none, or the named one cannot take modules.
    """
    if name != "auto":
        if name not in BACKENDS:
            raise UnknownNameError("sandbox backend", name, [*BACKENDS, "auto"])
        return BACKENDS[name](modules=modules)
    complaints = []
    for cls in BACKENDS.values():
        if modules and not cls.takes_modules:
            continue
        backend = cls(modules=modules)
        found = backend.check()
        if found.ok:
            return backend
        complaints.append(f"{found.name}: {found.why}")
    raise BackendUnavailableError(f"No sandbox works here. {'; '.join(complaints)}")


def _workers() -> int:
    text = os.environ.get("RLVR_GYM_SANDBOX_WORKERS", "")
    if not text:
        return max(1, len(os.sched_getaffinity(0)))
    if not text.isdigit() or int(text) < 1:
        raise ConfigError(f"RLVR_GYM_SANDBOX_WORKERS is a number from 1; got {text!r}.")
    return int(text)


def make_sandbox(
    backend: str = "auto",
    workers: int | None = None,
    fallback: str | None = None,
    modules: tuple[str, ...] = (),
    **settings: Any,
) -> Sandbox:
    """A pool of one's own; close it after use.

    Args:
        backend: a name, or ``auto``.
        workers: programs at once; None for one a processor.
        fallback: the backend for when the first stays away.
        modules: the host's packages that programs can import (see :class:`~rlvr_gym.sandbox.backends.base.Backend`).
        **settings: ``retries`` and ``patience`` of :class:`~rlvr_gym.sandbox.pool.Sandbox`.
    """
    count = _workers() if workers is None else workers
    other = make_sandbox(fallback, count, modules=modules) if fallback else None
    return Sandbox(make_backend(backend, modules), count, fallback=other, **settings)


def get_sandbox(backend: str = "", modules: tuple[str, ...] = ()) -> Sandbox:
    """The pool that everything in this process shares; ends with the process.

    Args:
        backend: a name or ``auto``; empty for the environment variable ``RLVR_GYM_SANDBOX``, else ``auto``.
            ``docker,bubblewrap`` names a fallback for an engine that stays away.
        modules: the host's packages that programs can import; each choice has a pool of its own.
    """
    wanted = backend or os.environ.get("RLVR_GYM_SANDBOX", "") or "auto"
    key = (os.getpid(), wanted, modules)  # a forked process must not talk over its parent's channels
    with _lock:
        if key not in _shared:
            first, _, second = wanted.partition(",")
            _shared[key] = make_sandbox(first.strip(), fallback=second.strip() or None, modules=modules)
        return _shared[key]


@atexit.register
def close_shared() -> None:
    """Ends this process's shared pools."""
    with _lock:
        for key in [key for key in _shared if key[0] == os.getpid()]:
            _shared.pop(key).close()


def sandbox_status() -> list[Availability]:
    """Every backend, strongest first: whether it works here, and why."""
    return [cls().check() for cls in BACKENDS.values()]
