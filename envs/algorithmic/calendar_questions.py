"""CalendarQuestions: weekdays, dates and spans, worked out from one known weekday."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, pick
from rlvr_gym.envs.algorithmic._dates import MONTHS, WEEKDAYS, parse_date
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier, integer_of
from rlvr_gym.verifiers.grids import normalized

__all__ = ["CalendarAnswerVerifier", "CalendarQuestions"]

EARLIEST = date(1950, 1, 1)
ORDINALS = ("first", "second", "third", "fourth")


@register_verifier("calendar_answer")
class CalendarAnswerVerifier(ParsedVerifier[str]):
    """``task.answer`` is ``{"kind", "value"}``: a weekday, a date or a number of days."""

    def read(self, answer: str, task: Task) -> str | None:
        """The answer as the generator writes it."""
        if task.answer["kind"] == "date":
            found = parse_date(answer)
            return found.isoformat() if found else None
        if task.answer["kind"] == "days":
            number = integer_of(answer.lower().removesuffix("days"))
            return None if number is None else str(number)
        word = normalized(answer)
        full = (day for day in WEEKDAYS if word in (day.lower(), day[:3].lower()))
        return next(full, None)

    def holds(self, value: str, task: Task) -> bool:
        """Equality."""
        return bool(value == task.answer["value"])


@register("rlvr/CalendarQuestions-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class CalendarQuestions(Problem):
    """Answer a question about the calendar: a weekday, the date of the n-th weekday of a month, or a span of days.

    Difficulty d has spans of up to 20 * 2^(d - 1) days (from 20 to about 10,000), at least half of that. The hardness
    is the number of days between the two dates.
    """

    verifier: ClassVar[str] = "calendar_answer"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws two dates and a question."""
        most = 20 * 2 ** (difficulty - 1)
        known = EARLIEST + timedelta(days=integer(rng, 0, 36_000))
        days = integer(rng, most // 2, most)
        other = known + timedelta(days=days)
        kind = pick(rng, ("weekday", "date", "days"))
        weekday = WEEKDAYS[known.weekday()]
        if kind == "days":
            question, value = f"How many days after {known} is {other}?", str(days)
            lines, form, examples = _span(known, other), "the number of days", ("7", "8")
        elif kind == "weekday":
            question, value = (
                f"{known} is a {weekday}. Which day of the week is {other}?",
                WEEKDAYS[other.weekday()],
            )
            lines, form, examples = _weekday(known, other), "the day of the week", ("Monday", "Sunday")
        else:
            rank, wanted = integer(rng, 0, 3), integer(rng, 0, 6)
            first = other.replace(day=1)
            if first <= known:
                first = (first + timedelta(days=31)).replace(day=1)
            found = first + timedelta(days=(wanted - first.weekday()) % 7 + 7 * rank)
            value = found.isoformat()
            question = (
                f"{known} is a {weekday}. Which date is the {ORDINALS[rank]} {WEEKDAYS[wanted]} of "
                f"{MONTHS[first.month - 1]} {first.year}?"
            )
            lines = [
                *_weekday(known, first),
                f"The first {WEEKDAYS[wanted]} is {found - timedelta(days=7 * rank)}.",
            ]
            form, examples = "the date", ("1949-01-31", "1949-02-28")
        return Task(
            prompt=ask(f"{question} (Dates are year-month-day.)", form, *examples, answer=value),
            answer={"kind": kind, "value": value},
            metadata={"kind": kind, "hardness": days},
            solution="\n".join([*lines, f"So: {value}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The only answer."""
        return str(task.answer["value"])


def _span(first: date, last: date) -> list[str]:
    """Whole years to the same day (or the first of the month), then months, then days."""
    lines: list[str] = []
    at, total = first.replace(day=1), 1 - first.day
    lines.append(f"Days after {first}: {at} is {total}.")
    while at.replace(day=1) < last.replace(day=1):
        year_on = date(at.year + 1, at.month, 1)
        month_on = (at + timedelta(days=31)).replace(day=1)
        step = year_on if year_on <= last else month_on
        total += (step - at).days
        lines.append(f"{step}, {(step - at).days} more: {total}.")
        at = step
    total += last.day - 1
    return [*lines, f"{last}, {last.day - 1} more: {total}."]


def _weekday(first: date, last: date) -> list[str]:
    days = (last - first).days
    day, target = WEEKDAYS[first.weekday()], WEEKDAYS[last.weekday()]
    return [
        *_span(first, last),
        f"{days} = {days // 7} weeks + {days % 7}; {day} + {days % 7} days is {target}.",
    ]
