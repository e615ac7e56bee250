"""``rlvr-gym eval``: how good a model is at an environment or a suite, with intervals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rlvr_gym.cli.console import check_writable, open_text, stderr
from rlvr_gym.cli.evaluation_tables import show_result
from rlvr_gym.cli.options import DataOption, DifficultyOption, SetOption, open_env
from rlvr_gym.errors import ConfigError, UnknownNameError
from rlvr_gym.executor import make_executor
from rlvr_gym.prompts import get_template

if TYPE_CHECKING:
    from rlvr_gym.evaluation import Model, Plan, Sample, Suite, SuiteRun

__all__ = ["evaluate_model"]

TargetArgument = Annotated[
    str,
    typer.Argument(
        metavar="SUITE_OR_ENV",
        help="A suite (quick, math, code, logic, all, or a .yaml file), or an environment.",
    ),
]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="openai:URL#MODEL, hf:PATH, vllm:PATH, ckpt:DIR (a run or checkpoint), smollm2, oracle, random, empty, "
        "or a .yaml file that holds a model and its settings.",
    ),
]


def evaluate_model(
    target: TargetArgument,
    model: ModelOption,
    samples: Annotated[
        int | None,
        typer.Option("--samples", "-k", help="Attempts at each task; by default 1.", min=1, max=10_000),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            help="Most tasks altogether, spread evenly; an environment has 100, or its data.",
            min=1,
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The stream of tasks; by default the suite's.", min=0, max=2**32 - 1)
    ] = None,
    difficulty: DifficultyOption = None,
    temperature: Annotated[
        float | None, typer.Option(help="0 is greedy; by default the suite's, or 1.", min=0.0, max=10.0)
    ] = None,
    top_p: Annotated[
        float | None, typer.Option(help="The nucleus; by default 1.", min=0.001, max=1.0)
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(help="Most tokens of one completion; by default the suite's, or 256.", min=1)
    ] = None,
    system_prompt: Annotated[
        str | None, typer.Option(help="plain, r1, boxed, or a system prompt of your own; by default plain.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that verify; 0 for none.", min=0, max=1024)] = 0,
    concurrency: Annotated[
        int | None, typer.Option(help="Most requests at once, for openai:; by default 16.", min=1, max=1024)
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds for one request, for openai:; by default 600.", min=0.01)
    ] = None,
    retries: Annotated[
        int | None, typer.Option(help="Further tries of a request that failed; by default 5.", min=0, max=100)
    ] = None,
    price_in: Annotated[float | None, typer.Option(help="Of a million tokens of prompts.", min=0.0)] = None,
    price_out: Annotated[
        float | None, typer.Option(help="Of a million tokens of completions.", min=0.0)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The folder of answers, rollouts, summary and page; started again, it goes on with what is there. "
            "runs/eval/SUITE/MODEL for an endpoint; others keep nothing by default.",
        ),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the numbers here (- for stdout).")
    ] = None,
    rollouts: Annotated[Path | None, typer.Option(help="Write every attempt here, as JSONL.")] = None,
    data: DataOption = None,
    settings: SetOption = None,
) -> None:
    """Evaluate a model: pass@1 with a 95 % interval, unbiased pass@k, tokens and cost, and why attempts failed.

    Attempts whose verification or request failed are shown as invalid and are in none of the rates; started again
    on the same folder, they alone are tried again.
    """
    from rlvr_gym.evaluation import load_model, make_plan

    suite = _suite(target, seed, difficulty, settings, data).limited(limit)
    plan = make_plan(
        suite, model, samples=samples, temperature=temperature, top_p=top_p, max_tokens=max_tokens,
        system_prompt=system_prompt, concurrency=concurrency, timeout=timeout, retries=retries,
        price_in=price_in, price_out=price_out,
    )  # fmt: skip
    check_writable(json_file)
    check_writable(rollouts)
    actor = load_model(plan.model, get_template(plan.system_prompt), plan.settings)
    run, folder = _run(plan, actor, output, workers)
    if rollouts is not None:
        with open_text(rollouts) as stream:
            stream.writelines(
                json.dumps(sample.to_dict(), ensure_ascii=False) + "\n" for sample in run.samples
            )
    if str(json_file) != "-":
        show_result(run.summary, folder)
    if json_file is not None:
        with open_text(json_file) as stream:
            stream.write(json.dumps(run.summary, indent=2, ensure_ascii=False) + "\n")


def _suite(
    target: str, seed: int | None, difficulty: str | None, settings: list[str] | None, data: Path | None
) -> Suite:
    from dataclasses import replace

    from rlvr_gym.evaluation.suite import Suite, builtin_suites, is_suite, load_suite

    if not is_suite(target):
        try:
            opened = open_env(target, difficulty, settings, data)
        except UnknownNameError as error:
            raise ConfigError(f"{error} Suites are {', '.join(builtin_suites())}, and YAML files.") from error
        return Suite.single(opened.entry.id, opened.settings, seed or 0)
    if difficulty is not None or settings or data is not None:
        raise ConfigError(
            "A suite fixes the settings of its environments: --difficulty, --set and --data are for single ones; "
            "write a suite of your own (YAML) to change them."
        )
    suite = load_suite(target)
    return suite if seed is None else replace(suite, seed=seed)


def _run(plan: Plan, model: Model, output: Path | None, workers: int) -> tuple[SuiteRun, Path | None]:
    """Evaluates, and writes the folder, if there is to be one."""
    from rlvr_gym.evaluation import Journal, StreamingModel, run_suite
    from rlvr_gym.evaluation.folder import JOURNAL, default_folder, open_folder, write_results
    from rlvr_gym.report.eval_page import write_eval_page

    folder = output
    if folder is None and isinstance(model, StreamingModel):  # what is paid for is kept
        folder = default_folder(plan, model.identity)
    with ExitStack() as stack:
        executor = make_executor("process", workers=workers) if workers else make_executor("inline")
        stack.enter_context(executor)
        journal = None
        if folder is not None:
            open_folder(folder, plan, model.identity)
            journal = stack.enter_context(Journal(folder / JOURNAL))
            if len(journal):
                stderr().print(
                    f"{len(journal):,} answers are in {folder} already; they are not asked for again."
                )
        with _progress() as progress:
            run = run_suite(plan, model, journal=journal, executor=executor, on_progress=progress)
        if folder is not None:
            write_results(folder, run.samples, run.summary)
            rows = [sample.to_dict() for sample in run.samples]
            write_eval_page(run.summary, rows, folder / "report.html")
    return run, folder


class _Bar:
    """Progress on a terminal: how many are finished, and how many of them are right."""

    def __init__(self, bar: Any) -> None:
        self._bar, self._job = bar, bar.add_task("", total=None)
        self._finished = self._correct = self._invalid = 0

    def __call__(self, samples: Sequence[Sample], wanted: int) -> None:
        verdicts = [sample.rollout.verdict for sample in samples]
        self._finished += len(verdicts)
        self._correct += sum(verdict.correct for verdict in verdicts)
        self._invalid += sum(not verdict.valid for verdict in verdicts)
        told = f"correct {self._correct / max(1, self._finished - self._invalid):.1%}"
        told += f", {self._invalid} invalid" if self._invalid else ""
        self._bar.update(self._job, total=wanted, advance=len(verdicts), description=told)


@contextmanager
def _progress() -> Iterator[_Bar]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = stderr()
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield _Bar(bar)
