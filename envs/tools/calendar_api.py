"""Instructions about a calendar, carried out by the calls of an API; the calendar in the end is judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import timedelta
from typing import Any

import numpy as np

from rlvr_gym.envs._authoring import integer, level, pick, shuffled
from rlvr_gym.envs.tools._calendar import Calendar, Event, clock, minutes
from rlvr_gym.envs.tools._dialogue import Calls, StateDialogue, turns_for
from rlvr_gym.envs.tools._instructions import Draw, Instruction, compose, numbered
from rlvr_gym.envs.tools._people import draw_people
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.tools import Tool

__all__ = ["CalendarAPI"]

_TOPICS = (
    "Budget",
    "Design",
    "Hiring",
    "Roadmap",
    "Safety",
    "Travel",
    "Website",
    "Contract",
    "Logo",
    "Survey",
)
_KINDS = ("review", "call", "lunch", "workshop", "briefing", "check", "update", "planning")
_DAY_STARTS, _DAY_ENDS = 8 * 60, 18 * 60


@register("rlvr/CalendarAPI-v0", family="tools")
@dataclass(frozen=True, kw_only=True)
class CalendarAPI(StateDialogue):
    """Carry out instructions about a calendar: cancel, move, shift, invite, find a time at which everybody is free.

    The events that are there in the end count (title, date, times, people; not their ids), so that an event may as well
    be deleted and made again. Any other event that is changed makes it wrong. Difficulty 1 to 10 is 1 to 6 instructions
    about 7 to 25 events; the hardness is the number of calls that carry them out.
    """

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws instructions, each for the calendar that the ones before it leave."""
        first = Date(2031, 1, 6) + timedelta(weeks=integer(rng, 0, 50))
        dates = [(first + timedelta(days=i)).isoformat() for i in range(5)]
        people = draw_people(6, rng)
        events = _draw_events(5 + 2 * difficulty, dates, people, rng)
        busy = {person: {date: _draw_busy(rng) for date in dates} for person in people}
        before = self.facts(Calendar(events, busy))
        while True:
            calendar = Calendar(events, busy)
            texts, plan = compose(_DRAWS, calendar, calendar.tools, level(difficulty, 1, 6), rng)
            if self.facts(calendar) != before:  # a move may undo another one
                break
        turns = turns_for(plan)
        return Task(
            prompt=(
                "You keep a calendar by the calls below. Carry out these instructions in this order, and change nothing "
                f"else:\n\n{numbered(texts)}\n\nDates are like {dates[0]}, times like 09:30; the calendar has events from "
                f"{dates[0]} to {dates[-1]}. Events may overlap, unless it is said that a time has to be free.\n\n"
                f"{self.rules(calendar.tools, turns)}"
            ),
            answer=self.facts(calendar),
            metadata={
                "hardness": sum(map(len, plan)),
                "instructions": texts,
                "turns": turns,
                "plan": plan,
                "events": events,
                "busy": busy,
            },
        )

    def open(self, task: Task) -> Calendar:
        """The calendar at the beginning."""
        return Calendar(task.metadata["events"], task.metadata["busy"])

    def tools(self, world: Any) -> Sequence[Tool]:
        """The calls of the API."""
        tools: Sequence[Tool] = world.tools
        return tools

    def facts(self, world: Any) -> list[str]:
        """All events, without their ids."""
        return sorted(json.dumps(event.facts) for event in world.events.values())


# --- calendars ---


def _draw_events(
    count: int, dates: Sequence[str], people: Sequence[str], rng: np.random.Generator
) -> list[list[Any]]:
    titles = shuffled(rng, [f"{topic} {kind}" for topic in _TOPICS for kind in _KINDS])[:count]
    events = []
    for title in titles:
        start = 30 * integer(rng, 16, 33)
        guests = tuple(sorted(shuffled(rng, people)[: integer(rng, 1, 3)]))
        length = 30 * integer(rng, 1, 4)
        events.append(Event(title, pick(rng, dates), start, start + length, guests).facts)
    return events


def _draw_busy(rng: np.random.Generator) -> list[list[str]]:
    """One to three times that do not touch each other, on half hours of the working day."""
    times: list[list[str]] = []
    at = _DAY_STARTS
    for _ in range(integer(rng, 1, 3)):
        start = at + 30 * integer(rng, 0, 5)
        end = start + 30 * integer(rng, 1, 4)
        if end > _DAY_ENDS:
            break
        times.append([clock(start), clock(end)])
        at = end + 30
    return times


# --- instructions ---


def _one(calendar: Calendar, rng: np.random.Generator) -> tuple[int, Event] | None:
    """An event whose title no other has."""
    titles = [event.title for event in calendar.events.values()]
    single = [(i, event) for i, event in calendar.events.items() if titles.count(event.title) == 1]
    return pick(rng, single) if single else None


def _move_call(i: int, date: str, start: int, end: int) -> list[Any]:
    return ["move_event", {"id": i, "date": date, "start": clock(start), "end": clock(end)}]


def _find(text: str) -> Calls:
    return [["find_events", {"text": text}]]


def _dates(calendar: Calendar) -> list[str]:
    return sorted(next(iter(calendar.busy.values())))


