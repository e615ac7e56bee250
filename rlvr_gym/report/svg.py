"""Line charts as inline SVG: axes with round numbers, lines, bands; colours come from the page's CSS."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TypeVar

from rlvr_gym.report.run_data import Point

__all__ = ["Band", "Chart", "Line", "nice_ticks", "smooth", "thin"]

Band = tuple[float, float, float]
"""``(x, low, high)``."""

_T = TypeVar("_T", bound=tuple[float, ...])

MAX_POINTS = 400
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 10, 26


@dataclass(frozen=True, slots=True)
class Line:
    """A curve.

    Attributes:
        label: its name in the legend and under the pointer.
        points: in order of x.
        colour: the number of a colour of the page, 0 to 5.
        band: an interval around it.
        dots: whether each point is marked.
        raw: unsmoothed points, drawn faintly behind.
    """

    label: str
    points: Sequence[Point]
    colour: int = 0
    band: Sequence[Band] = ()
    dots: bool = False
    raw: Sequence[Point] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves over one x axis.

    Attributes:
        lines: the curves; at least one has points.
        label: what a screen reader says.
        width, height: the view box.
        y_range: fixes the y axis; None fits it.
        show: how a y value is written.
        x_label: under the x axis.
    """

    lines: Sequence[Line]
    label: str
    width: int = 340
    height: int = 186
    y_range: tuple[float, float] | None = None
    show: Callable[[float], str] = field(default=lambda value: short(value))
    x_label: str = "step"

    def svg(self, extra: str = "") -> str:
        """The ``<svg>`` element; ``extra`` goes right after its opening tag."""
        x_low, x_high = _bounds([x for line in self.lines for x, _ in line.points])
        ticks = nice_ticks(*(self.y_range or self._y_bounds()), 4)
        plane = _Plane(self.width, self.height, x_low, x_high, ticks[0], ticks[-1])
        parts = [self._y_axis(plane, ticks), self._x_axis(plane)]
        parts += [_band(plane, line) for line in self.lines if line.band]
        parts += [_path(plane, thin(line.raw), f"line raw c{line.colour}") for line in self.lines if line.raw]
        parts += [_path(plane, thin(line.points), f"line c{line.colour}") for line in self.lines]
        parts += [_dots(plane, line) for line in self.lines if line.dots or len(line.points) == 1]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{escape(self.label)}" data-chart="{escape(self._data(plane))}">{extra}{"".join(parts)}</svg>'
        )

    def _y_bounds(self) -> tuple[float, float]:
        values = [y for line in self.lines for y in [*(p[1] for p in line.points), *(p[1] for p in line.raw)]]
        values += [edge for line in self.lines for band in line.band for edge in band[1:]]
        low, high = _bounds(values)
        # a curve that is far above zero all the time is shown against its own range, others against zero
        return (0.0, high) if 0 <= low < high / 2 else (low, high)

    def _y_axis(self, plane: _Plane, ticks: Sequence[float]) -> str:
        return "".join(
            f'<line class="rule" x1="{LEFT}" x2="{self.width - RIGHT}" y1="{plane.y(t):.1f}" y2="{plane.y(t):.1f}"/>'
            f'<text class="tick" x="{LEFT - 7}" y="{plane.y(t) + 3.5:.1f}" text-anchor="end">'
            f"{escape(self.show(t))}</text>"
            for t in ticks
        )

    def _x_axis(self, plane: _Plane) -> str:
        count = max(3, self.width // 110)
        ticks = [t for t in nice_ticks(plane.x_low, plane.x_high, count) if plane.x_low <= t <= plane.x_high]
        base = self.height - BOTTOM + 16
        # the last label would run into the axis's name
        room = [t for t in ticks if plane.x(t) < self.width - RIGHT - 40]
        labels = "".join(
            f'<text class="tick" x="{plane.x(t):.1f}" y="{base}" text-anchor="middle">{escape(short(t))}</text>'
            for t in room
        )
        end = self.width - RIGHT
        return (
            f'{labels}<text class="tick" x="{end}" y="{base}" text-anchor="end">{escape(self.x_label)}</text>'
        )

    def _data(self, plane: _Plane) -> str:
        """What the page's script needs to show values under the pointer."""
        lines = [
            {
                "label": line.label,
                "colour": line.colour,
                "points": [[x, round(plane.x(x), 1), self.show(y)] for x, y in thin(line.points)],
            }
            for line in self.lines
        ]
        return json.dumps({"top": TOP, "bottom": self.height - BOTTOM, "x": self.x_label, "lines": lines})


@dataclass(frozen=True, slots=True)
class _Plane:
    width: int
    height: int
    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        return LEFT + (value - self.x_low) / (self.x_high - self.x_low) * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (min(max(value, self.y_low), self.y_high) - self.y_low) / (self.y_high - self.y_low)
        return self.height - BOTTOM - share * (self.height - TOP - BOTTOM)


def _path(plane: _Plane, points: Sequence[Point], style: str) -> str:
    if len(points) < 2:
        return ""
    steps = " L".join(f"{plane.x(x):.1f} {plane.y(y):.1f}" for x, y in points)
    return f'<path class="{style}" d="M{steps}"/>'


def _band(plane: _Plane, line: Line) -> str:
    rows = thin(line.band)
    if len(rows) == 1:
        (x, low, high) = rows[0]
        return (
            f'<line class="whisker c{line.colour}" x1="{plane.x(x):.1f}" x2="{plane.x(x):.1f}" '
            f'y1="{plane.y(low):.1f}" y2="{plane.y(high):.1f}"/>'
        )
    upper = [f"{plane.x(x):.1f} {plane.y(high):.1f}" for x, _, high in rows]
    lower = [f"{plane.x(x):.1f} {plane.y(low):.1f}" for x, low, _ in reversed(rows)]
    return f'<path class="band c{line.colour}" d="M{" L".join(upper + lower)}Z"/>'


def _dots(plane: _Plane, line: Line) -> str:
    return "".join(
        f'<circle class="dot c{line.colour}" cx="{plane.x(x):.1f}" cy="{plane.y(y):.1f}" r="3.5"/>'
        for x, y in thin(line.points)
    )


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    """The range of the values, widened where it is too narrow for floating-point steps."""
    low, high = min(values), max(values)
    size = max(abs(low), abs(high))
    if high - low > 1e-9 * max(size, 1e-9):
        return low, high
    return (0.0, 1.0) if size < 1e-9 else (low - size * 0.1, high + size * 0.1)


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """About ``count`` round numbers whose first and last enclose ``[low, high]``."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{i * step:.12g}") for i in range(first, last + 1)]


def smooth(points: Sequence[Point], window: int) -> list[Point]:
    """The centred moving mean over ``window`` points; near an end, over those of them that there are."""
    half = window // 2
    values = [y for _, y in points]
    parts = [values[max(0, i - half) : i + half + 1] for i in range(len(values))]
    return [(x, sum(part) / len(part)) for (x, _), part in zip(points, parts, strict=True)]


def thin(points: Sequence[_T]) -> list[_T]:
    """At most about ``MAX_POINTS`` of the points, the last one always among them."""
    stride = math.ceil(len(points) / MAX_POINTS) or 1
    kept = list(points[::stride])
    if points and kept[-1] != points[-1]:
        kept.append(points[-1])
    return kept


def short(value: float) -> str:
    """A number in few characters: ``1.2k``, ``0.35``, ``3e-05``."""
    size = abs(value)
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if size >= limit:
            return f"{value / (1000 if unit == 'k' else limit):.3g}{unit}"
    return f"{value:.3g}" if size < 1000 else f"{value:.0f}"
