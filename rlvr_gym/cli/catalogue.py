"""``rlvr-gym list`` and ``rlvr-gym catalogue``: what there is."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from rlvr_gym.cli.console import stdout
from rlvr_gym.errors import UnknownNameError
from rlvr_gym.registration import EnvEntry, entry, list_envs

__all__ = ["list_environments", "write"]

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]


def describe(env: EnvEntry) -> dict[str, Any]:
    """What is known about an environment without making a task, JSON-ready."""
    return {
        "id": env.id,
        "family": env.family,
        "difficulty": list(env.problem.difficulty_range),
        "turns": env.problem.max_turns,
        "verifier": getattr(env.problem, "verifier", "own"),
        "summary": env.summary,
        "needs": list(env.needs),
        "trusted": env.trusted,
        "settings": env.settings,
    }


def list_environments(
    as_json: JsonOption = False,
    family: Annotated[str | None, typer.Option(help="Only this family.")] = None,
) -> None:
    """List the environments."""
    families = {env.family for env in list_envs()}
    if family is not None and family not in families:
        raise UnknownNameError("family", family, families)
    rows = [describe(env) for env in list_envs(family)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False, default=str))
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("id", "family", "difficulty", "turns", "verifier"):
        table.add_column(title, no_wrap=True)
    table.add_column("summary")
    for row in rows:
        low, high = row["difficulty"]
        needs = f" (needs {', '.join(row['needs'])})" if row["needs"] else ""
        needs += "" if row["trusted"] else " (untrusted: another's judge)"
        table.add_row(
            row["id"],
            row["family"],
            f"{low}-{high}",
            str(row["turns"]),
            row["verifier"],
            row["summary"] + needs,
        )
    console = stdout(piped_width=240)
    console.print(table)
    counts = Counter(row["family"] for row in rows)
    told = ", ".join(f"{name} {count}" for name, count in counts.items())
    console.print(f"\n{len(rows)} environments: {told}.", highlight=False)


def write(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Only these environments; all by default.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The Markdown file; standard output by default.")
    ] = None,
) -> None:
    """Write the catalogue: each environment with its settings, an example, its solution, and scores."""
    from rlvr_gym.report.catalogue import catalogue_text, write_catalogue

    envs = [entry(name) for name in ids] if ids else list_envs()
    if output is None:
        typer.echo(catalogue_text(envs), nl=False)
    else:
        typer.echo(str(write_catalogue(envs, output)))
