"""The results of a benchmark as plain data: what ``bench.json`` and the report are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlvr_gym.bench.cells import Arm, Plan
from rlvr_gym.bench.claims import Comparison, Verdict, compare_all, judge_claims, values_of
from rlvr_gym.bench.config import BenchConfig, Experiment
from rlvr_gym.bench.curves import METRICS, Curves, Target, band, read_curves, samples_to_target
from rlvr_gym.bench.gap import GapAlarm, gap_alarms
from rlvr_gym.bench.runner import Outcome
from rlvr_gym.bench.statistics import iqm_interval, probability_of_improvement, t_interval
from rlvr_gym.stats import NOTHING, Interval

__all__ = ["ArmResult", "ExperimentResult", "Rank", "collect", "to_json"]

ENOUGH_SEEDS = 5
"""With fewer, intervals over seeds are too wide to rely on (2108.13264; 2504.07086 asks for ten)."""


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm over its seeds.

    Attributes:
        arm: it.
        label: what tells it from the others of its experiment.
        curves: by seed, of the cells that are done.
        ends: end value of each metric, with its t interval over seeds.
        bands: mean curve of each metric with its interval, ``(samples, mean, low, high)``.
        alarm: what the gap between reward and true metric does.
        to_target: samples until the target; None without a target.
        reached: how many seeds got there.
        folders: of the cells that are done, by seed.
    """

    arm: Arm
    label: str
    curves: dict[int, Curves]
    ends: dict[str, Interval]
    bands: dict[str, list[tuple[float, float, float, float]]]
    alarm: GapAlarm
    to_target: Interval | None
    reached: int
    folders: dict[int, Path]


@dataclass(frozen=True, slots=True)
class Rank:
    """A design with an algorithm, over all environments: the row of a rank table.

    Attributes:
        label: its name.
        iqm: interquartile mean of the true metric's end, with a stratified bootstrap interval.
        improvement: how likely a run of it beats a run of another, the mean over the others.
    """

    label: str
    iqm: Interval
    improvement: float


@dataclass(frozen=True, slots=True)
class ExperimentResult:
    """One experiment.

    Attributes:
        name, experiment: it.
        arms: in the order of the config.
        ranks: best first.
        comparisons: every two arms on the true metric.
        verdicts: on the claims.
        warnings: what a reader has to know before believing any of it.
        failures: cells that failed, as sentences.
    """

    name: str
    experiment: Experiment
    arms: list[ArmResult]
    ranks: list[Rank]
    comparisons: list[Comparison]
    verdicts: list[Verdict]
    warnings: list[str]
    failures: list[str]


def collect(
    bench: BenchConfig, plan: Plan, root: Path, outcomes: Sequence[Outcome] = ()
) -> list[ExperimentResult]:
    """Reads the cells that are done and draws all conclusions.

    Args:
        bench: the benchmark.
        plan: its cells.
        root: its folder.
        outcomes: of the run, for what failed.
    """
    errors = {outcome.cell.key: outcome.error for outcome in outcomes if outcome.status == "failed"}
    return [
        _collect_one(name, experiment, plan, root, errors) for name, experiment in bench.experiments.items()
    ]


def _collect_one(
    name: str, experiment: Experiment, plan: Plan, root: Path, errors: Mapping[str, str]
) -> ExperimentResult:
    grid = plan.cells[name]
    counts = {
        "environment": len(experiment.environments),
        "design": len(experiment.designs),
        "algorithm": len(experiment.algorithms),
    }
    curves: dict[Arm, dict[int, Curves]] = {arm: {} for arm, _ in grid}
    folders: dict[Arm, dict[int, Path]] = {arm: {} for arm, _ in grid}
    failures = []
    for (arm, seed), cell in grid.items():
        if cell.done(root):
            folders[arm][seed] = cell.folder(root)
            curves[arm][seed] = read_curves(cell.folder(root), experiment.designs[arm.design], experiment)
        elif cell.key in errors:
            failures.append(f"{arm.label(counts)}, seed {seed}: {errors[cell.key]}")
    alarms = gap_alarms({arm: list(found.values()) for arm, found in curves.items()})
    target = None
    if experiment.target is not None:
        target = Target.among(experiment.target, (run for found in curves.values() for run in found.values()))
    arms = [
        _arm(arm, arm.label(counts), found, alarms[arm], target, folders[arm])
        for arm, found in curves.items()
    ]
    comparisons = compare_all(curves)
    seeds = len({seed for _, seed in grid})
    return ExperimentResult(
        name=name,
        experiment=experiment,
        arms=arms,
        ranks=_ranks(experiment, curves, counts),
        comparisons=comparisons,
        verdicts=judge_claims(experiment, curves),
        warnings=_warnings(curves, comparisons, seeds),
        failures=failures,
    )


