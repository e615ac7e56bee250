"""The warehouse of Sokoban in bits: pulling boxes off their goals to make puzzles, pushing them to solve one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from rlvr_gym.envs._authoring import integer, pick
from rlvr_gym.envs.games._search import search

__all__ = ["Push", "Room", "draw_room", "pull_apart", "push_together"]

Push = tuple[int, int]
"""The cell of a box, and the step (a difference of cell numbers) by which it is pushed."""
Position = tuple[int, int]
"""The boxes as bits, and the lowest cell that the player can reach (as a number)."""


@dataclass(frozen=True)
class Room:
    """Floor with a wall around it; a cell is the number ``row * width + column``.

    Attributes:
        width: cells in a row, walls included.
        floor: the cells without a wall, as bits.
        goals: some of them.
    """

    width: int
    floor: int
    goals: int = 0

    @property
    def steps(self) -> tuple[int, int, int, int]:
        """Up, down, left and right."""
        return (-self.width, self.width, -1, 1)

    def reach(self, boxes: int, player: int) -> int:
        """The cells, as bits, that the player can walk to."""
        free, width = self.floor & ~boxes, self.width
        reached, before = 1 << player, 0
        while reached != before:
            before = reached
            reached |= reached << 1 | reached >> 1 | reached << width | reached >> width
            reached &= free
        return reached

    def normal(self, boxes: int, player: int) -> Position:
        """The position without what does not matter: where exactly the player stands."""
        return boxes, lowest(self.reach(boxes, player))


@dataclass(slots=True)
class Pulled:
    """What pulling reaches.

    Attributes:
        waves: the positions by the least number of pushes that solve them.
        push: the push with which each begins to be solved, and what it leads to.
    """

    waves: list[list[Position]] = field(default_factory=list)
    push: dict[Position, tuple[Push, Position]] = field(default_factory=dict)


def lowest(mask: int) -> int:
    """The number of the lowest bit."""
    return (mask & -mask).bit_length() - 1


def bits(mask: int) -> list[int]:
    """The numbers of the bits, from the lowest."""
    return [i for i in range(mask.bit_length()) if mask >> i & 1]


def draw_room(rng: np.random.Generator, size: int, cells: int, boxes: int) -> Room:
    """A room of ``size`` by ``size`` cells (walls not counted), dug by a walk, in which about ``cells`` are floor."""
    width = size + 2
    inside = sum(1 << (row * width + column) for row in range(1, size + 1) for column in range(1, size + 1))
    steps = (-width, width, -1, 1)
    at = integer(rng, 1, size) * width + integer(rng, 1, size)
    floor = 1 << at
    while floor.bit_count() < cells:
        step = pick(rng, steps)
        for _ in range(integer(rng, 1, 3)):
            if not inside >> (at + step) & 1:
                break
            at += step
            # two cells wide, as a box that is pushed along a wall can never leave it
            floor |= (1 << at) | (1 << (at + pick(rng, steps)) & inside)
    goals = rng.permutation(bits(floor))[:boxes].tolist()
    return Room(width, floor, sum(1 << goal for goal in goals))


def pull_apart(room: Room, pushes: int, most: int) -> Pulled:
    """Breadth-first from the solved positions by pulls, until ``pushes`` or ``most`` positions are reached.

    As pulls are pushes undone, a position of wave ``n`` needs exactly ``n`` pushes.
    """
    pulled = Pulled()
    left = room.floor & ~room.goals
    wave: list[Position] = []
    while left:  # the player may end up in any part of the room
        part = room.reach(room.goals, lowest(left))
        wave.append((room.goals, lowest(part)))
        left &= ~part
    seen = set(wave)
    pulled.waves.append(wave)
    while wave and len(pulled.waves) <= pushes and len(seen) < most:
        following: list[Position] = []
        for after in wave:
            for push, position in _pulls(room, after):
                if position not in seen:
                    seen.add(position)
                    following.append(position)
                    pulled.push[position] = (push, after)
        wave = following
        if wave:
            pulled.waves.append(wave)
    return pulled


def _pulls(room: Room, position: Position) -> Iterator[tuple[Push, Position]]:
    boxes, player = position
    reached = room.reach(boxes, player)
    free = room.floor & ~boxes
    for box in bits(boxes):
        for step in room.steps:
            stand, end = box + step, box + 2 * step
            if reached >> stand & 1 and free >> end & 1:
                yield (stand, -step), room.normal(boxes ^ (1 << box) ^ (1 << stand), end)


def _pushes(room: Room, alive: int, position: Position) -> Iterator[tuple[Push, Position]]:
    boxes, player = position
    reached = room.reach(boxes, player)
    free = alive & ~boxes
    for box in bits(boxes):
        for step in room.steps:
            if reached >> (box - step) & 1 and free >> (box + step) & 1:
                yield (box, step), room.normal(boxes ^ (1 << box) ^ (1 << (box + step)), box)


def push_together(room: Room, boxes: int, player: int, most: int) -> list[Push] | None:
    """The fewest pushes that bring all boxes to goals, by A*; None if there are none, or none were found."""
    distance = _box_distances(room)
    alive = sum(1 << cell for cell in distance)
    if boxes & ~alive:
        return None

    def estimate(position: Position) -> int:
        return sum(distance[box] for box in bits(position[0]))

    found = search(
        room.normal(boxes, player),
        lambda position: _pushes(room, alive, position),
        lambda position: position[0] == room.goals,
        estimate,
        most=most,
    )
    return found.plan if found else None


def _box_distances(room: Room) -> dict[int, int]:
    """The least pushes from each cell to a goal if the box were alone; cells without are dead."""
    queue = bits(room.goals)
    distance = dict.fromkeys(queue, 0)
    for box in queue:
        for step in room.steps:
            stand, end = box + step, box + 2 * step
            if stand not in distance and room.floor >> stand & 1 and room.floor >> end & 1:
                distance[stand] = distance[box] + 1
                queue.append(stand)
    return distance
