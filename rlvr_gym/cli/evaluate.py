"""``rlvr-gym eval``: how good a model is at an environment, with an interval."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rlvr_gym.cli.console import check_writable, open_text, plain, stderr, stdout
from rlvr_gym.cli.options import (
    DataOption,
    DifficultyOption,
    EnvArgument,
    SeedOption,
    SetOption,
    SystemPromptOption,
    open_env,
)
from rlvr_gym.cli.tasks import TaskRange
from rlvr_gym.executor import make_executor
from rlvr_gym.prompts import get_template

if TYPE_CHECKING:
    from rlvr_gym.evaluation import Sample

__all__ = ["evaluate_model"]

ENDLESS_LIMIT = 100
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="oracle, random, smollm2, hf:PATH, ckpt:DIR (a run or checkpoint), openai:URL#MODEL.",
    ),
]


def evaluate_model(
    env: EnvArgument,
    model: ModelOption,
    samples: Annotated[
        int, typer.Option("--samples", "-k", help="Attempts at each task.", min=1, max=10_000)
    ] = 1,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", help="Tasks; all of a data set, else 100.", min=1)
    ] = None,
    seed: SeedOption = 0,
    difficulty: DifficultyOption = None,
    temperature: Annotated[float, typer.Option(help="0 is greedy.", min=0.0, max=10.0)] = 1.0,
    max_tokens: Annotated[int, typer.Option(help="Most tokens of one completion.", min=1)] = 256,
    system_prompt: SystemPromptOption = "plain",
    workers: Annotated[int, typer.Option(help="Processes that verify; 0 for none.", min=0, max=1024)] = 0,
    concurrency: Annotated[
        int, typer.Option(help="Most requests at once, for openai:.", min=1, max=1024)
    ] = 16,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the numbers here (- for stdout).")
    ] = None,
    rollouts: Annotated[Path | None, typer.Option(help="Write every attempt here, as JSONL.")] = None,
    data: DataOption = None,
    settings: SetOption = None,
) -> None:
    """Evaluate a model: pass@1 with a 95 % interval, unbiased pass@k, and why attempts failed.

    Attempts whose verification or request failed are shown as invalid and are in none of the rates.
    """
    from rlvr_gym.evaluation import ModelSettings, evaluate, load_model, summarise

    opened = open_env(env, difficulty, settings, data)
    problem = opened.problem
    check_writable(json_file)
    tasks = TaskRange.of(problem, seed, count=limit, endless=ENDLESS_LIMIT)
    sampling = ModelSettings(temperature=temperature, max_tokens=max_tokens, concurrency=concurrency)
    actor = load_model(model, problem, get_template(system_prompt), sampling)
    start = time.perf_counter()
    with make_executor("process", workers=workers) if workers else make_executor("inline") as executor:
        waves = evaluate(
            problem, actor, tasks, samples=samples, seed=seed, system_prompt=system_prompt, executor=executor
        )
        finished = _collect(waves, len(tasks) * samples, rollouts)
    result = {
        "env": opened.entry.id,
        "settings": opened.settings,
        "model": model,
        "seed": seed,
        "samples_per_task": samples,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "system_prompt": system_prompt,
        "length_unit": actor.unit,
        **summarise(finished).to_dict(),
        "seconds": round(time.perf_counter() - start, 3),
    }
    if str(json_file) != "-":
        _show(result)
    if json_file is not None:
        with open_text(json_file) as stream:
            stream.write(json.dumps(_without_nan(result), indent=2, ensure_ascii=False) + "\n")


def _collect(waves: Iterator[list[Sample]], wanted: int, rollouts: Path | None) -> list[Sample]:
    """All samples; written to ``rollouts`` as they come, with progress on a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    finished: list[Sample] = []
    console = stderr()
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    output = open_text(rollouts) if rollouts is not None else nullcontext()
    with (
        output as stream,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        job = bar.add_task("", total=wanted)
        for wave in waves:
            finished += wave
            if stream is not None:
                stream.writelines(json.dumps(sample.to_dict(), ensure_ascii=False) + "\n" for sample in wave)
                stream.flush()
            correct = sum(sample.rollout.verdict.correct for sample in finished)
            bar.update(job, advance=len(wave), description=f"correct {correct / len(finished):.1%}")
    return finished


def _show(result: dict[str, Any]) -> None:
    from rich.table import Table

    console = stdout()
    console.print(plain(f"{result['env']}  {result['model']}", "bold"))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column()
    interval = f"95 % interval {result['low']:.3f} to {result['high']:.3f}"
    table.add_row("pass@1", f"[bold]{result['pass@1']:.3f}[/]", interval)
    for key, value in result.items():
        if key.startswith("pass@") and key != "pass@1":
            table.add_row(key, f"{value:.3f}", "unbiased")
    if abs(result["mean_score"] - result["pass@1"]) > 1e-9:
        table.add_row("mean score", f"{result['mean_score']:.3f}", "graded")
    clipped = f"{result['clipped_ratio']:.1%} cut off" if result["clipped_ratio"] else ""
    table.add_row("mean length", f"{result['mean_length']:.1f}", f"{result['length_unit']} {clipped}".strip())
    tried = f"{result['samples']:,} attempts at {result['tasks']:,} tasks in {result['seconds']:.1f} s"
    table.add_row("tasks", f"{result['tasks']:,}", tried)
    if result["invalid"]:
        table.add_row("[yellow]invalid[/]", f"[yellow]{result['invalid']:,}[/]", "in none of these rates")
    table.add_row()
    for reason, count in result["reasons"].items():
        table.add_row(reason, f"{count:,}", f"{count / result['samples']:.1%}")
    console.print(table)


def _without_nan(result: dict[str, Any]) -> dict[str, Any]:
    """JSON has no nan: rates over nothing become null."""
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in result.items()
    }
