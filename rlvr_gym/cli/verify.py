"""``rlvr-gym verify``: verdicts on completions from a file, streamed, in input order."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any

import typer

from rlvr_gym.cli.console import open_text, stderr
from rlvr_gym.cli.options import DataOption, DifficultyOption, SetOption, open_env
from rlvr_gym.cli.rows import Row, read_rows
from rlvr_gym.episode import Episode
from rlvr_gym.errors import ConfigError, DataError, RLVRError
from rlvr_gym.executor import make_executor
from rlvr_gym.problem import Problem
from rlvr_gym.prompts import get_template
from rlvr_gym.task import Task, TaskSource
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verification import Judge, judge_all
from rlvr_gym.verifier import get_verifier

__all__ = ["verify"]

CHUNK_PER_WORKER = 64
Item = tuple[Any, Task]


def verify(
    input: Annotated[Path, typer.Option("--input", "-i", help="JSONL; - for stdin.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="JSONL; - or nothing for stdout.")
    ] = None,
    env: Annotated[
        str | None, typer.Option(help="Rows hold 'completion', and 'task' or 'seed' and 'index'.")
    ] = None,
    verifier: Annotated[str | None, typer.Option(help="Rows hold 'completion' and 'answer'.")] = None,
    workers: Annotated[
        int, typer.Option(help="Worker processes; 0 verifies in this one.", min=0, max=1024)
    ] = 1,
    timeout: Annotated[float, typer.Option(help="Seconds before a worker is killed.", min=0.01)] = 10.0,
    difficulty: DifficultyOption = None,
    data: DataOption = None,
    settings: SetOption = None,
) -> None:
    """Verify completions from a file.

    Writes one row for each input row, in its order: id, score, correct, valid, extracted, reason, seconds. A row
    with valid=false was not judged (its verification was killed or failed) and is no wrong answer.
    """
    judge, to_item = _choose(env, verifier, difficulty, settings, data)
    if (
        output is not None
        and str(output) != "-"
        and output.exists()
        and input.exists()
        and output.samefile(input)
    ):
        raise ConfigError(f"--output {output} is the input file; choose another.")
    rows = read_rows(input)
    first = list(islice(rows, 1))  # a missing or broken input leaves an old output alone
    pairs = ((row, to_item(row)) for row in chain(first, rows))
    tally = Tally()
    executor = make_executor("process", workers=workers) if workers else make_executor("inline")
    with executor, open_text(output) as stream:
        for chunk in _chunks(pairs, CHUNK_PER_WORKER * max(workers, 1)):
            # a killed item has used up its time and would again; a crash may have been another's fault
            verdicts = judge_all(judge, [item for _, item in chunk], executor, timeout=timeout, retries=0)
            for (row, _), (verdict, seconds) in zip(chunk, verdicts, strict=True):
                stream.write(_line(row.get("id", row.line), verdict, seconds))
                tally.add(verdict)
            stream.flush()
    tally.show()


def _chunks(pairs: Iterator[tuple[Row, Item]], size: int) -> Iterator[list[tuple[Row, Item]]]:
    """Pairs in lists; what was read before a broken row comes out before its error does."""
    chunk: list[tuple[Row, Item]] = []
    try:
        for pair in pairs:
            chunk.append(pair)
            if len(chunk) == size:
                yield chunk
                chunk = []
    except RLVRError:
        yield chunk
        raise
    yield chunk


def _line(row_id: Any, verdict: Verdict, seconds: float) -> str:
    row = {
        "id": row_id,
        "score": verdict.score,
        "correct": verdict.correct,
        "valid": verdict.valid,
        "extracted": verdict.extracted,
        "reason": str(verdict.reason),
        "seconds": round(seconds, 6),
    }
    return json.dumps(row, ensure_ascii=False) + "\n"


def _choose(
    env: str | None,
    verifier: str | None,
    difficulty: str | None,
    settings: list[str] | None,
    data: Path | None,
) -> tuple[Callable[[Item], Verdict], Callable[[Row], Item]]:
    """The judge, and how a row becomes what it judges."""
    if (env is None) == (verifier is None):
        raise ConfigError("Give either --env ENV or --verifier NAME, to say who judges.")
    if verifier is not None:
        if difficulty is not None or settings or data is not None:
            raise ConfigError(
                "--difficulty, --set and --data are settings of an environment; give --env with them."
            )
        return Judge(get_verifier(verifier)), _answer_item
    assert env is not None
    problem = open_env(env, difficulty, settings, data).problem
    items = TaskItems(problem)
    return (Replay(problem) if problem.several_turns else Judge(problem.make_verifier())), items


def _answer_item(row: Row) -> Item:
    completion = row.require("completion", str, "the text to be judged")
    if "answer" not in row:
        raise DataError(
            f"{row.where} has no 'answer' (what the verifier compares with); it has {sorted(row)}."
        )
    metadata = row.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise DataError(f"{row.where}: 'metadata' is an object; got {type(metadata).__name__}.")
    return completion, Task(str(row.get("prompt", "")), row["answer"], str(row.get("id", "")), metadata)


class TaskItems:
    """Rows of an environment as ``(completion, task)``."""

    def __init__(self, problem: Problem) -> None:
        self._several = problem.several_turns
        self._source: Callable[[int], TaskSource] = lru_cache(maxsize=64)(problem.source)

    def __call__(self, row: Row) -> Item:
        """The completion (a list of actions in an environment of several turns) and the task that it is for."""
        if self._several and isinstance(row.get("completion"), list):
            completion = row["completion"]
            if not all(isinstance(action, str) for action in completion):
                raise DataError(f"{row.where}: 'completion' is a text or a list of texts, one an action.")
        else:
            completion = row.require("completion", str, "the text to be judged")
        return ([completion] if self._several and isinstance(completion, str) else completion), self._task(
            row
        )

    def _task(self, row: Row) -> Task:
        try:
            if "task" in row:
                fields = row.require("task", dict, "a task as 'rlvr-gym sample --json' prints it")
                return Task.from_dict({key: fields[key] for key in fields if key not in ("seed", "index")})
            if not {"seed", "index"} <= row.keys():
                raise DataError(f"needs 'task', or 'seed' and 'index'; it has {sorted(row)}.")
            seed = row.require("seed", int, "a whole number")
            return self._source(seed)[row.require("index", int, "a whole number")]
        except (RLVRError, IndexError) as error:
            message = str(error)
            raise DataError(
                message if message.startswith(row.where) else f"{row.where}: {message}"
            ) from error


@dataclass(frozen=True)
class Replay:
    """Plays a list of actions in an environment of several turns; picklable."""

    problem: Problem

    def __call__(self, item: tuple[list[str], Task]) -> Verdict:
        """The verdict on the episode; without one after the last action, the answer is missing."""
        actions, task = item
        episode = Episode(self.problem, task, get_template("plain"), self.problem.turn_limit(task))
        for action in actions:
            episode.act(action)
            if episode.pending is not None:
                return self.problem.make_verifier().verify(episode.pending, task)
            if episode.verdict is not None:
                return episode.verdict
        return Verdict.wrong(Reason.NO_ANSWER, turns=len(actions))


@dataclass
class Tally:
    """Counts of verdicts, and the time since the first."""

    reasons: Counter[tuple[bool, str]] = field(default_factory=Counter)
    correct: int = 0
    score: float = 0.0
    start: float = field(default_factory=time.perf_counter)

    def add(self, verdict: Verdict) -> None:
        """Counts one."""
        self.reasons[verdict.valid, str(verdict.reason)] += 1
        self.correct += verdict.correct
        self.score += verdict.score if verdict.valid else 0.0

    def show(self) -> None:
        """Prints the summary to stderr."""
        from rich.table import Table

        seconds = time.perf_counter() - self.start
        total = self.reasons.total()
        valid = sum(count for (is_valid, _), count in self.reasons.items() if is_valid)
        console = stderr()
        console.print(
            f"{total:,} rows in {seconds:.1f} s ({total / max(seconds, 1e-9):,.0f}/s)", style="bold"
        )
        if valid:
            rate, score = self.correct / valid, self.score / valid
            console.print(f"{self.correct:,} of {valid:,} correct ({rate:.1%}), mean score {score:.3f}")
        if valid < total:
            console.print(f"{total - valid:,} could not be verified and count as neither", style="yellow")
        table = Table(box=None, show_header=False, pad_edge=False)
        for (is_valid, reason), count in self.reasons.most_common():
            table.add_row(reason, f"{count:,}", "" if is_valid else "not verified")
        console.print(table)
