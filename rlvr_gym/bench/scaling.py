"""ScaleRL's law (2510.13786): a sigmoid in the compute, fitted on the first part of a curve, checked on the rest.

``R(C) = R0 + (A - R0) / (1 + (Cmid / C)^B)``: from ``R0`` without training to the asymptote ``A``, half of the way at
``Cmid``, the steeper the larger ``B``. ``R0`` is not fitted where it was measured: the evaluation before training.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rlvr_gym.errors import DataError, MissingExtraError
from rlvr_gym.report.run_data import Point, RunData

__all__ = ["Fit", "Sigmoid", "fit_curve", "fit_sigmoid", "read_curve"]

Array = NDArray[np.float64]
Axis = Literal["samples", "tokens", "steps"]
MIN_POINTS = 5
"""Three parameters and two points to spare."""
B_RANGE = (0.2, 8.0)


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """A curve of the law.

    Attributes:
        start: R0, at no compute.
        asymptote: A, at any amount of it.
        middle: Cmid, where half of the way is done.
        exponent: B, how steep.
    """

    start: float
    asymptote: float
    middle: float
    exponent: float

    def __call__(self, compute: Array | float) -> Array:
        """R at this compute; ``start`` at 0."""
        c = np.asarray(compute, dtype=float)
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(
                self.start + (self.asymptote - self.start) / (1 + (self.middle / c) ** self.exponent)
            )


@dataclass(frozen=True, slots=True)
class Fit:
    """A fit with its intervals and its test.

    Attributes:
        curve: the fitted sigmoid.
        asymptote, middle, exponent: 95 % bootstrap intervals, ``(low, high)``.
        fitted: the points that were fitted, ``(compute, value)``.
        rest: those that were predicted.
        fit_error: root mean squared error on the fitted points.
        rest_error: mean absolute error on the rest; nan if there is none.
        naive_error: the same of predicting that the curve stays where it was, for comparison.
        band: ``(compute, low, high)`` of the bootstrap's curves.
    """

    curve: Sigmoid
    asymptote: tuple[float, float]
    middle: tuple[float, float]
    exponent: tuple[float, float]
    fitted: list[Point]
    rest: list[Point]
    fit_error: float
    rest_error: float
    naive_error: float
    band: list[tuple[float, float, float]]

    @property
    def settled(self) -> bool:
        """Whether the points say where the curve ends: the asymptote's interval is narrower than half of the way."""
        low, high = self.asymptote
        return high - low < 0.5 * abs(self.curve.asymptote - self.curve.start)


def read_curve(run_dir: Path, axis: Axis = "samples", metric: str = "pass@1") -> list[Point]:
    """Held-out values of a run over the compute that was spent until then.

    Raises:
        DataError: if the folder holds no run, or its evaluations have no such metric.
    """
    run = RunData.load(run_dir)
    spent = {0: 0.0}
    total = 0.0
    for row in run.metrics:
        total += 1.0 if axis == "steps" else float(row.get(axis, math.nan))
        spent[int(row["step"])] = total
    if math.isnan(total):
        raise DataError(
            f"The run in {run_dir} did not count {axis}; choose another --axis, or train it anew."
        )
    points = [
        (spent[max(0, row["step"])], float(row[metric]))
        for row in run.accuracy()
        if isinstance(row.get(metric), int | float) and max(0, row["step"]) in spent
    ]
    if not points:
        known = sorted({key for row in run.evals for key, v in row.items() if isinstance(v, float)})
        raise DataError(
            f"The run in {run_dir} has no held-out {metric!r}; it has {', '.join(known) or 'none'}."
        )
    return sorted(points)


