"""When to try a request again, and how many to have on their way at one time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import numpy as np

__all__ = ["LONGEST_WAIT", "RETRIED_STATUSES", "Backoff", "Window", "retry_after"]

RETRIED_STATUSES = frozenset({408, 409, 425, 429, *range(500, 600)})
LONGEST_WAIT = 600.0
"""Seconds. Who is told to wait longer than this gives up at once; the run can be started again."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between tries.

    ``base * 2**n`` seconds before try ``n + 1``, at most ``most``, times a random factor between 1/2 and 1 so that
    requests that failed together do not come back together ("equal jitter", M. Brooker, AWS Architecture Blog 2015).

    Attributes:
        base: the first wait in seconds.
        most: the longest one.
    """

    base: float = 0.5
    most: float = 60.0

    def wait(self, failures: int, rng: np.random.Generator, asked: float | None = None) -> float:
        """Seconds to wait.

        Args:
            failures: how often the request has failed, from 1.
            rng: of the jitter.
            asked: what the server asks for; it is never undercut.
        """
        own = min(self.most, self.base * 2.0 ** min(failures - 1, 30)) * float(rng.uniform(0.5, 1.0))
        return own if asked is None else asked + min(own, 1.0)


class Window:
    """Places for requests that are on their way at one time: half as many once some run out of time.

    A server that takes one request after the other lets the rest wait, and their time runs meanwhile. What it then
    answers is thrown away and asked for, and perhaps paid for, again; so the window never grows back. (Decrease as
    in Chiu and Jain, Computer Networks 1989; without the increase.)

    Belongs to one event loop.

    Args:
        size: places at the beginning.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._taken = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[int]:
        """Waits for a place and holds it; gives the window's size at that moment."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._taken < self.size)
            self._taken += 1
        try:
            yield self.size
        finally:
            self._taken -= 1
            async with self._changed:
                self._changed.notify()

    def narrow(self, seen: int) -> bool:
        """Halves the window, but once for all the requests that went out when its size was ``seen``.

        Returns:
            Whether it is smaller now.
        """
        if seen != self.size or self.size == 1:
            return False
        self.size //= 2
        return True


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """The seconds that a server asks to wait (RFC 9110, section 10.2.3); None if it does not say.

    Args:
        headers: of the answer; names in any case if it is a mapping that allows for it.
        now: seconds since the epoch; None for the clock.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "").strip()
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    try:
        at = parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    return max(0.0, at - (time.time() if now is None else now))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
