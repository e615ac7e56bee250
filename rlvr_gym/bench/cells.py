"""Cells: the runs that a benchmark consists of, each with a key that its content determines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rlvr_gym.agents.config import TrainConfig, merge_overrides
from rlvr_gym.bench.config import BenchConfig, Design, Experiment
from rlvr_gym.errors import ConfigError, RLVRError
from rlvr_gym.registration import load_problem
from rlvr_gym.rewards import RewardDesign

__all__ = ["Arm", "Cell", "Plan", "make_plan"]

FORMAT = "bench-1"
"""What a cell leaves on disk; raised when old cells could no longer be read."""

CELL_DEFAULTS: dict[str, Any] = {
    "threads": 1,
    "device": "cpu",
    "logging": {"tensorboard": False, "rollouts_every": 10, "rollouts": 8},
    "checkpoint": {"every": 25, "keep": 1, "best": False},
    # a benchmark of rewards wants to see a policy fall, and not only that it fell
    "guard": {"collapse": False},
    "algorithm": {"track_kl": False},
}
_NOT_CONTENT = ("logging", "checkpoint", "threads")
"""Sections that change no number of a run."""


@dataclass(frozen=True, slots=True)
class Arm:
    """What is compared: one environment, design and algorithm; its cells differ in the seed."""

    environment: str
    design: str
    algorithm: str

    def label(self, among: Mapping[str, int]) -> str:
        """The names that tell it from the others; ``among`` counts how many there are of each axis."""
        parts = [getattr(self, axis) for axis, count in among.items() if count > 1]
        return " · ".join(parts) or self.design


@dataclass(frozen=True, slots=True)
class Cell:
    """One run.

    Attributes:
        key: 16 hexadecimal digits of the hash of all that determines the numbers.
        config: of the training; its policy is set to the start's checkpoint when it is run.
        start: the warm start that it begins from, which other cells may share; None if it makes its own policy.
    """

    key: str
    config: TrainConfig
    start: Cell | None = None

    def folder(self, root: Path) -> Path:
        """Where it is run and kept."""
        return root / "cells" / self.key

    def done(self, root: Path) -> bool:
        """Whether it was run to its end."""
        return (self.folder(root) / "done.json").is_file()

    def runnable(self, root: Path) -> TrainConfig:
        """The config with the start's checkpoint in it."""
        if self.start is None:
            return self.config
        return self.config.model_copy(update={"policy": f"ckpt:{self.start.folder(root).resolve()}"})


@dataclass(frozen=True, slots=True)
class Plan:
    """All cells of a benchmark.

    Attributes:
        starts: the warm starts, which come first.
        cells: the cells of each experiment by arm and seed.
    """

    starts: dict[str, Cell]
    cells: dict[str, dict[tuple[Arm, int], Cell]]

    def unique(self) -> dict[str, Cell]:
        """Every cell once, by key; experiments may share some."""
        return {cell.key: cell for grid in self.cells.values() for cell in grid.values()}


def make_plan(bench: BenchConfig) -> Plan:
    """The cells of a benchmark.

    Raises:
        ConfigError: if a cell's training config or reward design is wrong, saying which.
    """
    starts: dict[str, Cell] = {}
    grids: dict[str, dict[tuple[Arm, int], Cell]] = {}
    for name, experiment in bench.experiments.items():
        grid = grids[name] = {}
        for arm in arms_of(experiment):
            for seed in bench.seeds_of(experiment):
                cell = _make_cell(bench, name, experiment, arm, seed)
                if cell.start is not None:
                    starts[cell.start.key] = cell.start
                grid[arm, seed] = cell
    return Plan(starts, grids)


def arms_of(experiment: Experiment) -> list[Arm]:
    """Every combination of the three axes."""
    return [
        Arm(environment, design, algorithm)
        for environment in experiment.environments
        for design in experiment.designs
        for algorithm in experiment.algorithms
    ]


