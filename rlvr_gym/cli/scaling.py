"""``rlvr-gym scaling``: where will this run end? ScaleRL's sigmoid, fitted on its first part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import typer

from rlvr_gym.cli.console import plain, stdout

if TYPE_CHECKING:
    from rlvr_gym.bench.scaling import Fit

__all__ = ["scaling"]


def scaling(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of training runs.")],
    fraction: Annotated[
        float,
        typer.Option(help="How much of each curve is fitted; the rest is predicted.", min=0.05, max=1.0),
    ] = 0.5,
    axis: Annotated[
        Literal["samples", "tokens", "steps"], typer.Option(help="What compute is measured in.")
    ] = "samples",
    metric: Annotated[str, typer.Option(help="A column of eval.jsonl.")] = "pass@1",
    upper: Annotated[float, typer.Option(help="The largest asymptote that is possible.")] = 1.0,
    resamples: Annotated[int, typer.Option(help="Of the bootstrap that gives the intervals.", min=2)] = 200,
    figure: Annotated[Path | None, typer.Option(help="Draw curves and fits into this .svg file.")] = None,
    output: Annotated[Path | None, typer.Option("--json", help="Write the numbers to this file.")] = None,
) -> None:
    """Fit R(C) = R0 + (A - R0) / (1 + (Cmid / C)^B) to held-out curves (ScaleRL), and test what it predicts."""
    from rich.table import Table

    from rlvr_gym.bench.scaling import fit_curve, read_curve
    from rlvr_gym.report.bench_scaling import write_scaling_figure

    fits = {
        run: fit_curve(read_curve(run, axis, metric), fraction, resamples=resamples, upper=upper)
        for run in runs
    }
    table = Table(title=f"{metric} over {axis}, the first {fraction:.0%} fitted; 95 % bootstrap intervals")
    for column in (
        "run",
        "R0",
        "asymptote A",
        "midpoint Cmid",
        "exponent B",
        "fit RMSE",
        "error on the rest",
    ):
        table.add_column(column, justify="left" if column == "run" else "right")
    for run, fit in fits.items():
        table.add_row(plain(run.name), *_cells(fit))
    stdout(120).print(table)
    for run, fit in fits.items():
        if not fit.settled:
            stdout().print(
                plain(
                    f"! {run.name}: the fitted part does not say where the curve ends; fit more of it.",
                    "yellow",
                )
            )
    if figure is not None:
        labels = [run.name for run in runs]
        stdout().print(
            plain(str(write_scaling_figure(list(map(_drawn, labels, fits.values())), axis, figure)))
        )
    if output is not None:
        rows = [_json(run, fit) for run, fit in fits.items()]
        output.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _cells(fit: Fit) -> list[str]:
    curve = fit.curve
    rest = "none left" if not fit.rest else f"{fit.rest_error:.3f} (staying put: {fit.naive_error:.3f})"
    return [
        f"{curve.start:.3f}",
        f"{curve.asymptote:.3f} [{fit.asymptote[0]:.3f}, {fit.asymptote[1]:.3f}]",
        f"{curve.middle:.4g} [{fit.middle[0]:.4g}, {fit.middle[1]:.4g}]",
        f"{curve.exponent:.2f} [{fit.exponent[0]:.2f}, {fit.exponent[1]:.2f}]",
        f"{fit.fit_error:.3f}",
        rest,
    ]


def _drawn(label: str, fit: Fit) -> dict[str, Any]:
    end = (fit.rest or fit.fitted)[-1][0]
    grid = np.linspace(0, end, 101)[1:]
    line = [(0.0, fit.curve.start), *zip(grid.tolist(), fit.curve(grid).tolist(), strict=True)]
    return {"label": label, "fitted": fit.fitted, "rest": fit.rest, "line": line, "band": fit.band}


def _json(run: Path, fit: Fit) -> dict[str, Any]:
    curve = fit.curve
    return {
        "run": str(run),
        "start": curve.start,
        "asymptote": [curve.asymptote, *fit.asymptote],
        "middle": [curve.middle, *fit.middle],
        "exponent": [curve.exponent, *fit.exponent],
        "fit_error": fit.fit_error,
        "rest_error": fit.rest_error if fit.rest else None,
        "naive_error": fit.naive_error if fit.rest else None,
        "settled": fit.settled,
        "points": [len(fit.fitted), len(fit.rest)],
    }
