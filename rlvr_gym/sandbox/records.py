"""Reading what a program says about a call: untrusted text into plain values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rlvr_gym.sandbox.guest.literals import LiteralError, decode

__all__ = ["Record", "read_record"]


@dataclass(frozen=True, slots=True)
class Record:
    """One call's outcome.

    Attributes:
        value: what was returned, if ``raised`` is empty.
        raised: the name of the exception, or why the value cannot be read.
    """

    value: Any = None
    raised: str = ""


def read_record(line: str) -> Record:
    """The outcome that a line states; total on any text, and bounded by its length.

    ``json`` evaluates nothing, reads in linear time, counts its recursion and refuses whole numbers beyond 4,300
    digits.
    """
    try:
        data = json.loads(line)
        if isinstance(data, dict) and data.keys() == {"value"}:
            return Record(decode(data["value"]))
        if isinstance(data, dict) and data.keys() == {"raised"}:
            return Record(raised=str(data["raised"])[:100] or "Exception")
    except (LiteralError, ValueError, RecursionError, MemoryError):
        pass
    return Record(raised="a result that cannot be read")
