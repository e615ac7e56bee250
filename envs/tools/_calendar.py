"""A calendar in memory with the calls of an API, and other people's busy times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date as Date
from typing import Any

from rlvr_gym.tools import Tool, ToolError

__all__ = ["Calendar", "Event", "clock", "minutes"]

MAX_EVENTS = 300
MAX_TITLE_CHARS = 80
_TIME = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)


def minutes(time: str) -> int:
    """Minutes since midnight of ``HH:MM``; 24:00 is the end of the day.

    Raises:
        ToolError: if it is no time.
    """
    match = _TIME.fullmatch(time.strip())
    value = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else 9999
    if value > 24 * 60:
        raise ToolError(f"Times are like 09:30; got {time[:40]!r}.")
    return value


def clock(value: int) -> str:
    """``HH:MM`` of minutes since midnight."""
    return f"{value // 60:02d}:{value % 60:02d}"


def _day(text: str) -> str:
    try:
        return Date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise ToolError(f"Dates are like 2031-05-20; got {text[:40]!r}.") from None


@dataclass(frozen=True, slots=True)
class Event:
    """An appointment.

    Attributes:
        title: its name.
        date: ISO date.
        start: minutes since midnight.
        end: the same, later.
        people: who takes part besides the owner of the calendar, sorted.
    """

    title: str
    date: str
    start: int
    end: int
    people: tuple[str, ...]

    @property
    def facts(self) -> list[Any]:
        """All of it as JSON."""
        return [self.title, self.date, clock(self.start), clock(self.end), list(self.people)]


class Calendar:
    """The calls of the API.

    Args:
        events: the events at the beginning, as :attr:`Event.facts`; their ids are 1, 2, ...
        busy: person -> date -> ``[start, end]`` of other appointments.
    """

    def __init__(self, events: Sequence[Sequence[Any]], busy: dict[str, dict[str, list[list[str]]]]) -> None:
        self.events = {
            i: Event(title, date, minutes(start), minutes(end), tuple(people))
            for i, (title, date, start, end, people) in enumerate(events, 1)
        }
        self.busy = busy
        self._next = len(self.events) + 1

    def on(self, date: str) -> dict[int, Event]:
        """The events of a day, in the order of their times."""
        return {
            i: event
            for i, event in sorted(
                self.events.items(), key=lambda item: (item[1].start, item[1].end, item[0])
            )
            if event.date == date
        }

    def list_events(self, date: str) -> str:
        """The events of a day."""
        return self._told(self.on(_day(date)))

    def find_events(self, text: str) -> str:
        """The events with a text in their title or the names of the people."""
        wanted = text.casefold()
        return self._told(
            {
                i: event
                for i, event in self.events.items()
                if wanted in event.title.casefold()
                or any(wanted in person.casefold() for person in event.people)
            }
        )

    def _told(self, events: dict[int, Event]) -> str:
        lines = [
            f"id {i}: {event.title}, {event.date}, {clock(event.start)}-{clock(event.end)}, "
            f"with {', '.join(event.people) or 'nobody'}"
            for i, event in events.items()
        ]
        return "\n".join(lines) or "(no events)"

    def busy_times(self, person: str, date: str) -> str:
        """When a person has other appointments."""
        (name,) = self._people([person])
        times = [f"{start}-{end}" for start, end in self.busy[name].get(_day(date), [])]
        return ", ".join(times) or "(free all day)"

    def create_event(self, title: str, date: str, start: str, end: str, people: list[Any]) -> str:
        """A new event."""
        name = " ".join(title.split())
        if not 0 < len(name) <= MAX_TITLE_CHARS:
            raise ToolError(f"A title has 1 to {MAX_TITLE_CHARS} characters.")
        if len(self.events) >= MAX_EVENTS:
            raise ToolError(f"A calendar may have {MAX_EVENTS} events.")
        event = Event(name, _day(date), *_span(start, end), self._people(people))
        self.events[self._next] = event
        self._next += 1
        return f"(ok, id {self._next - 1})"

    def move_event(self, id: int, date: str, start: str, end: str) -> str:
        """Another date and time for an event."""
        first, last = _span(start, end)
        self.events[id] = replace(self._event(id), date=_day(date), start=first, end=last)
        return "(ok)"

    def set_people(self, id: int, people: list[Any]) -> str:
        """Other people for an event."""
        self.events[id] = replace(self._event(id), people=self._people(people))
        return "(ok)"

    def delete_event(self, id: int) -> str:
        """Removes an event."""
        self._event(id)
        del self.events[id]
        return "(ok)"

    def _event(self, id: int) -> Event:
        if id not in self.events:
            raise ToolError(
                f"There is no event with this id; ids are {', '.join(map(str, self.events)) or 'none'}."
            )
        return self.events[id]

    def _people(self, names: Sequence[Any]) -> tuple[str, ...]:
        """The people of these names, each once."""
        known = {person.casefold(): person for person in self.busy}
        found = {
            known.get(" ".join(name.split()).casefold()) if isinstance(name, str) else None for name in names
        }
        if None in found:
            raise ToolError(f"People are given by their full names: {', '.join(self.busy)}.")
        return tuple(sorted(name for name in found if name))

    @property
    def tools(self) -> Sequence[Tool]:
        """The calls."""
        span: dict[str, type] = {"date": str, "start": str, "end": str}
        return (
            Tool("list_events", "the events of a day", {"date": str}, self.list_events),
            Tool("find_events", "the events with a text in title or people", {"text": str}, self.find_events),
            Tool(
                "busy_times",
                "when a person has other appointments",
                {"person": str, "date": str},
                self.busy_times,
            ),
            Tool("create_event", "a new event", {"title": str, **span, "people": list}, self.create_event),
            Tool("move_event", "gives an event another date and time", {"id": int, **span}, self.move_event),
            Tool("set_people", "gives an event other people", {"id": int, "people": list}, self.set_people),
            Tool("delete_event", "removes an event", {"id": int}, self.delete_event),
        )


def _span(start: str, end: str) -> tuple[int, int]:
    first, last = minutes(start), minutes(end)
    if first >= last:
        raise ToolError("An event ends after it starts, on the same day.")
    return first, last
