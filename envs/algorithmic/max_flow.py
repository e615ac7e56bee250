"""MaxFlow: how much can go through a network, given as the flow on every edge."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level, shuffled
from rlvr_gym.envs.algorithmic._graphs import LETTERS, edge_lines
from rlvr_gym.envs.algorithmic._reading import parse_pairs
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["MaxFlow", "MaxFlowVerifier"]

SOURCE, SINK = "S", "T"
LARGEST = 12

Edge = tuple[str, str]


@register_verifier("max_flow")
class MaxFlowVerifier(RuleVerifier[list[tuple[str, str, int | None]]]):
    """Any flow within the capacities that loses nothing on the way and is as large as possible."""

    def read(self, answer: str, task: Task) -> list[tuple[str, str, int | None]] | None:
        """The flow on edges; those that are left out carry nothing."""
        return parse_pairs(answer, {end for edge in task.answer["edges"] for end in edge[:2]})

    def fault(self, value: list[tuple[str, str, int | None]], task: Task) -> str | None:
        """The first rule that is broken."""
        capacities = {(a, b): capacity for a, b, capacity in task.answer["edges"]}
        kept: dict[str, int] = {}
        seen: set[Edge] = set()
        for a, b, amount in value:
            if amount is None or (a, b) not in capacities or (a, b) in seen:
                return f"{a}->{b} is no edge, has no number, or comes twice"
            if amount > capacities[a, b]:
                return f"{a}->{b} carries more than {capacities[a, b]}"
            seen.add((a, b))
            kept[a] = kept.get(a, 0) - amount
            kept[b] = kept.get(b, 0) + amount
        for node, amount in kept.items():
            if amount and node not in (SOURCE, SINK):
                return f"what flows into {node} is not what flows out"
        flow, most = kept.get(SINK, 0), task.answer["flow"]
        return None if flow == most else f"the flow is {flow}, {most} is possible"


@register("rlvr/MaxFlow-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class MaxFlow(Problem):
    """Send as much as possible from S to T through pipes of given capacities; every largest flow counts.

    Difficulty 1 has 2 nodes between S and T and 10 has 12, with about twice as many pipes. The hardness is the number
    of pipes plus the lengths of the augmenting paths.
    """

    verifier: ClassVar[str] = "max_flow"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws pipes along a hidden order of the nodes."""
        inner = list(LETTERS[: level(difficulty, 2, 12)])
        edges = _draw(rng, inner)
        weights = rng.integers(1, LARGEST + 1, size=len(edges)).tolist()
        capacities = dict(zip(edges, weights, strict=True))
        flow, lines, length = _edmonds_karp(capacities)
        total = sum(amount for (_, b), amount in flow.items() if b == SINK)
        reference = ", ".join(f"{a}->{b}={amount}" for (a, b), amount in flow.items() if amount)
        listed = [(a, b, capacity) for (a, b), capacity in capacities.items()]
        return Task(
            prompt=ask(
                f"Water flows through pipes in the direction of the arrow, through each at most as much as its "
                f"number says:\n\n{edge_lines(listed, '->')}\n\nAt every node but S and T as much flows out as flows "
                f"in. Send as much as possible from S to T, in whole numbers.",
                "the flow in each pipe (pipes without flow may be left out)",
                "X->Y=3, Y->Z=3",
            ),
            answer={"edges": [list(edge) for edge in listed], "flow": total, "reference": reference},
            metadata={"nodes": len(inner) + 2, "edges": len(edges), "hardness": len(edges) + length},
            solution="\n".join([*lines, f"So: {reference}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The flow found by augmenting paths."""
        return str(task.answer["reference"])


def _draw(rng: np.random.Generator, inner: Sequence[str]) -> list[Edge]:
    """Edges of an acyclic network in which every node is on a path from source to sink."""
    order = [SOURCE, *shuffled(rng, inner), SINK]
    last = len(order) - 1
    draws = rng.random((last, 2)).tolist()
    edges = {(order[int(draws[i][0] * (i + 1))], order[i + 1]) for i in range(last)}
    # from each node to one of the next three, so that paths are long
    edges |= {(order[i], order[min(last, i + 1 + int(draws[i][1] * 3))]) for i in range(last)}
    return sorted(edges)


def _edmonds_karp(capacities: dict[Edge, int]) -> tuple[dict[Edge, int], list[str], int]:
    """A largest flow, the steps, and the number of edges of all augmenting paths together."""
    left = dict(capacities)
    neighbours: dict[str, list[str]] = {}
    for a, b in capacities:
        left.setdefault((b, a), 0)
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    lines: list[str] = []
    length = 0
    while True:
        before = {SOURCE: ""}
        queue = deque([SOURCE])
        while queue and SINK not in before:
            node = queue.popleft()
            for other in neighbours[node]:
                if other not in before and left[node, other] > 0:
                    before[other] = node
                    queue.append(other)
        if SINK not in before:
            break
        path = [SINK]
        while before[path[-1]]:
            path.append(before[path[-1]])
        steps = list(pairwise(reversed(path)))
        amount = min(left[step] for step in steps)
        for a, b in steps:
            left[a, b] -= amount
            left[b, a] += amount
        lines.append(f"{amount} along {' -> '.join(reversed(path))}.")
        length += len(steps)
    cut = [(a, b) for a, b in capacities if a in before and b not in before]
    bound = " + ".join(str(capacities[edge]) for edge in cut)
    lines.append(f"Full: {edge_lines(cut, '->')}; nothing passes but through these, so {bound} is the most.")
    return {edge: capacities[edge] - left[edge] for edge in capacities}, lines, length
