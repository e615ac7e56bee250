"""The figure of a scaling fit: measured points, the fitted law with its band, and where prediction begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rlvr_gym.errors import ConfigError
from rlvr_gym.report.figure import standalone
from rlvr_gym.report.page import write_page
from rlvr_gym.report.svg import Chart, Line

__all__ = ["scaling_figure", "write_scaling_figure"]

WIDTH, HEIGHT = 760, 380
_COLOURS = 5
_UNFITTED = 5


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
            for part, points, tone in (
                ("fitted", curve["fitted"], colour),
                ("predicted", curve["rest"], _UNFITTED),
            )
            if points
        ]
    chart = Chart(lines, "scaling law", WIDTH, HEIGHT, x_label=axis)
    legend = [(i % _COLOURS, curve["label"]) for i, curve in enumerate(curves)]
    return standalone(chart, [*legend, (_UNFITTED, "not fitted: these the law had to predict")])
