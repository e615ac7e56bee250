"""What a cell measured over training, and numbers out of its curves."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from rlvr_gym.bench.config import Design, Experiment
from rlvr_gym.bench.statistics import slope
from rlvr_gym.report.run_data import Point, RunData

__all__ = [
    "METRICS",
    "Curves",
    "Target",
    "band",
    "on_grid",
    "read_curves",
    "samples_to_target",
    "steps_to_target",
]

METRICS: dict[str, str] = {
    "truth": "true metric, held out",
    "proxy": "reward, held out (scaled to its range)",
    "gap": "proxy minus truth",
    "length": "tokens, held out",
    "length_right": "tokens of right answers",
    "length_wrong": "tokens of wrong answers",
    "entropy": "nats a token, held out",
    "zero_variance": "share of groups without signal",
    "samples_to_target": "samples until the true metric reached its target",
    "steps_to_target": "the same in steps",
}
"""Names of what is measured; more come from ``eval.rewards``, by their names there."""

_FROM_EVAL = {
    "mean_length": "length",
    "mean_length_right": "length_right",
    "mean_length_wrong": "length_wrong",
    "entropy": "entropy",
}


@dataclass(frozen=True, slots=True)
class Curves:
    """The curves of one cell: metric to ``(samples so far, value)``, in order.

    Attributes:
        series: the curves.
        samples: completions drawn in the whole run, also those that dynamic sampling threw away.
        by_step: the true metric over steps.
    """

    series: dict[str, list[Point]]
    samples: float
    by_step: list[Point] = field(default_factory=list)

    @property
    def steps(self) -> float:
        """Steps of the whole run."""
        return self.by_step[-1][0] if self.by_step else math.nan

    def number(self, metric: str, at: str) -> float:
        """One number of a curve: its ``end`` (mean of the last quarter), ``mean``, ``change`` or ``slope``.

        The slope is over the whole run: change of the metric from the first sample to the last, along the
        least-squares line. Nan if the cell has no such curve.
        """
        points = self.series.get(metric, [])
        if not points:
            return math.nan
        values = [value for _, value in points]
        quarter = max(1, len(values) // 4)
        if at == "end":
            return _mean(values[-quarter:])
        if at == "mean":
            return _mean(values)
        if at == "change":
            return _mean(values[-quarter:]) - _mean(values[:quarter])
        return slope([(x / self.samples, y) for x, y in points]) if self.samples else math.nan


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def read_curves(folder: Path, design: Design, experiment: Experiment) -> Curves:
    """The curves of a finished cell.

    Args:
        folder: of the run.
        design: its range puts the reward on the scale of the true metric.
        experiment: says what the true metric is.
    """
    run = RunData.load(folder)
    drawn = _drawn(run)
    steps = sorted(drawn)
    rows = [row for row in run.accuracy() if row["step"] <= steps[-1]]
    series: dict[str, list[Point]] = {}
    truth = "pass@1" if experiment.truth == "accuracy" else "rewards/truth"
    low, high = design.range
    for row in rows:
        at = drawn[steps[bisect.bisect_right(steps, max(0, row["step"])) - 1]]
        found: dict[str, Any] = {name: row.get(key) for key, name in _FROM_EVAL.items()}
        found |= {
            key.removeprefix("rewards/"): value for key, value in row.items() if key.startswith("rewards/")
        }
        found["truth"] = row.get(truth)
        if found.get("proxy") is not None:
            found["proxy"] = (found["proxy"] - low) / (high - low)
            if found["truth"] is not None:
                found["gap"] = found["proxy"] - found["truth"]
        for name, value in found.items():
            if value is not None:
                series.setdefault(name, []).append((at, float(value)))
    series["zero_variance"] = _between(
        run.series("frac_reward_zero_std"), [row["step"] for row in rows], drawn
    )
    by_step = [(float(max(0, row["step"])), float(row[truth])) for row in rows if row.get(truth) is not None]
    return Curves({name: points for name, points in series.items() if points}, drawn[steps[-1]], by_step)


def _between(points: Sequence[Point], evaluations: Sequence[int], drawn: Mapping[int, float]) -> list[Point]:
    """A metric of every step as its mean since the evaluation before, at each evaluation: less noise, the same x."""
    found = []
    for before, at in pairwise(sorted({max(0, step) for step in evaluations})):
        values = [value for step, value in points if before < step <= at]
        if values:
            found.append((drawn[at], _mean(values)))
    return found


def _drawn(run: RunData) -> dict[int, float]:
    """Samples drawn up to each step."""
    drawn, total = {0: 0.0}, 0.0
    for step, samples in run.series("samples"):
        total += samples
        drawn[int(step)] = total
    return drawn


@dataclass(frozen=True, slots=True)
class Target:
    """A value of the true metric, and within what budget it counts.

    Runs use different numbers of samples (dynamic sampling draws more a step). A run that never gets there counts with
    the budget, so it has to be the same for all: otherwise the shorter run that fails would look the faster one.

    Attributes:
        value: the true metric's.
        samples, steps: the budgets; what the shortest of the runs that are compared used.
    """

    value: float
    samples: float = math.inf
    steps: float = math.inf

    @classmethod
    def among(cls, value: float, runs: Iterable[Curves]) -> Target:
        """The target within what the shortest of these runs used."""
        runs = list(runs)
        samples = min((run.samples for run in runs), default=math.inf)
        return cls(value, samples, min((run.steps for run in runs), default=math.inf))


def samples_to_target(curves: Curves, target: Target) -> tuple[float, bool]:
    """Samples until the true metric first reaches the target, by straight lines between evaluations.

    Returns:
        The samples, and whether it got there within the budget; if not, the budget.
    """
    return _first_at(curves.series.get("truth", []), target.value, min(curves.samples, target.samples))


def steps_to_target(curves: Curves, target: Target) -> tuple[float, bool]:
    """The same in steps, which dynamic sampling fills with more samples."""
    return _first_at(curves.by_step, target.value, min(curves.steps, target.steps))


def _first_at(points: Sequence[Point], value: float, end: float) -> tuple[float, bool]:
    for i, (x, y) in enumerate(points):
        if y >= value:
            if i:
                before_x, before_y = points[i - 1]
                x = before_x + (value - before_y) / (y - before_y) * (x - before_x)
            return min(x, end), x <= end
    return end, False


def on_grid(points: Sequence[Point], grid: Sequence[float]) -> list[float]:
    """The curve at these x, by straight lines; its ends beyond them."""
    import numpy as np

    x, y = zip(*points, strict=True)
    return [float(v) for v in np.interp(grid, x, y)]


def band(
    curves: Mapping[int, Curves], metric: str, points: int = 41
) -> list[tuple[float, float, float, float]]:
    """``(samples, mean, low, high)`` over seeds with 95 % t intervals, up to where the shortest curve ends.

    With one seed the interval is the curve itself.
    """
    from rlvr_gym.bench.statistics import t_interval

    found = [c.series[metric] for c in curves.values() if c.series.get(metric)]
    if not found:
        return []
    start, end = max(c[0][0] for c in found), min(c[-1][0] for c in found)
    own = [x for x, _ in found[0]]
    same = len(own) <= points and all([x for x, _ in c] == own for c in found)
    grid = own if same else [start + (end - start) * i / (points - 1) for i in range(points)]
    columns = zip(*(on_grid(c, grid) for c in found), strict=True)
    rows = []
    for x, values in zip(grid, columns, strict=True):
        mean, low, high = t_interval(values)
        if len(values) == 1:
            low = high = mean
        rows.append((x, mean, low, high))
    return rows