def _cancel(calendar: Calendar, rng: np.random.Generator) -> Instruction | None:
    person, date = pick(rng, list(calendar.busy)), pick(rng, _dates(calendar))
    found = [i for i, event in calendar.on(date).items() if person in event.people]
    if not found:
        return None
    look: Calls = [["list_events", {"date": date}]]
    text = f"Cancel (delete) every event on {date} that {person} takes part in."
    return Instruction(text, [look], [["delete_event", {"id": i}] for i in found])


def _move(calendar: Calendar, rng: np.random.Generator) -> Instruction | None:
    chosen, date = _one(calendar, rng), pick(rng, _dates(calendar))
    if chosen is None or chosen[1].date == date:
        return None
    i, event = chosen
    text = f"Move the event '{event.title}' to {date}, at the same time of day."
    return Instruction(text, [_find(event.title)], [_move_call(i, date, event.start, event.end)])


def _shift(calendar: Calendar, rng: np.random.Generator) -> Instruction | None:
    chosen, by = _one(calendar, rng), pick(rng, (-60, -30, -15, 15, 30, 45, 60))
    if chosen is None:
        return None
    i, event = chosen
    start, end = event.start + by, event.end + by
    if not (start >= 0 and end < 24 * 60):
        return None
    text = f"Let the event '{event.title}' begin {abs(by)} minutes {'later' if by > 0 else 'earlier'}, as long as before."
    return Instruction(text, [_find(event.title)], [_move_call(i, event.date, start, end)])


def _invite(calendar: Calendar, rng: np.random.Generator) -> Instruction | None:
    guest, host = shuffled(rng, list(calendar.busy))[:2]
    found = {i: e for i, e in calendar.events.items() if host in e.people and guest not in e.people}
    if not 1 <= len(found) <= 6:
        return None
    text = f"Add {guest} to every event that {host} takes part in."
    do: Calls = [
        ["set_people", {"id": i, "people": sorted([*event.people, guest])}] for i, event in found.items()
    ]
    return Instruction(text, [_find(host)], do)


def _drop_out(calendar: Calendar, rng: np.random.Generator) -> Instruction | None:
    person, date = pick(rng, list(calendar.busy)), pick(rng, _dates(calendar))
    found = {
        i: event for i, event in calendar.events.items() if person in event.people and event.date >= date
    }
    if not 1 <= len(found) <= 6:
        return None
    text = (
        f"Take {person} off every event on {date} or later; the events stay, even with nobody else in them."
    )
    do: Calls = [
        ["set_people", {"id": i, "people": [name for name in event.people if name != person]}]
        for i, event in found.items()
    ]
    return Instruction(text, [_find(person)], do)


def _clear_day(calendar: Calendar, rng: np.random.Generator) -> Instruction | None:
    old, new = shuffled(rng, _dates(calendar))[:2]
    found = calendar.on(old)
    if not 2 <= len(found) <= 6:
        return None
    text = f"Move every event on {old} to {new}, at the same times of day."
    do: Calls = [_move_call(i, new, event.start, event.end) for i, event in found.items()]
    return Instruction(text, [[["list_events", {"date": old}]]], do)


def _longest(calendar: Calendar, rng: np.random.Generator) -> Instruction | None:
    date = pick(rng, _dates(calendar))
    lengths = {i: event.end - event.start for i, event in calendar.on(date).items()}
    best = [i for i, length in lengths.items() if length == max(lengths.values())]
    if len(lengths) < 2 or len(best) != 1:
        return None
    text = f"Cancel (delete) the longest event on {date}."
    return Instruction(text, [[["list_events", {"date": date}]]], [["delete_event", {"id": best[0]}]])


def _schedule(calendar: Calendar, rng: np.random.Generator) -> Instruction | None:
    title, date = f"{pick(rng, _TOPICS)} {pick(rng, _KINDS)}", pick(rng, _dates(calendar))
    guests, length = sorted(shuffled(rng, list(calendar.busy))[: integer(rng, 1, 3)]), 30 * integer(rng, 1, 4)
    taken = [(event.start, event.end) for event in calendar.on(date).values()]
    taken += [(minutes(a), minutes(b)) for guest in guests for a, b in calendar.busy[guest].get(date, [])]
    starts = [
        start
        for start in range(_DAY_STARTS, _DAY_ENDS - length + 1, 30)
        if all(start + length <= a or b <= start for a, b in taken)
    ]
    if not starts or any(event.title == title for event in calendar.events.values()):
        return None
    look: Calls = [["list_events", {"date": date}]]
    look += [["busy_times", {"person": guest, "date": date}] for guest in guests]
    span = {"date": date, "start": clock(starts[0]), "end": clock(starts[0] + length)}
    text = (
        f"Make an event '{title}' of {length} minutes on {date} with {', '.join(guests)}. Between {clock(_DAY_STARTS)} and "
        f"{clock(_DAY_ENDS)} it takes the first time, beginning on a full or half hour, at which nothing else is in this "
        "calendar and nobody invited is busy."
    )
    return Instruction(text, [look], [["create_event", {"title": title, **span, "people": guests}]])


_DRAWS: tuple[Draw[Calendar], ...] = (
    _cancel, _move, _shift, _invite, _drop_out, _clear_day, _longest, _schedule, _schedule,
)  # fmt: skip
