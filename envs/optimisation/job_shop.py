"""JobShop: in which order each machine works on the jobs, so that all is done soon."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask
from rlvr_gym.envs.algorithmic._graphs import LETTERS
from rlvr_gym.envs.algorithmic._reading import parse_names
from rlvr_gym.envs.optimisation._graded import GradedVerifier, Scale
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier

__all__ = ["JobShop", "JobShopVerifier"]

SIZES = ((3, 2), (4, 2), (3, 3), (5, 2), (4, 3), (5, 3), (4, 4), (6, 3), (5, 4), (5, 5))
"""Jobs and machines of each difficulty."""

_MACHINE = re.compile(r"\bM(?:achine )?(\d{1,2})[\"'`* ]{0,6}[:=]?", re.IGNORECASE | re.ASCII)

Jobs = Mapping[str, Sequence[Sequence[int]]]
"""The steps of each job in order: machine and time."""
Orders = dict[int, list[str]]


@register_verifier("job_shop")
class JobShopVerifier(GradedVerifier[Orders]):
    """Any order of the jobs on each machine, by the time when all are done if every step begins as soon as it can."""

    def read(self, answer: str, task: Task) -> Orders | None:
        """``M1: A, B, C; M2: B, A, C``, on one line or several, or as JSON."""
        before, *rest = _MACHINE.split(answer)
        if before.strip(" \n\t{\"'`*[("):
            return None
        orders: Orders = {}
        for number, text in zip(rest[::2], rest[1::2], strict=True):
            names = parse_names(text, task.answer["jobs"])
            if names is None or int(number) in orders:
                return None
            orders[int(number)] = names
        return orders or None

    def fault(self, value: Orders, task: Task) -> str | None:
        """The first rule that is broken."""
        jobs: Jobs = task.answer["jobs"]
        machines = {machine for steps in jobs.values() for machine, _ in steps}
        if value.keys() != machines:
            return f"an order is asked for machines 1 to {len(machines)}"
        if any(sorted(order) != sorted(jobs) for order in value.values()):
            return "a machine does not work on every job once"
        return "the machines wait for each other forever" if starts(jobs, value) is None else None

    def measure(self, value: Orders, task: Task) -> int:
        """The time when the last job is done."""
        jobs: Jobs = task.answer["jobs"]
        times = starts(jobs, value) or {}
        return max(begin + jobs[job][step][1] for (job, step), begin in times.items())


def starts(jobs: Jobs, orders: Orders) -> dict[tuple[str, int], int] | None:
    """When each step of each job begins, at the earliest; None if the orders wait for each other in a circle."""
    times: dict[tuple[str, int], int] = {}
    step = dict.fromkeys(jobs, 0)
    ready, free = dict.fromkeys(jobs, 0), dict.fromkeys(orders, 0)
    turn = dict.fromkeys(orders, 0)
    moved = True
    while moved:
        moved = False
        for machine, order in orders.items():
            while turn[machine] < len(order):
                job = order[turn[machine]]
                if step[job] >= len(jobs[job]) or jobs[job][step[job]][0] != machine:
                    break
                begin = max(ready[job], free[machine])
                times[job, step[job]] = begin
                ready[job] = free[machine] = begin + jobs[job][step[job]][1]
                step[job] += 1
                turn[machine] += 1
                moved = True
    return times if all(step[job] == len(steps) for job, steps in jobs.items()) else None


@register("rlvr/JobShop-v0", family="optimisation")
@dataclass(frozen=True, kw_only=True)
class JobShop(Problem):
    """Order jobs on machines so that all are done as soon as possible; the shortest time is correct.

    Every job visits every machine once, in an order of its own. Difficulty 1 has 3 jobs on 2 machines and 10 has 5 jobs
    on 5 machines. The optimum is proved by branch and bound over active schedules (Giffler and Thompson 1960). Always
    beginning the shortest step that can begin earns 0.1 and is never the best. The hardness is the number of steps
    plus the logarithm (base 2) of the nodes of the search.
    """

    verifier: ClassVar[str] = "job_shop"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws jobs until the simple rule is not the best."""
        count, machines = SIZES[difficulty - 1]
        while True:
            jobs: Jobs = {
                LETTERS[i]: [[m + 1, t] for m, t in zip(
                    rng.permutation(machines).tolist(), rng.integers(1, 10, size=machines).tolist(), strict=True
                )] for i in range(count)
            }  # fmt: skip
            start, plain = dispatched(jobs)
            orders, best, nodes = shortest(jobs, start, plain)
            if best < plain:
                break
        return _task(jobs, start, plain, orders, best, nodes)

    def answer_text(self, task: Task) -> str:
        """The orders that the search found."""
        return str(task.answer["reference"])


