"""Drawing programs of a difficulty, and cases to test them with."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from rlvr_gym.envs.code._specs import SPECS, Program, Spec
from rlvr_gym.envs.code._specs.pipelines import draw_pipeline

__all__ = ["Call", "call_text", "draw_cases", "draw_program", "fenced"]

Call = tuple[tuple[Any, ...], Any]
"""Arguments and the value that the reference gives for them."""
Types = Callable[[tuple[str, ...], str], bool]
"""Whether a function with these types of arguments and result will do."""

_BAND = 0.25
"""The share of all specifications, in the order of their size, that one difficulty draws from."""


def _any_types(takes: tuple[str, ...], gives: str) -> bool:
    return True


def draw_program(rng: np.random.Generator, difficulty: int, fits: Types = _any_types) -> Program:
    """A function of a difficulty from 1 to 10: half are specifications of that size, half are pipelines.

    Args:
        rng: the source of randomness.
        difficulty: chooses the part of the specifications, ordered by size, or the number of steps.
        fits: which types the function may have.
    """
    if rng.random() < 0.5:
        return draw_pipeline(rng, 1 + (2 * difficulty) // 3, lambda gives: fits(("list[int]",), gives))
    ordered = _ordered(fits)
    width = max(1, round(_BAND * len(ordered)))
    first = round((len(ordered) - width) * (difficulty - 1) / 9)
    return ordered[first + int(rng.integers(width))].program(rng)


@lru_cache(maxsize=32)
def _ordered(fits: Types) -> tuple[Spec, ...]:
    chosen = [spec for spec in SPECS.values() if fits(spec.takes, spec.gives)]
    return tuple(sorted(chosen, key=lambda spec: (spec.size, spec.name)))


def draw_cases(
    program: Program, rng: np.random.Generator, shown: int = 2, hidden: int = 12
) -> tuple[list[Call], list[Call]]:
    """Examples to show and cases to hide, all with different arguments.

    The hidden ones have the edge cases first, and then random ones with as many different values as there are, so
    that no constant and no table of the examples gets far.
    """
    edges = _calls(program, program.inputs.edges(rng))
    random = _varied(_calls(program, [program.inputs.make(rng) for _ in range(3 * (shown + hidden))], edges))
    # where there are few arguments altogether, edge cases have to serve as examples
    examples = random[:shown] + edges[: max(0, shown - len(random))]
    rest = [call for call in edges if call not in examples] + random[shown:]
    return examples, rest[: max(hidden, len(edges))]


def _calls(program: Program, arguments: Sequence[tuple[Any, ...]], known: Sequence[Call] = ()) -> list[Call]:
    seen = {repr(args) for args, _ in known}
    calls: list[Call] = []
    for args in arguments:
        if repr(args) not in seen:
            seen.add(repr(args))
            calls.append((args, program.function(*copy.deepcopy(args))))
    return calls


def _varied(calls: list[Call]) -> list[Call]:
    """In an order in which values take turns."""
    count: dict[str, int] = {}
    turns = []
    for call in calls:
        key = repr(call[1])
        count[key] = count.get(key, 0) + 1
        turns.append(count[key])
    return [call for _, call in sorted(zip(turns, calls, strict=True), key=lambda pair: pair[0])]


def call_text(name: str, call: Call) -> str:
    """``name(arguments) == value``."""
    args, value = call
    return f"{name}({', '.join(map(repr, args))}) == {value!r}"


def fenced(source: str, language: str = "python") -> str:
    """A Markdown block."""
    return f"```{language}\n{source.strip()}\n```"
