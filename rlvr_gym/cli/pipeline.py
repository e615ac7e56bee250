"""``rlvr-gym pipeline``: a recipe of several stages, and what each of them brought."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from rlvr_gym.cli.console import plain, stdout
from rlvr_gym.errors import ConfigError, MissingExtraError

__all__ = ["pipeline"]


def pipeline(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.yaml", help="Stages, such as recipes/r1.yaml.")],
    run_dir: Annotated[
        Path | None, typer.Option(help="Where everything is written; runs/NAME-TIME by default.")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the stages in --run-dir; done ones are not run again."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Run a recipe of stages (RL, SFT, rejection sampling, DPO, merging, distillation); accuracy after each."""
    if resume and run_dir is None:
        raise ConfigError("--resume needs --run-dir, the folder of the pipeline that is to go on.")
    try:
        from rlvr_gym.agents.pipeline import results_table, run_pipeline
        from rlvr_gym.agents.stages import PipelineConfig
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("rlvr_gym"):
            raise
        raise MissingExtraError(error.name or "torch", "train", "Training") from error
    folder = run_dir or Path("runs") / f"{recipe.stem}-{datetime.now():%Y%m%d-%H%M%S}"
    rows = run_pipeline(PipelineConfig.from_yaml(recipe), folder, resume=resume, quiet=quiet)
    console = stdout(piped_width=120)
    console.print(results_table(rows))
    console.print(plain(f"results  {folder / 'results.json'}"))
