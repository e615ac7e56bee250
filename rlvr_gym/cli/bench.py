"""``rlvr-gym bench``: compare reward designs and algorithms, over seeds, by a metric that nobody trained on."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rlvr_gym.cli.console import plain, stderr, stdout
from rlvr_gym.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from rlvr_gym.bench import ExperimentResult, Outcome
    from rlvr_gym.stats import Interval

__all__ = ["bench"]


def bench(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG.yaml", help="Experiments; see docs/bench.md.", dir_okay=False)
    ],
    out: Annotated[
        Path | None, typer.Option(help="The folder of cells and results; runs/bench-NAME by default.")
    ] = None,
    jobs: Annotated[int, typer.Option(help="Cells side by side, one thread each.", min=1)] = 1,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Run this experiment alone (repeatable).")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(help="Run so many seeds, whatever the config says.", min=1)
    ] = None,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Run nothing; report on what is done.")
    ] = False,
    figures: Annotated[
        Path | None, typer.Option(help="Also write every chart as an SVG file into this folder.")
    ] = None,
) -> None:
    """Train every cell of a benchmark, compare them over seeds, and write the report.

    Cells that are done are kept, half-done ones resumed: run the same command again after anything went wrong.
    """
    try:
        from rlvr_gym.bench import BenchConfig, collect, make_plan, make_view, run_plan, to_json
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("rlvr_gym"):
            raise
        raise MissingExtraError(error.name or "torch", "train", "A benchmark") from error
    from rlvr_gym.bench.statistics import scipy_stats
    from rlvr_gym.report.bench_page import write_bench_figures, write_bench_report

    scipy_stats()  # tells now, and not after hours of training, that it is missing
    chosen = BenchConfig.from_yaml(config)
    if only:
        chosen = chosen.only(only)
    if seeds is not None:
        chosen = chosen.with_seeds(seeds)
    plan = make_plan(chosen)
    root = out or Path("runs") / f"bench-{chosen.name}"
    root.mkdir(parents=True, exist_ok=True)
    outcomes = [] if report_only else run_plan(plan, root, jobs, _Progress().tell)
    results = collect(chosen, plan, root, outcomes)
    if not any(arm.curves for result in results for arm in result.arms):
        raise ConfigError(
            f"No cell in {root} is done, so there is nothing to report." + _first_error(outcomes)
        )
    (root / "bench.json").write_text(json.dumps(to_json(chosen, results), indent=2) + "\n", encoding="utf-8")
    view = make_view(chosen, results)
    page = write_bench_report(view, root / "report.html")
    if figures is not None:
        write_bench_figures(view, figures)
    _show(results)
    stdout().print(plain(f"report  {page}"))
    if any(result.failures for result in results):
        raise typer.Exit(1)


class _Progress:
    """A line for every cell that ends."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.run = 0

    def tell(self, outcome: Outcome, count: int, total: int) -> None:
        if outcome.status == "kept":
            return
        self.run += 1
        left = (time.monotonic() - self.began) / self.run * (total - count)
        cell = outcome.cell
        what = "warm start" if cell.config.steps == 0 else "cell"
        text = f"{count}/{total} {what} {cell.key} seed {cell.config.seed}: {outcome.status} in {outcome.seconds:.0f} s"
        if outcome.error:
            text += f": {outcome.error}"
        stderr().print(plain(f"{text}; about {left / 60:.0f} min left", "red" if outcome.error else ""))


def _first_error(outcomes: Sequence[Outcome]) -> str:
    return next((f" The first error: {outcome.error}" for outcome in outcomes if outcome.error), "")


def _show(results: Sequence[ExperimentResult]) -> None:
    for result in results:
        _show_arms(result)
        _show_claims(result)
        for text in [*result.warnings, *result.failures]:
            stdout().print(plain(f"! {text}", "yellow"))


def _show_arms(result: ExperimentResult) -> None:
    from rich.table import Table

    table = Table(title=result.experiment.title or result.name, title_justify="left")
    target = result.experiment.target is not None
    for column in ("arm", "seeds", "truth", "proxy", "gap", "tokens", "entropy", "no signal"):
        table.add_column(column, justify="left" if column == "arm" else "right")
    if target:
        table.add_column("samples to target", justify="right")
    table.add_column("alarm")
    for arm in result.arms:
        metrics = ("truth", "proxy", "gap", "length", "entropy", "zero_variance")
        cells = [_written(arm.ends.get(metric)) for metric in metrics]
        if target:
            cells.append(f"{_written(arm.to_target)} ({arm.reached}/{len(arm.curves)})")
        table.add_row(plain(arm.label), str(len(arm.curves)), *cells, arm.alarm.state)
    stdout(140).print(table)


def _written(interval: Interval | None) -> str:
    """Mean and half the width of the interval, where there is one."""
    import math

    if interval is None or math.isnan(interval.mean):
        return "none"
    half = (interval.high - interval.low) / 2
    mean = f"{interval.mean:.3g}" if abs(interval.mean) < 1000 else f"{interval.mean:.0f}"
    return f"{mean} ± {half:.2g}" if math.isfinite(half) else mean


def _show_claims(result: ExperimentResult) -> None:
    styles = {"shown": "green", "contradicted": "red", "open": "yellow", "no data": "yellow"}
    for verdict in result.verdicts:
        mean, low, high = verdict.difference
        numbers = f"{verdict.claim.metric}, {verdict.claim.at}: difference {mean:.3g}"
        if verdict.pairs > 1:
            numbers += f" [{low:.3g}, {high:.3g}], p {verdict.p:.2g}"
        line = f"{verdict.state:>12}  {verdict.claim.says}  ({numbers}; seeds: {verdict.pairs})"
        stdout(140).print(plain(line, styles[verdict.state]))
