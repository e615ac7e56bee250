"""A house of rooms with locked doors and keys: how it is drawn, described, and explored by a player who knows nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from rlvr_gym.envs._authoring import pick, shuffled

__all__ = ["BACK", "Explorer", "House", "draw_house"]

BACK = {"north": "south", "south": "north", "east": "west", "west": "east", "up": "down", "down": "up"}
_KINDS = ("hall", "cellar", "kitchen", "library", "gallery", "chapel", "study", "attic", "pantry", "parlour")
_LOOKS = ("red", "dusty", "narrow", "cold", "bright", "round", "silent", "low", "painted", "damp")
_METALS = ("brass", "iron", "silver", "copper", "golden")
_THINGS = ("coin", "lamp", "rope", "candle", "mirror", "feather", "bottle", "book", "spoon", "bell")


@dataclass(frozen=True)
class House:
    """A house; everything is in plain lists and dicts so that it is JSON.

    Attributes:
        exits: room -> direction -> the room there.
        locks: room -> direction -> the metal of the key that the door needs.
        things: room -> what lies there; keys are called "brass key".
        start: where the player begins.
        goal: where the player has to go.
    """

    exits: dict[str, dict[str, str]]
    locks: dict[str, dict[str, str]]
    things: dict[str, list[str]]
    start: str
    goal: str

    @property
    def doors(self) -> int:
        """The number of locked doors."""
        return sum(map(len, self.locks.values())) // 2


def draw_house(rng: np.random.Generator, rooms: int, doors: int, loops: int, clutter: int) -> House:
    """A house in which the goal lies behind the last of ``doors`` locked doors.

    The rooms fall into ``doors + 1`` parts, one behind the other; the key of a door lies in the part before it.
    """
    names = [f"{look} {kind}" for look in _LOOKS for kind in _KINDS]
    order = [names[i] for i in rng.choice(len(names), size=rooms, replace=False).tolist()]
    cuts = [round(rooms * part / (doors + 1)) for part in range(doors + 2)]
    parts = [order[a:b] for a, b in pairwise(cuts)]
    exits: dict[str, dict[str, str]] = {name: {} for name in order}
    locks: dict[str, dict[str, str]] = {name: {} for name in order}
    things: dict[str, list[str]] = {name: [] for name in order}
    metals = shuffled(rng, _METALS)
    for number, part in enumerate(parts):
        if number:
            before, metal = parts[number - 1], metals[number - 1]
            room = min(reversed(before), key=lambda name: len(exits[name]))
            direction = _join(rng, exits, room, part[0])
            locks[room][direction] = locks[part[0]][BACK[direction]] = metal
            things[pick(rng, before)].append(f"{metal} key")
        for i, room in enumerate(part[1:], 1):
            while not _join(rng, exits, pick(rng, part[:i]), room):
                pass  # the newest of these rooms has free directions
        for _ in range(loops):
            _join(rng, exits, pick(rng, part), pick(rng, part))
    for thing in shuffled(rng, _THINGS)[:clutter]:
        things[pick(rng, order)].append(thing)
    return House(exits, locks, things, order[0], _far(exits, parts[-1]))


def _join(rng: np.random.Generator, exits: dict[str, dict[str, str]], here: str, there: str) -> str:
    """A new way from one room to another, in a direction that is free in both; empty if there can be none."""
    free = [d for d in BACK if d not in exits[here] and BACK[d] not in exits[there]]
    if here == there or there in exits[here].values() or not free:
        return ""
    direction = pick(rng, free)
    exits[here][direction] = there
    exits[there][BACK[direction]] = here
    return direction


def _far(exits: Mapping[str, dict[str, str]], part: list[str]) -> str:
    """The room of a part that is farthest from its first one."""
    distance = {part[0]: 0}
    queue = deque([part[0]])
    while queue:
        room = queue.popleft()
        for other in exits[room].values():
            if other in part and other not in distance:
                distance[other] = distance[room] + 1
                queue.append(other)
    return max(distance, key=lambda room: distance[room])


@dataclass
class Explorer:
    """What a player has seen; the oracle decides by this alone.

    Attributes:
        here: the room where the player is.
        exits: known room -> direction -> the room there, or None if the player never went there.
        locks: known room -> direction -> the metal of the lock.
        keys: the metals of the keys that the player has.
        key_here: the metal of a key that lies in this room.
    """

    here: str
    exits: dict[str, dict[str, str | None]] = field(default_factory=dict)
    locks: dict[str, dict[str, str]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    key_here: str = ""
    _came_from: tuple[str, str] = ("", "")

    def see(self, house: House) -> None:
        """Takes in what the description of this room says."""
        room = self.here
        self.exits.setdefault(room, dict.fromkeys(house.exits[room]))
        if self._came_from[0]:
            self.exits[room][self._came_from[0]] = self._came_from[1]
        self.locks[room] = dict(house.locks[room])
        keys = [t.removesuffix(" key") for t in house.things[room] if t.endswith(" key")]
        self.key_here = next((metal for metal in keys if metal not in self.keys), "")

    def walk(self, direction: str, there: str) -> None:
        """Notes where a direction led, and that it leads back."""
        self.exits[self.here][direction] = there
        self._came_from = (BACK[direction], self.here)
        self.here = there

    def next_step(self) -> str:
        """The direction of the first step to the nearest way that was never gone and is open with the keys at hand."""
        queue: deque[tuple[str, str]] = deque([(self.here, "")])
        seen = {self.here}
        while queue:
            room, first = queue.popleft()
            for direction, there in self.exits[room].items():
                if self.locks[room].get(direction, "") in {"", *self.keys}:
                    if there is None:
                        return first or direction
                    if there not in seen:
                        seen.add(there)
                        queue.append((there, first or direction))
        return ""
