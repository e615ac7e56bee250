"""Tasks made of instructions, each drawn for the state that the ones before it leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from rlvr_gym.envs._authoring import pick
from rlvr_gym.envs.tools._dialogue import Calls
from rlvr_gym.tools import MAX_CALLS, Tool

__all__ = ["Draw", "Instruction", "compose", "numbered"]

_W = TypeVar("_W")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One thing to do.

    Attributes:
        text: for the prompt.
        look: calls that find out what has to be known, those of each action.
        do: calls that then carry it out.
    """

    text: str
    look: Sequence[Calls]
    do: Calls


Draw = Callable[[_W, np.random.Generator], Instruction | None]
"""Draws an instruction that makes sense for a state, or None."""


def compose(
    draws: Sequence[Draw[_W]], state: _W, tools: Sequence[Tool], count: int, rng: np.random.Generator
) -> tuple[list[str], list[Calls]]:
    """Draws ``count`` instructions and carries them out.

    Args:
        draws: the kinds of instructions.
        state: what they are about; ``tools`` change it.
        tools: by which they are carried out.
        count: how many.
        rng: all randomness.

    Returns:
        the texts, and the calls of each action that finds out or does something.
    """
    known = {tool.name: tool for tool in tools}
    texts: list[str] = []
    plan: list[Calls] = []
    while len(texts) < count:
        drawn = pick(rng, draws)(state, rng)
        if drawn is None or drawn.text in texts:
            continue
        texts.append(drawn.text)
        for calls in (*drawn.look, drawn.do):
            plan += [calls[i : i + MAX_CALLS] for i in range(0, len(calls), MAX_CALLS)]
        for name, arguments in drawn.do:
            known[name].call(arguments)
    return texts, plan


def numbered(texts: Sequence[str]) -> str:
    """Instructions as a list for the prompt."""
    return "\n".join(f"{i}. {text}" for i, text in enumerate(texts, 1))
