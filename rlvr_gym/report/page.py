"""The report of a training run as one HTML page: no network, no framework, everything from the run escaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlvr_gym.errors import ConfigError, DataError, os_reason
from rlvr_gym.report.cards import Card, Note, verdict_counts
from rlvr_gym.report.curves import learning_curve, panels
from rlvr_gym.report.run_data import RunData
from rlvr_gym.report.templates import asset, render_template
from rlvr_gym.stats import Interval, difference

__all__ = ["write_figure", "write_page", "write_report"]

MAX_ROLLOUTS = 240
FIGURE_WIDTH, FIGURE_HEIGHT = 760, 360


def write_report(run_dir: Path, output: Path | None = None) -> Path:
    """Writes the page; returns its path.

    Args:
        run_dir: the folder of a training run.
        output: the file; ``report.html`` in the run's folder by default.

    Raises:
        DataError: if the folder holds no run.
        ConfigError: if the file cannot be written.
    """
    page = render(RunData.load(run_dir))
    return write_page(output or run_dir / "report.html", page)


def write_figure(run_dir: Path, output: Path) -> Path:
    """Writes the learning curve alone, as an SVG file that follows the reader's light or dark scheme.

    Raises:
        DataError: if the folder holds no run, or one without any curve.
        ConfigError: if the file is no ``.svg`` or cannot be written.
    """
    if output.suffix.lower() != ".svg":
        raise ConfigError(
            f"The figure is written as SVG; give a name that ends in .svg, not {output.name!r}."
        )
    chart = learning_curve(RunData.load(run_dir), FIGURE_WIDTH, FIGURE_HEIGHT)
    if chart is None:
        raise DataError(f"{run_dir} holds no evaluation and no reward yet; there is no curve to draw.")
    legend = "".join(
        f'<circle class="dot c{line.colour}" cx="{66 + 190 * i}" cy="-10" r="4"/>'
        f'<text class="legend" x="{76 + 190 * i}" y="-6">{line.label}</text>'
        for i, line in enumerate(chart.lines)
    )
    svg = chart.svg(f"<style>{asset('figure.css')}</style>{legend}")
    box = f'viewBox="0 0 {FIGURE_WIDTH} {FIGURE_HEIGHT}"'
    return write_page(
        output, svg.replace(box, f'viewBox="0 -26 {FIGURE_WIDTH} {FIGURE_HEIGHT + 26}"', 1) + "\n"
    )


def write_page(path: Path, text: str) -> Path:
    """Writes a page or figure; returns its path.

    Raises:
        ConfigError: if it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # what a policy wrote may hold lone surrogates, which UTF-8 has no bytes for
        path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({os_reason(error)}); choose another place for the output."
        ) from error
    return path


def render(run: RunData) -> str:
    """The page as text."""
    rows = _spread(run.rollouts, MAX_ROLLOUTS)
    cards = [_card(row) for row in rows]
    of_all = f"{len(rows)} of {len(run.rollouts):,} saved rollouts, spread over the run, newest first."
    results = _results(run)
    return render_template(
        "page.html",
        css=[asset("page.css")],
        script=[asset("page.js")],
        title=f"{_dig(run.config, 'env', 'id') or run.folder.name}",
        facts=_facts(run),
        results=results,
        gain=_gain(results),
        base_rate=_base_rate(run),
        wide=learning_curve(run, 960, 340),
        narrow=learning_curve(run, 340, 250),
        panels=panels(run),
        cards=cards,
        verdicts=verdict_counts(cards),
        shown=of_all if len(rows) < len(run.rollouts) else f"All {len(rows)} saved rollouts, newest first.",
        config=_sections(run.config),
    )


@dataclass(frozen=True, slots=True)
class Result:
    """A held-out evaluation as the head of the page shows it; rates in percent."""

    name: str
    step: int
    rate: float
    low: float
    high: float
    tasks: int
    mean_length: float | None


def _results(run: RunData) -> list[Result]:
    """The first and the last evaluation of reinforcement learning."""
    rows = run.accuracy()
    chosen = rows[:1] + rows[1:][-1:]
    before = "after warm start" if rows and rows[0].get("stage") == "warm_start" else "before training"
    names = (before, "after" if run.summary else "so far")
    return [
        Result(
            name=name,
            step=int(row.get("step", 0)),
            rate=100 * row["pass@1"],
            low=100 * row.get("low", row["pass@1"]),
            high=100 * row.get("high", row["pass@1"]),
            tasks=int(row.get("tasks", 0)),
            mean_length=row.get("mean_length"),
        )
        for name, row in zip(names, chosen, strict=False)
    ]


def _base_rate(run: RunData) -> float | None:
    """The untrained policy's accuracy in percent, if the page's "before" is that after a warm start."""
    rows = [row for row in run.evals if row.get("stage") == "base"]
    return 100 * rows[0]["pass@1"] if rows and rows[0] not in run.accuracy() else None


def _gain(results: Sequence[Result]) -> Interval | None:
    """From the first to the last evaluation, in percentage points."""
    if len(results) < 2:
        return None
    first, last = (Interval(result.rate, result.low, result.high) for result in (results[0], results[-1]))
    return difference(first, last)


def _facts(run: RunData) -> list[tuple[str, str]]:
    """The line under the title: what was trained, how long."""
    algorithm = _dig(run.config, "algorithm", "name")
    reward = run.config.get("reward")
    steps = [row["step"] for row in run.metrics if isinstance(row.get("step"), int)]
    seconds = sum(t for _, t in run.series("step_time"))
    facts = {
        "policy": run.config.get("policy"),
        "algorithm": algorithm,
        "reward": reward if isinstance(reward, str) else _dig(run.config, "reward", "name") or "custom",
        "seed": run.config.get("seed"),
        "steps": max(steps) if steps else None,
        "training": _duration(seconds) if seconds else None,
    }
    return [(name, str(value)) for name, value in facts.items() if value is not None]


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _card(row: Mapping[str, Any]) -> Card:
    terms = row.get("reward_terms") or {}
    notes = [
        Note(f"step {int(row.get('step', 0))}"),
        Note("reward", _number(row.get("reward"))),
        *(Note(f"{name} {_number(value)}", style="term") for name, value in terms.items()),
    ]
    return Card.of(row, notes)


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, int | float) and value == value else "none"


def _spread(rows: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """At most ``most`` rows, the newest first, spread over the run."""
    if len(rows) > most:
        rows = [rows[round(i * (len(rows) - 1) / (most - 1))] for i in range(most)]
    return list(reversed(rows))


def _sections(config: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The configuration as tables: plain values first, then one table a section."""
    top = list(_flat({key: value for key, value in config.items() if not isinstance(value, Mapping)}))
    nested = [(key, list(_flat(value))) for key, value in config.items() if isinstance(value, Mapping)]
    return [("run", top), *nested]


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", "none" if value is None or value == {} else str(value)


def _dig(values: Mapping[str, Any], *keys: str) -> Any:
    found: Any = values
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found
