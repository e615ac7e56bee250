"""Drawing the landscape of a reward design."""

from __future__ import annotations

import json
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

from rlvr_gym.errors import ConfigError, MissingExtraError, os_reason
from rlvr_gym.rewards.landscape import Landscape

__all__ = ["FIGURE_SUFFIXES", "write_landscape"]

FIGURE_SUFFIXES = (".svg", ".png", ".html")
# (correct, formed); of Okabe and Ito: apart for the colour-blind, too. Dashes are lighter: they show on top of a line
_COLOURS = {
    (True, True): "#0072b2",
    (True, False): "#8fd0f5",
    (False, True): "#d55e00",
    (False, False): "#f7c873",
}
_DASHES = {True: (0, (4, 4)), False: (4, (4, 4))}
"""Each in the gaps of the other: both show where they are the same."""


def write_landscape(landscape: Landscape, path: Path) -> Path:
    """Writes the figure: ``.svg``, ``.png``, or ``.html``, a page that stands alone and shows the design as well.

    Raises:
        ConfigError: if the suffix is another one, or the file cannot be written.
        MissingExtraError: without matplotlib.
    """
    if path.suffix not in FIGURE_SUFFIXES:
        raise ConfigError(f"A figure's file ends in {', '.join(FIGURE_SUFFIXES)}; got {str(path)!r}.")
    figure = _draw(landscape)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".png":
            figure.savefig(path, dpi=160)
        else:
            svg = _svg(figure)
            path.write_text(svg if path.suffix == ".svg" else _page(landscape, svg), encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({os_reason(error)}); choose another place for the figure."
        ) from error
    return path


def _draw(landscape: Landscape) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "plot", "Drawing a reward's landscape") from error
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")  # not pyplot: no display, no global state
    axes = figure.subplots()
    axes.axhline(0, color="#999999", linewidth=0.6)
    for curve in landscape.curves:
        axes.plot(
            curve.lengths,
            curve.rewards,
            color=_COLOURS[curve.correct, curve.formed],
            linestyle="-" if curve.formed else _DASHES[curve.correct],
            zorder=2 if curve.formed else 3,
            linewidth=1.8 if curve.formed else 1.3,
            label=f"{'right' if curve.correct else 'wrong'}, {'in form' if curve.formed else 'out of form'}",
        )
    compared = ", in a group with right and wrong at a quarter and three quarters" if landscape.group else ""
    axes.set_title(f"{landscape.design.name} (step {landscape.step}{compared})", fontsize=9, loc="left")
    axes.set_xlabel("length (tokens)", fontsize=9)
    axes.set_ylabel("reward", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0)
    figure.legend(loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figure


def _svg(figure: Any) -> str:
    """The same bytes every time, text as text."""
    import matplotlib as mpl

    stream = StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "rlvr-gym"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def _page(landscape: Landscape, svg: str) -> str:
    design = json.dumps(landscape.design.to_dict(), indent=2, ensure_ascii=False)
    name = escape(landscape.design.name)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<style>body{font:15px system-ui,sans-serif;max-width:760px;margin:2rem auto;padding:0 1rem}"
        "svg{width:100%;height:auto}pre{overflow-x:auto;background:#f4f4f4;padding:1rem}</style></head>"
        f"<body><h1>{name}</h1>\n{svg[svg.index('<svg') :]}\n<pre>{escape(design)}</pre></body></html>\n"
    )
