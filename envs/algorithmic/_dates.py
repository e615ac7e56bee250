"""Dates as text."""

from __future__ import annotations

import re
from datetime import date

__all__ = ["MONTHS", "WEEKDAYS", "add_months", "parse_date"]

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_NUMBERS = {name[:size].lower(): i for i, name in enumerate(MONTHS, 1) for size in (3, len(name))}
_DAY_NAME = re.compile(rf"(?:{'|'.join(WEEKDAYS)}),?\s{{1,4}}", re.IGNORECASE)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_DAY_FIRST = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?(?: of)? ([a-z]{3,9})\.?,? (\d{4})", re.ASCII | re.IGNORECASE
)
_MONTH_FIRST = re.compile(r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})", re.ASCII | re.IGNORECASE)


def parse_date(text: str) -> date | None:
    """A date such as ``2024-03-05``, ``5 March 2024`` or ``Tuesday, March 5, 2024`` (the weekday has to fit); or None.

    Digits with slashes are not read: what comes first in them depends on the country.
    """
    text = " ".join(text[:80].split()).rstrip(".")
    named = _DAY_NAME.match(text)
    rest = text[named.end() :] if named else text
    if match := _ISO.fullmatch(rest):
        year, month, day = (int(part) for part in match.groups())
    elif match := _DAY_FIRST.fullmatch(rest):
        year, month, day = int(match[3]), _NUMBERS.get(match[2].lower(), 0), int(match[1])
    elif match := _MONTH_FIRST.fullmatch(rest):
        year, month, day = int(match[3]), _NUMBERS.get(match[1].lower(), 0), int(match[2])
    else:
        return None
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    fits = named is None or WEEKDAYS[found.weekday()].lower() in named.group().lower()
    return found if fits else None


def add_months(start: date, months: int) -> date:
    """The same day of another month; the day has to exist there."""
    years, month = divmod(start.month - 1 + months, 12)
    return start.replace(year=start.year + years, month=month + 1)