def fit_curve(
    points: Sequence[Point],
    fraction: float = 0.5,
    resamples: int = 200,
    seed: int = 0,
    upper: float = 1.0,
) -> Fit:
    """Fits the first part of a curve and predicts the rest.

    Args:
        points: ``(compute, value)`` in order; the first one, at compute 0 if there is such, is ``R0``.
        fraction: how much of the compute belongs to the first part.
        resamples: of the residual bootstrap that gives the intervals.
        seed: of the bootstrap.
        upper: the largest asymptote.

    Raises:
        DataError: if there are fewer than five points in the first part.
    """
    start = points[0][1] if points and points[0][0] <= 0 else None
    beyond = [(c, v) for c, v in points if c > 0]
    limit = fraction * beyond[-1][0] if beyond else 0.0
    fitted = [point for point in beyond if point[0] <= limit * (1 + 1e-9)]
    rest = beyond[len(fitted) :]
    if len(fitted) < MIN_POINTS:
        raise DataError(
            f"The first {fraction:.0%} of the curve have {len(fitted)} evaluations; a fit needs at least "
            f"{MIN_POINTS}: lower eval.every, or fit more of it."
        )
    c, y = (np.array(column, dtype=float) for column in zip(*fitted, strict=True))
    curve = fit_sigmoid(c, y, start, upper=upper)
    residuals = y - curve(c)
    others = _bootstrap(c, curve, residuals, start, upper, resamples, seed)
    return Fit(
        curve=curve,
        asymptote=_interval([s.asymptote for s in others]),
        middle=_interval([s.middle for s in others]),
        exponent=_interval([s.exponent for s in others]),
        fitted=fitted,
        rest=rest,
        fit_error=float(np.sqrt(np.mean(residuals**2))),
        rest_error=_mean_error(rest, curve),
        naive_error=_mean_error(rest, lambda _: np.asarray(float(np.mean(y[-3:])))),
        band=_band(others, beyond[-1][0]),
    )


def fit_sigmoid(
    compute: Array, values: Array, start: float | None = None, *, upper: float = 1.0, starts: int = 24
) -> Sigmoid:
    """The least-squares sigmoid within bounds, the best of several starts.

    The middle is searched on a logarithmic scale, up to ten times beyond the last point: what lies further, the
    points cannot know.

    Args:
        compute: positive ``[N]``.
        values: ``[N]``.
        start: R0; None fits it, too.
        upper: the largest asymptote; the least is the smallest value.
        starts: begins of the search, spread over the bounds.
    """
    least_squares = _optimiser()
    low = [min(float(values.min()), upper - 1e-6), math.log(compute.min() / 10), B_RANGE[0]]
    high = [upper, math.log(compute.max() * 10), B_RANGE[1]]
    if start is None:
        low.append(min(0.0, float(values.min())))
        high.append(float(values.max()) + 1e-9)
    bounds = (np.array(low), np.array(high))

    def sigmoid(x: Array) -> Sigmoid:
        return Sigmoid(float(x[3]) if start is None else start, float(x[0]), math.exp(x[1]), float(x[2]))

    def residuals(x: Array) -> Array:
        return sigmoid(x)(compute) - values

    begins = np.random.default_rng(0).uniform(*bounds, size=(starts, len(low)))
    found = [least_squares(residuals, begin, bounds=bounds) for begin in begins]
    return sigmoid(min(found, key=lambda result: float(result.cost)).x)


def _optimiser() -> Any:
    try:
        return importlib.import_module("scipy.optimize").least_squares
    except ImportError as error:
        raise MissingExtraError("scipy", "bench", "Fitting a scaling law") from error


def _bootstrap(
    compute: Array,
    curve: Sigmoid,
    residuals: Array,
    start: float | None,
    upper: float,
    resamples: int,
    seed: int,
) -> list[Sigmoid]:
    """Fits of the curve with its residuals dealt out anew, spread to their unbiased size."""
    rng = np.random.default_rng(seed)
    parameters = 3 if start is not None else 4
    spread = residuals * math.sqrt(len(residuals) / max(1, len(residuals) - parameters))
    base = curve(compute)
    drawn = (base + rng.choice(spread, spread.size) for _ in range(resamples))
    return [fit_sigmoid(compute, values, start, upper=upper, starts=4) for values in drawn]


def _interval(values: Sequence[float]) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _mean_error(points: Sequence[Point], predict: Callable[[float], Array]) -> float:
    if not points:
        return math.nan
    return float(np.mean([abs(float(predict(c)) - value) for c, value in points]))


def _band(curves: Sequence[Sigmoid], end: float) -> list[tuple[float, float, float]]:
    grid = np.linspace(0, end, 61)[1:]
    values = np.array([curve(grid) for curve in curves])
    low, high = np.quantile(values, [0.025, 0.975], axis=0)
    return [(float(c), float(a), float(b)) for c, a, b in zip(grid, low, high, strict=True)]
