"""From an environment's name to a running server."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from rlvr_gym.errors import ConfigError, MissingExtraError, os_reason
from rlvr_gym.executor import Executor, make_executor
from rlvr_gym.registration import entry
from rlvr_gym.serve.config import ServeConfig
from rlvr_gym.serve.settings import session_settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from rlvr_gym.serve.sessions import Sessions

__all__ = ["serve"]

WORKERS_PER_CORE = 4


def serve(
    env: str,
    config: ServeConfig | None = None,
    *,
    on_start: Callable[[int], None] | None = None,
    **options: Any,
) -> bool:
    """Serves an environment until SIGTERM or Ctrl-C.

    Args:
        env: the environment's id.
        config: the limits.
        on_start: called with the port, once the server listens.
        **options: ``reward``, ``system_prompt``, ``max_turns``, ``executor`` (``"process"``: verifications that hang
            are killed), ``verify_timeout``, and the problem's fields.

    Returns:
        whether everything came to its end; False if an environment still runs in a thread, which then keeps the
        process alive.

    Raises:
        MissingExtraError: if FastAPI or uvicorn is not installed.
        ConfigError, UnknownNameError: if a setting is wrong, or the port is taken.
    """
    config = config or ServeConfig()
    with ExitStack() as stack:
        executor = options.pop("executor", "process")
        if isinstance(executor, str):
            executor = stack.enter_context(_make_executor(executor, config))
        app, sessions = _build(env, config, executor=executor, **options)
        from rlvr_gym.serve.server import Server

        listening = stack.enter_context(_listen(config))
        Server(app, sessions, on_start or (lambda port: None)).run([listening])
        stuck = sessions.stuck
        sessions.shut()
    return not stuck


def _listen(config: ServeConfig) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named: without it a step may wait 40 ms
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((config.host, config.port))
        listening.listen(config.max_connections)
        return listening
    except OSError as error:
        listening.close()
        if isinstance(error, socket.gaierror):
            raise ConfigError(
                f"There is no address {config.host!r} to listen on ({os_reason(error)}); give --host one of this "
                "machine's own, such as 127.0.0.1."
            ) from error
        raise ConfigError(
            f"Port {config.port} of {config.host!r} cannot be opened ({os_reason(error)}); choose another one, or 0 for any."
        ) from error


def _make_executor(name: str, config: ServeConfig) -> Executor:
    """With more workers than cores, which start as they are needed: verifications that hang hold up fewer others."""
    if name != "process":
        return make_executor(name)
    return make_executor(name, workers=min(config.max_sessions, WORKERS_PER_CORE * (os.cpu_count() or 1)))


def _build(env: str, config: ServeConfig, **options: Any) -> tuple[ASGIApp, Sessions]:
    for package in ("fastapi", "uvicorn", "websockets", "prometheus_client"):
        try:
            __import__(package)
        except ImportError as error:
            raise MissingExtraError(package.replace("_", "-"), "serve", "rlvr-gym serve") from error
    from rlvr_gym.serve.app import build_app
    from rlvr_gym.serve.metrics import Metrics
    from rlvr_gym.serve.sessions import Sessions

    chosen = entry(env)
    sessions = Sessions(session_settings(chosen.id, **options), config, Metrics())
    return build_app(sessions, chosen), sessions
