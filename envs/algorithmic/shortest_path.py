"""ShortestPath: a shortest way through a weighted graph, or the statement that there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.algorithmic._graphs import LETTERS, edge_lines, random_edges, weighted
from rlvr_gym.envs.algorithmic._reading import parse_names
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["ShortestPath", "ShortestPathVerifier"]

UNREACHABLE_SHARE = 0.15

Edge = tuple[str, str, int]


@register_verifier("shortest_path")
class ShortestPathVerifier(RuleVerifier[list[str]]):
    """Any path of the least length; "no path" only if there is none."""

    impossible = "no path"

    def read(self, answer: str, task: Task) -> list[str] | None:
        """Nodes in order."""
        return parse_names(answer, task.answer["nodes"])

    def fault(self, value: list[str], task: Task) -> str | None:
        """The first rule that is broken."""
        puzzle = task.answer
        if value[0] != puzzle["start"] or value[-1] != puzzle["end"]:
            return "it does not lead from start to end"
        lengths = {frozenset(edge[:2]): edge[2] for edge in puzzle["edges"]}
        length = 0
        for step in pairwise(value):
            if frozenset(step) not in lengths:
                return f"there is no road {step[0]}-{step[1]}"
            length += lengths[frozenset(step)]
        return None if length == puzzle["distance"] else f"its length is {length}, there is a shorter one"


@register("rlvr/ShortestPath-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class ShortestPath(Problem):
    """Find a shortest path between two nodes of a weighted graph; every shortest path counts.

    Difficulty 1 has 5 nodes and 10 has 21, with twice as many edges; about one task of seven has no path. The
    hardness is the number of edges that Dijkstra's algorithm looks at.
    """

    verifier: ClassVar[str] = "shortest_path"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws a graph (two that are not connected, for no path) and a target in the farther half."""
        nodes = list(LETTERS[: level(difficulty, 5, 21)])
        start = nodes[int(rng.integers(len(nodes)))]
        split = rng.random() < UNREACHABLE_SHARE
        edges = weighted(
            rng, _roads(rng, nodes, start) if split else random_edges(rng, nodes, 2 * len(nodes)), 20
        )
        settled = _dijkstra(edges, start)
        others = (
            [node for node in nodes if node not in settled] if split else list(settled)[len(settled) // 2 :]
        )
        end = others[int(rng.integers(len(others)))]
        reference, lines = _explain(settled, start, end)
        looked_at = sum(a in settled for a, _, _ in edges) if split else _looked_at(edges, settled, end)
        return Task(
            prompt=ask(
                f"These are the roads between towns, with their lengths; each can be used in both directions:\n\n"
                f"{edge_lines(edges)}\n\nFind a shortest path from {start} to {end}.",
                "the towns in order, or the words no path if there is none,",
                "X -> Y -> Z",
            ),
            answer={
                "nodes": nodes,
                "edges": [list(edge) for edge in edges],
                "start": start,
                "end": end,
                "distance": settled[end][0] if reference else None,
                "reference": reference,
            },
            metadata={"nodes": len(nodes), "edges": len(edges), "hardness": looked_at},
            solution="\n".join([*lines, f"So: {reference or ShortestPathVerifier.impossible}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The path that the generator found."""
        return task.answer["reference"] or ShortestPathVerifier.impossible


def _roads(rng: np.random.Generator, nodes: Sequence[str], start: str) -> list[tuple[str, str]]:
    """Two connected graphs without a road between them; ``start`` is in the larger one."""
    order = [start, *(node for node in rng.permutation(nodes).tolist() if node != start)]
    cut = len(order) * 2 // 3
    parts = (sorted(order[:cut]), sorted(order[cut:]))
    return sorted(edge for part in parts for edge in random_edges(rng, part, 2 * len(part)))


def _dijkstra(edges: Sequence[Edge], start: str) -> dict[str, tuple[int, str]]:
    """Distance and predecessor of every node that can be reached, in the order in which they are settled."""
    roads: dict[str, list[tuple[str, int]]] = {}
    for a, b, length in edges:
        roads.setdefault(a, []).append((b, length))
        roads.setdefault(b, []).append((a, length))
    settled: dict[str, tuple[int, str]] = {}
    queue = [(0, start, start)]
    while queue:
        distance, node, before = heappop(queue)
        if node in settled:
            continue
        settled[node] = (distance, before)
        for other, length in roads[node]:
            if other not in settled:
                heappush(queue, (distance + length, other, node))
    return settled


def _looked_at(edges: Sequence[Edge], settled: dict[str, tuple[int, str]], end: str) -> int:
    order = list(settled)
    done = set(order[: order.index(end)])
    return sum((a in done) + (b in done) for a, b, _ in edges)


def _explain(settled: dict[str, tuple[int, str]], start: str, end: str) -> tuple[str | None, list[str]]:
    lines = [f"{start} is at distance 0."]
    for node, (distance, before) in settled.items():
        if node != start:
            lines.append(f"Next nearest: {node} at {distance}, by way of {before}.")
        if node == end:
            break
    if end not in settled:
        return None, [*lines, f"No road leads on from these towns, and {end} is not among them."]
    path = [end]
    while path[-1] != start:
        path.append(settled[path[-1]][1])
    return " -> ".join(reversed(path)), [*lines, f"Back from {end}: {', '.join(path)}."]
