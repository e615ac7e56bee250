"""The car park of Rush Hour: cars on lines, all positions that can be reached, and how far each is from the exit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

__all__ = ["Car", "Links", "Lot", "Places", "Slide", "distances", "reachable", "way_out"]

Places = int
"""How far from the top or left edge each car stands on its line, in three bits for each, the first car's lowest."""
Slide = tuple[int, int]
"""A car's index, and by how many cells it goes right or down (negative: left or up)."""
Links = dict[Places, list[Places]]
"""Positions, with those that one slide leads to."""
BITS = 3


@dataclass(frozen=True, slots=True)
class Car:
    """A car, which stays on its row or column.

    Attributes:
        line: its column if it is vertical, else its row.
        length: in cells.
        vertical: whether it moves up and down.
    """

    line: int
    length: int
    vertical: bool

    def cells(self, size: int, offset: int) -> int:
        """The cells, as bits ``row * size + column``, that it covers."""
        step, first = (size, self.line) if self.vertical else (1, self.line * size)
        return sum(1 << (first + (offset + i) * step) for i in range(self.length))


@dataclass(frozen=True)
class Lot:
    """A square car park, of at most 8 x 8 cells; the first car has to get to the right edge.

    Attributes:
        size: rows and columns.
        cars: all cars.
    """

    size: int
    cars: tuple[Car, ...]

    @cached_property
    def masks(self) -> list[list[int]]:
        """The cells that each car covers at each offset."""
        return [
            [car.cells(self.size, offset) for offset in range(self.size - car.length + 1)]
            for car in self.cars
        ]

    @cached_property
    def exit(self) -> int:
        """The offset of the first car when it is at the right edge."""
        return self.size - self.cars[0].length

    def pack(self, offsets: Iterable[int]) -> Places:
        """The position in which the cars have these offsets."""
        return sum(offset << BITS * index for index, offset in enumerate(offsets))

    def offsets(self, places: Places) -> list[int]:
        """Where each car is; the inverse of :meth:`pack`."""
        return [places >> BITS * index & 7 for index in range(len(self.cars))]

    def solved(self, places: Places) -> bool:
        """Whether the first car is at the exit."""
        return places & 7 == self.exit

    def after(self, places: Places) -> list[Places]:
        """The positions that one slide of one car leads to."""
        masks, shift, taken = self.masks, 0, 0
        stands = []
        for car in masks:
            offset = places >> shift & 7
            stands.append((car, offset, shift))
            taken |= car[offset]
            shift += BITS
        found = []
        for car, offset, shift in stands:
            others = taken ^ car[offset]
            for target in range(offset + 1, len(car)):
                if car[target] & others:
                    break
                found.append(places + (target - offset << shift))
            for target in range(offset - 1, -1, -1):
                if car[target] & others:
                    break
                found.append(places - (offset - target << shift))
        return found

    def slide(self, before: Places, after: Places) -> Slide:
        """The slide that leads from one position to another."""
        pairs = zip(self.offsets(before), self.offsets(after), strict=True)
        return next((index, b - a) for index, (a, b) in enumerate(pairs) if a != b)


def reachable(lot: Lot, start: Places, most: int) -> Links | None:
    """All positions that can be reached from ``start``; None if there are more than ``most``."""
    links: Links = {}
    seen = {start}
    queue = [start]
    for places in queue:
        links[places] = after = lot.after(places)
        fresh = [other for other in after if other not in seen]
        seen.update(fresh)
        queue += fresh
        if len(queue) > most:
            return None
    return links


def distances(lot: Lot, links: Links) -> dict[Places, int]:
    """The least number of slides to the exit from each position; slides can be undone, so one search serves all."""
    queue = [places for places in links if lot.solved(places)]
    distance = dict.fromkeys(queue, 0)
    for places in queue:
        steps = distance[places] + 1
        for other in links[places]:
            if other not in distance:
                distance[other] = steps
                queue.append(other)
    return distance


def way_out(lot: Lot, links: Links, distance: dict[Places, int], start: Places) -> list[Slide]:
    """A shortest way to the exit."""
    plan: list[Slide] = []
    while distance[start]:
        after = next(other for other in links[start] if distance[other] < distance[start])
        plan.append(lot.slide(start, after))
        start = after
    return plan
