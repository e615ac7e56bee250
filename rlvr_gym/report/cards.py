"""Rollouts as cards of a page: what was asked and written, and the verdict on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["Card", "Note", "cut", "tone", "verdict_counts", "written"]

MAX_CHARS = 6000
_MAX_SHORT = 300


class Note(NamedTuple):
    """What stands in a card's head beside the verdict: a label, a value that stands out, and a class for its style."""

    label: str = ""
    value: str = ""
    style: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A rollout as a page shows it; texts are cut, not escaped."""

    prompt: str
    completion: str
    verdict: str
    tone: str
    extracted: str | None
    notes: Sequence[Note]

    @classmethod
    def of(cls, row: Mapping[str, Any], notes: Sequence[Note]) -> Card:
        """A row of ``rollouts.jsonl``."""
        verdict = row.get("verdict") or {}
        extracted = verdict.get("extracted")
        return cls(
            prompt=cut(str(row.get("prompt", ""))),
            completion=cut(written(row)),
            verdict=str(verdict.get("reason", "unknown")),
            tone=tone(verdict),
            extracted=None if extracted is None else cut(str(extracted), _MAX_SHORT),
            notes=[Note(*(cut(part, _MAX_SHORT) for part in note)) for note in notes],
        )


def tone(verdict: Mapping[str, Any]) -> str:
    """``good`` for right, ``bad`` for wrong, ``void`` if verification itself failed."""
    return "good" if verdict.get("correct") else "bad" if verdict.get("valid", True) else "void"


def verdict_counts(cards: Sequence[Card]) -> list[tuple[str, str, int]]:
    """``(reason, tone, count)`` for the filter: right ones first, then by frequency."""
    counts = Counter((card.verdict, card.tone) for card in cards)
    order = sorted(counts.items(), key=lambda item: (item[0][1] != "good", -item[1]))
    return [(reason, tone, count) for (reason, tone), count in order]


def written(row: Mapping[str, Any]) -> str:
    """The completion; of several turns, everything that was said after the prompt."""
    said = [m for m in row.get("messages") or [] if isinstance(m, Mapping)]
    roles = [m.get("role") for m in said]
    if roles.count("assistant") < 2:
        return str(row.get("completion", ""))
    turns = said[roles.index("assistant") :]
    return "\n\n".join(f"[{m.get('role')}]\n{m.get('content')}" for m in turns)


def cut(text: str, limit: int = MAX_CHARS) -> str:
    """The text, or its beginning and how much is left out."""
    return text if len(text) <= limit else f"{text[:limit]} … ({len(text) - limit:,} more characters)"
