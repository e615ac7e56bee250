"""What the functions are called with: random arguments, and the edge cases that random ones miss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "ANY_INTS", "ANY_TEXT", "ANY_WORDS", "Draw", "Inputs", "counts", "each", "graph", "grid", "integer", "ints",
    "nested", "text", "together", "words",
]  # fmt: skip

WORDS = (
    "apple", "arc", "bell", "bike", "boat", "cab", "cat", "corn", "deed", "dog", "dune", "eel", "elm", "eve", "fig",
    "fog", "gate", "gem", "ham", "hut", "ice", "ink", "iron", "jam", "key", "kit", "lamp", "leaf", "level", "map",
    "mill", "moon", "net", "noon", "nut", "oak", "owl", "pan", "pear", "pen", "rain", "rat", "road", "salt", "sea",
    "sun", "tap", "tar", "tea", "tree", "urn", "van", "vase", "wall", "wax", "yak", "zoo",
)  # fmt: skip
LETTERS = "abcdefghijklmnopqrstuvwxyz"
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Draw:
    """One argument.

    Attributes:
        make: a random value.
        edges: values at the edges of what is allowed.
    """

    make: Callable[[Rng], Any]
    edges: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Inputs:
    """All arguments of a call.

    Attributes:
        make: random arguments.
        edges: a function of a generator that gives the edge cases (what an edge leaves open is random).
    """

    make: Callable[[Rng], tuple[Any, ...]]
    edges: Callable[[Rng], list[tuple[Any, ...]]]


def each(*draws: Draw) -> Inputs:
    """Arguments that are drawn independently."""

    def make(rng: Rng) -> tuple[Any, ...]:
        return tuple(draw.make(rng) for draw in draws)

    def edges(rng: Rng) -> list[tuple[Any, ...]]:
        return [
            tuple(edge if i == j else other.make(rng) for j, other in enumerate(draws))
            for i, draw in enumerate(draws)
            for edge in draw.edges
        ]

    return Inputs(make, edges)


def together(make: Callable[[Rng], tuple[Any, ...]], *edges: tuple[Any, ...]) -> Inputs:
    """Arguments that depend on each other."""
    return Inputs(make, lambda rng: list(edges))


def integer(low: int, high: int, *edges: int) -> Draw:
    """A whole number, ends included; the ends are edges."""
    return Draw(lambda rng: int(rng.integers(low, high + 1)), (low, high, *edges))


def ints(low: int = -20, high: int = 20, longest: int = 12, shortest: int = 0) -> Draw:
    """Whole numbers. Half of the lists are drawn from few values, so that there are repetitions."""

    def make(rng: Rng) -> list[int]:
        size = int(rng.integers(max(shortest, 1), longest + 1))
        if rng.random() < 0.5:
            return [int(v) for v in rng.integers(low, high + 1, size)]
        few = rng.integers(low, high + 1, max(2, size // 2))
        return [int(few[i]) for i in rng.integers(len(few), size=size)]

    middle = (low + high) // 2
    edges = [
        [middle] * max(shortest, 3),
        list(range(low, high + 1))[: max(longest, shortest)],
        [high, low] * 4,
    ]
    edges += [[high] * shortest] if shortest > 1 else [[high], [low]]
    return Draw(make, (*([[]] if shortest == 0 else []), *edges))


def words(longest: int = 8, shortest: int = 0) -> Draw:
    """Short lower-case words, some of them repeated."""

    def make(rng: Rng) -> list[str]:
        size = int(rng.integers(max(shortest, 1), longest + 1))
        few = [WORDS[int(i)] for i in rng.integers(len(WORDS), size=max(1, int(0.7 * size)))]
        return [few[int(i)] for i in rng.integers(len(few), size=size)]

    edges = [["level"], ["b", "a", "b"], ["sea", "sea", "sea"], ["tea", "eat", "ate", "tar", "rat"]]
    return Draw(make, (*([[]] if shortest == 0 else []), *[e for e in edges if len(e) >= shortest]))


def text(alphabet: str = "", longest: int = 16, *edges: str) -> Draw:
    """Text out of an alphabet; without one, words with spaces, capitals and digits here and there."""

    def make(rng: Rng) -> str:
        if alphabet:
            size = int(rng.integers(1, longest + 1))
            return "".join(alphabet[int(i)] for i in rng.integers(len(alphabet), size=size))
        parts = [WORDS[int(i)] for i in rng.integers(len(WORDS), size=int(rng.integers(1, 6)))]
        parts = [p.capitalize() if rng.random() < 0.3 else p for p in parts]
        parts = [f"{p}{int(rng.integers(100))}" if rng.random() < 0.2 else p for p in parts]
        return " ".join(parts)

    own = edges or (
        (alphabet[0], alphabet[-1] * 5, alphabet) if alphabet else ("A", "noon", "Eve saw 3 owls 33")
    )
    return Draw(make, ("", *own))


def grid(low: int, high: int, largest: int = 5) -> Draw:
    """A rectangle of whole numbers with at least one row and one column."""

    def make(rng: Rng) -> list[list[int]]:
        rows, columns = rng.integers(1, largest + 1, 2)
        return [[int(v) for v in row] for row in rng.integers(low, high + 1, (rows, columns))]

    return Draw(make, ([[low]], [[high]], [[low, high]], [[high], [low]], [[high] * 3] * 3))


def graph(*, directed: bool = False, weights: bool = False, largest: int = 7) -> Inputs:
    """``(nodes, edges)``: nodes are numbered from 0; each edge is ``[a, b]`` or ``[a, b, weight]``, at most once."""

    def make(rng: Rng) -> tuple[int, list[list[int]]]:
        nodes = int(rng.integers(2, largest + 1))
        pairs = [[a, b] for a in range(nodes) for b in range(nodes) if (a != b if directed else a < b)]
        wanted = min(len(pairs), int(rng.integers(nodes - 1, 2 * nodes)))
        chosen = [pairs[int(i)] for i in rng.permutation(len(pairs))[:wanted]]
        return nodes, [[*p, int(rng.integers(1, 20))] if weights else list(p) for p in chosen]

    weight = [3] if weights else []
    path = [[i, i + 1, *weight] for i in range(4)]
    back = [[2, 0, *weight]]
    return together(
        make, (1, []), (3, []), (5, path), (3, path[:2] + (back if directed else [[0, 2, *weight]]))
    )


def counts() -> Draw:
    """A dict from words to numbers from 0 to 9."""

    def make(rng: Rng) -> dict[str, int]:
        chosen = rng.permutation(12)[: int(rng.integers(1, 7))]  # few words, so that two dicts share some
        return {WORDS[int(i)]: int(rng.integers(10)) for i in chosen}

    return Draw(make, ({}, {"a": 0}, {"b": 2, "a": 2}, {"cat": 9, "dog": 9, "eel": 1}))


def nested() -> Draw:
    """Lists in lists, with whole numbers in them."""

    def build(rng: Rng, depth: int) -> list[Any]:
        size = int(rng.integers(0 if depth < 3 else 2, 4))
        return [
            build(rng, depth - 1) if depth and rng.random() < 0.45 else int(rng.integers(-9, 10))
            for _ in range(size)
        ]

    return Draw(lambda rng: build(rng, 3), ([], [[]], [[[[5]]]], [1, 2, 3], [[], [1, []], -2]))


ANY_INTS = ints()
ANY_WORDS = words()
ANY_TEXT = text()
"""The full domains: functions over them take whatever another function gives."""
