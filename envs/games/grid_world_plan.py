"""GridWorldPlan: the whole way over a floor with lava and ice, as one list of moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.algorithmic.path_in_maze import MazePathVerifier
from rlvr_gym.envs.games._floor import STEPS, Cell, Floor, draw_floor, say_floor
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["FloorPlanVerifier", "GridWorldPlan"]

_SLACK = 2
_DIRECTIONS = {name[0].upper(): name for name in STEPS}

State = tuple[Cell, int]
"""Where one is, and how many of the targets were reached in their order."""


@register_verifier("floor_plan")
class FloorPlanVerifier(RuleVerifier[str]):
    """Any moves that visit the targets in their order, do not enter lava, and are few enough."""

    def read(self, answer: str, task: Task) -> str | None:
        """Moves, written as in PathInMaze."""
        return MazePathVerifier().read(answer, task)

    def fault(self, value: str, task: Task) -> str | None:
        """The first rule that is broken; moves after the goal are not needed, but do no harm."""
        if len(value) > task.answer["most"]:
            return f"more than {task.answer['most']} moves"
        floor, targets = _floor_of(task)
        row, column = task.answer["start"]
        state: State = ((row, column), 0)
        for number, move in enumerate(value, 1):
            after = _move(floor, targets, state, _DIRECTIONS[move])
            if after is None:
                return f"move {number} leads into lava"
            state = after
        return None if state[1] == len(targets) else "the last target is not reached"


@register("rlvr/GridWorldPlan-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class GridWorldPlan(Problem):
    """Plan the moves to one or more targets, in order, over a floor with walls, lava and ice; any plan counts.

    On ice one slides on until a cell without ice, a wall or the edge. A plan may have 2 moves more than the
    shortest. Difficulty 1 has 4 x 4 cells and one target, 10 has 13 x 13 and 3. The hardness is the number of states
    that a breadth-first search for the shortest plan visits.
    """

    verifier: ClassVar[str] = "floor_plan"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws floors until there is a plan that is not too short."""
        size, count = level(difficulty, 4, 13), level(difficulty, 1, 3)
        cells = size * size
        while True:
            floor, (start, *targets) = draw_floor(
                rng, size, round(cells * 0.12), round(cells * 0.12), round(cells * 0.15), 1 + count
            )
            plan, visited = _shortest(floor, targets, start)
            if len(plan) >= size - 1:
                break
        most = len(plan) + _SLACK
        names = " then to ".join(map(str, targets))
        return Task(
            prompt=ask(
                f"{say_floor(floor, 'Lava')} Who enters lava is lost, also while sliding."
                f"{' On ice you slide on in the same direction, with the same move, until you are on a cell without ice or cannot go on.' if floor.ice else ''}"
                f"\n\nYou are at {start}. Go to {names}. Use "
                f"at most {most} moves.",
                "the moves (U for up, D for down, L for left, R for right)",
                "UDLRUDLR" * 8,
            ),
            answer={
                "size": size,
                "walls": sorted(map(list, floor.walls)),
                "hazards": sorted(map(list, floor.hazards)),
                "ice": sorted(map(list, floor.ice)),
                "start": list(start),
                "targets": [list(target) for target in targets],
                "most": most,
                "reference": plan,
            },
            metadata={"size": size, "hardness": visited},
            solution=_explain(floor, targets, start, plan),
        )

    def answer_text(self, task: Task) -> str:
        """The shortest plan that the search found."""
        return str(task.answer["reference"])


def _floor_of(task: Task) -> tuple[Floor, list[Cell]]:
    walls, hazards, ice = (frozenset(map(tuple, task.answer[n])) for n in ("walls", "hazards", "ice"))
    return Floor(task.answer["size"], walls, hazards, ice), [(r, c) for r, c in task.answer["targets"]]


def _move(floor: Floor, targets: Sequence[Cell], state: State, direction: str) -> State | None:
    """The state after a move; None in lava."""
    at, reached = state
    entered = floor.slide(at, direction)
    if any(cell in floor.hazards for cell in entered):
        return None
    at = entered[-1] if entered else at
    return at, reached + (reached < len(targets) and at == targets[reached])


def _shortest(floor: Floor, targets: Sequence[Cell], start: Cell) -> tuple[str, int]:
    """A shortest plan, empty if there is none, and the number of states visited."""
    plans: dict[State, str] = {(start, 0): ""}
    queue: list[State] = [(start, 0)]
    for state in queue:
        for move, direction in _DIRECTIONS.items():
            after = _move(floor, targets, state, direction)
            if after is not None and after not in plans:
                plans[after] = plans[state] + move
                queue.append(after)
                if after[1] == len(targets):
                    return plans[after], len(plans)
    return "", len(plans)


def _explain(floor: Floor, targets: Sequence[Cell], start: Cell, plan: str) -> str:
    """The way, move by move."""
    lines, state = [f"I start at {start}."], (start, 0)
    for move in plan:
        after = _move(floor, targets, state, _DIRECTIONS[move])
        assert after is not None
        slid = len(floor.slide(state[0], _DIRECTIONS[move])) > 1
        reached = f", target {after[1]}" if after[1] > state[1] else ""
        lines.append(f"{move}: {'slide' if slid else 'step'} to {after[0]}{reached}.")
        state = after
    return "\n".join([*lines, f"The moves are {plan}."])
