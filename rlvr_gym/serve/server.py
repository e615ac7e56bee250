"""uvicorn, with the limits and the end that sessions need."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from rlvr_gym.serve.guard import KEEP_ALIVE, Guard, guarded_protocol
from rlvr_gym.serve.sessions import Sessions

__all__ = ["Server"]

PING_TIMEOUT = 60.0
"""A client that sends ahead is not read while a step runs, its pongs included."""


class Server(uvicorn.Server):
    """A server that lets running steps end, and tells every session before it closes.

    Args:
        app: the application.
        sessions: its sessions.
        on_start: called with the port, once it listens.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions, on_start: Callable[[int], None]) -> None:
        self._sessions, self._on_start = sessions, on_start
        limits = sessions.config
        super().__init__(
            uvicorn.Config(
                app,
                http=guarded_protocol(limits, sessions.metrics),
                ws="websockets-sansio",
                lifespan="off",
                log_level="error",  # a warning for each request that is no HTTP would fill the disk
                access_log=False,
                server_header=False,
                headers=[("cache-control", "no-store"), ("x-content-type-options", "nosniff")],
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=5,
                ws_max_size=limits.max_bytes,
                ws_per_message_deflate=False,
                ws_ping_timeout=PING_TIMEOUT,
            )
        )

    async def main_loop(self) -> None:
        """uvicorn's, with the guard and the reaper beside it."""
        port: int = self.servers[0].sockets[0].getsockname()[1]
        self._on_start(port)
        guard = Guard(self.server_state, self._sessions.config, self._sessions.metrics)
        self._watchers = [asyncio.ensure_future(guard.run()), asyncio.ensure_future(self._sessions.reap())]
        await super().main_loop()

    async def shutdown(self, sockets: object = None) -> None:
        """Refuses what is new, lets end what runs, closes the sessions, then the connections."""
        for server in self.servers:
            server.close()
        await self._sessions.drain(lambda: self.force_exit)
        await super().shutdown()
        for watcher in self._watchers:
            watcher.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """As uvicorn's, but a stop that was asked for is a success: the signal is not raised again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal asks for an end, the second one for a quick one."""
        self.force_exit = self.should_exit
        self.should_exit = True
