"""The report of a benchmark as one HTML page: no network, no framework, everything from the runs escaped."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rlvr_gym.report.cards import cut, tone, written
from rlvr_gym.report.curves import percent
from rlvr_gym.report.figure import standalone
from rlvr_gym.report.page import write_page
from rlvr_gym.report.svg import Chart, Line, short
from rlvr_gym.report.templates import asset, render_template

__all__ = ["render_bench", "write_bench_figures", "write_bench_report"]

COLOURS = 8
FIGURE_WIDTH, FIGURE_HEIGHT = 640, 300
MAX_CHARS = 1500
_RATES = {"truth", "proxy", "zero_variance"}
_TONES = {"shown": "good", "contradicted": "bad", "open": "void", "no data": "void"}
_ALARMS = {"hacked": "bad", "diverging": "void", "none": "good", "too few seeds": "void"}


def write_bench_report(view: Mapping[str, Any], output: Path) -> Path:
    """Writes the page; returns its path.

    Args:
        view: what :func:`rlvr_gym.bench.view.make_view` gives.
        output: the file.

    Raises:
        ConfigError: if it cannot be written.
    """
    return write_page(output, render_bench(view))


def write_bench_figures(view: Mapping[str, Any], folder: Path) -> list[Path]:
    """Writes every chart as an SVG file of its own, ``EXPERIMENT-METRIC.svg``; returns the paths.

    Args:
        view: what :func:`rlvr_gym.bench.view.make_view` gives.
        folder: where to; charts of one metric in several environments are numbered.

    Raises:
        ConfigError: if a file cannot be written.
    """
    paths: list[Path] = []
    numbers: Counter[str] = Counter()
    for experiment in view["experiments"]:
        for spec, figure in zip(experiment["charts"], _figures(experiment["charts"]), strict=True):
            name = re.sub(r"[^a-z0-9]+", "-", f"{experiment['name']} {spec['metric']}".lower())
            numbers[name] += 1
            path = folder / (f"{name}-{numbers[name]}.svg" if numbers[name] > 1 else f"{name}.svg")
            chart = replace(figure.chart, width=FIGURE_WIDTH, height=FIGURE_HEIGHT)
            legend = [(line.colour, line.label) for line in chart.lines]
            paths.append(write_page(path, standalone(chart, legend, figure.title) + "\n"))
    return paths


def render_bench(view: Mapping[str, Any]) -> str:
    """The page as text."""
    experiments = [
        {
            **experiment,
            "id": f"e{i}",
            "figures": _figures(experiment["charts"]),
            "tasks": [_task(task) for task in experiment["rollouts"]],
        }
        for i, experiment in enumerate(view["experiments"])
    ]
    claims = [(experiment, claim) for experiment in experiments for claim in experiment["claims"]]
    return render_template(
        "bench.html",
        css=[asset("page.css"), asset("bench.css")],
        script=[asset("page.js"), asset("bench.js")],
        filters={"num": number, "interval": interval, "p": p_value},
        tones=_TONES,
        alarms=_ALARMS,
        colours=COLOURS,
        title=view["title"],
        about=view["about"],
        facts=view["facts"],
        experiments=experiments,
        claims=claims,
        states=_counts([claim["state"] for _, claim in claims]),
    )


def _counts(states: Sequence[str]) -> list[tuple[str, int]]:
    return [(state, states.count(state)) for state in _TONES if state in states]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with its heading; a wide one has a version for narrow screens."""

    title: str
    note: str
    chart: Chart
    narrow: Chart | None = None


def _figures(charts: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """The first metric, which is the true one, large."""
    figures = []
    for i, spec in enumerate(charts):
        means = [row[1] for line in spec["lines"] for row in line["band"]]
        rate = spec["metric"] in _RATES and all(0 <= mean <= 1 for mean in means)
        lines = [_line(line, (0.0, 1.0) if rate else (-math.inf, math.inf)) for line in spec["lines"]]
        show = percent if rate else short

        def chart(
            width: int, height: int, lines: list[Line] = lines, spec: Any = spec, show: Any = show
        ) -> Chart:
            return Chart(lines, spec["title"], width, height, show=show, x_label="samples")

        large = i == 0
        figures.append(
            Figure(
                spec["title"],
                spec["note"],
                chart(960, 320) if large else chart(340, 186),
                chart(340, 250) if large else None,
            )
        )
    return figures


def _line(spec: Mapping[str, Any], bounds: tuple[float, float]) -> Line:
    """The mean curve and its band; an interval that leaves the metric's bounds is drawn up to them."""
    least, most = bounds
    rows = [row for row in spec["band"] if math.isfinite(row[1])]
    band = [
        (x, max(low, least), min(high, most))
        for x, _, low, high in rows
        if math.isfinite(low) and math.isfinite(high)
    ]
    return Line(
        spec["label"],
        [(x, mean) for x, mean, _, _ in rows],
        spec["colour"] % COLOURS,
        band if spec["seeds"] > 1 else (),
    )


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one arm wrote on a task."""

    step: int
    completion: str
    verdict: str
    tone: str
    reward: str


def _task(task: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "prompt": cut(task["prompt"], MAX_CHARS),
        "attempts": {arm: _attempt(row) for arm, row in task["attempts"].items()},
    }


def _attempt(row: Mapping[str, Any]) -> Attempt:
    verdict = row.get("verdict") or {}
    return Attempt(
        step=int(row.get("step") or 0),
        completion=cut(written(row), MAX_CHARS),
        verdict=str(verdict.get("reason", "unknown")),
        tone=tone(verdict),
        reward=number(row.get("reward")),
    )


def number(value: Any) -> str:
    """Three significant digits, a minus sign that looks like one, and a dash for what is no number."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return "–"
    return (f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}").replace("-", "−")


def interval(value: Sequence[float] | None) -> str:
    """``low to high``; nothing where there is no interval."""
    if value is None or not all(math.isfinite(edge) for edge in value[1:]):
        return ""
    return f"{number(value[1])} to {number(value[2])}"


def p_value(value: float) -> str:
    """``< 0.001``, or two digits."""
    return "< 0.001" if value < 0.001 else f"{value:.2g}"
