"""Items and scores per second, and duplicates: our generators against reasoning-gym's, at matched parameters.

    OMP_WAIT_POLICY=PASSIVE python benchmarks/generators.py [--only Zebra Sudoku ...] [--seconds 2]
        [--duplicates 10000] [--duplicate-seconds 10] [--reasoning 2000] [--markdown FILE] [--json FILE]

The pairs and what is matched stand in ``generator_pairs.py``. Both sides take turns within each round, so that a
noisy machine disturbs both alike; rates are per second of CPU time, and the ratio is the median over the rounds.

An item is a whole one: ours comes with its worked solution and measured hardness. A score is that of a completion:
``--reasoning`` characters of text, then the answer in ``<answer>`` tags, by turns an item's own answer and another
one's; both sides find the answer by their own extraction. Duplicates are items whose prompt came before, among as
many as can be made in the time that is given.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import count, cycle
from pathlib import Path
from typing import Any, Protocol

from generator_pairs import PAIRS, Pair
from rich.console import Console
from rich.table import Table

from rlvr_gym import load_problem
from rlvr_gym.problem import Dialogue

SEED = 1
ROUNDS = 5
SAMPLE = 24
ANSWER_KEYS = ("example_answer", "possible_answer", "example_correct_answer")
"""Where reasoning-gym keeps an answer of tasks that have several."""
FILLER = "First I look at what is given, then I try the next step, and I check it once more before I go on. "
Row = dict[str, Any]


class Side(Protocol):
    """A generator with its scorer."""

    def item(self, index: int) -> Any:
        """The item at an index."""

    def prompt(self, item: Any) -> str:
        """What the policy sees."""

    def answer(self, item: Any) -> str:
        """An item's own answer."""

    def score(self, completion: str, item: Any) -> float:
        """The score of a completion."""


class Ours:
    """An environment of rlvr-gym."""

    def __init__(self, pair: Pair) -> None:
        self.problem = load_problem(pair.ours, **pair.settings)
        self.source = self.problem.source(SEED)
        self.verifier = None if isinstance(self.problem, Dialogue) else self.problem.make_verifier()

    def item(self, index: int) -> Any:
        """As in :class:`Side`."""
        return self.source[index]

    def prompt(self, item: Any) -> str:
        """As in :class:`Side`."""
        return str(item.prompt)

    def answer(self, item: Any) -> str:
        """As in :class:`Side`."""
        return self.problem.answer_text(item)

    def score(self, completion: str, item: Any) -> float:
        """As in :class:`Side`."""
        assert self.verifier is not None
        return self.verifier.verify(completion, item).score


class Theirs:
    """A data set of reasoning-gym; what its constructor does is not timed."""

    def __init__(self, pair: Pair, size: int = 10_000_000) -> None:
        import reasoning_gym
        from reasoning_gym.utils import extract_answer

        self.dataset = reasoning_gym.create_dataset(pair.theirs, size=size, seed=SEED, **pair.parameters)
        self.extract = extract_answer

    def item(self, index: int) -> Any:
        """As in :class:`Side`."""
        return self.dataset[index]

    def prompt(self, item: Any) -> str:
        """As in :class:`Side`."""
        return str(item["question"])

    def answer(self, item: Any) -> str:
        """As in :class:`Side`."""
        if item["answer"] is not None:
            return str(item["answer"])
        known = next(item["metadata"][key] for key in ANSWER_KEYS if key in item["metadata"])
        return json.dumps({str(k): v for k, v in known.items()}) if isinstance(known, dict) else str(known)

    def score(self, completion: str, item: Any) -> float:
        """As in :class:`Side`."""
        return float(self.dataset.score_answer(self.extract(completion), item))


def rate(work: Iterator[Any], seconds: float) -> float:
    """Steps of ``work`` in a second of CPU time; at least one is made."""
    steps, start, spent = 0, time.process_time(), 0.0
    while spent < seconds:
        next(work)
        steps += 1
        spent = time.process_time() - start
    return steps / spent


def generation(side: Side) -> Iterator[Any]:
    """Items, one after the other."""
    return (side.item(index) for index in count(SAMPLE))


