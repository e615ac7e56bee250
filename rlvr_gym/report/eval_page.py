"""Evaluations as HTML pages: no network, no framework, everything from models and tasks escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from rlvr_gym.report.cards import Card, Note, verdict_counts
from rlvr_gym.report.page import write_page
from rlvr_gym.report.templates import asset, render_template

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
    cards = [_card(row, summary["length_unit"]) for row in _chosen(rows)]
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
        verdicts=verdict_counts(cards),
        shown=f"{len(cards)} of {len(rows):,} attempts, of every verdict in every environment.",
        config=_config(summary),
    )


def render_leaderboard(board: Mapping[str, Any]) -> str:
    """The page of a leaderboard as text; see :func:`rlvr_gym.evaluation.leaderboard.make_leaderboard`."""
    facts = [
        ("tasks", _count(board["tasks"])),
        ("environments", _count(len(board["parts"]))),
        ("suite", board["suite_digest"]),
    ]
    return _render("leaderboard.html", title=f"Leaderboard: {board['suite']}", board=board, facts=facts)


def _render(template: str, **values: Any) -> str:
    return render_template(
        template,
        css=[asset("page.css"), asset("bench.css")],
        script=[asset("page.js"), asset("bench.js")],
        filters={"percent": _percent, "count": _count},
        **values,
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


def _card(row: Mapping[str, Any], unit: str) -> Card:
    error = row["verdict"]["details"].get("error")
    told = [
        _NOTES.get(str(row["finish_reason"])),
        f"{row['num_tokens']:,} {unit}",
        None if error is None else str(error),
    ]
    return Card.of(row, [Note(value=str(row["part"])), *(Note(text) for text in told if text)])


def _chosen(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """At most ``MAX_CARDS`` rows: the first of every verdict in every part, the second of every one, and so on."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((str(row["part"]), str(row["verdict"]["reason"])), []).append(row)
    dealt: Iterable[Mapping[str, Any] | None] = chain.from_iterable(zip_longest(*groups.values()))
    return [row for row in dealt if row is not None][:MAX_CARDS]
