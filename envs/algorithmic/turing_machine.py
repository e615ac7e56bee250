"""TuringMachine: the tape after some steps of a given machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["TuringMachine"]

SYMBOLS = 3

Rule = tuple[int, str, int]
"""The symbol to be written, the direction (L or R), and the next state."""


@register("rlvr/TuringMachine-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class TuringMachine(Problem):
    """Run a Turing machine on a ring of cells for a number of steps.

    Difficulty 1 has 2 states, 5 cells and 4 steps; 10 has 5 states, 12 cells and 40 steps. The hardness is the number
    of steps plus the number of rules that are used.
    """

    verifier: ClassVar[str] = "exact_grid"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws machines until one visits half of the cells and half of its rules."""
        states, cells, steps = level(difficulty, 2, 5), level(difficulty, 5, 12), level(difficulty, 4, 40)
        while True:
            rules = _draw(rng, states)
            tape = rng.integers(SYMBOLS, size=cells).tolist()
            final, lines, used, visited = _run(rules, tape, steps)
            if final != tape and visited >= min(cells, steps) // 2 and 2 * used >= min(len(rules), steps):
                break
        table = "\n".join(
            f"state {'ABCDE'[state]}, read {symbol}: write {write}, move {move}, go to state {'ABCDE'[after]}"
            for (state, symbol), (write, move, after) in rules.items()
        )
        return Task(
            prompt=ask(
                f"A Turing machine works on a tape of {cells} cells that is closed to a ring: one move to the right (R) of "
                f"the last cell is the first, and the other way round (L). Its rules are:\n\n{table}\n\nIt begins in state "
                f"A on the first cell of the tape {_text(tape)}. What is on the tape after exactly {steps} steps?",
                "the tape, from the first cell to the last,",
                "0 1 2",
            ),
            answer=["".join(map(str, final))],
            metadata={"states": states, "cells": cells, "steps": steps, "hardness": steps + used},
            solution="\n".join(lines),
        )

    def answer_text(self, task: Task) -> str:
        """The tape."""
        return " ".join(task.answer[0])


def _text(tape: list[int]) -> str:
    return " ".join(map(str, tape))


def _draw(rng: np.random.Generator, states: int) -> dict[tuple[int, int], Rule]:
    keys = [(state, symbol) for state in range(states) for symbol in range(SYMBOLS)]
    draws = rng.random((len(keys), 3)).tolist()
    return {
        key: (int(write * SYMBOLS), "R" if move < 0.6 else "L", int(after * states))
        for key, (write, move, after) in zip(keys, draws, strict=True)
    }


def _run(
    rules: dict[tuple[int, int], Rule], start: list[int], steps: int
) -> tuple[list[int], list[str], int, int]:
    """The final tape, what happened, and how many rules and cells were used."""
    tape, state, place = list(start), 0, 0
    used, visited = set(), set()
    lines = []
    for number in range(1, steps + 1):
        key = (state, tape[place])
        used.add(key)
        visited.add(place)
        write, move, after = rules[key]
        tape[place] = write
        said = f"{number}: {'ABCDE'[state]} reads {key[1]} in cell {place + 1}, writes {write}"
        state, place = after, (place + (1 if move == "R" else -1)) % len(tape)
        lines.append(f"{said}, {move}, {'ABCDE'[state]}: {''.join(map(str, tape))}")
    return tape, lines, len(used), len(visited)
