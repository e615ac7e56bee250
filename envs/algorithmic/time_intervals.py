"""TimeIntervals: a time at which everybody is free, or the statement that there is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level
from rlvr_gym.envs.algorithmic._reading import scan
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["FreeSlotVerifier", "TimeIntervals"]

NAMES = ("Ann", "Ben", "Cem", "Dora", "Eli", "Fay", "Gus", "Hana")
OPENS, CLOSES = 8 * 60, 18 * 60
GRID = 5
"""All times are multiples of five minutes."""
IMPOSSIBLE_SHARE = 0.2
_SLOT = re.compile(
    r"(\d{1,2}):(\d\d)\s{0,3}(?:-|\u2013|\u2014|to|until)\s{0,3}(\d{1,2}):(\d\d)(?!\d)", re.ASCII
)

Interval = tuple[int, int]


@register_verifier("free_slot")
class FreeSlotVerifier(RuleVerifier[Interval]):
    """Any slot of the right length in which nobody is busy; "none" only if there is none."""

    impossible = "none"

    def read(self, answer: str, task: Task) -> Interval | None:
        """Two times of the 24-hour clock, in minutes."""
        found = scan(answer, _SLOT)
        if found is None or len(found) != 1:
            return None
        hour, minute, end_hour, end_minute = (int(part) for part in found[0].groups())
        return (60 * hour + minute, 60 * end_hour + end_minute) if max(minute, end_minute) < 60 else None

    def fault(self, value: Interval, task: Task) -> str | None:
        """The first rule that is broken."""
        start, end = value
        if end - start != task.answer["length"]:
            return f"it does not take {task.answer['length']} minutes"
        if start < OPENS or end > CLOSES:
            return "it is not within the day"
        for name, meetings in task.answer["busy"].items():
            if any(start < b and a < end for a, b in meetings):
                return f"{name} is busy"
        return None


@register("rlvr/TimeIntervals-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class TimeIntervals(Problem):
    """Find a time for a meeting at which everybody is free; every such time counts.

    Difficulty 1 has 2 people and 10 has 8, with two to five appointments each; one task of five has no such time. The
    hardness is the number of appointments.
    """

    verifier: ClassVar[str] = "free_slot"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws appointments, and a length near that of the longest gap."""
        people = NAMES[: level(difficulty, 2, 8)]
        while True:
            busy = {
                name: _meetings(rng, integer(rng, 2, 2 + level(difficulty, 1, 3)), len(people))
                for name in people
            }
            merged, lines = _merge(sorted(meeting for meetings in busy.values() for meeting in meetings))
            gaps = [
                (a, b)
                for (_, a), (b, _) in zip([(0, OPENS), *merged], [*merged, (CLOSES, 0)], strict=True)
                if a < b
            ]
            longest = max((b - a for a, b in gaps), default=0)
            if longest >= 3 * GRID:
                break
        if rng.random() < IMPOSSIBLE_SHARE:
            length = longest + GRID * integer(rng, 1, 3)
        else:
            length = GRID * integer(rng, -(-2 * longest // (3 * GRID)), longest // GRID)
        fitting = [gap for gap in gaps if gap[1] - gap[0] >= length]
        reference = _slot(fitting[0][0], fitting[0][0] + length) if fitting else None
        lines.append(f"Free: {', '.join(_slot(*gap) for gap in gaps)}; {length} minutes are needed.")
        listed = "\n".join(
            f"{name}: {', '.join(_slot(*m) for m in meetings)}" for name, meetings in busy.items()
        )
        return Task(
            prompt=ask(
                f"These people are busy at these times:\n\n{listed}\n\nFind a time between {_clock(OPENS)} and "
                f"{_clock(CLOSES)} at which all of them can meet for exactly {length} minutes.",
                "the beginning and the end, or the word none if there is no such time,",
                _slot(OPENS - 90, OPENS - 60),
            ),
            answer={
                "busy": {name: [list(meeting) for meeting in meetings] for name, meetings in busy.items()},
                "length": length,
                "reference": reference,
            },
            metadata={"people": len(people), "hardness": sum(map(len, busy.values()))},
            solution="\n".join([*lines, f"So: {reference or FreeSlotVerifier.impossible}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The earliest time."""
        return task.answer["reference"] or FreeSlotVerifier.impossible


def _meetings(rng: np.random.Generator, count: int, people: int) -> list[Interval]:
    """Appointments that do not overlap; the more people, the shorter, so that gaps are left."""
    found: list[Interval] = []
    for _ in range(count):
        length = GRID * integer(rng, 4, max(8, 48 // people))
        start = OPENS + GRID * integer(rng, 0, (CLOSES - OPENS - length) // GRID)
        if not any(start < b and a < start + length for a, b in found):
            found.append((start, start + length))
    return sorted(found)


def _merge(meetings: Sequence[Interval]) -> tuple[list[Interval], list[str]]:
    merged: list[Interval] = []
    for start, end in meetings:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged, [f"Somebody is busy: {', '.join(_slot(*interval) for interval in merged)}."]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _slot(start: int, end: int) -> str:
    return f"{_clock(start)}-{_clock(end)}"
