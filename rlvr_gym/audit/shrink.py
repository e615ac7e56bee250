"""Making an example smaller while it stays an example."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

__all__ = ["holds", "shrink", "shrink_actions"]

_S = TypeVar("_S", str, "tuple[str, ...]")


def shrink(text: str, still: Callable[[str], bool], keep: Sequence[str] = (), budget: int = 80) -> str:
    """The smallest text found by taking parts out, for which ``still`` holds.

    Args:
        text: it holds for this one.
        still: whether a smaller text is an example of the same.
        keep: what the text has to hold, see :func:`holds`.
        budget: most calls of ``still``.
    """
    return _shrink(text, lambda candidate: holds(candidate, keep) and still(candidate), budget)


def shrink_actions(
    actions: tuple[str, ...], still: Callable[[tuple[str, ...]], bool], budget: int = 40
) -> tuple[str, ...]:
    """The same for the actions of an episode: as few as will do."""
    return _shrink(actions, still, budget)


def holds(text: str, keep: Sequence[str]) -> bool:
    """Whether a text holds all of ``keep`` side by side, none of them as a part of another one."""
    for piece in sorted(keep, key=len, reverse=True):
        if piece not in text:
            return False
        text = text.replace(piece, "\0", 1)
    return True


def _shrink(whole: _S, still: Callable[[_S], bool], budget: int) -> _S:
    """Delta debugging (Zeller and Hildebrandt 2002) without the step to complements: halves, quarters, ..., ones."""
    size = max(1, len(whole) // 2)
    while True:
        removed = False
        for smaller in _without_parts(whole, size):
            if budget <= 0:
                return whole
            budget -= 1
            if still(smaller):
                whole, removed = smaller, True
                break
        if not removed:
            if size == 1:
                return whole
            size = max(1, size // 2)
        size = min(size, max(1, len(whole) // 2))


def _without_parts(whole: _S, size: int) -> Iterator[_S]:
    for start in range(0, len(whole), size):
        smaller = whole[:start] + whole[start + size :]
        if len(smaller) < len(whole):
            yield smaller
