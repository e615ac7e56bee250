"""``rlvr-gym init``: a package of one's own with a working environment in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["init"]


def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The package's name, such as my-env.")],
    path: Annotated[Path | None, typer.Option(help="The folder to make; ./NAME by default.")] = None,
) -> None:
    """Make a package with an environment of your own: source, tests, CI, and the entry point for rlvr-gym."""
    from rlvr_gym.scaffold import write_package

    folder = path if path is not None else Path(name)
    for file in write_package(name, folder):
        typer.echo(str(file))
    typer.echo(
        f"\nNext:\n  cd {folder}\n  pip install --editable '.[dev]'\n  rlvr-gym list --family {name}\n"
        f"  rlvr-gym play {name}/EgyptianFractions-v0\n  pytest"
    )
