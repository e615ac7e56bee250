"""What the report of a benchmark shows, as plain data: the report renders it and knows nothing of benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlvr_gym.bench.config import BenchConfig
from rlvr_gym.bench.curves import METRICS
from rlvr_gym.bench.results import ArmResult, ExperimentResult
from rlvr_gym.errors import DataError
from rlvr_gym.report.run_data import RunData
from rlvr_gym.stats import Interval

__all__ = ["make_view"]

MAX_TASKS = 12
_TITLES = {
    "truth": "True metric",
    "proxy": "Reward",
    "gap": "Reward minus true metric",
    "length": "Length",
    "length_right": "Length of right answers",
    "length_wrong": "Length of wrong answers",
    "entropy": "Entropy",
    "zero_variance": "Groups without signal",
}
_COLUMNS = ("truth", "proxy", "gap", "length_right", "length_wrong", "entropy", "zero_variance")


def make_view(bench: BenchConfig, results: Sequence[ExperimentResult]) -> dict[str, Any]:
    """Everything that the page shows, with all intervals as ``(mean, low, high)``."""
    return {
        "title": bench.name,
        "about": bench.about,
        "facts": [
            ("experiments", len(results)),
            ("arms", sum(len(result.arms) for result in results)),
            ("runs", sum(len(arm.curves) for result in results for arm in result.arms)),
            ("seeds", _seeds(results)),
        ],
        "experiments": [_experiment(result) for result in results],
    }


def _seeds(results: Sequence[ExperimentResult]) -> str:
    counts = sorted({len(arm.curves) for result in results for arm in result.arms})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _experiment(result: ExperimentResult) -> dict[str, Any]:
    experiment = result.experiment
    labels = {arm.arm: arm.label for arm in result.arms}
    extra = [
        metric
        for metric in dict.fromkeys(m for arm in result.arms for m in arm.ends)
        if metric not in METRICS
    ]
    return {
        "name": result.name,
        "title": experiment.title or result.name,
        "about": experiment.about,
        "warnings": result.warnings,
        "failures": result.failures,
        "columns": [
            (m, _TITLES.get(m, m)) for m in (*_COLUMNS, *extra) if any(m in a.ends for a in result.arms)
        ],
        "target": experiment.target,
        "arms": [_arm(arm, i) for i, arm in enumerate(result.arms)],
        "claims": [
            {
                "says": v.claim.says,
                "state": v.state,
                "metric": v.claim.metric,
                "at": v.claim.at,
                "left": v.left,
                "right": v.right,
                "difference": tuple(v.difference),
                "p": v.p,
                "pairs": v.pairs,
            }
            for v in result.verdicts
        ],
        "charts": _charts(result, extra),
        "ranks": [
            {"label": r.label, "iqm": tuple(r.iqm), "improvement": r.improvement} for r in result.ranks
        ],
        "comparisons": [
            {
                "left": labels[c.left],
                "right": labels[c.right],
                "difference": tuple(c.difference),
                "p": c.p,
                "pairs": c.pairs,
                "detectable": c.detectable,
            }
            for c in result.comparisons
        ],
        "rollouts": _side_by_side(result),
    }


def _arm(arm: ArmResult, colour: int) -> dict[str, Any]:
    return {
        "label": arm.label,
        "colour": colour,
        "seeds": len(arm.curves),
        "ends": {metric: tuple(interval) for metric, interval in arm.ends.items()},
        "to_target": tuple(arm.to_target) if arm.to_target else None,
        "reached": arm.reached,
        "alarm": arm.alarm.state,
        "alarm_text": _alarm_text(arm),
    }


def _alarm_text(arm: ArmResult) -> str:
    alarm = arm.alarm
    if alarm.state == "too few seeds":
        return "Too few seeds to test whether reward and true metric part."
    parts = [
        f"{name} {_signed(interval)}"
        for name, interval in (("reward", alarm.proxy), ("true metric", alarm.truth))
    ]
    return f"Over the run: {', '.join(parts)}; gap {_signed(alarm.growth)}, p {alarm.p:.2g} (Holm)."


def _signed(interval: Interval) -> str:
    return f"{interval.mean:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


def _charts(result: ExperimentResult, extra: Sequence[str]) -> list[dict[str, Any]]:
    """The mean curves of each metric over samples, an environment apart from the others."""
    charts = []
    environments = list(result.experiment.environments)
    for environment in environments:
        arms = [(i, arm) for i, arm in enumerate(result.arms) if arm.arm.environment == environment]
        for metric in (*_TITLES, *extra):
            lines = [
                {"label": arm.label, "colour": i, "band": arm.bands[metric], "seeds": len(arm.curves)}
                for i, arm in arms
                if arm.bands.get(metric)
            ]
            # a reward that is the true metric has nothing to show apart from it
            if not lines or (metric == "gap" and _all_zero(lines)):
                continue
            where = f", {environment}" if len(environments) > 1 else ""
            charts.append(
                {
                    "metric": metric,
                    "title": _TITLES.get(metric, metric),
                    "note": METRICS.get(metric, "of eval.rewards, held out") + where,
                    "lines": lines,
                }
            )
    return charts


def _all_zero(lines: Sequence[dict[str, Any]]) -> bool:
    return all(abs(mean) < 1e-12 for line in lines for _, mean, _, _ in line["band"])


def _side_by_side(result: ExperimentResult) -> list[dict[str, Any]]:
    """Tasks that several arms attempted under the same seed, the newest attempts: one entry a task."""
    tasks: list[dict[str, Any]] = []
    for environment in result.experiment.environments:
        arms = [(i, arm) for i, arm in enumerate(result.arms) if arm.arm.environment == environment]
        seeds = [set(arm.folders) for _, arm in arms if arm.folders]
        common = set.intersection(*seeds) if seeds else set()
        if len(seeds) < 2 or not common:
            continue
        seed = min(common)
        attempts = {i: _attempts(arm, seed) for i, arm in arms}
        tasks += _shared_tasks(attempts)[:MAX_TASKS]
    return tasks


def _attempts(arm: ArmResult, seed: int) -> dict[str, dict[str, Any]]:
    """The newest saved rollout of each task."""
    if seed not in arm.folders:
        return {}
    try:
        rows = RunData.load(arm.folders[seed]).rollouts
    except DataError:  # rollouts are for reading only: a broken file costs the page nothing else
        return {}
    return {str(row.get("prompt")): row for row in rows}


def _shared_tasks(attempts: dict[int, dict[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    counted: dict[str, list[int]] = {}
    for arm, by_prompt in attempts.items():
        for prompt in by_prompt:
            counted.setdefault(prompt, []).append(arm)

    def newest(prompt: str) -> float:
        return max(float(attempts[arm][prompt].get("step") or 0) for arm in counted[prompt])

    shared = sorted(
        (prompt for prompt, arms in counted.items() if len(arms) > 1),
        key=lambda prompt: (-len(counted[prompt]), -newest(prompt)),
    )
    return [
        {"prompt": prompt, "attempts": {arm: attempts[arm][prompt] for arm in counted[prompt]}}
        for prompt in shared
    ]
