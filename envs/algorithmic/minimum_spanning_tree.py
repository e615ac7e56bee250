"""MinimumSpanningTree: the cheapest edges that connect everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.algorithmic._graphs import LETTERS, Components, edge_lines, random_edges, weighted
from rlvr_gym.envs.algorithmic._reading import parse_pairs
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["MinimumSpanningTree", "SpanningTreeVerifier"]


@register_verifier("spanning_tree")
class SpanningTreeVerifier(RuleVerifier[list[tuple[str, str, int | None]]]):
    """Any spanning tree of the least weight."""

    def read(self, answer: str, task: Task) -> list[tuple[str, str, int | None]] | None:
        """Pairs of nodes; the weight may stand behind them."""
        return parse_pairs(answer, task.answer["nodes"])

    def fault(self, value: list[tuple[str, str, int | None]], task: Task) -> str | None:
        """The first rule that is broken."""
        puzzle = task.answer
        weights = {frozenset(edge[:2]): edge[2] for edge in puzzle["edges"]}
        parts, total = Components(puzzle["nodes"]), 0
        for a, b, said in value:
            weight = weights.get(frozenset((a, b)))
            if weight is None or said not in (None, weight):
                return f"there is no such edge {a}-{b}"
            if not parts.join(a, b):
                return f"{a}-{b} closes a circle"
            total += weight
        if len(value) != len(puzzle["nodes"]) - 1:
            return "not all nodes are connected"
        return None if total == puzzle["weight"] else f"its weight is {total}, there is a lighter one"


@register("rlvr/MinimumSpanningTree-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class MinimumSpanningTree(Problem):
    """Connect all nodes of a weighted graph at the least total weight; every lightest tree counts.

    Difficulty 1 has 4 nodes and 10 has 20, with twice as many edges, whose weights often tie. The hardness is the
    number of edges that Kruskal's algorithm looks at.
    """

    verifier: ClassVar[str] = "spanning_tree"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a connected graph."""
        nodes = list(LETTERS[: level(difficulty, 4, 20)])
        edges = weighted(rng, random_edges(rng, nodes, 2 * len(nodes)), 2 * len(nodes))
        tree, lines = _kruskal(nodes, edges)
        reference = ", ".join(f"{a}-{b}" for a, b, _ in tree)
        weight = sum(edge[2] for edge in tree)
        return Task(
            prompt=ask(
                f"Choose edges of this graph that connect all of its nodes {', '.join(nodes)} and whose weights have "
                f"the least possible sum (a minimum spanning tree):\n\n{edge_lines(edges)}\n",
                "the chosen edges",
                "X-Y, Y-Z",
            ),
            answer={
                "nodes": nodes,
                "edges": [list(edge) for edge in edges],
                "weight": weight,
                "reference": reference,
            },
            metadata={"nodes": len(nodes), "edges": len(edges), "hardness": len(lines)},
            solution="\n".join([*lines, f"The weight is {weight}.", f"So: {reference}"]),
        )

    def answer_text(self, task: Task) -> str:
        """Kruskal's tree."""
        return str(task.answer["reference"])


def _kruskal(
    nodes: Sequence[str], edges: Sequence[tuple[str, str, int]]
) -> tuple[list[tuple[str, str, int]], list[str]]:
    parts = Components(nodes)
    tree: list[tuple[str, str, int]] = []
    lines: list[str] = []
    for a, b, weight in sorted(edges, key=lambda edge: (edge[2], edge)):
        if len(tree) == len(nodes) - 1:
            break
        if parts.join(a, b):
            tree.append((a, b, weight))
            lines.append(f"{weight}: take {a}-{b}.")
        else:
            lines.append(f"{weight}: {a} and {b} are connected already.")
    return tree, lines
