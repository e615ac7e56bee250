"""``rlvr-gym rewards``: the designs and terms that there are, and what a design looks like."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from rlvr_gym.cli.console import plain, stdout

__all__ = ["app"]

app = typer.Typer(
    help="List the reward designs and the terms that they are made of; or draw one.",
    invoke_without_command=True,
    add_completion=False,
)


@app.callback()
def rewards(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """List the reward designs and the terms that they are made of; or draw one."""
    if context.invoked_subcommand is None:
        _list(as_json)


def _list(as_json: bool) -> None:
    from rlvr_gym.rewards.design import DESIGNS
    from rlvr_gym.rewards.node import operation_names
    from rlvr_gym.rewards.term import term_class, term_names

    classes = {name: term_class(name) for name in term_names()}
    summaries = {name: (cls.__doc__ or "").strip().partition("\n")[0] for name, cls in classes.items()}
    parameters = {
        name: {field.name: field.default for field in dataclasses.fields(cls)}
        for name, cls in classes.items()
    }
    if as_json:
        terms = {name: {"summary": summaries[name], "parameters": parameters[name]} for name in classes}
        listed: dict[str, Any] = {"designs": DESIGNS, "operations": operation_names(), "terms": terms}
        typer.echo(json.dumps(listed, indent=2, ensure_ascii=False, default=str))
        return
    from rich.table import Table

    console = stdout(piped_width=240)
    table = Table("design", "composition", box=None, pad_edge=False, header_style="bold")
    for name, spec in DESIGNS.items():
        table.add_row(name, json.dumps(spec))
    console.print(table)
    console.print(f"\noperations: {', '.join(operation_names())}\n")
    table = Table("term", "parameters", "is", box=None, pad_edge=False, header_style="bold")
    for name in classes:
        given = ", ".join(f"{key}={value}" for key, value in parameters[name].items())
        table.add_row(name, given, summaries[name])
    console.print(table)


@app.command()
def plot(
    design: Annotated[
        str, typer.Argument(metavar="DESIGN", help="A design's name, JSON, or a .json or .yaml file.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The figure: .svg, .png or .html; NAME.svg by default."),
    ] = None,
    limit: Annotated[int, typer.Option(help="The greatest length; 0 for the design's own.", min=0)] = 0,
    step: Annotated[int, typer.Option(help="The training step, for designs with a schedule.", min=0)] = 0,
) -> None:
    """Draw a design's landscape: the reward over length, for right and wrong, in form and out of form."""
    from rlvr_gym.report.landscape import write_landscape
    from rlvr_gym.rewards.files import read_design
    from rlvr_gym.rewards.landscape import landscape

    chosen = read_design(design)
    drawn = landscape(chosen, limit=limit, step=step)
    stdout().print(plain(str(write_landscape(drawn, output or Path(f"{chosen.name}.svg")))))
