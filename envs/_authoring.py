"""What the authors of environments share: drawing from a generator, and asking for an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

__all__ = ["ask", "integer", "level", "nonzero", "pick", "shuffled"]

T = TypeVar("T")

_FINE = 2**32
"""Ranges up to this are drawn through ``rng.random()``: several times faster, and no number is favoured by 1e-6."""


def _below(rng: np.random.Generator, count: int) -> int:
    """A whole number from 0 to ``count`` - 1."""
    return int(rng.random() * count) if count <= _FINE else int(rng.integers(count))


def integer(rng: np.random.Generator, low: int, high: int) -> int:
    """A whole number from ``low`` to ``high``, both included."""
    return low + _below(rng, high + 1 - low)


def nonzero(rng: np.random.Generator, size: int) -> int:
    """A whole number from ``-size`` to ``size`` that is not 0."""
    value = 1 + _below(rng, 2 * size)
    return value if value <= size else size - value


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of the options; several times faster than ``rng.choice``."""
    return options[_below(rng, len(options))]


def shuffled(rng: np.random.Generator, items: Sequence[T]) -> list[T]:
    """The items in a random order."""
    return [items[int(i)] for i in rng.permutation(len(items))]


def level(difficulty: int, low: int, high: int) -> int:
    """Difficulty 1 to 10 spread evenly over ``low`` to ``high``."""
    return low + round((high - low) * (difficulty - 1) / 9)


def ask(question: str, form: str, *examples: str, answer: str = "") -> str:
    """The prompt: a question, what the answer looks like, and an example of the form that is not the answer.

    Args:
        question: what is asked.
        form: the answer's form, as in ``give <form> in <answer> tags``.
        *examples: the first one that differs from ``answer`` is shown.
        answer: the true answer.
    """
    example = next(e for e in examples if e != answer)
    return (
        f"{question}\nThink step by step, then give {form} in <answer> tags, "
        f"for example <answer>{example}</answer>."
    )
