"""What uvicorn does not watch: clients that do not finish a request, do not read, or are too many.

uvicorn bounds the time between two requests of a connection, and nothing else. A client that sends half a header, or
never reads what it is sent, would keep its connection, and what waits for it in memory, for ever.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from rlvr_gym.serve.config import ServeConfig
from rlvr_gym.serve.metrics import Metrics

__all__ = ["Guard", "guarded_protocol"]

KEEP_ALIVE = 30
_SLACK = 10
_MAX_FRAGMENTS = 4096
_SAID = 2**20
"""What we may have said ourselves, in bytes, without its being read: prompts are shorter."""


class Guard:
    """Cuts connections off.

    Args:
        state: uvicorn's, which holds the connections.
        config: the limits.
        metrics: where it is counted.
    """

    def __init__(self, state: ServerState, config: ServeConfig, metrics: Metrics) -> None:
        self._state, self._config, self._metrics = state, config, metrics
        self._waiting: dict[Any, tuple[Any, float]] = {}
        self._unread: dict[Any, tuple[int, float]] = {}

    async def run(self) -> None:
        """Looks at all connections, for ever."""
        while True:
            await asyncio.sleep(min(self._config.send_timeout / 4, 1.0))
            now = time.monotonic()
            connections = set(self._state.connections)
            for watched in (self._waiting, self._unread):
                for gone in watched.keys() - connections:
                    del watched[gone]
            for connection in connections:
                reason = self._fault(connection, now)
                if reason:
                    self._metrics.cut_off.labels(reason).inc()
                    connection.transport.abort()

    def _fault(self, connection: Any, now: float) -> str:
        """Why a connection is to be cut off; empty if it is not."""
        if self._does_not_read(connection, now):
            return "does_not_read"
        if isinstance(connection, H11Protocol):
            return "half_a_request" if self._does_not_ask(connection, now) else ""
        # of no bytes each, they would pass any limit of bytes
        return "fragments" if len(connection.frames) > _MAX_FRAGMENTS else ""

    def _does_not_read(self, connection: Any, now: float) -> bool:
        """Whether what is there for it to read has not become less for too long, or is too much at once."""
        size: int = connection.transport.get_write_buffer_size()
        if size == 0:
            self._unread.pop(connection, None)
            return False
        least, since = self._unread.get(connection, (size + 1, now))
        if size < least:
            least, since = size, now
        self._unread[connection] = (least, since)
        return size > _SAID + self._config.max_bytes or now - since > self._config.send_timeout

    def _does_not_ask(self, connection: H11Protocol, now: float) -> bool:
        """Whether it has had no request that is being answered for too long, or sends a body that is refused."""
        cycle = connection.cycle
        if cycle is not None and not cycle.response_complete:
            self._waiting.pop(connection, None)
            return False
        known, since = self._waiting.get(connection, (cycle, now))
        if known is not cycle:
            since = now
        self._waiting[connection] = (cycle, since)
        whole = cycle is not None and not cycle.more_body
        return now - since > (KEEP_ALIVE + _SLACK if whole else self._config.send_timeout)


def guarded_protocol(config: ServeConfig, metrics: Metrics) -> type[H11Protocol]:
    """Uvicorn's protocol, for so many connections and no more."""

    class Protocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > config.max_connections:
                metrics.cut_off.labels("too_many").inc()
                transport.abort()

    return Protocol
