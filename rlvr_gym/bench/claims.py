"""Statements about arms, tested on the same seeds and corrected for how many of them there are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from rlvr_gym.bench.cells import Arm
from rlvr_gym.bench.config import ArmPattern, Claim, Experiment
from rlvr_gym.bench.curves import Curves, Target, samples_to_target, steps_to_target
from rlvr_gym.bench.statistics import detectable, holm, paired
from rlvr_gym.errors import ConfigError
from rlvr_gym.stats import Interval

__all__ = ["Comparison", "Verdict", "compare_all", "judge_claims", "values_of"]

LEVEL = 0.05
State = Literal["shown", "contradicted", "open", "no data"]
_TO_TARGET = {"samples_to_target": samples_to_target, "steps_to_target": steps_to_target}
ArmCurves = Mapping[Arm, Mapping[int, Curves]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two arms on the seeds that both have.

    Attributes:
        left, right: the arms.
        difference: left minus right, with its t interval.
        p: Holm-adjusted over all comparisons of the family.
        pairs: seeds.
        detectable: the smallest difference that so many seeds would find four times out of five.
    """

    left: Arm
    right: Arm
    difference: Interval
    p: float
    pairs: int
    detectable: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a claim.

    Attributes:
        claim: it.
        state: ``shown`` or ``contradicted`` if the difference is beyond chance, ``open`` if not.
        difference: left minus right (or the change of left), averaged over the arms that the claim names.
        p: Holm-adjusted over the experiment's claims.
        pairs: seeds.
        left, right: means of both sides; ``right`` is nan for a claim about one.
    """

    claim: Claim
    state: State
    difference: Interval
    p: float
    pairs: int
    left: float
    right: float


def values_of(
    curves: Mapping[int, Curves], metric: str, at: str, target: Target | None = None
) -> dict[int, float]:
    """One number a seed; seeds without it are left out."""
    if metric in _TO_TARGET:
        assert target is not None
        return {seed: _TO_TARGET[metric](c, target)[0] for seed, c in curves.items()}
    found = {seed: c.number(metric, at) for seed, c in curves.items()}
    return {seed: value for seed, value in found.items() if not math.isnan(value)}


def compare_all(arms: ArmCurves, metric: str = "truth", at: str = "end") -> list[Comparison]:
    """Every two arms of the same environment, as one family for Holm's correction."""
    pairs = [(a, b) for a, b in combinations(arms, 2) if a.environment == b.environment]
    values = {arm: values_of(curves, metric, at) for arm, curves in arms.items()}
    tested = [paired(values[a], values[b]) for a, b in pairs]
    adjusted = holm([p for _, p, _ in tested])
    rows = []
    for (a, b), (difference, _, count), p in zip(pairs, tested, adjusted, strict=True):
        seeds = values[a].keys() & values[b].keys()
        least = detectable([values[a][seed] - values[b][seed] for seed in seeds])
        rows.append(Comparison(a, b, difference, p, count, least))
    return rows


def judge_claims(experiment: Experiment, arms: ArmCurves) -> list[Verdict]:
    """A verdict on each claim of an experiment."""
    target = None
    if experiment.target is not None:
        target = Target.among(experiment.target, (run for runs in arms.values() for run in runs.values()))
    sides = [_sides(claim, arms, target) for claim in experiment.claims]
    tested = [paired(left, right) for left, right in sides]
    adjusted = holm([p for _, p, _ in tested])
    verdicts = []
    for claim, (left, right), (difference, _, pairs), p in zip(
        experiment.claims, sides, tested, adjusted, strict=True
    ):
        alone = claim.right is None
        verdicts.append(
            Verdict(
                claim=claim,
                state=_state(claim, difference, p, pairs),
                difference=difference,
                p=p,
                pairs=pairs,
                left=_mean(list(left.values())),
                right=math.nan if alone else _mean(list(right.values())),
            )
        )
    return verdicts


def _sides(claim: Claim, arms: ArmCurves, target: Target | None) -> tuple[dict[int, float], dict[int, float]]:
    """The numbers of both sides by seed; a claim about one side is held against 0, so ``at`` has to be a change."""
    if claim.right is None:
        if claim.at not in ("change", "slope"):
            raise ConfigError(
                f"The claim {claim.says!r} is about one side alone: its 'at' is change or slope."
            )
        left = _side(claim, claim.left, arms, target)
        return left, dict.fromkeys(left, 0.0)
    return tuple(_side(claim, pattern, arms, target) for pattern in (claim.left, claim.right))  # type: ignore[return-value]


def _side(claim: Claim, pattern: ArmPattern, arms: ArmCurves, target: Target | None) -> dict[int, float]:
    """The mean over the arms that match, seed by seed; seeds that one of them lacks are left out."""
    matching = [curves for arm, curves in arms.items() if _matches(pattern, arm)]
    columns = [values_of(curves, claim.metric, claim.at, target) for curves in matching]
    if not columns:
        return {}
    seeds = set.intersection(*(set(column) for column in columns))
    return {seed: _mean([column[seed] for column in columns]) for seed in sorted(seeds)}


def _matches(pattern: ArmPattern, arm: Arm) -> bool:
    return all(
        wanted is None or wanted == getattr(arm, axis)
        for axis, wanted in (
            ("environment", pattern.environment),
            ("design", pattern.design),
            ("algorithm", pattern.algorithm),
        )
    )


def _state(claim: Claim, difference: Interval, p: float, pairs: int) -> State:
    if pairs == 0:
        return "no data"
    if p >= LEVEL:
        return "open"
    return "shown" if (difference.mean < 0) == (claim.is_ == "lower") else "contradicted"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
