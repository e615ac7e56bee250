"""``rlvr-gym data``: checks on data files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from rlvr_gym.cli.console import open_text, plain, stdout
from rlvr_gym.cli.rows import Row, read_rows
from rlvr_gym.data import Comparison, compare, text_of

__all__ = ["app"]

SHOWN = 10
"""Findings that are listed; ``--json`` gives all."""

app = typer.Typer(help="Checks on data files.", no_args_is_help=True)


@app.callback()
def _data() -> None:
    """Keeps ``dedup`` a command of its own while it is the only one."""


@app.command("dedup")
def dedup(
    a: Annotated[Path, typer.Argument(metavar="A", help="A JSONL file, such as the training set.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="A JSONL file, such as the test set.")],
    field: Annotated[
        str | None, typer.Option(help="The field with the text; prompt, problem, ... else.")
    ] = None,
    n: Annotated[int, typer.Option("--n", min=1, help="Words in an n-gram.")] = 13,
    threshold: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, help="Contaminated from this share of common n-grams on; 0: from one on."
        ),
    ] = 0.0,
    common: Annotated[
        float, typer.Option(help="N-grams in more than this share of A's rows are boilerplate.")
    ] = 0.01,
    output: Annotated[
        Path | None, typer.Option(help="Write B's rows that are neither repeated nor in A.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All findings as JSON.")] = False,
) -> None:
    """Find rows of B that repeat each other, or that A contains, word for word or in part."""
    rows_a, rows_b = list(read_rows(a)), list(read_rows(b))
    texts_a, texts_b = ([text_of(row, field, row.where) for row in rows] for rows in (rows_a, rows_b))
    found = compare(texts_a, texts_b, n=n, threshold=threshold, common=common)
    if output is not None:
        with open_text(output) as stream:
            for i, row in enumerate(rows_b):
                if found.clean(i):
                    stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    report = _report(found, rows_a, rows_b)
    if as_json:
        typer.echo(json.dumps(report, indent=2))
        return
    console = stdout()
    for name, count in report["counts"].items():
        console.print(f"{count:>8}  {name.replace('_', ' ')}")
    for finding in report["findings"][:SHOWN]:
        text = " ".join(texts_b[finding["index"]].split())[:70]
        line = f"B line {finding['b_line']} ~ A line {finding['a_line']} ({finding['share']:.0%}): {text}"
        console.print(plain(line), soft_wrap=True)
    if len(report["findings"]) > SHOWN:
        console.print(f"... and {len(report['findings']) - SHOWN} more; --json lists all.")


def _report(found: Comparison, rows_a: list[Row], rows_b: list[Row]) -> dict[str, Any]:
    findings = [
        {
            "index": i,
            "b_line": rows_b[i].line,
            "a_line": rows_a[overlap.source].line if overlap.source is not None else None,
            "share": round(overlap.share, 4),
            "same": i in found.same,
        }
        for i, overlap in found.contaminated.items()
    ]
    return {
        "counts": {
            "rows_in_A": len(rows_a),
            "repeated_within_A": len(found.repeated_a),
            "rows_in_B": len(rows_b),
            "repeated_within_B": len(found.repeated_b),
            "rows_of_B_word_for_word_in_A": len(found.same),
            "rows_of_B_contaminated_by_A": len(found.contaminated),
            "clean_rows_of_B": sum(found.clean(i) for i in range(len(rows_b))),
        },
        "findings": findings,
    }
