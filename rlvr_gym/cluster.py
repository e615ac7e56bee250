"""The way to a Ray cluster: connecting, telling what is lost from what has failed, and saying why."""

from __future__ import annotations

import importlib.util
import os
import socket
import threading
from typing import Any

from rlvr_gym.errors import ConfigError, MissingExtraError, describe, os_reason

__all__ = ["connect", "is_lost", "ray_is_installed", "ray_reason"]

_lock = threading.Lock()
_KNOCK_SECONDS = 10.0


def ray_is_installed() -> bool:
    """Whether ``import ray`` would work, without doing it (it takes a second)."""
    return importlib.util.find_spec("ray") is not None


def connect(address: str | None = None, *, purpose: str) -> Any:
    """The module ``ray``, connected.

    A process has one connection: where there is one already it is used, whatever ``address`` says.

    Args:
        address: of a cluster, such as ``ray://host:10001`` or ``auto``; None for what the environment variable
            ``RAY_ADDRESS`` says, else for the one that ``ray start`` has begun on this machine, else for a new one of
            this machine alone, which ends with this process.
        purpose: what needs Ray, for the message where it is not installed.

    Raises:
        MissingExtraError: if Ray is not installed.
        ConfigError: if no cluster answers.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("ray", "ray", purpose) from error
    with _lock:
        if not ray.is_initialized():
            _check_reachable(address or os.environ.get("RAY_ADDRESS"))
            # else it warns of its own future
            os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
            try:
                ray.init(address=address, include_dashboard=False, logging_level="warning")
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise ConfigError(
                    f"No Ray cluster answers at {address or os.environ.get('RAY_ADDRESS', 'this machine')} "
                    f"({describe(error, 200)}); start one by 'ray start --head', or leave the address out."
                ) from error
    return ray


def _check_reachable(address: str | None) -> None:
    """Knocks where a cluster should be: Ray itself would knock for minutes, and fill standard error meanwhile.

    Raises:
        ConfigError: if nobody listens there.
    """
    host, colon, port = (address or "").removeprefix("ray://").partition("?")[0].rpartition(":")
    if not (colon and port.isdigit()):
        return  # none, "auto" or "local": Ray finds out at once
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_SECONDS).close()
    except (OSError, OverflowError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else "there is no such port"
        raise ConfigError(
            f"No Ray cluster answers at {address} ({reason}); start one by 'ray start --head', or leave the address out."
        ) from error


def is_lost(error: BaseException) -> bool:
    """Whether an error says that an actor or its node is gone (and not that the code which ran there raised)."""
    from ray.exceptions import RayError, RayTaskError

    return isinstance(error, RayError) and not isinstance(error, RayTaskError)


def ray_reason(error: BaseException, limit: int = 200) -> str:
    """What went wrong in Ray, as one line of at most ``limit`` characters that says how to mend it if that is known."""
    from ray.exceptions import ObjectStoreFullError, OutOfDiskError, RayTaskError

    cause = error.cause if isinstance(error, RayTaskError) else error
    if isinstance(cause, (ObjectStoreFullError, OutOfDiskError)):
        return (
            f"{type(cause).__name__}: a node's object store is full, and its disk too full to spill to; "
            "free some of the disk, or start Ray with a larger object_store_memory"
        )[:limit]
    return " ".join(describe(cause, limit).split())
