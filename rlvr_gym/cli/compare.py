"""``rlvr-gym compare``: two evaluations of the same tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from rlvr_gym.cli.console import check_writable, open_text, plain, stdout

__all__ = ["compare_runs"]


def compare_runs(
    before: Annotated[Path, typer.Argument(metavar="A", help="The folder of a finished evaluation.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="The folder of another one of the same suite.")],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write everything here as JSON; - for stdout.")
    ] = None,
    show: Annotated[int, typer.Option(help="How many of the flipped tasks to show.", min=0)] = 10,
) -> None:
    """Compare two evaluations task by task: paired differences with 95 % intervals, and which tasks flip.

    Intervals are those of Bonett and Price (2012) for paired proportions; p is the exact sign test on the tasks
    that differ (McNemar's, with one attempt a task). Neither is corrected for there being several environments.
    """
    from rlvr_gym.evaluation.compare import compare
    from rlvr_gym.evaluation.folder import read_samples, read_summary

    first, second = read_summary(before), read_summary(after)
    check_writable(json_file)
    weights = {name: part["weight"] for name, part in {**second["parts"], **first["parts"]}.items()}
    told = compare(read_samples(before), read_samples(after), weights).to_dict()
    result = {"before": str(before), "after": str(after), "models": [first["model"], second["model"]], **{
        ("before_rate" if key == "before" else "after_rate" if key == "after" else key): value
        for key, value in told.items()
    }}  # fmt: skip
    if json_file is not None:
        with open_text(json_file) as stream:
            stream.write(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    if str(json_file) != "-":
        _show(told, f"{first['label']} → {second['label']}  ({first['suite']})", show)


def _show(told: dict[str, Any], title: str, show: int) -> None:
    from rich.table import Table

    console = stdout(piped_width=120)
    console.print(plain(title, "bold"))
    table = Table(box=None, pad_edge=False)
    for name in ("", "tasks", "A", "B", "B − A", "95 % interval", "won", "lost", "p"):
        table.add_column(name, justify="left" if name == "" else "right")
    rows = list(told["parts"].items()) if len(told["parts"]) > 1 else []
    for name, row in [("total", told), *rows]:
        table.add_row(plain(name, "bold" if name == "total" else ""), *_cells(row))
    console.print(table)
    if told["unpaired"]:
        console.print(f"{told['unpaired']:,} tasks are not compared: one side lacks them, or has no verdict.")
    if told["flips"] and show:
        console.print()
        _show_flips(told["flips"], show)


def _cells(row: dict[str, Any]) -> list[str]:
    interval = f"{row['low']:+.3f} to {row['high']:+.3f}"
    rates = [f"{row['before']:.3f}", f"{row['after']:.3f}", f"{row['difference']:+.3f}"]
    return [f"{row['tasks']:,}", *rates, interval, str(row["won"]), str(row["lost"]), f"{row['p']:.2g}"]


def _show_flips(flips: list[dict[str, Any]], show: int) -> None:
    """The greatest losses, then the greatest gains."""
    from rich.table import Table

    lost = [flip for flip in flips if flip["after"] < flip["before"]]
    won = [flip for flip in reversed(flips) if flip["after"] > flip["before"]]
    half = max(show - len(won), show // 2)
    chosen = lost[:half] + won[: show - min(half, len(lost))]
    table = Table("flipped task", "A", "B", "A said", "B said", box=None, pad_edge=False)
    for flip in chosen:
        rates = (f"{flip['before']:.2f}", f"{flip['after']:.2f}")
        table.add_row(plain(flip["task_id"]), *rates, flip["before_reason"], flip["after_reason"])
    console = stdout(piped_width=120)
    console.print(table)
    if len(chosen) < len(flips):
        console.print(f"{len(flips) - len(chosen):,} more flip; --json has all of them.")
