"""BipartiteMatching: as many pairs as possible between people and tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.algorithmic._graphs import draw_names
from rlvr_gym.envs.algorithmic._reading import parse_pairs
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["BipartiteMatching", "MatchingVerifier"]


@register_verifier("bipartite_matching")
class MatchingVerifier(RuleVerifier[list[tuple[str, str, int | None]]]):
    """Any matching with the most pairs."""

    def read(self, answer: str, task: Task) -> list[tuple[str, str, int | None]] | None:
        """Pairs of a person and a task."""
        puzzle = task.answer
        return parse_pairs(answer, [*puzzle["can"], *puzzle["tasks"]])

    def fault(self, value: list[tuple[str, str, int | None]], task: Task) -> str | None:
        """The first rule that is broken."""
        can = task.answer["can"]
        used: set[str] = set()
        for person, job, number in value:
            if number is not None or job not in can.get(person, ()):
                return f"{person} cannot do {job}"
            if used.intersection((person, job)):
                return f"{person} or {job} comes twice"
            used.update((person, job))
        most = task.answer["size"]
        return None if len(value) == most else f"it has {len(value)} pairs, {most} are possible"


@register("rlvr/BipartiteMatching-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class BipartiteMatching(Problem):
    """Assign as many tasks as possible to people who can do them; every largest matching counts.

    Difficulty 1 has 3 people and tasks and 10 has 14; each person can do one to three tasks. The hardness is the
    number of possible pairs plus the number of reassignments on augmenting paths.
    """

    verifier: ClassVar[str] = "bipartite_matching"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws what each person can do."""
        size = level(difficulty, 3, 14)
        people, tasks = draw_names(rng, size), [str(number) for number in range(1, size + 1)]
        counts = rng.integers(1, 4, size=size).tolist()
        can = {
            p: np.sort(rng.permutation(size)[:n] + 1).astype(str).tolist()
            for p, n in zip(people, counts, strict=True)
        }
        pairs, lines = _augment(can)
        reference = ", ".join(
            f"{person}-{job}" for job, person in sorted(pairs.items(), key=lambda kv: kv[1])
        )
        listed = "\n".join(f"{person}: {', '.join(jobs)}" for person, jobs in can.items())
        return Task(
            prompt=ask(
                f"Each of these people can do the tasks whose numbers are given:\n\n{listed}\n\nEach person does at "
                f"most one task and each task is done by at most one person. Assign as many tasks as possible.",
                "the pairs",
                "X-16, Y-15",
            ),
            answer={"can": can, "tasks": tasks, "size": len(pairs), "reference": reference},
            metadata={"people": size, "pairs": len(pairs), "hardness": sum(counts) + len(lines)},
            solution="\n".join([*lines, f"So: {reference}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The matching found by augmenting paths."""
        return str(task.answer["reference"])


def _augment(can: Mapping[str, Sequence[str]]) -> tuple[dict[str, str], list[str]]:
    """The person of each assigned task, by Kuhn's algorithm, and what it did."""
    doer: dict[str, str] = {}
    lines: list[str] = []

    def place(person: str, tried: set[str]) -> list[str]:
        """Moves on the way to a task for ``person``; none if there is no way."""
        for job in can[person]:
            if job in tried:
                continue
            tried.add(job)
            moves = place(doer[job], tried) if job in doer else []
            if job not in doer or moves:
                doer[job] = person
                return [*moves, f"{person} takes {job}"]
        return []

    for person in can:
        tried: set[str] = set()
        moves = place(person, tried)
        if moves:
            lines.append(f"{', then '.join(moves)}.")
        else:
            held = ", ".join(sorted(doer[job] for job in tried))
            lines.append(
                f"{person} stays without: {held} and {person} can only do {', '.join(sorted(tried, key=int))}."
            )
    return doer, lines
