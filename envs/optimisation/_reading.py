"""Reading answers that are triples of numbers."""

from __future__ import annotations

import re
from fractions import Fraction

from rlvr_gym.verifiers.answers import parse_matrix

__all__ = ["parse_triples"]

_BULLET = re.compile(r"^[ \t]{0,8}(?:[-*]|\d{1,3}[.:)])[ \t]{1,4}(?=[\[(])", re.MULTILINE)


def parse_triples(text: str) -> list[list[Fraction]] | None:
    """``(x, y, z), (x, y, z)``, JSON, lines of three numbers, or a list with bullets or numbers; exactly, or None."""
    rows = parse_matrix(_BULLET.sub("", text))
    return rows if rows and len(rows[0]) == 3 else None
