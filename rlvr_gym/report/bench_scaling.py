"""The figure of a scaling fit: measured points, the fitted law with its band, and where prediction begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from rlvr_gym.errors import ConfigError
from rlvr_gym.report.page import asset, write_page
from rlvr_gym.report.svg import Chart, Line

__all__ = ["scaling_figure", "write_scaling_figure"]

WIDTH, HEIGHT, ROW = 760, 380, 20
_COLOURS = 5
_STYLE = """
.c1{--t:#d0641c}.c2{--t:#12744a}.c3{--t:#8b3fc0}.c4{--t:#b3362a}
@media (prefers-color-scheme: dark){.c1{--t:#f5a065}.c2{--t:#5fd39b}.c3{--t:#c795f2}.c4{--t:#ff8f80}}
.line.c1,.line.c2,.line.c3,.line.c4{stroke:var(--t)}
.band.c1,.dot.c1,.band.c2,.dot.c2,.band.c3,.dot.c3,.band.c4,.dot.c4{fill:var(--t)}
.dot.c5{fill-opacity:.55}
"""


def write_scaling_figure(curves: Sequence[Mapping[str, Any]], axis: str, output: Path) -> Path:
    """Writes the figure; returns its path.

    Raises:
        ConfigError: if the file is no ``.svg`` or cannot be written.
    """
    if output.suffix.lower() != ".svg":
        raise ConfigError(
            f"The figure is written as SVG; give a name that ends in .svg, not {output.name!r}."
        )
    return write_page(output, scaling_figure(curves, axis) + "\n")


def scaling_figure(curves: Sequence[Mapping[str, Any]], axis: str) -> str:
    """The ``<svg>`` element.

    Args:
        curves: of each run: ``label``; ``fitted`` and ``rest``, points ``(compute, value)``; ``line``, the law; and
            ``band``, ``(compute, low, high)``.
        axis: what compute is measured in.
    """
    lines: list[Line] = []
    for i, curve in enumerate(curves):
        colour = i % _COLOURS
        lines.append(Line(curve["label"], curve["line"], colour, curve["band"]))
        lines += [
            Line(f"{curve['label']}, {part}", points, tone, dots=True)
            for part, points, tone in (("fitted", curve["fitted"], colour), ("predicted", curve["rest"], 5))
            if points
        ]
    chart = Chart(lines, "scaling law", WIDTH, HEIGHT, x_label=axis)
    head = ROW * (len(curves) + 1)
    legend = "".join(
        f'<circle class="dot c{i % _COLOURS}" cx="56" cy="{ROW * i - head + 10}" r="4"/>'
        f'<text class="legend" x="66" y="{ROW * i - head + 14}">{escape(curve["label"])}</text>'
        for i, curve in enumerate(curves)
    )
    legend += (
        '<circle class="dot c5" cx="56" cy="-10" r="4"/><text class="legend" x="66" y="-6">'
        "not fitted: these the law had to predict</text>"
    )
    svg = chart.svg(f"<style>{asset('figure.css')}{_STYLE}</style>{legend}")
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    return svg.replace(box, f'viewBox="0 {-head} {WIDTH} {HEIGHT + head}"', 1)
