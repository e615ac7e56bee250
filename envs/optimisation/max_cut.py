"""MaxCut: two groups with as much weight between them as possible."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.algorithmic._graphs import LETTERS, edge_lines, random_edges, weighted
from rlvr_gym.envs.algorithmic._reading import parse_names
from rlvr_gym.envs.optimisation._graded import GradedVerifier, Scale
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier

__all__ = ["MaxCut", "MaxCutVerifier"]

Edges = list[tuple[str, str, int]]
Floats = NDArray[np.float32]


@register_verifier("max_cut")
class MaxCutVerifier(GradedVerifier[list[str]]):
    """Any group of nodes, by the weight of the edges that leave it; either of the two groups may be given."""

    def read(self, answer: str, task: Task) -> list[str] | None:
        """Names of nodes."""
        return parse_names(answer, task.answer["nodes"])

    def fault(self, value: list[str], task: Task) -> str | None:
        """The rule that is broken."""
        return "a node is named twice" if len(set(value)) < len(value) else None

    def measure(self, value: list[str], task: Task) -> int:
        """The weight between the group and the rest."""
        return cut_weight(set(value), task.answer["edges"])


def cut_weight(group: set[str], edges: Edges) -> int:
    """The weight of the edges with one end in ``group``."""
    return sum(weight for a, b, weight in edges if (a in group) != (b in group))


@register("rlvr/MaxCut-v0", family="optimisation")
@dataclass(frozen=True, kw_only=True)
class MaxCut(Problem):
    """Split a weighted graph in two with as much weight as possible between; the heaviest cut is correct.

    Difficulty 1 has 6 nodes and each level one more, to 15, with about half of all possible edges. The optimum is
    exact (all cuts are weighed). Placing the nodes one after the other where they cut more earns 0.1 and is never the
    best. The hardness is the number of nodes plus the number of cuts that are not best, and yet no single move
    improves them.
    """

    verifier: ClassVar[str] = "max_cut"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws graphs until the greedy cut is not the heaviest."""
        count = level(difficulty, 6, 15)
        names = LETTERS[:count]
        while True:
            edges = weighted(rng, random_edges(rng, names, count * (count - 1) // 4 + 2), 9)
            start, lines = greedy(names, edges)
            best, traps = heaviest(names, edges)
            plain = cut_weight(start, edges)
            if plain < cut_weight(best, edges):
                break
        scale = Scale(cut_weight(best, edges), plain)
        reference = ", ".join(sorted(best))
        cut = edge_lines((a, b, w) for a, b, w in edges if (a in best) != (b in best))
        return Task(
            prompt=ask(
                f"Split the nodes {', '.join(names)} of this graph into two groups such that the total weight of the "
                f"edges between the groups is as large as possible. The edges and their weights are:\n\n"
                f"{edge_lines(edges)}\n\n"
                + scale.text("the largest possible weight", "the weight that a simple greedy rule attains"),
                "the nodes of one of the groups",
                "X, Y, Z",
            ),
            answer={
                "nodes": list(names),
                "edges": [list(edge) for edge in edges],
                "best": scale.best,
                "plain": scale.plain,
                "reference": reference,
            },
            metadata={"nodes": count, "traps": traps, "hardness": count + traps},
            solution="\n".join(
                [
                    *lines,
                    *_moves(start, best, edges),
                    f"Cut: {cut}, together {scale.best}.",
                    f"So: {reference}",
                ]
            ),
        )

    def answer_text(self, task: Task) -> str:
        """The group without the first node in a heaviest cut."""
        return str(task.answer["reference"])


def greedy(names: str, edges: Edges) -> tuple[set[str], list[str]]:
    """Each node in turn to the side where it cuts more of the edges to the nodes before it."""
    groups: tuple[set[str], set[str]] = (set(), set())
    lines = []
    for name in names:
        weights = [sum(w for a, b, w in edges if name in (a, b) and (a in g or b in g)) for g in groups]
        side = int(weights[0] > weights[1])
        groups[side].add(name)
        lines.append(
            f"{name}: {weights[0]} to the first group, {weights[1]} to the second: group {side + 1}."
        )
    lines.append(f"This cuts {cut_weight(groups[1], edges)}.")
    return groups[1], lines


@lru_cache(maxsize=16)
def _sides(count: int) -> Floats:
    """All ways to split ``count`` nodes, the first one always +1: ``[2^(count - 1), count]`` of ±1."""
    bits = np.arange(1 << (count - 1))[:, None] >> np.arange(count - 1) & 1
    return np.hstack([np.ones((len(bits), 1)), 1 - 2 * bits]).astype(np.float32)


def heaviest(names: str, edges: Edges) -> tuple[set[str], int]:
    """The group without the first node of a heaviest cut, and how many lighter cuts no single move improves.

    All cuts are weighed at once; the weights are small whole numbers, so that 32-bit floats are exact.
    """
    matrix = np.zeros((len(names), len(names)), dtype=np.float32)
    for a, b, weight in edges:
        i, j = names.index(a), names.index(b)
        matrix[i, j] = matrix[j, i] = weight
    sides = _sides(len(names))
    uncut = sides * (sides @ matrix)  # of each node's edges: what is not cut, less what is cut
    weights = (matrix.sum() - uncut.sum(axis=1)) / 4
    best = int(weights.argmax())
    stuck = (uncut <= 0).all(axis=1) & (weights < weights[best])
    return {name for name, side in zip(names, sides[best], strict=True) if side < 0}, int(stuck.sum())


def _moves(start: set[str], best: set[str], edges: Edges) -> list[str]:
    """How to come from one cut to another, node by node, by the shorter way."""
    names = {name for a, b, _ in edges for name in (a, b)}
    moved = min(start ^ best, names - (start ^ best), key=lambda nodes: (len(nodes), sorted(nodes)))
    group, lines = set(start), []
    for name in sorted(moved):
        group ^= {name}
        lines.append(f"With {name} moved to the other group it is {cut_weight(group, edges)}.")
    return lines
