"""JobScheduling: the best-paid jobs that do not overlap."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, NamedTuple

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.envs.algorithmic._graphs import LETTERS
from rlvr_gym.envs.algorithmic._reading import parse_names
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["JobScheduling", "JobSchedulingVerifier"]


class _Job(NamedTuple):
    name: str
    start: int
    end: int
    pay: int


@register_verifier("job_scheduling")
class JobSchedulingVerifier(RuleVerifier[list[str]]):
    """Any jobs without overlap that earn the most."""

    def read(self, answer: str, task: Task) -> list[str] | None:
        """Names of jobs."""
        return parse_names(answer, task.answer["jobs"])

    def fault(self, value: list[str], task: Task) -> str | None:
        """The first rule that is broken."""
        jobs = sorted(task.answer["jobs"][name] for name in value)
        if any(first[1] > second[0] for first, second in pairwise(jobs)):
            return "two jobs overlap"
        pay = sum(job[2] for job in jobs)
        return None if pay == task.answer["best"] else f"the pay is {pay}, more is possible"


@register("rlvr/JobScheduling-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class JobScheduling(Problem):
    """Choose jobs that do not overlap and earn the most; every best choice counts.

    Difficulty 1 has 4 jobs and 10 has 22, on a day that grows with their number. The hardness is the number of jobs
    plus the number of pairs that overlap.
    """

    verifier: ClassVar[str] = "job_scheduling"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws jobs."""
        count = level(difficulty, 4, 22)
        starts = rng.integers(0, 2 * count, size=count).tolist()
        lengths = rng.integers(2, 9, size=count).tolist()
        pays = rng.integers(1, 10, size=count).tolist()
        jobs = [
            _Job(LETTERS[i], starts[i], starts[i] + lengths[i], lengths[i] + pays[i]) for i in range(count)
        ]
        chosen, lines = _best(jobs)
        best = sum(job.pay for job in chosen)
        reference = ", ".join(job.name for job in chosen)
        overlaps = sum(a.start < b.end and b.start < a.end for a in jobs for b in jobs if a.name < b.name)
        listed = "\n".join(f"{job.name}: from {job.start} to {job.end}, pays {job.pay}" for job in jobs)
        return Task(
            prompt=ask(
                f"Choose jobs that pay as much as possible in total. Jobs must not overlap; one may begin when another "
                f"ends:\n\n{listed}\n",
                "the names of the chosen jobs",
                "X, Y, Z",
            ),
            answer={
                "jobs": {job.name: [job.start, job.end, job.pay] for job in jobs},
                "best": best,
                "reference": reference,
            },
            metadata={"jobs": count, "overlaps": overlaps, "hardness": count + overlaps},
            solution="\n".join([*lines, f"So: {reference}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The choice found by dynamic programming."""
        return str(task.answer["reference"])


def _best(jobs: Sequence[_Job]) -> tuple[list[_Job], list[str]]:
    """A best choice in order of time; jobs by their ends, each with or without."""
    order = sorted(jobs, key=lambda job: (job.end, job.name))
    ends = [job.end for job in order]
    best: list[tuple[int, list[_Job]]] = [(0, [])]
    lines: list[str] = []
    for index, job in enumerate(order):
        before = bisect_right(ends, job.start, hi=index)
        pay = best[before][0] + job.pay
        if pay > best[-1][0]:
            lines.append(f"Until {job.end} with {job.name}: {best[before][0]} + {job.pay} = {pay}.")
            best.append((pay, [*best[before][1], job]))
        else:
            lines.append(f"Until {job.end}: {job.name} would make {pay}, it stays {best[-1][0]}.")
            best.append(best[-1])
    return best[-1][1], lines