def _arm(
    arm: Arm,
    label: str,
    curves: dict[int, Curves],
    alarm: GapAlarm,
    target: Target | None,
    folders: dict[int, Path],
) -> ArmResult:
    metrics = list(dict.fromkeys(metric for found in curves.values() for metric in found.series))
    ends = {m: t_interval(list(values_of(curves, m, "end").values())) for m in metrics}
    reached = [samples_to_target(found, target) for found in curves.values()] if target is not None else []
    return ArmResult(
        arm=arm,
        label=label,
        curves=curves,
        ends=ends,
        bands={metric: band(curves, metric) for metric in metrics},
        alarm=alarm,
        to_target=t_interval([samples for samples, _ in reached]) if target is not None else None,
        reached=sum(there for _, there in reached),
        folders=folders,
    )


def _ranks(
    experiment: Experiment, curves: Mapping[Arm, Mapping[int, Curves]], counts: Mapping[str, int]
) -> list[Rank]:
    """Designs with algorithms by the true metric, over the environments."""
    strata: dict[tuple[str, str], list[list[float]]] = {}
    for arm, found in curves.items():
        values = list(values_of(found, "truth", "end").values())
        strata.setdefault((arm.design, arm.algorithm), []).append(values)
    among = {**counts, "environment": 1}
    ranks = []
    for key, own in strata.items():
        others = [probability_of_improvement(own, other) for name, other in strata.items() if name != key]
        judged = [p for p in others if not math.isnan(p)]
        ranks.append(
            Rank(
                label=Arm("", *key).label(among),
                iqm=iqm_interval(own),
                improvement=sum(judged) / len(judged) if judged else math.nan,
            )
        )
    return sorted(
        ranks, key=lambda rank: -math.inf if math.isnan(rank.iqm.mean) else rank.iqm.mean, reverse=True
    )


def _warnings(
    curves: Mapping[Arm, Mapping[int, Curves]], comparisons: Sequence[Comparison], seeds: int
) -> list[str]:
    """What stands in the way of conclusions."""
    found = []
    done = min((len(by_seed) for by_seed in curves.values()), default=0)
    if done < seeds:
        found.append(f"Some arms have only {done} of {seeds} seeds so far.")
    if done < 2:
        found.append("With fewer than 2 seeds there is no interval and no test: nothing can be concluded.")
    elif done < ENOUGH_SEEDS:
        found.append(
            f"{done} seeds are too few to rely on: intervals over fewer than {ENOUGH_SEEDS} seeds hang on the "
            "assumption that results are normally distributed."
        )
    widths = sorted(c.detectable for c in comparisons if not math.isnan(c.detectable))
    if widths and done >= 2:
        middle = widths[len(widths) // 2]
        found.append(
            f"Differences of the true metric below about {middle:.2g} would mostly go unnoticed with {done} seeds "
            "(80 % power, before correction)."
        )
    return found


def to_json(bench: BenchConfig, results: Sequence[ExperimentResult]) -> dict[str, Any]:
    """The JSON form of everything but the curves of single seeds."""
    return {
        "name": bench.name,
        "metrics": METRICS,
        "experiments": {
            result.name: {
                "title": result.experiment.title,
                "warnings": result.warnings,
                "failures": result.failures,
                "arms": [_arm_json(arm) for arm in result.arms],
                "ranks": [
                    {
                        "label": r.label,
                        "iqm": _plain(r.iqm),
                        "probability_of_improvement": _finite(r.improvement),
                    }
                    for r in result.ranks
                ],
                "comparisons": [_comparison_json(c, result) for c in result.comparisons],
                "claims": [_verdict_json(v) for v in result.verdicts],
            }
            for result in results
        },
    }


def _arm_json(arm: ArmResult) -> dict[str, Any]:
    return {
        "label": arm.label,
        "environment": arm.arm.environment,
        "design": arm.arm.design,
        "algorithm": arm.arm.algorithm,
        "seeds": sorted(arm.curves),
        "end": {metric: _plain(interval) for metric, interval in arm.ends.items()},
        "samples_to_target": _plain(arm.to_target or NOTHING),
        "reached_target": arm.reached,
        "alarm": {
            "state": arm.alarm.state,
            "p": _finite(arm.alarm.p),
            **{name: _plain(getattr(arm.alarm, name)) for name in ("growth", "proxy", "truth")},
        },
        "cells": {seed: folder.name for seed, folder in arm.folders.items()},
    }


def _comparison_json(comparison: Comparison, result: ExperimentResult) -> dict[str, Any]:
    labels = {arm.arm: arm.label for arm in result.arms}
    return {
        "left": labels[comparison.left],
        "right": labels[comparison.right],
        "difference": _plain(comparison.difference),
        "p": comparison.p,
        "pairs": comparison.pairs,
        "detectable": _finite(comparison.detectable),
    }


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "says": verdict.claim.says,
        "metric": verdict.claim.metric,
        "at": verdict.claim.at,
        "state": verdict.state,
        "left": _finite(verdict.left),
        "right": _finite(verdict.right),
        "difference": _plain(verdict.difference),
        "p": verdict.p,
        "pairs": verdict.pairs,
    }


def _plain(interval: Interval) -> list[float | None]:
    return [_finite(value) for value in interval]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
