"""What a server is allowed to do and to take."""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass, field

from rlvr_gym.errors import ConfigError

__all__ = ["ServeConfig"]

MIN_KEY_CHARS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeConfig:
    """The limits of a server.

    Attributes:
        host: the address that it listens on; another one than this machine's own needs an API key.
        port: its port; 0 for any that is free.
        api_key: clients have to show it; None for no key. At least 16 printable ASCII characters.
        max_sessions: sessions at the same time; each may hold a thread and an episode of up to ``max_episode_bytes``.
        session_timeout: seconds after which a session that nobody uses is closed.
        max_bytes: most bytes of a request's body, or of a WebSocket message.
        max_episode_bytes: most bytes of all of an episode's actions; None for four times ``max_bytes``.
        step_timeout: seconds for one reset or step, verification included; a session that takes longer is lost.
        send_timeout: seconds after which a client that does not read what it is sent is cut off, as is one that does
            not finish a request.
        grace: seconds that running steps get when the server is told to stop.

    Raises:
        ConfigError: saying which setting is wrong.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str | None = field(default=None, repr=False)
    max_sessions: int = 64
    session_timeout: float = 600.0
    max_bytes: int = 2**20
    max_episode_bytes: int | None = None
    step_timeout: float = 60.0
    send_timeout: float = 10.0
    grace: float = 30.0

    def __post_init__(self) -> None:
        for name, most in (("max_sessions", 10_000), ("max_bytes", 2**30)):
            value = getattr(self, name)
            if not 1 <= value <= most:
                raise ConfigError(f"{name} goes from 1 to {most:,}; got {value!r}.")
        if not 0 <= self.port < 2**16:
            raise ConfigError(f"port goes from 0 (any that is free) to 65535; got {self.port!r}.")
        for name in ("session_timeout", "step_timeout", "send_timeout", "grace"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise ConfigError(f"{name} is a positive number of seconds; got {value!r}.")
        if self.episode_bytes < 1:
            raise ConfigError(f"max_episode_bytes is at least 1; got {self.max_episode_bytes!r}.")
        self._check_key()

    def _check_key(self) -> None:
        key = self.api_key
        if key is None:
            if not self.local:
                raise ConfigError(
                    f"Listening on {self.host!r} lets other machines in, which needs an API key: set RLVR_GYM_API_KEY "
                    "(openssl rand -hex 16 makes one), or leave the host at 127.0.0.1."
                )
        elif len(key) < MIN_KEY_CHARS or not (key.isascii() and key.isprintable()) or " " in key:
            raise ConfigError(
                f"An API key has at least {MIN_KEY_CHARS} printable ASCII characters and no spaces; "
                "openssl rand -hex 16 makes one."
            )

    @property
    def local(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:  # some other name, or nothing, which means every address
            return False

    @property
    def episode_bytes(self) -> int:
        """Most bytes of all of an episode's actions."""
        return 4 * self.max_bytes if self.max_episode_bytes is None else self.max_episode_bytes

    @property
    def max_connections(self) -> int:
        """Open connections at the same time: two for each session, and some for health checks and metrics."""
        return 2 * self.max_sessions + 64
