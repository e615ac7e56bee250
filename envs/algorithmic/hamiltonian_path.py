"""HamiltonianPath: a path through every node, or the statement that there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level, shuffled
from rlvr_gym.envs.algorithmic._graphs import adjacency, draw_names, edge_lines, random_edges
from rlvr_gym.envs.algorithmic._reading import parse_names
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["HamiltonianPath", "HamiltonianPathVerifier"]

IMPOSSIBLE_SHARE = 0.25
MAX_STEPS = 120
"""A graph whose search takes longer is drawn anew: its solution text would be too long."""

Edge = tuple[str, str]


@register_verifier("hamiltonian_path")
class HamiltonianPathVerifier(RuleVerifier[list[str]]):
    """Any path through all nodes; "impossible" only if there is none."""

    impossible = "impossible"

    def read(self, answer: str, task: Task) -> list[str] | None:
        """Nodes in order."""
        return parse_names(answer, task.answer["nodes"])

    def fault(self, value: list[str], task: Task) -> str | None:
        """The first rule that is broken."""
        if sorted(value) != task.answer["nodes"]:
            return "not every node comes exactly once"
        edges = {frozenset(edge) for edge in task.answer["edges"]}
        missing = (step for step in pairwise(value) if frozenset(step) not in edges)
        return next((f"there is no edge {a}-{b}" for a, b in missing), None)


@register("rlvr/HamiltonianPath-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class HamiltonianPath(Problem):
    """Visit every node of a graph exactly once along its edges; every such path counts.

    Difficulty 1 has 5 nodes and each level one more, to 14, with 1.6 times as many edges. In one task of four there
    is no path, which is shown by a few nodes without which the graph falls into too many parts. The hardness is the
    number of edges plus the steps of a search that goes to the node with the fewest ways on.
    """

    verifier: ClassVar[str] = "hamiltonian_path"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Hides a path among edges, or builds a graph that cannot have one."""
        impossible = rng.random() < IMPOSSIBLE_SHARE
        nodes = draw_names(rng, level(difficulty, 5, 14))
        count = len(nodes) * 8 // 5
        if impossible:
            edges, lines = _without_path(rng, nodes, count)
            reference, steps = None, len(nodes)
        else:
            edges, path, lines = _with_path(rng, nodes, count)
            reference, steps = " -> ".join(path), len(lines)
        return Task(
            prompt=ask(
                f"Find a path in this graph that visits each of the nodes {', '.join(nodes)} exactly once (it may "
                f"start and end anywhere):\n\n{edge_lines(edges)}\n",
                "the nodes in order, or the word impossible if there is no such path,",
                "X -> Y -> Z",
            ),
            answer={"nodes": nodes, "edges": [list(edge) for edge in edges], "reference": reference},
            metadata={"nodes": len(nodes), "edges": len(edges), "hardness": len(edges) + steps},
            solution="\n".join([*lines, f"So: {reference or HamiltonianPathVerifier.impossible}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The path that the search found."""
        return task.answer["reference"] or HamiltonianPathVerifier.impossible


def _without_path(rng: np.random.Generator, nodes: Sequence[str], count: int) -> tuple[list[Edge], list[str]]:
    """A connected graph in which taking away k nodes leaves at least k + 2 parts: a path would leave at most k + 1."""
    order = shuffled(rng, nodes)
    cut = int(rng.integers(1, (len(nodes) - 2) // 2 + 1))
    hubs, rest = order[:cut], order[cut:]
    parts = [[node] for node in rest[: cut + 2]]
    for node in rest[cut + 2 :]:
        parts[int(rng.integers(len(parts)))].append(node)
    edges = {edge for part in parts for edge in random_edges(rng, part, len(part) * 8 // 5)}
    edges |= {(hub, part[int(rng.integers(len(part)))]) for part in parts for hub in hubs[:1]}
    possible = [(hub, node) for hub in hubs for node in order if hub != node]
    # every further hub has to be connected, the remaining edges may go anywhere from a hub
    edges |= {(hub, hubs[int(rng.integers(i + 1))]) for i, hub in enumerate(hubs[1:])}
    for index in rng.permutation(len(possible)).tolist():
        if len(edges) >= count:
            break
        edges.add(possible[index])
    written = sorted({(min(edge), max(edge)) for edge in edges})
    lines = [
        f"Without {', '.join(sorted(hubs))} the graph falls into {len(parts)} parts: "
        f"{'; '.join(', '.join(sorted(part)) for part in sorted(map(sorted, parts)))}.",
        f"A path that loses {cut} of its nodes falls into at most {cut + 1} pieces, and each part needs one.",
    ]
    return written, lines


def _with_path(
    rng: np.random.Generator, nodes: Sequence[str], count: int
) -> tuple[list[Edge], list[str], list[str]]:
    while True:
        hidden = shuffled(rng, nodes)
        edges = {(min(step), max(step)) for step in pairwise(hidden)}
        for edge in shuffled(rng, random_edges(rng, nodes, count, connected=False)):
            if len(edges) < count:
                edges.add(edge)
        written = sorted(edges)
        path, lines = _search(nodes, written)
        if path:
            return written, path, lines


def _search(nodes: Sequence[str], edges: Sequence[Edge]) -> tuple[list[str], list[str]]:
    """A path and the steps to it; no path if it is not found within the limit of steps."""
    neighbours = adjacency(nodes, edges)
    lines: list[str] = []
    path: list[str] = []

    def ways(node: str) -> list[str]:
        return [n for n in neighbours[node] if n not in path]

    def extend(options: Sequence[str]) -> bool:
        for node in sorted(options, key=lambda n: (len(ways(n)), n)):
            if len(lines) >= MAX_STEPS:
                return False
            path.append(node)
            further = ways(node)
            lines.append(f"{node}, from where {', '.join(further) or 'nothing'} can be reached.")
            if len(path) == len(nodes) or extend(further):
                return True
            path.pop()
            lines.append(f"Back from {node}.")
        return False

    return (path if extend(nodes) else []), lines
