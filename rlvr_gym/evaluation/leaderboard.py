"""Several models on the same suite, the best one first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rlvr_gym.errors import ConfigError
from rlvr_gym.evaluation.compare import compare
from rlvr_gym.evaluation.folder import read_samples, read_summary

__all__ = ["as_markdown", "make_leaderboard"]

_KEPT = ("label", "model", "samples", "samples_per_task", "invalid", "truncated", "pass@1", "low", "high",
         "mean_score", "tokens", "cost", "mean_length", "length_unit", "seconds")  # fmt: skip
_PART = ("tasks", "pass@1", "low", "high", "mean_score", "truncated", "invalid")


def make_leaderboard(folders: Sequence[Path]) -> dict[str, Any]:
    """The table of several evaluations, JSON-ready.

    ``rows`` are sorted by pass@1; each but the first has ``behind``: the paired difference to the first, with its
    95 % interval.

    Args:
        folders: of finished evaluations of one suite, with the same tasks.

    Raises:
        ConfigError: if they are of different suites or tasks.
        DataError: if a folder holds no finished evaluation.
    """
    summaries = [(read_summary(folder), folder) for folder in folders]
    first, where = summaries[0]
    for summary, folder in summaries[1:]:
        if summary["suite_digest"] != first["suite_digest"]:
            raise ConfigError(
                f"{folder} ({summary['suite']}, {summary['tasks']} tasks, seed {summary['seed']}) and {where} "
                f"({first['suite']}, {first['tasks']} tasks, seed {first['seed']}) did not attempt the same tasks; "
                "a leaderboard is of one suite, seed and limit."
            )
    summaries.sort(key=lambda pair: -(pair[0]["pass@1"] or 0.0))
    rows = [_row(summary, folder) for summary, folder in summaries]
    _tell_apart(rows)
    best, weights = read_samples(summaries[0][1]), {n: p["weight"] for n, p in first["parts"].items()}
    for row, (_, folder) in zip(rows[1:], summaries[1:], strict=True):
        told = compare(best, read_samples(folder), weights).to_dict()
        row["behind"] = {key: told[key] for key in ("difference", "low", "high", "p")}
    return {
        "suite": first["suite"],
        "suite_digest": first["suite_digest"],
        "seed": first["seed"],
        "tasks": first["tasks"],
        "parts": list(first["parts"]),
        "rows": rows,
    }


def _row(summary: dict[str, Any], folder: Path) -> dict[str, Any]:
    parts = {name: {key: part[key] for key in _PART} for name, part in summary["parts"].items()}
    return {**{key: summary[key] for key in _KEPT}, "folder": str(folder), "behind": None, "parts": parts}


def _tell_apart(rows: Sequence[dict[str, Any]]) -> None:
    """Rows with the same label get their folders' names."""
    labels = [row["label"] for row in rows]
    for row in rows:
        if labels.count(row["label"]) > 1:
            row["label"] = f"{row['label']} ({Path(row['folder']).name})"


def as_markdown(board: dict[str, Any]) -> str:
    """The table of models in Markdown."""
    head = [
        "#",
        "model",
        "pass@1 [95 %]",
        "behind the first",
        "cut off",
        "invalid",
        "tokens in / out",
        "cost",
    ]
    lines = [head, ["---"] * len(head)]
    for number, row in enumerate(board["rows"], 1):
        behind, tokens = row["behind"], row["tokens"]
        lines.append([
            str(number),
            row["label"].replace("|", "\\|").replace("\n", " "),
            _interval(row["pass@1"], row),
            "" if behind is None else _interval(behind["difference"], behind),
            f"{row['truncated']:,}",
            f"{row['invalid']:,}",
            f"{tokens['input']:,} / {tokens['output']:,}",
            "" if row["cost"] is None else f"{row['cost']:.4f}",
        ])  # fmt: skip
    title = (
        f"{board['suite']}: {board['tasks']:,} tasks, seed {board['seed']}, suite {board['suite_digest']}\n\n"
    )
    return title + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _interval(value: float | None, row: dict[str, Any]) -> str:
    return "–" if value is None else f"{value:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
