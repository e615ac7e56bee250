"""Evaluations as HTML pages: no network, no framework, everything from models and tasks escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from rlvr_gym.report.bench_page import sort_key
from rlvr_gym.report.page import asset, cut, write_page, written

__all__ = ["render_eval", "render_leaderboard", "write_eval_page", "write_leaderboard"]

MAX_CARDS = 240
_NOTES = {"length": "cut off", "content_filter": "filtered"}


def write_eval_page(summary: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], output: Path) -> Path:
    """Writes the page of one evaluation; returns its path.

    Args:
        summary: what :class:`rlvr_gym.evaluation.SuiteRun` has.
        rows: its rollouts, as rows.
        output: the file.

    Raises:
        ConfigError: if it cannot be written.
    """
    return write_page(output, render_eval(summary, rows))


def write_leaderboard(board: Mapping[str, Any], output: Path) -> Path:
    """Writes the page of a leaderboard; returns its path.

    Raises:
        ConfigError: if it cannot be written.
    """
    return write_page(output, render_leaderboard(board))


def render_eval(summary: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """The page of one evaluation as text."""
    cards = [_Card.of(row, summary["length_unit"]) for row in _chosen(rows)]
    return _render(
        "eval.html",
        title=f"{summary['label']} on {summary['suite']}",
        summary=summary,
        several=len(summary["parts"]) > 1,
        facts=_facts(summary),
        pass_at=[
            (key, value) for key, value in summary.items() if key.startswith("pass@") and key != "pass@1"
        ],
        cards=cards,
        verdicts=_verdicts(cards),
        total=len(rows),
        config=_config(summary),
    )


def render_leaderboard(board: Mapping[str, Any]) -> str:
    """The page of a leaderboard as text; see :func:`rlvr_gym.evaluation.leaderboard.make_leaderboard`."""
    return _render("leaderboard.html", title=f"Leaderboard: {board['suite']}", board=board)


def _render(template: str, **values: Any) -> str:
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters |= {"percent": _percent, "count": _count, "sort_key": sort_key}
    return environment.from_string(asset("eval_macros.html") + asset(template)).render(
        css=asset("page.css") + asset("bench.css"), script=asset("page.js") + asset("bench.js"), **values
    )


def _percent(value: Any) -> str:
    return f"{100 * value:.1f}".replace("-", "−") if isinstance(value, int | float) else "–"


def _count(value: Any) -> str:
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _facts(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The line under the title."""
    tokens = summary["tokens"]
    facts: list[tuple[str, Any]] = [
        ("tasks", _count(summary["tasks"])),
        ("attempts", _count(summary["samples"])),
        ("truncated", _count(summary["truncated"])),
        ("invalid", _count(summary["invalid"])),
        ("tokens in", _count(tokens["input"]) if tokens["input"] else None),
        ("tokens out", _count(tokens["output"]) if tokens["output"] else None),
        ("cost", None if summary["cost"] is None else f"{summary['cost']:.4f}"),
    ]
    return [(name, value) for name, value in facts if value is not None]


def _config(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    names = ("model", "suite", "suite_digest", "seed", "samples_per_task", "temperature", "top_p", "max_tokens",
             "system_prompt", "length_unit", "requests", "seconds", "version")  # fmt: skip
    return [(name, str(summary[name])) for name in names if name in summary]


@dataclass(frozen=True, slots=True)
class _Card:
    """An attempt as the page shows it."""

    part: str
    prompt: str
    completion: str
    verdict: str
    tone: str
    extracted: str | None
    notes: list[str]

    @classmethod
    def of(cls, row: Mapping[str, Any], unit: str) -> _Card:
        verdict = row["verdict"]
        extracted, error = verdict.get("extracted"), verdict["details"].get("error")
        note = _NOTES.get(str(row["finish_reason"]))
        told = [
            note,
            f"{row['num_tokens']:,} {unit}",
            None if error is None else cut(str(error), 300),
        ]
        return cls(
            part=str(row["part"]),
            prompt=cut(str(row["prompt"])),
            completion=cut(written(row)),
            verdict=str(verdict["reason"]),
            tone="good" if verdict["correct"] else "bad" if verdict["valid"] else "void",
            extracted=None if extracted is None else cut(str(extracted), 300),
            notes=[text for text in told if text],
        )


def _chosen(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """At most ``MAX_CARDS`` rows: the first of every verdict in every part, the second of every one, and so on."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((str(row["part"]), str(row["verdict"]["reason"])), []).append(row)
    dealt: Iterable[Mapping[str, Any] | None] = chain.from_iterable(zip_longest(*groups.values()))
    return [row for row in dealt if row is not None][:MAX_CARDS]


def _verdicts(cards: Sequence[_Card]) -> list[tuple[str, str, int]]:
    """``(reason, tone, count)`` for the filter: right ones first, then by frequency."""
    counts = Counter((card.verdict, card.tone) for card in cards)
    order = sorted(counts.items(), key=lambda item: (item[0][1] != "good", -item[1]))
    return [(reason, tone, count) for (reason, tone), count in order]
