"""Best-first search, with a limit."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Generic, TypeVar

__all__ = ["Found", "search"]

P = TypeVar("P", bound=Hashable)
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Found(Generic[M]):
    """A way to the goal.

    Attributes:
        plan: the moves.
        visited: how many positions were gone on from.
    """

    plan: list[M]
    visited: int


def search(
    start: P,
    successors: Callable[[P], Iterable[tuple[M, P]]],
    solved: Callable[[P], bool],
    estimate: Callable[[P], int] = lambda position: 0,
    *,
    weight: int = 1,
    most: int = 100_000,
) -> Found[M] | None:
    """A* from ``start`` to a position that is solved; breadth-first without an estimate.

    Args:
        start: the first position.
        successors: the moves in a position, each of cost 1, and where they lead.
        solved: whether a position is a goal.
        estimate: at most the number of moves that are left, or the plan may not be a shortest one.
        weight: how much the estimate counts; above 1 the search is greedier and its plan longer.
        most: positions to go on from before giving up.

    Returns:
        None if there is no way, or none was found within the limit.
    """
    before: dict[P, tuple[P, M]] = {}
    cost = {start: 0}
    order = 0  # of equal positions the one found last goes first: it is deeper
    queue = [(weight * estimate(start), order, start)]
    done: set[P] = set()
    while queue and len(done) < most:
        position = heappop(queue)[2]
        if position in done:
            continue
        if solved(position):
            return Found(_trace(before, start, position), len(done))
        done.add(position)
        after_cost = cost[position] + 1
        for move, after in successors(position):
            if after_cost < cost.get(after, after_cost + 1):
                cost[after] = after_cost
                before[after] = (position, move)
                order -= 1
                heappush(queue, (after_cost + weight * estimate(after), order, after))
    return None


def _trace(before: dict[P, tuple[P, M]], start: P, end: P) -> list[M]:
    plan: list[M] = []
    while end != start:
        end, move = before[end]
        plan.append(move)
    return plan[::-1]
