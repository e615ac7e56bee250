"""A space of arbitrary Unicode text."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Space

__all__ = ["UnicodeText"]

_PRINTABLE = np.array([chr(c) for c in range(32, 127)])


class UnicodeText(Space[str]):
    """All strings of at most ``max_length`` characters.

    ``gymnasium.spaces.Text`` keeps its alphabet in a table (its default one has no space; all of Unicode takes
    seconds and megabytes); here membership is one length comparison.

    Args:
        max_length: in characters.
        seed: of :meth:`sample`, which gives short printable ASCII.
    """

    def __init__(self, max_length: int = 4_000_000, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(shape=None, dtype=None, seed=seed)
        self.max_length = int(max_length)

    @property
    def is_np_flattenable(self) -> bool:
        """Text has no fixed-size array form."""
        return False

    def contains(self, x: Any) -> bool:
        """Whether ``x`` is a string within the length limit."""
        return isinstance(x, str) and len(x) <= self.max_length

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """A random printable string of at most 64 characters."""
        size = int(self.np_random.integers(0, min(self.max_length, 64) + 1))
        return "".join(self.np_random.choice(_PRINTABLE, size=size))

    def to_jsonable(self, sample_n: Any) -> list[Any]:
        """Strings are JSON already."""
        return list(sample_n)

    def from_jsonable(self, sample_n: list[Any]) -> list[str]:
        """Strings are JSON already."""
        return list(sample_n)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnicodeText) and other.max_length == self.max_length

    def __hash__(self) -> int:
        return hash((UnicodeText, self.max_length))

    def __repr__(self) -> str:
        return f"UnicodeText(max_length={self.max_length})"
