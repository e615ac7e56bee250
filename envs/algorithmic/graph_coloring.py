"""GraphColoring: three colours such that neighbours differ, or the statement that three are too few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level
from rlvr_gym.envs.algorithmic._graphs import draw_names, edge_lines, random_edges
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier, parse_assignment

__all__ = ["GraphColoring", "GraphColoringVerifier"]

COLOURS = 3
IMPOSSIBLE_SHARE = 0.25

Step = tuple[int, int, list[tuple[int, int]]]
"""A node, the colour that it gets (0: none is left), and its neighbours that have colours."""


@register_verifier("graph_coloring")
class GraphColoringVerifier(RuleVerifier[dict[str, str]]):
    """Any proper colouring; "impossible" only if there is none."""

    impossible = "impossible"

    def read(self, answer: str, task: Task) -> dict[str, str] | None:
        """A colour for every node."""
        colours = parse_assignment(answer, task.answer["nodes"])
        allowed = {str(colour) for colour in range(1, COLOURS + 1)}
        return colours if colours is not None and allowed >= set(colours.values()) else None

    def fault(self, value: dict[str, str], task: Task) -> str | None:
        """The first edge between equal colours."""
        equal = (edge for edge in task.answer["edges"] if value[edge[0]] == value[edge[1]])
        return next((f"{a} and {b} have the same colour" for a, b in equal), None)


@register("rlvr/GraphColoring-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class GraphColoring(Problem):
    """Colour a graph with three colours; every proper colouring counts.

    Difficulty 1 has 5 nodes and each level one more, to 14, with about twice as many edges; one task of four cannot
    be coloured, which a complete search has shown. The hardness is the number of edges plus the number of steps of
    the search.
    """

    verifier: ClassVar[str] = "graph_coloring"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws graphs near the threshold until one can (or cannot) be coloured."""
        wanted = rng.random() >= IMPOSSIBLE_SHARE
        size = level(difficulty, 5, 14)
        nodes = draw_names(rng, size)
        while True:
            pairs = random_edges(rng, range(size), integer(rng, size * 8 // 5, size * 7 // 3))
            colours, steps = _search(size, pairs)
            if (colours is not None) == wanted:
                break
        edges = [(nodes[a], nodes[b]) for a, b in pairs]
        lines = [_line(nodes, step) for step in steps]
        reference = ", ".join(map("{}={}".format, nodes, colours)) if colours else None
        return Task(
            prompt=ask(
                f"Give each node of this graph one of the colours 1, 2 and 3, so that no edge joins two nodes of the "
                f"same colour. Its nodes are {', '.join(nodes)}, its edges are:\n\n{edge_lines(edges)}\n",
                "the colour of every node, or the word impossible if three colours are too few,",
                "X=2, Y=1, Z=2",
            ),
            answer={"nodes": nodes, "edges": [list(edge) for edge in edges], "reference": reference},
            metadata={"nodes": size, "edges": len(edges), "hardness": len(edges) + len(lines)},
            solution="\n".join([*lines, f"So: {reference or GraphColoringVerifier.impossible}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The colouring that the search found."""
        return task.answer["reference"] or GraphColoringVerifier.impossible


def _search(size: int, edges: Sequence[tuple[int, int]]) -> tuple[list[int] | None, list[Step]]:
    """A colouring (or None) and the steps: the node with the fewest colours left is coloured next."""
    neighbours: list[list[int]] = [[] for _ in range(size)]
    for a, b in edges:
        neighbours[a].append(b)
        neighbours[b].append(a)
    colours = [0] * size
    counts = [[0] * (COLOURS + 1) for _ in range(size)]  # how many neighbours have each colour
    rank = list(map(len, neighbours))  # the different colours around a node count first
    steps: list[Step] = []

    def paint(node: int, colour: int, change: int) -> None:
        for other in neighbours[node]:
            around = counts[other]
            around[colour] += change
            if around[colour] == (change > 0):
                rank[other] += change * size

    def extend(left: list[int], used: int) -> bool:
        if not left:
            return True
        node = max(left, key=rank.__getitem__)
        rest = [other for other in left if other != node]
        beside = [(other, colours[other]) for other in neighbours[node] if colours[other]]
        # colours that no node has yet are alike: trying one of them is enough
        for colour in range(1, min(COLOURS, used + 1) + 1):
            if counts[node][colour]:
                continue
            steps.append((node, colour, beside))
            colours[node] = colour
            paint(node, colour, 1)
            if extend(rest, max(used, colour)):
                return True
            paint(node, colour, -1)
            colours[node] = 0
        steps.append((node, 0, beside))
        return False

    return (colours if extend(list(range(size)), 0) else None), steps


def _line(names: Sequence[str], step: Step) -> str:
    node, colour, beside = step
    seen = f" (next to {', '.join([f'{names[n]}={c}' for n, c in beside])})" if beside else ""
    return (
        f"{names[node]}={colour}{seen}." if colour else f"Nothing else is left for {names[node]}{seen}: back."
    )
