"""TopologicalSort: an order that respects all constraints, or the statement that there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level, shuffled
from rlvr_gym.envs.algorithmic._graphs import LETTERS
from rlvr_gym.envs.algorithmic._reading import parse_names
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["TopologicalSort", "TopologicalSortVerifier"]

CYCLE_SHARE = 0.2

Edge = tuple[str, str]


@register_verifier("topological_sort")
class TopologicalSortVerifier(RuleVerifier[list[str]]):
    """Any order of all tasks that keeps every constraint; "impossible" only if they go in a circle."""

    impossible = "impossible"

    def read(self, answer: str, task: Task) -> list[str] | None:
        """Names in order."""
        return parse_names(answer, task.answer["nodes"])

    def fault(self, value: list[str], task: Task) -> str | None:
        """The first rule that is broken."""
        if sorted(value) != task.answer["nodes"]:
            return "not every task comes exactly once"
        place = {name: index for index, name in enumerate(value)}
        for a, b in task.answer["edges"]:
            if place[a] > place[b]:
                return f"{a} has to come before {b}"
        return None


@register("rlvr/TopologicalSort-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class TopologicalSort(Problem):
    """Order tasks so that each comes after those that it needs; every such order counts.

    Difficulty 1 has 4 tasks and 10 has 20, with about 1.5 constraints each; one instance of five holds a cycle and
    cannot be ordered. The hardness is the number of constraints.
    """

    verifier: ClassVar[str] = "topological_sort"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws constraints that a hidden order keeps and, for a cycle, closes a chain."""
        nodes = list(LETTERS[: level(difficulty, 4, 20)])
        cyclic = rng.random() < CYCLE_SHARE
        edges = shuffled(rng, sorted(_draw(rng, shuffled(rng, nodes), cyclic, 3 + difficulty // 3)))
        order, lines = _kahn(nodes, edges)
        reference = ", ".join(order) if len(order) == len(nodes) else None
        listed = "\n".join(f"{a} before {b}" for a, b in edges)
        return Task(
            prompt=ask(
                f"Put the tasks {', '.join(nodes)} in an order that keeps all of these rules:\n\n{listed}\n",
                "all tasks in order, or the word impossible if no order keeps all rules,",
                "X, Y, Z",
            ),
            answer={"nodes": nodes, "edges": [list(edge) for edge in edges], "reference": reference},
            metadata={"tasks": len(nodes), "cyclic": reference is None, "hardness": len(edges)},
            solution="\n".join([*lines, f"So: {reference or TopologicalSortVerifier.impossible}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The alphabetically first order."""
        return task.answer["reference"] or TopologicalSortVerifier.impossible


def _draw(rng: np.random.Generator, hidden: Sequence[str], cyclic: bool, length: int) -> set[Edge]:
    size = len(hidden)
    pairs = [(hidden[a], hidden[b]) for b in range(size) for a in range(b)]
    edges = {pairs[i] for i in rng.permutation(len(pairs)).tolist()[: size * 3 // 2]}
    if cyclic:
        chain = [hidden[i] for i in np.sort(rng.permutation(size)[:length]).tolist()]
        edges |= set(zip(chain, [*chain[1:], chain[0]], strict=True))
    return edges


def _kahn(nodes: Sequence[str], edges: Sequence[Edge]) -> tuple[list[str], list[str]]:
    """Takes the first task that waits for nothing, again and again; an order that is too short shows a cycle."""
    waiting = {node: {a for a, b in edges if b == node} for node in nodes}
    order: list[str] = []
    lines: list[str] = []
    while waiting:
        ready = [node for node, needs in waiting.items() if not needs]
        if not ready:
            lines.append(f"Each of {', '.join(waiting)} waits for another of them, so there is a circle.")
            break
        order.append(ready[0])
        lines.append(f"Nothing has to come before {', '.join(ready)}: take {ready[0]}.")
        del waiting[ready[0]]
        for needs in waiting.values():
            needs.discard(ready[0])
    return order, lines
