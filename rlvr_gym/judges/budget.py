"""How much a judge may cost."""

from __future__ import annotations

import logging
from threading import Lock

__all__ = ["Budget"]

logger = logging.getLogger(__name__)


class Budget:
    """Counts calls and tokens, from several threads. What would go beyond is not asked.

    Args:
        calls: most requests; 0 for any number.
        tokens: no further request once so many tokens have gone to and fro; 0 for any number.
    """

    def __init__(self, calls: int = 0, tokens: int = 0) -> None:
        self.calls, self.tokens = calls, tokens
        self.used_calls = self.used_tokens = 0
        self._lock = Lock()
        self._told = False

    def take(self) -> bool:
        """Whether there is room for one more request, which is then counted; the first refusal is logged."""
        with self._lock:
            over = (self.calls and self.used_calls >= self.calls) or (
                self.tokens and self.used_tokens >= self.tokens
            )
            if not over:
                self.used_calls += 1
                return True
            if not self._told:
                self._told = True
                logger.warning(
                    "The judge's budget is used up (%d calls, %d tokens): what it is asked from now on has no reward.",
                    self.used_calls,
                    self.used_tokens,
                )
            return False

    def spend(self, tokens: int) -> None:
        """Counts the tokens of a request."""
        with self._lock:
            self.used_tokens += tokens
