"""DateArithmetic: the date some days before or after another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer
from rlvr_gym.envs.algorithmic._dates import add_months, parse_date
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier

__all__ = ["DateArithmetic", "DateVerifier"]

FIRST, LAST = date(1900, 1, 1), date(2100, 1, 1)


@register_verifier("calendar_date")
class DateVerifier(ParsedVerifier[date]):
    """``task.answer`` is a date in ISO form."""

    def read(self, answer: str, task: Task) -> date | None:
        """A date."""
        return parse_date(answer)

    def holds(self, value: date, task: Task) -> bool:
        """Equality."""
        return value == date.fromisoformat(task.answer)


@register("rlvr/DateArithmetic-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class DateArithmetic(Problem):
    """Find the date a number of days before or after another one.

    Difficulty d has up to 12 * 2^(d - 1) days (from 12 to about 6,000), at least half of that. The hardness is the
    number of days.
    """

    verifier: ClassVar[str] = "calendar_date"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a date, a number of days and a direction."""
        most = 12 * 2 ** (difficulty - 1)
        days = integer(rng, most // 2, most)
        start = FIRST + timedelta(days=integer(rng, most, (LAST - FIRST).days - most))
        later = bool(rng.random() < 0.5)
        end = start + timedelta(days=days if later else -days)
        lines = _forwards(start, days) if later else _backwards(start, days)
        return Task(
            prompt=ask(
                f"Which date is {days} days {'after' if later else 'before'} {start.isoformat()} (year-month-day, "
                f"Gregorian calendar)?",
                "the date in the same form",
                "1899-12-30",
            ),
            answer=end.isoformat(),
            metadata={"days": days, "hardness": days},
            solution="\n".join([*lines, f"So: {end.isoformat()}"]),
        )


def _forwards(start: date, days: int) -> list[str]:
    """Counts in whole years, whole months and days, from the first of the month on."""
    first = start.replace(day=1)
    left = days + start.day - 1
    return [f"From {first}, {start.day - 1} days earlier: {left} days.", *_hops(first, left)]


def _backwards(start: date, days: int) -> list[str]:
    """Goes back far enough in whole years, and counts forwards from there."""
    years = days // 365 + 1
    first = date(start.year - years, start.month, 1)
    span = (start - first).days
    line = f"{first} is {span} days before {start}: {years} years with {span - 365 * years - start.day + 1} leap days"
    return [
        f"{line}, and {start.day - 1} days.",
        f"So it is {span} - {days} = {span - days} days after {first}.",
        *_hops(first, span - days),
    ]


def _hops(first: date, left: int) -> list[str]:
    lines = []
    while True:
        months = 12 if left >= 366 else 1
        after = add_months(first, months)
        length = (after - first).days
        if length > left:
            break
        lines.append(f"{first} to {after}: {length} days, {left - length} left.")
        first, left = after, left - length
    lines.append(f"{left} days after {first}: {first + timedelta(days=left)}.")
    return lines
