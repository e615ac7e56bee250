"""GridWorld: walk to a goal past hazards, step by step, on a floor that may be slippery."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from rlvr_gym.envs._authoring import level
from rlvr_gym.envs.games._floor import SIDES, STEPS, Cell, Floor, draw_floor, parse_step, say_floor
from rlvr_gym.envs.games._interactive import Game, illegal, lost, read_move, say_turns, won
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Reply
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["GridWorld"]

_SLIPS = (0, 0, 1, 1, 1, 2, 2, 2, 3, 3)
_SLIP_SHARE = 0.35
_SPARE_TURNS = 2
_NEVER = 10**6

Table = list[dict[Cell, int]]
"""By the number of slips that may still come: cell -> the steps to the goal at worst."""


@dataclass(slots=True)
class _Walk:
    """Where one is, how many slips may still come, and how many steps were made."""

    at: Cell
    slips: int
    steps: int = 0


@register("rlvr/GridWorld-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class GridWorld(Game):
    """Walk to a goal without entering a hazard; some steps may slip to the side.

    The floor is told in words. A step slips with a chance of 35%, but not more often in all than the prompt says, and is
    then made to one of the two sides; the task's own random numbers say when. So there is a plan that is safe whatever
    happens, and a number of steps that it needs at worst: value iteration over cells and slips to come finds both, and
    the turns are this number and 2 more. The oracle follows it. What is no direction costs its turn and is counted in
    the metric ``illegal_moves``; ``slips`` counts the slips.

    Difficulty 1 has 4 x 4 cells and no slips, 10 has 10 x 10 and 3. The hardness is the number of steps at worst.

    Attributes:
        slips: how many steps may slip, 0 to 5; -1 leaves it to the difficulty.
    """

    slips: int = -1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not -1 <= self.slips <= 5:
            raise ConfigError(f"slips goes from 0 to 5, or is -1; got {self.slips!r}.")

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws floors until the goal can be reached for sure, not too near."""
        size, slips = level(difficulty, 4, 10), _SLIPS[difficulty - 1] if self.slips < 0 else self.slips
        while True:
            share = 0.6 + 0.4 * rng.random()  # fewer obstacles where many floors are hopeless
            cells = size * size
            floor, (start, goal) = draw_floor(
                rng, size, round(cells * 0.14 * share), round(cells * 0.14 * share), 0, 2
            )
            worst = steps_at_worst(floor, goal, slips)[slips].get(start, _NEVER)
            if size <= worst < _NEVER:
                break
        turns = worst + _SPARE_TURNS
        slippery = (
            f" The floor is slippery: at most {slips} of your steps will slip, and then you go to one of the two sides of "
            "the direction that you wanted instead. You are told when that happens."
            if slips
            else ""
        )
        return Task(
            prompt=(
                f"{say_floor(floor, 'Lava')} Who steps into lava loses.{slippery}\n\nYou are at {start}. Go to the goal at "
                f"{goal}. Write one direction (up, down, left or right) in <answer> tags at a time, for example "
                f"<answer>nowhere</answer> (which is no direction). {say_turns(turns)}"
            ),
            answer={
                "size": size,
                "walls": sorted(map(list, floor.walls)),
                "hazards": sorted(map(list, floor.hazards)),
                "start": list(start),
                "goal": list(goal),
                "slips": slips,
                "seed": int(rng.integers(2**32)),
            },
            metadata={"turns": turns, "hardness": worst},
        )

    def start(self, task: Task) -> _Walk:
        """At the start, with all slips to come."""
        row, column = task.answer["start"]
        return _Walk((row, column), task.answer["slips"])

    def reply(self, task: Task, state: Any, action: str) -> Reply:
        """Where the step leads."""
        wanted = parse_step(read_move(action))
        if wanted is None:
            return illegal("That is no direction: give up, down, left or right in <answer> tags.")
        floor, goal = _floor_of(task)
        direction = _slipped(task, state, wanted)
        state.steps += 1
        state.slips -= direction != wanted
        state.at = floor.step(state.at, direction)
        told = f"You slip and go {direction}. " if direction != wanted else ""
        metrics = {"slips": 1.0} if told else None
        if state.at in floor.hazards:
            return replace(lost(f"{told}You step into lava."), metrics=metrics)
        if state.at == goal:
            return replace(won(f"{told}You are at the goal."), metrics=metrics)
        return Reply(text=f"{told}You are at {state.at}.", metrics=metrics)

    def oracle(self, task: Task, state: Any) -> str:
        """The step with the fewest steps to go at worst."""
        floor, goal = _floor_of(task)
        table = steps_at_worst(floor, goal, task.answer["slips"])
        best = min(STEPS, key=lambda direction: _worst(floor, table, state.slips, state.at, direction))
        return f"<answer>{best}</answer>"


def _floor_of(task: Task) -> tuple[Floor, Cell]:
    walls, hazards = (frozenset(map(tuple, task.answer[name])) for name in ("walls", "hazards"))
    row, column = task.answer["goal"]
    return Floor(task.answer["size"], walls, hazards), (row, column)


def _slipped(task: Task, state: _Walk, wanted: str) -> str:
    """The direction that a step takes: a function of the task and the number of steps before it."""
    chance, side = np.random.default_rng([task.answer["seed"], state.steps]).random(2).tolist()
    return SIDES[wanted][side < 0.5] if state.slips and chance < _SLIP_SHARE else wanted


@lru_cache(maxsize=64)
def steps_at_worst(floor: Floor, goal: Cell, slips: int) -> Table:
    """The steps to the goal from each cell under the best plan, if slips come when they hurt most.

    Value iteration, one number of slips after the other: a slip leads to the table before. Cells from which the goal
    cannot be reached for sure are left out.
    """
    cells = [(r, c) for r in range(1, floor.size + 1) for c in range(1, floor.size + 1)]
    open_cells = [
        cell for cell in cells if cell not in floor.walls and cell not in floor.hazards and cell != goal
    ]
    table: Table = []
    for left in range(slips + 1):
        table.append({goal: 0})
        changed = True
        while changed:
            changed = False
            for cell in open_cells:
                value = 1 + min(_worst(floor, table, left, cell, direction) for direction in STEPS)
                if value < table[left].get(cell, _NEVER):
                    table[left][cell] = value
                    changed = True
    return table


def _worst(floor: Floor, table: Table, slips: int, cell: Cell, direction: str) -> int:
    """The steps to go after a step in this direction, at worst."""
    worst = table[slips].get(floor.step(cell, direction), _NEVER)
    for side in SIDES[direction] if slips else ():
        worst = max(worst, table[slips - 1].get(floor.step(cell, side), _NEVER))
    return worst
