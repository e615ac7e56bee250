"""``rlvr-gym sandbox``: build the image, see what works, and attack it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from rlvr_gym.cli.console import plain, stdout
from rlvr_gym.errors import ConfigError

__all__ = ["app"]

app = typer.Typer(
    name="sandbox", help="Where untrusted programs run: build, look, attack.", no_args_is_help=True
)

BackendsOption = Annotated[
    list[str] | None,
    typer.Option("--backend", help="docker, bubblewrap or subprocess (repeatable); else all that work."),
]


@app.command("build")
def build(
    from_host: Annotated[
        bool, typer.Option("--from-host", help="Pack this machine's Python; needs no registry.")
    ] = False,
    tag: Annotated[str, typer.Option(help="The image's name.")] = "rlvr-gym-sandbox:latest",
) -> None:
    """Build the Docker image that programs run in."""
    from rlvr_gym.sandbox.backends.docker import build_image_from_host

    if not from_host:
        raise ConfigError(
            "Give --from-host to pack this machine's Python, or build the Dockerfile of the repository: "
            f"docker build --tag {tag} - < Dockerfile."
        )
    image = build_image_from_host(tag)
    stdout().print(plain(f"Built {tag} ({image[7:19]})."))


@app.command("status")
def status() -> None:
    """Show which sandboxes work here, and why not."""
    from rlvr_gym.sandbox import sandbox_status

    console = stdout()
    for found in sandbox_status():
        console.print(plain(f"{found.name:<12}{'works' if found.ok else 'does not work':<15}{found.why}"))


@app.command("attack")
def attack(
    backend: BackendsOption = None,
    attacks: Annotated[
        Path | None, typer.Option(help="The folder of the attacks; else those of the repository.")
    ] = None,
    only: Annotated[str, typer.Option(help="Attacks whose name contains this.")] = "",
) -> None:
    """Attack the sandboxes: a table of what was stopped. Exits with 1 if a confining backend let something through."""
    from rich.table import Table

    from rlvr_gym.cli.attacks import find_attacks, run_attacks
    from rlvr_gym.sandbox import make_sandbox, sandbox_status

    names = backend or [found.name for found in sandbox_status() if found.ok]
    chosen = [attack for attack in find_attacks(attacks) if only in attack.name]
    results = {}
    for name in names:
        with make_sandbox(name, workers=1) as sandbox:
            results[name] = run_attacks(
                chosen,
                sandbox,
                lambda o, name=name: print(f"{name}: {o.attack.name}", file=sys.stderr),  # type: ignore[misc]
            )
    table = Table("attack", *names, "what it tries", box=None, pad_edge=False)
    for row in zip(*results.values(), strict=True):
        cells = [
            plain("stopped", "green") if o.stopped else plain(f"NOT STOPPED: {o.note}", "red") for o in row
        ]
        table.add_row(row[0].attack.name, *cells, plain(row[0].attack.description))
    console = stdout()
    console.print(table)
    for name, outcomes in results.items():
        stopped = sum(outcome.stopped for outcome in outcomes)
        seconds = sum(outcome.seconds for outcome in outcomes)
        console.print(plain(f"{name}: {stopped} of {len(outcomes)} stopped ({seconds:.0f} s)"))
    confining = [o for name, outcomes in results.items() if name != "subprocess" for o in outcomes]
    if not all(outcome.stopped for outcome in confining):
        raise typer.Exit(1)
