"""VertexCover: the fewest nodes that touch every edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.algorithmic._graphs import draw_names, edge_lines, random_edges
from rlvr_gym.envs.algorithmic._reading import parse_names
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["VertexCover", "VertexCoverVerifier"]

Edge = tuple[str, str]


@register_verifier("vertex_cover")
class VertexCoverVerifier(RuleVerifier[list[str]]):
    """Any cover of the least size."""

    def read(self, answer: str, task: Task) -> list[str] | None:
        """Names of nodes."""
        return parse_names(answer, task.answer["nodes"])

    def fault(self, value: list[str], task: Task) -> str | None:
        """The first rule that is broken."""
        chosen = set(value)
        open_edges = (edge for edge in task.answer["edges"] if not chosen.intersection(edge))
        for a, b in open_edges:
            return f"{a}-{b} is not covered"
        size = task.answer["size"]
        return None if len(value) == size else f"it names {len(value)} nodes, {size} are enough"


@register("rlvr/VertexCover-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class VertexCover(Problem):
    """Choose the fewest nodes such that every edge has one of them; every smallest cover counts.

    Difficulty 1 has 5 nodes and 10 has 16, with 1.5 times as many edges. The least size is found by a complete
    search. The hardness is the number of edges plus the steps of that search.
    """

    verifier: ClassVar[str] = "vertex_cover"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a connected graph and finds a smallest cover."""
        nodes = draw_names(rng, level(difficulty, 5, 16))
        edges = random_edges(rng, nodes, len(nodes) * 3 // 2)
        cover, lines, steps = _smallest(edges)
        reference = ", ".join(sorted(cover))
        return Task(
            prompt=ask(
                f"Choose as few nodes of this graph as possible, so that every edge has at least one chosen node at "
                f"its ends:\n\n{edge_lines(edges)}\n",
                "the chosen nodes",
                "X, Y, Z",
            ),
            answer={
                "nodes": nodes,
                "edges": [list(edge) for edge in edges],
                "size": len(cover),
                "reference": reference,
            },
            metadata={"nodes": len(nodes), "edges": len(edges), "hardness": len(edges) + steps},
            solution="\n".join([*lines, f"So: {reference}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The cover that the search found."""
        return str(task.answer["reference"])


def _smallest(edges: Sequence[Edge]) -> tuple[list[str], list[str], int]:
    """A smallest cover, how it is reached, and how many nodes the search was at."""
    apart = _matching(edges)
    lines = [
        f"{', '.join(f'{a}-{b}' for a, b in apart)} have no node in common, so at least {len(apart)} are needed."
    ]
    steps = 0
    for size in range(len(apart), len(edges) + 1):
        choices: list[str] = []
        cover, visited = _cover(edges, size, choices)
        steps += visited
        if cover is not None:
            return cover, [*lines, *choices, f"{size} nodes are enough."], steps
        lines.append(
            f"{size} are too few: {visited} ways of covering the busiest node's edges all leave one open."
        )
    raise AssertionError("the ends of all edges are a cover")


def _matching(edges: Sequence[Edge]) -> list[Edge]:
    used: set[str] = set()
    chosen = []
    for edge in edges:
        if not used.intersection(edge):
            used.update(edge)
            chosen.append(edge)
    return chosen


def _cover(edges: Sequence[Edge], size: int, choices: list[str]) -> tuple[list[str] | None, int]:
    """A cover of at most ``size`` nodes, or None, and the number of cases; notes the choices that led to it."""
    if size < 0 or len(_matching(edges)) > size:
        return None, 1
    if not edges:
        return [], 1
    degrees: dict[str, int] = {}
    for edge in edges:
        for node in edge:
            degrees[node] = degrees.get(node, 0) + 1
    busiest = max(degrees, key=lambda node: (degrees[node], node))
    around = [b if a == busiest else a for a, b in edges if busiest in (a, b)]
    visited = 1
    for taken in ([busiest], around):  # an edge of a node that is left out needs its other end
        rest = [edge for edge in edges if not set(taken).intersection(edge)]
        cover, count = _cover(rest, size - len(taken), choices)
        visited += count
        if cover is not None:
            why = f"it has {degrees[busiest]} open edges" if taken == [busiest] else f"in place of {busiest}"
            choices.insert(0, f"Take {', '.join(taken)}: {why}.")
            return [*taken, *cover], visited
    return None, visited
