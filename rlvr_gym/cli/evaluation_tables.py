"""Results of evaluations as tables on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlvr_gym.cli.console import plain, stdout

__all__ = ["rate", "show_result"]


def show_result(result: Mapping[str, Any], folder: Path | None) -> None:
    """The summary of ``rlvr-gym eval``: totals, and one line a part where there are several."""
    from rich.table import Table

    console = stdout()
    console.print(plain(f"{result.get('env', result['suite'])}  {result['model']}", "bold"))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column()
    for row in _rows(result):
        table.add_row(*row)
    table.add_row()
    for reason, count in result["reasons"].items():
        table.add_row(reason, f"{count:,}", f"{count / result['samples']:.1%}")
    console.print(table)
    if len(result["parts"]) > 1:
        console.print()
        console.print(_parts(result["parts"]))
    if folder is not None:
        console.print(plain(f"\n{folder}/report.html", "dim"))


def rate(value: Mapping[str, Any]) -> str:
    """pass@1 with its interval."""
    return f"{number(value['pass@1'])} [{number(value['low'])}, {number(value['high'])}]"


def number(value: Any, digits: int = 3) -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else f"{value:,.{digits}f}"


def _rows(result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    interval = f"95 % interval {number(result['low'])} to {number(result['high'])}"
    interval += ", mean of the environments" if len(result["parts"]) > 1 else ""
    rows = [("pass@1", f"[bold]{number(result['pass@1'])}[/]", interval)]
    rows += [
        (key, number(value), "unbiased")
        for key, value in result.items()
        if key.startswith("pass@") and key != "pass@1"
    ]
    if result["mean_score"] != result["pass@1"]:
        bounds = f"{number(result['mean_score_low'])} to {number(result['mean_score_high'])}"
        rows.append(("mean score", number(result["mean_score"]), f"graded, {bounds}"))
    unit = result["length_unit"]
    clipped = f" {result['clipped_ratio']:.1%} cut off" if result["clipped_ratio"] else ""
    rows.append(("mean length", number(result["mean_length"], 1), f"{unit}{clipped}"))
    tried = f"{result['samples']:,} attempts at {result['tasks']:,} tasks in {result['seconds']:.1f} s"
    rows.append(("tasks", f"{result['tasks']:,}", tried))
    if result["truncated"]:
        told = f"cut off at max_tokens; {result['truncated_correct']:,} of them correct"
        rows.append(("[yellow]truncated[/]", f"[yellow]{result['truncated']:,}[/]", told))
    if result["content_filter"]:
        rows.append(("[yellow]filtered[/]", f"[yellow]{result['content_filter']:,}[/]", "by the endpoint"))
    if result["invalid"]:
        told = "in none of these rates; start the same command again to retry them"
        rows.append(("[yellow]invalid[/]", f"[yellow]{result['invalid']:,}[/]", told))
    return rows + _paid(result)


def _paid(result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    tokens, requests = result["tokens"], result["requests"]
    rows = []
    if tokens["input"] or tokens["output"]:
        missing = f"; {tokens['unmetered']:,} answers told none" if tokens["unmetered"] else ""
        told = f"{tokens['input']:,} in, {tokens['output']:,} out{missing}"
        rows.append(("tokens", f"{tokens['input'] + tokens['output']:,}", told))
    if result["cost"] is not None:
        least = "at least; " if tokens["unmetered"] else ""
        prices = result["prices"]
        told = f"{least}{prices['in']:g} in, {prices['out']:g} out a million tokens"
        rows.append(("cost", f"{result['cost']:.4f}", told))
    if requests["reused"] or requests["retried"] or requests["failed"]:
        told = f"{requests['reused']:,} were there already, {requests['retried']:,} retries, {requests['failed']:,} failed"
        rows.append(("requests", f"{requests['asked'] + requests['failed']:,}", told))
    return rows


def _parts(parts: Mapping[str, Mapping[str, Any]]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name, justify in (("environment", "left"), ("tasks", "right"), ("pass@1", "left"), ("score", "right"),
                          ("truncated", "right"), ("invalid", "right")):  # fmt: skip
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for name, part in parts.items():
        counts = [f"{part[key]:,}" if part[key] else "" for key in ("truncated", "invalid")]
        table.add_row(plain(name), f"{part['tasks']:,}", rate(part), number(part["mean_score"]), *counts)
    return table