def _task(jobs: Jobs, start: Orders, plain: int, orders: Orders, best: int, nodes: int) -> Task:
    machines, steps = len(orders), sum(map(len, jobs.values()))
    scale = Scale(best, plain)
    reference = _named(orders)
    listed = "\n".join(f"{job}: " + ", ".join(f"M{m} for {t}" for m, t in path) for job, path in jobs.items())
    return Task(
        prompt=ask(
            f"{len(jobs)} jobs have to be done on {machines} machines. Each job needs the machines in an order of its own, "
            "for the stated numbers of minutes; a machine works on one job at a time and does not interrupt it:\n\n"
            f"{listed}\n\nSay for each machine in which order it takes the jobs. Every step begins as soon as its job and "
            "its machine are free. The time when the last job is done has to be as short as possible.\n\n"
            + scale.text(
                "the shortest possible time", "the time if always the shortest step that can begin is begun"
            ),
            "the order of the jobs for each machine",
            "M1: X, Y, Z; M2: Z, Y, X",
        ),
        answer={"jobs": dict(jobs), "best": best, "plain": plain, "reference": reference},
        metadata={
            "jobs": len(jobs),
            "machines": machines,
            "nodes": nodes,
            "hardness": steps + float(np.log2(nodes + 1)),
        },
        solution="\n".join(
            [
                f"Always beginning the shortest step gives {_named(start)}, done after {plain} minutes.",
                "Trying which job goes first wherever two want the same machine finds a better plan:",
                *_timetable(jobs, orders),
                f"All is done after {best} minutes.",
                f"So: {reference}",
            ]
        ),
    )


def _named(orders: Orders) -> str:
    return "; ".join(f"M{machine}: {', '.join(orders[machine])}" for machine in sorted(orders))


def _timetable(jobs: Jobs, orders: Orders) -> list[str]:
    times = starts(jobs, orders) or {}
    lines = []
    for machine in sorted(orders):
        rows = sorted(
            (begin, job, jobs[job][step][1])
            for (job, step), begin in times.items()
            if jobs[job][step][0] == machine
        )
        lines.append(f"M{machine}: " + ", ".join(f"{job} from {b} to {b + t}" for b, job, t in rows) + ".")
    return lines


class _State:
    """A partial schedule; ``apply`` and ``undo`` keep it in step with the search."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.step = dict.fromkeys(jobs, 0)
        self.ready = dict.fromkeys(jobs, 0)
        machines = {machine for steps in jobs.values() for machine, _ in steps}
        self.free = dict.fromkeys(sorted(machines), 0)
        self.orders: Orders = {machine: [] for machine in self.free}

    def waiting(self) -> list[tuple[int, int, str, int]]:
        """For each unfinished job: when its next step can begin, its time, its name and its machine."""
        rows = []
        for job, steps in self.jobs.items():
            if self.step[job] < len(steps):
                machine, time = steps[self.step[job]]
                rows.append((max(self.ready[job], self.free[machine]), time, job, machine))
        return rows

    def apply(self, begin: int, time: int, job: str, machine: int) -> tuple[int, int]:
        before = self.ready[job], self.free[machine]
        self.ready[job] = self.free[machine] = begin + time
        self.step[job] += 1
        self.orders[machine].append(job)
        return before

    def undo(self, job: str, machine: int, before: tuple[int, int]) -> None:
        self.ready[job], self.free[machine] = before
        self.step[job] -= 1
        self.orders[machine].pop()

    def bound(self) -> int:
        """No schedule from here is done before: each job and each machine has its work left to do."""
        most = max(self.free.values())
        work: dict[int, int] = {}
        head: dict[int, int] = {}
        tail: dict[int, int] = {}
        for job, steps in self.jobs.items():
            begin = self.ready[job]
            left = sum(time for _, time in steps[self.step[job] :])
            most = max(most, begin + left)
            for machine, time in steps[self.step[job] :]:
                left -= time
                work[machine] = work.get(machine, 0) + time
                head[machine] = min(head.get(machine, begin), begin)
                tail[machine] = min(tail.get(machine, left), left)
                begin += time
        for machine, total in work.items():
            most = max(most, max(self.free[machine], head[machine]) + total + tail[machine])
        return most


def dispatched(jobs: Jobs) -> tuple[Orders, int]:
    """The schedule in which, of all steps that can begin first, the shortest one does; and its length."""
    state = _State(jobs)
    while waiting := state.waiting():
        state.apply(*min(waiting))
    return state.orders, max(state.ready.values())


def shortest(jobs: Jobs, start: Orders, length: int) -> tuple[Orders, int, int]:
    """A shortest schedule, its length, and the nodes of the search; ``start`` is a schedule of ``length``."""
    best, orders, nodes = length, start, 0
    state = _State(jobs)

    def search() -> None:
        nonlocal best, orders, nodes
        nodes += 1
        if state.bound() >= best:
            return
        waiting = state.waiting()
        if not waiting:
            best = max(state.ready.values())
            orders = {machine: list(order) for machine, order in state.orders.items()}
            return
        # of the steps that want the machine that could be free first, one has to begin before that moment
        soonest, machine = min((begin + time, machine) for begin, time, _, machine in waiting)
        for begin, time, job, wanted in sorted(waiting):
            if wanted == machine and begin < soonest:
                before = state.apply(begin, time, job, machine)
                search()
                state.undo(job, machine, before)

    search()
    return orders, best, nodes
