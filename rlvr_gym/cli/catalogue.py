"""``rlvr-gym list`` and ``rlvr-gym rewards``: what there is."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

import typer

from rlvr_gym.cli.console import stdout
from rlvr_gym.errors import UnknownNameError
from rlvr_gym.registration import EnvEntry, list_envs

__all__ = ["list_environments", "rewards"]

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]


def describe(env: EnvEntry) -> dict[str, Any]:
    """What is known about an environment without making a task, JSON-ready."""
    settings = {
        field.name: env.defaults.get(
            field.name, None if field.default is dataclasses.MISSING else field.default
        )
        for field in dataclasses.fields(env.problem)
    }
    return {
        "id": env.id,
        "family": env.family,
        "difficulty": list(env.problem.difficulty_range),
        "turns": env.problem.max_turns,
        "verifier": getattr(env.problem, "verifier", "own"),
        "summary": env.summary,
        "needs": list(env.needs),
        "trusted": env.trusted,
        "settings": settings,
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
    stdout(piped_width=240).print(table)


def rewards(as_json: JsonOption = False) -> None:
    """List the reward designs and the terms that they are made of."""
    from rlvr_gym.rewards.design import DESIGNS
    from rlvr_gym.rewards.term import term_class, term_names

    classes = {name: term_class(name) for name in term_names()}
    summaries = {name: (cls.__doc__ or "").strip().partition("\n")[0] for name, cls in classes.items()}
    parameters = {
        name: {field.name: field.default for field in dataclasses.fields(cls)}
        for name, cls in classes.items()
    }
    if as_json:
        terms = {name: {"summary": summaries[name], "parameters": parameters[name]} for name in classes}
        typer.echo(
            json.dumps({"designs": DESIGNS, "terms": terms}, indent=2, ensure_ascii=False, default=str)
        )
        return
    from rich.table import Table

    console = stdout(piped_width=240)
    table = Table("design", "composition", box=None, pad_edge=False, header_style="bold")
    for name, spec in DESIGNS.items():
        table.add_row(name, json.dumps(spec))
    console.print(table)
    console.print()
    table = Table("term", "parameters", "is", box=None, pad_edge=False, header_style="bold")
    for name in classes:
        given = ", ".join(f"{key}={value}" for key, value in parameters[name].items())
        table.add_row(name, given, summaries[name])
    console.print(table)
