"""``rlvr-gym play``: a person in the policy's place."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from rlvr_gym.cli.console import plain, stderr, stdout
from rlvr_gym.cli.options import (
    DataOption,
    DifficultyOption,
    EnvArgument,
    SeedOption,
    SetOption,
    SystemPromptOption,
    open_env,
)
from rlvr_gym.env import TextEnv
from rlvr_gym.errors import DataError
from rlvr_gym.problem import Dialogue
from rlvr_gym.verdict import Verdict

__all__ = ["play"]


def play(
    env: EnvArgument,
    seed: SeedOption = 0,
    index: Annotated[int, typer.Option(help="Which task of the stream.", min=0)] = 0,
    difficulty: DifficultyOption = None,
    reward: Annotated[str, typer.Option(help="The reward design.")] = "binary",
    system_prompt: SystemPromptOption = "plain",
    data: DataOption = None,
    settings: SetOption = None,
) -> None:
    """Play one task yourself and see the verdict.

    In a terminal an empty line ends your answer; from a pipe the whole input is the answer. In an environment of
    several turns each line is one action.
    """
    problem = open_env(env, difficulty, settings, data).problem
    game = TextEnv(problem, reward=reward, system_prompt=system_prompt, observation="chat")
    conversation, _ = game.reset(seed=seed, options={"index": index})
    several = isinstance(problem.owner(game.task), Dialogue)
    shown = _show_new(conversation, 0)
    while True:
        conversation, total, terminated, truncated, info = game.step(_read(several))
        shown = _show_new(conversation, shown)
        if terminated or truncated:
            break
    _show_verdict(info["verdict"], total, info["reward_terms"], problem.answer_text(game.task))


def _show_new(conversation: str, shown: int) -> int:
    """Prints what was said since message ``shown``; returns how many messages there are."""
    messages = json.loads(conversation)
    for message in messages[shown:]:
        if message["role"] != "assistant":
            stdout().print(plain(message["content"], "cyan" if shown else ""))
    return len(messages)


def _read(several: bool) -> str:
    """One action from stdin.

    Raises:
        DataError: if the input ends before there is one.
    """
    interactive = sys.stdin.isatty()
    if interactive:
        hint = "one line" if several else "an empty line ends it"
        stderr().print(f"your answer ({hint}):", style="dim")
    if several:
        line = sys.stdin.readline()
        if not line:
            raise DataError("The input ended in the middle of the episode; give one action a line.")
        return line.rstrip("\n")
    if not interactive:
        return sys.stdin.read()
    lines: list[str] = []
    for line in sys.stdin:
        if not line.strip() and lines:
            break
        lines.append(line)
    if not lines:
        raise DataError("The input ended before there was an answer.")
    return "".join(lines).strip()


def _show_verdict(verdict: Verdict, total: float, terms: dict[str, float], answer: str) -> None:
    from rich.table import Table

    console = stdout()
    style = "green" if verdict.correct else "red" if verdict.valid else "yellow"
    console.print()
    console.print(plain("correct" if verdict.correct else str(verdict.reason), f"bold {style}"))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    table.add_row("read as", plain(verdict.extracted if verdict.extracted is not None else "nothing"))
    if not verdict.correct:
        table.add_row("reference answer", plain(answer))
    table.add_row("score", f"{verdict.score:g}")
    table.add_row("reward", f"{total:g}")
    for name, value in terms.items():
        table.add_row(f"  {name}", f"{value:g}")
    console.print(table)
