"""Which curves a report shows, and how."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from rlvr_gym.report.run_data import Point, RunData
from rlvr_gym.report.svg import Band, Chart, Line, short, smooth

__all__ = ["Panel", "learning_curve", "panels"]


def percent(value: float) -> str:
    """0.25 as ``25%``."""
    return f"{100 * value:.3g}%"


def learning_curve(run: RunData, width: int, height: int) -> Chart | None:
    """Held-out accuracy with its interval, over the accuracy of the training samples; None without either."""
    lines = []
    held_out = run.accuracy()
    if held_out:
        points = [(float(row["step"]), float(row["pass@1"])) for row in held_out]
        band = [
            (float(row["step"]), *_interval(row["pass@1"], row.get("low"), row.get("high")))
            for row in held_out
        ]
        lines.append(Line("held-out pass@1, 95 % interval", points, 0, band, dots=True))
    training = run.series("accuracy") or run.series("rewards/correct/mean")
    if not training and not held_out:
        training = run.series("reward")
    if training:
        # right behind the held-out curve, so that it is drawn first
        lines.insert(0, _smoothed("training samples", training, 5))
    if not lines:
        return None
    rates = [y for line in lines for _, y in line.points]
    inside = min(rates) >= 0 and max(rates) <= 1
    return Chart(
        lines,
        "learning curve",
        width,
        height,
        y_range=(0.0, 1.0) if inside else None,
        show=percent if inside else short,
    )


def _interval(rate: float, low: float | None, high: float | None) -> tuple[float, float]:
    return (rate if low is None else float(low), rate if high is None else float(high))


@dataclass(frozen=True, slots=True)
class Panel:
    """A small chart with its heading."""

    title: str
    note: str
    chart: Chart


def panels(run: RunData) -> list[Panel]:
    """The small charts: those for which the run has numbers."""
    plain: list[tuple[str, str, str, Callable[[float], str]]] = [
        ("completions/mean_length", "Completion length", "mean, tokens", short),
        ("completions/clipped_ratio", "Cut off at the limit", "share of completions", percent),
        ("frac_reward_zero_std", "Groups without signal", "share whose rewards are all equal", percent),
        ("entropy", "Entropy", "mean over tokens, nats", short),
        ("kl", "KL divergence", "to the policy before RL", short),
        ("approx_kl", "Step size", "approximate KL of an update, nats", short),
        ("loss", "Loss", "policy loss", short),
        ("grad_norm", "Gradient norm", "before clipping", short),
        ("clip_ratio/high_mean", "Clipped ratios", "share above the clip", percent),
        ("frac_invalid", "Not verified", "share of completions", percent),
        ("tokens_per_second", "Speed", "tokens a second", short),
    ]
    found = [_reward_panel(run), _terms_panel(run)]
    for name, title, note, show in plain:
        points = run.series(name)
        if points and any(y != 0 for _, y in points):
            found.append(Panel(title, note, Chart([_smoothed(title, points, 0)], title, show=show)))
    return [panel for panel in found if panel is not None]


def _reward_panel(run: RunData) -> Panel | None:
    reward = run.series("reward")
    if not reward:
        return None
    deviation = dict(run.series("reward_std"))
    line = _smoothed("reward", reward, 0)
    middle = dict(line.points)
    spread = smooth([(x, deviation.get(x, 0.0)) for x, _ in reward], _window(reward))
    band: list[Band] = [(x, middle[x] - s, middle[x] + s) for x, s in spread]
    line = Line(line.label, line.points, 0, band if deviation else (), raw=())
    return Panel("Reward", "mean and standard deviation in groups", Chart([line], "reward"))


def _terms_panel(run: RunData) -> Panel | None:
    # terms of very different size, such as a length in tokens, would flatten the others
    curves = {term: run.series(f"rewards/{term}/mean") for term in run.terms()}
    near = {
        term: points for term, points in curves.items() if points and max(abs(y) for _, y in points) <= 10
    }
    if not near:
        return None
    lines = [
        Line(term, smooth(points, _window(points)), colour % 6)
        for colour, (term, points) in enumerate(near.items())
    ]
    note = "means, before weighting" if len(lines) > 1 else f"mean of {lines[0].label}, before weighting"
    return Panel("Reward terms", note, Chart(lines, "reward terms"))


def _window(points: list[Point]) -> int:
    return max(1, math.isqrt(len(points)) // 2 * 2 + 1) if len(points) >= 20 else 1


def _smoothed(label: str, points: list[Point], colour: int) -> Line:
    window = _window(points)
    return Line(label, smooth(points, window), colour, raw=points if window > 1 else ())
