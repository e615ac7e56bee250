"""Knapsack: the most valuable items that can be carried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.algorithmic._graphs import LETTERS
from rlvr_gym.envs.algorithmic._reading import parse_names
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["Knapsack", "KnapsackVerifier"]


class _Item(NamedTuple):
    name: str
    weight: int
    value: int


@register_verifier("knapsack")
class KnapsackVerifier(RuleVerifier[list[str]]):
    """Any items within the capacity that have the greatest value."""

    def read(self, answer: str, task: Task) -> list[str] | None:
        """Names of items."""
        return parse_names(answer, task.answer["items"])

    def fault(self, value: list[str], task: Task) -> str | None:
        """The first rule that is broken."""
        if len(set(value)) < len(value):
            return "an item comes twice"
        weights, values = zip(*(task.answer["items"][name] for name in value), strict=True)
        if sum(weights) > task.answer["capacity"]:
            return f"the weight {sum(weights)} is too much"
        return None if sum(values) == task.answer["best"] else f"the value {sum(values)} is not the greatest"


@register("rlvr/Knapsack-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class Knapsack(Problem):
    """Choose items of the greatest total value within a weight limit; every best choice counts.

    Difficulty 1 has 4 items and each level one more, to 13; the limit is about half of the total weight. The
    hardness is the number of items plus the number of nodes of a branch and bound search.
    """

    verifier: ClassVar[str] = "knapsack"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws items whose values follow their weights, more or less."""
        count = level(difficulty, 4, 13)
        weights = rng.integers(2, 20, size=count).tolist()
        extra = rng.integers(1, 12, size=count).tolist()
        items = [_Item(LETTERS[i], weights[i], weights[i] + extra[i]) for i in range(count)]
        capacity = max(sum(weights) // 2, max(weights))
        chosen, lines = _branch_and_bound(items, capacity)
        best = sum(item.value for item in chosen)
        reference = ", ".join(sorted(item.name for item in chosen))
        listed = "\n".join(f"{item.name}: weight {item.weight}, value {item.value}" for item in items)
        return Task(
            prompt=ask(
                f"Choose items with the greatest possible total value, whose total weight is at most {capacity}. "
                f"There is one of each:\n\n{listed}\n",
                "the names of the chosen items",
                "X, Y, Z",
            ),
            answer={
                "items": {item.name: [item.weight, item.value] for item in items},
                "capacity": capacity,
                "best": best,
                "reference": reference,
            },
            metadata={"items": count, "hardness": count + len(lines)},
            solution="\n".join([*lines, f"The best value is {best}.", f"So: {reference}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The choice that the search found."""
        return str(task.answer["reference"])


def _branch_and_bound(items: Sequence[_Item], capacity: int) -> tuple[list[_Item], list[str]]:
    """A best choice, and what the search met: items by value per weight, each first taken and then left out."""
    order = sorted(items, key=lambda item: (-item.value / item.weight, item.name))
    best: list[_Item] = []
    lines = [f"By value for weight: {', '.join(item.name for item in order)}."]

    def bound(place: int, room: int) -> int:
        """What the rest could add if items could be cut."""
        total = 0
        for item in order[place:]:
            if item.weight > room:
                return total + item.value * room // item.weight
            room -= item.weight
            total += item.value
        return total

    def search(place: int, taken: list[_Item], room: int, value: int) -> None:
        nonlocal best
        most = value + bound(place, room)
        record = sum(item.value for item in best)
        if most <= record:
            names = "".join(item.name for item in taken) or "nothing"
            lines.append(f"{names} of the first {place}: at most {most}, no better.")
            return
        if place == len(order):
            best = list(taken)
            lines.append(f"{''.join(item.name for item in taken)}: weight {capacity - room}, value {value}.")
            return
        item = order[place]
        if item.weight <= room:
            search(place + 1, [*taken, item], room - item.weight, value + item.value)
        search(place + 1, taken, room, value)

    search(0, [], capacity, 0)
    return best, lines
