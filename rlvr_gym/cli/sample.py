"""``rlvr-gym sample``: tasks as a policy sees them, or as JSON."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from rlvr_gym.cli.console import open_text, plain, stdout
from rlvr_gym.cli.options import DataOption, DifficultyOption, EnvArgument, SeedOption, SetOption, open_env
from rlvr_gym.cli.tasks import TaskRange
from rlvr_gym.task import Task

__all__ = ["sample"]


def sample(
    env: EnvArgument,
    seed: SeedOption = 0,
    start: Annotated[int, typer.Option(help="The first task's index in the stream.", min=0)] = 0,
    count: Annotated[int, typer.Option("--count", "-n", help="How many tasks.", min=1)] = 1,
    difficulty: DifficultyOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    solution: Annotated[bool, typer.Option(help="Show the worked solution.")] = True,
    data: DataOption = None,
    settings: SetOption = None,
) -> None:
    """Show tasks of an environment: prompt, answer and worked solution."""
    opened = open_env(env, difficulty, settings, data)
    tasks = TaskRange.of(opened.problem, seed, start=start, count=count)
    if as_json:
        with open_text(None) as stream:
            for index, task in tasks:
                task.to_json()  # refuses what JSON cannot carry
                row = {**task.to_dict(), "seed": seed, "index": index}
                if not solution:
                    del row["solution"]
                stream.write(json.dumps(row, sort_keys=True, ensure_ascii=False) + "\n")
        return
    for index, task in tasks:
        _show(opened.entry.id, seed, index, opened.problem.answer_text(task), task, solution)


def _show(env_id: str, seed: int, index: int, answer: str, task: Task, solution: bool) -> None:
    from rich.console import Group, RenderableType
    from rich.panel import Panel
    from rich.rule import Rule

    parts: list[RenderableType] = [plain(task.prompt), Rule("answer", style="dim"), plain(answer, "bold")]
    if solution and task.solution is not None:
        parts += [Rule("solution", style="dim"), plain(task.solution)]
    facts = ", ".join(
        f"{key}={value}" for key, value in task.metadata.items() if isinstance(value, int | float | str)
    )
    parts += [Rule(style="dim"), plain(facts[:500], "dim")]
    title = f"{env_id}  seed {seed}  index {index}"
    stdout().print(Panel(Group(*parts), title=title, title_align="left", border_style="cyan"))