def _make_cell(bench: BenchConfig, name: str, experiment: Experiment, arm: Arm, seed: int) -> Cell:
    design = experiment.designs[arm.design]
    watched = _watched(design, experiment)
    layers = (
        CELL_DEFAULTS,
        bench.base,
        experiment.base,
        experiment.environments[arm.environment],
        experiment.algorithms[arm.algorithm],
        design.set,
        {"reward": design.reward, "seed": seed, "eval": {"rewards": watched}},
    )
    try:
        config = _lay(layers)
        _check_environment(config.env.id, json.dumps(config.env.settings))
        for spec in config.eval.rewards.values():
            RewardDesign.parse(spec)
    except RLVRError as error:
        place = f"{arm.environment}, {arm.design}, {arm.algorithm}"
        raise ConfigError(f"Experiment {name}, cell ({place}, seed {seed}): {error}") from error
    if config.eval.every == 0 or config.eval.tasks == 0:
        raise ConfigError(
            f"Experiment {name}: a benchmark needs the true metric over training; set eval.every and eval.tasks."
        )
    start = _start(config, bench.version)
    if start is not None:
        config = config.model_copy(update={"sft": config.sft.model_copy(update={"steps": 0})})
    return Cell(_key(config, bench.version, start), config, start)


def _lay(layers: tuple[Mapping[str, Any], ...]) -> TrainConfig:
    """The config of several layers of overrides, the later ones on top; another environment brings its own settings."""
    merged: dict[str, Any] = {}
    for layer in layers:
        over = merge_overrides({}, layer)
        if isinstance(over.get("env"), str):
            over["env"] = {"id": over["env"]}
        known, chosen = merged.get("env", {}), over.get("env", {}).get("id")
        if chosen not in (None, known.get("id")):
            merged["env"] = {key: value for key, value in known.items() if key != "settings"}
        merged = merge_overrides(merged, over)
    return TrainConfig.parse(merged)


@cache
def _check_environment(env: str, settings: str) -> None:
    """Tells before anything runs that an environment cannot be had with these settings (as JSON).

    Raises:
        RLVRError: saying why.
    """
    load_problem(env, **json.loads(settings))


def _watched(design: Design, experiment: Experiment) -> dict[str, Any]:
    """What is measured on held-out rollouts: the reward itself, as the proxy, and the true metric if it is a design."""
    watched: dict[str, Any] = {"proxy": design.reward}
    if isinstance(experiment.truth, dict):
        watched["truth"] = experiment.truth["design"]
    return watched


def _start(config: TrainConfig, version: str) -> Cell | None:
    """The warm start as a run of its own: what the cells of one environment and seed have in common.

    Settings that only the steps after it read are put to their defaults, so that cells which differ in these share
    it. Its held-out tasks are kept: neither stage may see them.
    """
    if config.sft.steps == 0:
        return None
    plain = TrainConfig.for_env(config.env.id)
    shared = config.to_dict() | {
        "preset": None,
        "reward": plain.reward,
        "algorithm": {**plain.algorithm.model_dump(mode="json"), "track_kl": False},
        "steps": 0,
        "eval": {**config.eval.model_dump(mode="json"), "rewards": {}, "every": 0},
        "logging": {"tensorboard": False, "rollouts": 0},
    }
    for section, fields in {
        "optimiser": ("lr", "warmup_steps", "decay_steps"),
        "sampling": ("prompts_per_step", "group_size"),
    }.items():
        defaults = getattr(plain, section).model_dump(mode="json")
        shared[section] = {**shared[section], **{field: defaults[field] for field in fields}}
    start = TrainConfig.parse(shared)
    return Cell(_key(start, version, None), start)


def _key(config: TrainConfig, version: str, start: Cell | None) -> str:
    content = {key: value for key, value in config.to_dict().items() if key not in _NOT_CONTENT}
    content |= {"format": FORMAT, "version": version, "start": start.key if start else None}
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