def scoring(side: Side, reasoning: int) -> Iterator[float]:
    """Scores of right and wrong completions by turns."""
    items = [side.item(index) for index in range(SAMPLE)]
    answers = [side.answer(item) for item in items]
    text = (FILLER * (reasoning // len(FILLER) + 1))[:reasoning]
    right = [side.score(f"<answer>{a}</answer>", item) for a, item in zip(answers, items, strict=True)]
    if statistics.mean(right) < 1.0:
        print(f"{type(side).__name__}: its own answers score {statistics.mean(right):.2f}", file=sys.stderr)
    work = [
        (f"{text}\n<answer>{answers[index - index % 2]}</answer>", item) for index, item in enumerate(items)
    ]
    return (side.score(completion, item) for completion, item in cycle(work))


def interleaved(works: dict[str, Iterator[Any]], seconds: float) -> Row:
    """The median rate of each, and the median of their ratios."""
    for work in works.values():
        next(work)  # whatever is made once is made here
    rates = [{name: rate(work, seconds / ROUNDS) for name, work in works.items()} for _ in range(ROUNDS)]
    medians = {name: statistics.median(r[name] for r in rates) for name in works}
    return {**medians, "ratio": statistics.median(r["ours"] / r["theirs"] for r in rates)}


def duplicates(side: Side, wanted: int, seconds: float) -> Row:
    """How many of the first items repeat an earlier prompt."""
    start, made, seen = time.process_time(), 0, set()
    while made < wanted and (made < 2 or time.process_time() - start < seconds):
        seen.add(side.prompt(side.item(made)))
        made += 1
    return {"made": made, "repeated": made - len(seen)}


def compare(pair: Pair, options: argparse.Namespace) -> Row:
    """All that is measured about a pair."""
    sides: dict[str, Side] = {"ours": Ours(pair), "theirs": Theirs(pair)}
    row: Row = {"ours": pair.ours, "theirs": pair.theirs, "note": pair.note}
    row["items"] = interleaved({name: generation(side) for name, side in sides.items()}, options.seconds)
    if not isinstance(load_problem(pair.ours), Dialogue):
        works: dict[str, Iterator[Any]] = {name: scoring(s, options.reasoning) for name, s in sides.items()}
        row["scores"] = interleaved(works, options.seconds / 4)
    if options.duplicates:
        row["duplicates"] = {
            name: duplicates(side, options.duplicates, options.duplicate_seconds)
            for name, side in sides.items()
        }
    return row


def cells(row: Row) -> list[str]:
    """A row of the table, as text."""
    shown = [row["ours"], row["theirs"]]
    for kind in ("items", "scores"):
        found = row.get(kind)
        shown += (
            [f"{found['ours']:,.0f}", f"{found['theirs']:,.4g}", f"{found['ratio']:,.2f}"]
            if found
            else ["", "", ""]
        )
    for side in ("ours", "theirs"):
        found = row.get("duplicates", {}).get(side)
        shown.append(f"{found['repeated']:,} of {found['made']:,}" if found else "")
    return shown


TITLES = (
    "ours", "reasoning-gym", "items/s", "theirs", "ratio", "scores/s", "theirs", "ratio", "our duplicates", "theirs",
)  # fmt: skip


def markdown(rows: list[Row]) -> str:
    """The rows as a Markdown table, and what each pair matches."""
    lines = [TITLES, ("---", "---", *["---:"] * (len(TITLES) - 2)), *map(cells, rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    notes = "\n".join(f"- {row['ours']}, {row['theirs']}: {row['note']}." for row in rows)
    return f"{table}\n\n{notes}\n"


def summary(rows: list[Row]) -> str:
    """The worst ratios, in one line for each measure."""
    told = []
    for kind in ("items", "scores"):
        ratios: list[tuple[float, str]] = sorted((r[kind]["ratio"], r["ours"]) for r in rows if kind in r)
        below = ", ".join(f"{name} {ratio:.2f}" for ratio, name in ratios if ratio < 0.5)
        middle = statistics.median(ratio for ratio, _ in ratios)
        told.append(f"{kind}: median ratio {middle:,.2f}; slower by more than 2x: {below or 'none'}")
    return "\n".join(told)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="environments of ours or data sets of theirs"
    )
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="of CPU, for the items of each side of a pair"
    )
    parser.add_argument(
        "--duplicates", type=int, default=10_000, help="items to look for duplicates in; 0: none"
    )
    parser.add_argument("--duplicate-seconds", type=float, default=10.0, help="most time for that, each side")
    parser.add_argument("--reasoning", type=int, default=2000, help="characters before the answer")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    return parser.parse_args()


def main() -> None:
    options = parse()
    chosen = [p for p in PAIRS if not options.only or {p.ours, p.theirs} & set(options.only)]
    rows: list[Row] = []
    for pair in chosen:
        rows.append(compare(pair, options))
        print("  ".join(cells(rows[-1])), flush=True)
    table = Table(*TITLES)
    for row in rows:
        table.add_row(*cells(row))
    console = Console(width=200)
    console.print(table)
    console.print(summary(rows))
    if options.markdown:
        options.markdown.write_text(markdown(rows))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
