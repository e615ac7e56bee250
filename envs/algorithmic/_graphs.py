"""Random graphs with letters for nodes, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import combinations
from typing import TypeVar

import numpy as np

from rlvr_gym.envs._authoring import shuffled

__all__ = ["LETTERS", "Components", "adjacency", "draw_names", "edge_lines", "random_edges", "weighted"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVW"
"""Names of nodes; X, Y and Z are kept for the examples in prompts."""

Edge = tuple[str, str]
T = TypeVar("T")
E = TypeVar("E", bound=Sequence[object])


def draw_names(rng: np.random.Generator, count: int) -> list[str]:
    """Letters for nodes, sorted. Drawn, because there are few small graphs: fixed names would often repeat a task."""
    return sorted(shuffled(rng, LETTERS)[:count])


@lru_cache(maxsize=64)
def _pairs(count: int) -> tuple[tuple[int, int], ...]:
    return tuple(combinations(range(count), 2))


def random_edges(
    rng: np.random.Generator, names: Sequence[T], count: int, *, connected: bool = True
) -> list[tuple[T, T]]:
    """``count`` different edges (or all that there are), sorted, each in the order of ``names``.

    Args:
        rng: the source of randomness.
        names: the nodes.
        count: how many edges.
        connected: begin with a random tree over all nodes, which may take more than ``count`` edges.
    """
    chosen: set[tuple[int, int]] = set()
    if connected and len(names) > 1:
        order = rng.permutation(len(names)).tolist()
        draws = rng.random(len(names)).tolist()
        for place in range(1, len(names)):
            a, b = order[place], order[int(draws[place] * place)]
            chosen.add((min(a, b), max(a, b)))
    for pair in shuffled(rng, _pairs(len(names))):
        if len(chosen) >= count:
            break
        chosen.add(pair)
    return [(names[a], names[b]) for a, b in sorted(chosen)]


def weighted(rng: np.random.Generator, edges: Sequence[Edge], largest: int) -> list[tuple[str, str, int]]:
    """The edges, each with a weight from 1 to ``largest``."""
    weights = rng.integers(1, largest + 1, size=len(edges)).tolist()
    return [(a, b, weight) for (a, b), weight in zip(edges, weights, strict=True)]


def edge_lines(edges: Iterable[Sequence[object]], arrow: str = "-") -> str:
    """Edges in one text: ``A-B, A-C`` or, with weights, ``A-B: 3, A-C: 5``."""
    return ", ".join(f"{a}{arrow}{b}" + "".join(f": {w}" for w in rest) for a, b, *rest in edges)


def adjacency(names: Iterable[str], edges: Iterable[Sequence[str]]) -> dict[str, list[str]]:
    """The neighbours of every node of an undirected graph, in the order of the edges."""
    neighbours: dict[str, list[str]] = {name: [] for name in names}
    for a, b, *_ in edges:
        neighbours[a].append(b)
        neighbours[b].append(a)
    return neighbours


class Components:
    """Union-find over nodes."""

    def __init__(self, names: Iterable[str]) -> None:
        self._parent = {name: name for name in names}

    def find(self, name: str) -> str:
        """The representative of the component of ``name``."""
        while self._parent[name] != name:
            self._parent[name] = name = self._parent[self._parent[name]]
        return name

    def join(self, a: str, b: str) -> bool:
        """Makes two components one; False if they were one already."""
        first, second = self.find(a), self.find(b)
        self._parent[first] = second
        return first != second
