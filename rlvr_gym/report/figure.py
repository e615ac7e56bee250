"""A chart as a file of its own: with its style, a legend above it, and light and dark colours."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rlvr_gym.report.svg import Chart
from rlvr_gym.report.templates import asset

__all__ = ["standalone"]

ROW = 20


def standalone(chart: Chart, legend: Sequence[tuple[int, str]], title: str = "") -> str:
    """The ``<svg>`` element, higher than the chart by a row for each legend entry, and one for the title.

    Args:
        chart: the chart.
        legend: colour and text of each entry.
        title: stands above it, if there is one.
    """
    head = ROW * (len(legend) + bool(title)) + 6
    parts = [f"<style>{asset('figure.css')}</style>"]
    if title:
        parts.append(f'<text class="title" x="50" y="{14 - head}">{escape(title)}</text>')
    for i, (colour, text) in enumerate(legend):
        y = ROW * (i + bool(title)) - head + 10
        parts.append(
            f'<circle class="dot c{colour}" cx="56" cy="{y}" r="4"/>'
            f'<text class="legend" x="66" y="{y + 4}">{escape(text)}</text>'
        )
    box = f'viewBox="0 0 {chart.width} {chart.height}"'
    return chart.svg("".join(parts)).replace(
        box, f'viewBox="0 {-head} {chart.width} {chart.height + head}"', 1
    )
