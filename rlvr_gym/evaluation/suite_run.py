"""A whole suite: all attempts of all its environments in one stream, and what they come to."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from rlvr_gym.env import EnvSettings
from rlvr_gym.evaluation.journal import Counts, Journal, remember
from rlvr_gym.evaluation.model import Model
from rlvr_gym.evaluation.plan import Plan
from rlvr_gym.evaluation.run import Assignment, Sample, play, settings_for
from rlvr_gym.evaluation.suite import Part
from rlvr_gym.evaluation.summary import summarise, summarise_parts, without_nan
from rlvr_gym.executor import Executor
from rlvr_gym.task import TaskSource

__all__ = ["SuiteRun", "run_suite"]


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """A finished evaluation.

    Attributes:
        samples: all attempts, by part, task and number.
        summary: JSON-ready: the plan, the suite's score and totals, and under ``parts`` those of each part.
    """

    samples: list[Sample]
    summary: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Open:
    """A part whose problem is made."""

    part: Part
    settings: EnvSettings
    source: TaskSource
    count: int
    stream: int


def run_suite(
    plan: Plan,
    model: Model,
    *,
    journal: Journal | None = None,
    executor: str | Executor = "inline",
    on_progress: Callable[[Sequence[Sample], int], None] | None = None,
) -> SuiteRun:
    """Lets ``model`` attempt all tasks of the plan.

    Args:
        plan: what to do.
        model: who acts.
        journal: answers that are there already, and where new ones are saved; None saves nothing.
        executor: where verification runs.
        on_progress: called with the newly finished attempts and with how many there will be.

    Raises:
        RLVRError: if the model cannot be used at all; what is in the journal by then is kept.
    """
    start = time.perf_counter()
    counts = Counts()
    opened = [_open(part, plan, executor) for part in plan.suite.parts]
    wanted = plan.samples * sum(one.count for one in opened)
    finished: list[Sample] = []
    attempts = play(_assignments(opened, plan.samples), remember(model, journal, counts), plan.seed)
    try:
        with closing(attempts):  # an interrupt ends the requests before anything else goes on
            for some in attempts:
                finished += some
                if on_progress is not None:
                    on_progress(some, wanted)
    finally:
        for one in opened:
            one.settings.close()
    order = {part.name: i for i, part in enumerate(plan.suite.parts)}
    finished.sort(key=lambda sample: (order[sample.part], sample.index, sample.sample))
    return SuiteRun(finished, _summary(plan, model, finished, counts, time.perf_counter() - start))


def _open(part: Part, plan: Plan, executor: str | Executor) -> _Open:
    problem = part.make_problem()
    source = problem.source(plan.seed)
    settings = settings_for(
        problem, system_prompt=plan.system_prompt, max_turns=part.max_turns, executor=executor
    )
    return _Open(part, settings, source, part.count(source), zlib.crc32(part.name.encode()))


def _assignments(opened: Sequence[_Open], samples: int) -> Iterator[Assignment]:
    for one in opened:
        for index in range(one.count):
            task = one.source[index]
            for number in range(samples):
                yield Assignment(one.settings, index, task, number, one.part.name, one.stream)


def _summary(
    plan: Plan, model: Model, samples: Sequence[Sample], counts: Counts, seconds: float
) -> dict[str, Any]:
    weights = {part.name: part.weight for part in plan.suite.parts}
    parts = summarise_parts(samples)
    shown = {
        part.name: {
            "env": part.env,
            "settings": dict(part.settings),
            "weight": part.weight,
            **parts[part.name].to_dict(plan.prices),
        }
        for part in plan.suite.parts
        if part.name in parts
    }
    alone = plan.suite.parts[0] if plan.suite.alone else None
    return without_nan(  # type: ignore[no-any-return]
        {
            **({} if alone is None else {"env": alone.env, "settings": dict(alone.settings)}),
            **plan.to_dict(),
            "length_unit": model.unit,
            **summarise(samples, weights).to_dict(plan.prices),
            "requests": counts.to_dict(),
            "seconds": round(seconds, 3),
            "version": version("rlvr-gym"),
            "parts": shown,
        }
    )
