"""The best solutions that our own searches found, from ``datasets/optimisation``."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["records"]

FOLDER = Path(__file__).parents[2] / "datasets" / "optimisation"


@lru_cache(maxsize=8)
def records(name: str) -> tuple[dict[str, Any], ...]:
    """The rows of ``<name>.jsonl``; see the card beside it."""
    text = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8")
    return tuple(json.loads(line) for line in text.splitlines())
