"""``rlvr-gym train``: one run of the reference agent, and its report."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from rlvr_gym.cli.console import plain, stdout
from rlvr_gym.cli.options import DataOption, DifficultyOption, parse_difficulty, parse_settings
from rlvr_gym.errors import ConfigError, MissingExtraError
from rlvr_gym.registration import entry

__all__ = ["train"]

CONFIG_SUFFIXES = (".yaml", ".yml", ".json")  # JSON is YAML: the config.json of a run trains it again


def train(
    what: Annotated[
        str, typer.Argument(metavar="ENV|CONFIG.yaml", help="An environment, or a training config.")
    ],
    run_dir: Annotated[
        Path | None, typer.Option(help="Where the run is written; runs/NAME-TIME by default.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest checkpoint in --run-dir.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(help="Of weights, tasks and sampling.", min=0, max=2**32 - 1)
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of reinforcement learning.", min=0)] = None,
    policy: Annotated[str | None, typer.Option(help="tiny, small, smollm2, hf:PATH, ckpt:DIR, ...")] = None,
    reward: Annotated[str | None, typer.Option(help="The reward design.")] = None,
    algorithm: Annotated[str | None, typer.Option(help="grpo, dapo, ppo, ...")] = None,
    preset: Annotated[
        str | None, typer.Option(help="A paper's recipe: dapo, r1_zero, ...; fills in what is not said.")
    ] = None,
    difficulty: DifficultyOption = None,
    data: DataOption = None,
    ray: Annotated[
        int | None,
        typer.Option(
            help="Sample by so many workers on a Ray cluster; more by --set ray.staleness=1.", min=1
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Any field of the config (repeatable): optimiser.lr=1e-4."
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Train a policy (GRPO unless told otherwise), evaluate it on held-out tasks, and write the report."""
    given: dict[str, Any] = {
        "seed": seed,
        "steps": steps,
        "policy": policy,
        "reward": reward,
        "algorithm.name": algorithm,
        "preset": preset,
        "ray.workers": ray,
    }
    if difficulty is not None:
        given["env.settings.difficulty"] = parse_difficulty(difficulty)
    if data is not None:
        given["env.settings.data"] = str(data)
    overrides = {key: value for key, value in given.items() if value is not None} | parse_settings(settings)
    if resume and run_dir is None:
        raise ConfigError("--resume needs --run-dir, the folder of the run that is to go on.")
    if run_dir is None and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError("Several processes need --run-dir, so that they write to the same folder.")
    is_file = what.endswith(CONFIG_SUFFIXES)
    if not is_file:
        what = entry(what).id
    try:
        from rlvr_gym.agents.config import TrainConfig
        from rlvr_gym.agents.trainer import train as run_training
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("rlvr_gym"):
            raise
        raise MissingExtraError(error.name or "torch", "train", "Training") from error
    from rlvr_gym.report import write_report

    config = TrainConfig.from_yaml(what, **overrides) if is_file else TrainConfig.for_env(what, **overrides)
    folder = run_dir or Path("runs") / f"{_stem(what)}-{datetime.now():%Y%m%d-%H%M%S}"
    run_training(config, folder, resume=resume, quiet=quiet)
    if int(os.environ.get("RANK", "0")) > 0:
        return  # the first process of several tells what came of it
    page = write_report(folder)
    _show(folder, page)


def _stem(what: str) -> str:
    return Path(what).stem if what.endswith(CONFIG_SUFFIXES) else what.partition("/")[2]


def _show(folder: Path, page: Path) -> None:
    """Accuracy before and after with intervals, the change, and where the report is."""
    from rlvr_gym.report import RunData
    from rlvr_gym.stats import Interval, difference

    console = stdout()
    rows = RunData.load(folder).accuracy()
    chosen = rows[:1] + rows[1:][-1:]
    rates = [Interval(row["pass@1"], row["low"], row["high"]) for row in chosen]
    for name, row, rate in zip(("before", "after"), chosen, rates, strict=False):
        console.print(
            f"{name:<7} {rate.mean:.3f}  95 % interval {rate.low:.3f} to {rate.high:.3f}  (step {row['step']})"
        )
    if len(rates) == 2:
        gain = difference(*rates)
        console.print(
            f"change  {gain.mean:+.3f}  95 % interval {gain.low:+.3f} to {gain.high:+.3f}", style="bold"
        )
    console.print(plain(f"report  {page}"))
