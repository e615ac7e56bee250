"""What the authors of environments share: drawing from a generator, and asking for an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

__all__ = ["ask", "integer", "level", "nonzero", "pick", "shuffled"]

T = TypeVar("T")

_FINE = 2**32
"""Ranges up to this are drawn through ``rng.random()``: several times faster, and no number is favoured by 1e-6."""


def integer(rng: np.random.Generator, low: int, high: int) -> int:
    """A whole number from ``low`` to ``high``, both included."""
    count = high + 1 - low
    return low + (int(rng.random() * count) if count <= _FINE else int(rng.integers(count)))


def nonzero(rng: np.random.Generator, size: int) -> int:
    """A whole number from ``-size`` to ``size`` that is not 0."""
    value = integer(rng, 1, 2 * size)
    return value if value <= size else size - value


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of the options; several times faster than ``rng.choice``."""
    return options[int(rng.random() * len(options))]


def shuffled(rng: np.random.Generator, items: Sequence[T]) -> list[T]:
    """The items in a random order."""
    mixed = list(items)
    rng.shuffle(mixed)  # a list: four times faster than to go through rng.permutation, for the same order
    return mixed


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
