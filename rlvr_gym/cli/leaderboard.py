"""``rlvr-gym leaderboard``: several models on one suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from rlvr_gym.cli.console import check_writable, open_text, plain, stdout
from rlvr_gym.cli.evaluation_tables import number, rate

__all__ = ["leaderboard"]


def leaderboard(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Folders of finished evaluations of one suite.")
    ],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write it as JSON; - for stdout.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write it as one self-contained page.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write it as Markdown; - for stdout.")] = None,
) -> None:
    """A table of several models: pass@1 with intervals, the paired distance to the first, tokens and cost."""
    from rlvr_gym.evaluation.leaderboard import as_markdown, make_leaderboard
    from rlvr_gym.report.eval_page import write_leaderboard

    board = make_leaderboard(runs)
    for path in (json_file, html, markdown):
        check_writable(path)
    if html is not None:
        write_leaderboard(board, html)
    texts = {json_file: json.dumps(board, indent=2, ensure_ascii=False) + "\n", markdown: as_markdown(board)}
    for path, text in texts.items():
        if path is not None:
            with open_text(path) as stream:
                stream.write(text)
    if "-" not in (str(json_file), str(markdown)):
        _show(board)


def _show(board: dict[str, Any]) -> None:
    from rich.table import Table

    console = stdout(piped_width=120)
    console.print(plain(f"{board['suite']}  {board['tasks']:,} tasks, seed {board['seed']}", "bold"))
    table = Table(box=None, pad_edge=False)
    for name in (
        "",
        "model",
        "pass@1",
        "behind the first",
        "cut off",
        "invalid",
        "tokens in",
        "tokens out",
        "cost",
    ):
        table.add_column(name, justify="left" if name in ("model", "pass@1", "behind the first") else "right")
    for place, row in enumerate(board["rows"], 1):
        behind = row["behind"]
        told = (
            ""
            if behind is None
            else f"{behind['difference']:+.3f} [{behind['low']:+.3f}, {behind['high']:+.3f}]"
        )
        counts = [f"{row[key]:,}" for key in ("truncated", "invalid")]
        tokens = [f"{row['tokens'][key]:,}" for key in ("input", "output")]
        cost = "" if row["cost"] is None else number(row["cost"], 4)
        table.add_row(str(place), plain(row["label"]), rate(row), told, *counts, *tokens, cost)
    console.print(table)
