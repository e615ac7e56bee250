"""Made-up people for calendars and mailboxes."""

from __future__ import annotations

import numpy as np

__all__ = ["draw_people"]

_FIRST = (
    "Ada",
    "Ben",
    "Cleo",
    "Dina",
    "Emil",
    "Fay",
    "Gus",
    "Hana",
    "Ivo",
    "Jana",
    "Karl",
    "Lena",
    "Milo",
    "Nora",
    "Otto",
    "Pia",
)
_LAST = ("Adler", "Brandt", "Conti", "Dubois", "Egger", "Faber", "Garza", "Holm", "Ito", "Janssen", "Kowal", "Lund")  # fmt: skip


def draw_people(count: int, rng: np.random.Generator) -> list[str]:
    """Full names, all different; some share a first or a last name."""
    first = rng.permutation(len(_FIRST))[: 1 + (2 * count) // 3]
    last = rng.permutation(len(_LAST))[: 1 + (2 * count) // 3]
    pairs = rng.permutation(len(first) * len(last))[:count]
    return [
        f"{_FIRST[int(first[i // len(last)])]} {_LAST[int(last[i % len(last)])]}" for i in map(int, pairs)
    ]
