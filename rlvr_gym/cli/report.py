"""``rlvr-gym report``: a training run as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rlvr_gym.cli.console import plain, stdout

__all__ = ["report"]


def report(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="The folder of a training run.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The HTML file; report.html in RUN_DIR by default.")
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="Write the learning curve alone too: .svg, or .png (needs matplotlib)."),
    ] = None,
) -> None:
    """Write one self-contained HTML page about a training run; it needs no network."""
    from rlvr_gym.report import write_figure, write_report

    console = stdout()
    console.print(plain(str(write_report(run_dir, output))))
    if figure is not None:
        console.print(plain(str(write_figure(run_dir, figure))))
