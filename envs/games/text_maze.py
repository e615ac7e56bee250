"""TextMaze: find the way to a room through a house of which only the room one is in is described."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rlvr_gym.envs._authoring import level
from rlvr_gym.envs.games._house import BACK, Explorer, House, draw_house
from rlvr_gym.envs.games._interactive import Game, illegal, read_move, say_turns, won
from rlvr_gym.problem import Reply
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["TextMaze"]

_SHORT = {direction[0]: direction for direction in BACK}


@dataclass
class _Visit:
    """One episode: the rooms' contents, and what the player has seen."""

    house: House
    seen: Explorer
    taken: list[str] = field(default_factory=list)


@register("rlvr/TextMaze-v0", family="games")
@dataclass(frozen=True, kw_only=True)
class TextMaze(Game):
    """Explore a house of rooms, locked doors and keys, and reach the room that is named.

    Only the room that one is in is described: its exits, their locks, and what lies there. Difficulty 1 has 4 rooms and
    one locked door, 10 has 31 rooms, 4 locked doors, loops, and 8 things that are of no use. There are 3 turns for each
    room and as many for each door; the oracle goes to the nearest exit that it has not tried and can open, and the
    generator keeps only houses in which that is enough. What is no legal action costs its turn and is counted in the
    metric ``illegal_moves``. The hardness is the number of turns of the oracle.
    """

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws houses until the oracle finds the goal within the limit; nearly always the first one."""
        rooms, doors = level(difficulty, 4, 31), (1, 1, 2, 2, 2, 3, 3, 3, 4, 4)[difficulty - 1]
        turns = 3 * rooms + 3 * doors
        while True:  # ends: most houses will do
            house = draw_house(rng, rooms, doors, loops=difficulty // 3, clutter=level(difficulty, 0, 8))
            needed = _oracle_turns(house, turns)
            if needed is not None:
                break
        state = _enter(house)
        return Task(
            prompt=(
                f"You are in a house that you do not know. Find the {house.goal} and go there. Write one action in <answer> "
                "tags at a time: 'go' and a direction, or 'take' and a thing, for example <answer>go sideways</answer> (no "
                "house has this direction). A locked door opens by itself for whoever has its key, and "
                "every way leads back in the opposite direction. "
                f"{say_turns(turns)}\n\n{_describe(state)}"
            ),
            answer={
                "exits": house.exits,
                "locks": house.locks,
                "things": house.things,
                "start": house.start,
                "goal": house.goal,
            },
            metadata={"turns": turns, "rooms": rooms, "doors": doors, "hardness": needed},
        )

    def start(self, task: Task) -> _Visit:
        """In the first room, with empty hands."""
        return _enter(House(**task.answer))

    def reply(self, task: Task, state: Any, action: str) -> Reply:
        """What one sees after the action, or why it is none."""
        verb, _, what = read_move(action).partition(" ")
        if verb == "go":
            return _go(state, _SHORT.get(what, what))
        if verb == "take":
            return _take(state, what.removeprefix("the ").removeprefix("a "))
        return illegal(
            "That is no action. Write 'go' and a direction, or 'take' and a thing, in <answer> tags."
        )

    def oracle(self, task: Task, state: Any) -> str:
        """Takes keys; else goes on towards the nearest exit that was never tried and can be opened."""
        return f"<answer>{_decide(state.seen)}</answer>"


def _enter(house: House) -> _Visit:
    things = {room: list(there) for room, there in house.things.items()}
    state = _Visit(replace(house, things=things), Explorer(house.start))
    state.seen.see(state.house)
    return state


def _go(state: _Visit, direction: str) -> Reply:
    house, seen = state.house, state.seen
    room = seen.here
    if direction not in house.exits[room]:
        return illegal(f"You cannot go there: the exits are {', '.join(sorted(house.exits[room]))}.")
    metal = house.locks[room].get(direction)
    if metal is not None and metal not in seen.keys:
        return illegal(f"The door is locked; it needs the {metal} key.")
    seen.walk(direction, house.exits[room][direction])
    seen.see(house)
    if seen.here == house.goal:
        return won(f"You are in the {house.goal}: you have found it.")
    return Reply(text=_describe(state))


def _take(state: _Visit, thing: str) -> Reply:
    here = state.house.things[state.seen.here]
    if thing not in here:
        return illegal("There is no such thing here.")
    here.remove(thing)
    state.taken.append(thing)
    if thing.endswith(" key"):
        state.seen.keys.add(thing.removesuffix(" key"))
    state.seen.see(state.house)
    return Reply(text=f"You have taken the {thing}. You have: {', '.join(state.taken)}.")


def _describe(state: _Visit) -> str:
    """The room, its exits and what lies there."""
    house, room = state.house, state.seen.here
    locks = house.locks[room]
    exits = [
        f"{d} (locked, needs the {locks[d]} key)" if d in locks else d for d in sorted(house.exits[room])
    ]
    things = house.things[room]
    lies = f" You see: {', '.join(things)}." if things else ""
    return f"You are in the {room}. Exits: {', '.join(exits)}.{lies}"


def _decide(seen: Explorer) -> str:
    return f"take {seen.key_here} key" if seen.key_here else f"go {seen.next_step()}"


def _oracle_turns(house: House, limit: int) -> int | None:
    """How many turns the oracle takes; None if they are more than the limit."""
    state = _enter(house)
    for turn in range(1, limit + 1):
        verb, _, what = _decide(state.seen).partition(" ")
        if (_take if verb == "take" else _go)(state, what).verdict is not None:
            return turn
    return None
