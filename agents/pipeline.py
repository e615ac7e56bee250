"""A pipeline of stages, such as DeepSeek-R1's recipe: each begins from an earlier one's policy, and is measured.

Layout of its folder: ``pipeline.json``, ``results.json``, and for each stage ``stages/NAME/`` with ``stage.json`` (what it is),
``policy/`` and ``result.json``, which is written last: a stage that has it is done, and not run again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.table import Table
from rich.text import Text

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.fitting import STATE_FILE
from rlvr_gym.agents.holdout import HeldOut
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.progress import TrainingProgress
from rlvr_gym.agents.rollout import RolloutEngine
from rlvr_gym.agents.stage_runs import StageRun
from rlvr_gym.agents.stages import EvaluateStage, PipelineConfig, Stage
from rlvr_gym.errors import ConfigError

__all__ = ["results_table", "run_pipeline"]

_MAY_CHANGE = ("threads", "device", "logging", "checkpoint", "guard")
"""Sections of a stage's training config that may differ when a pipeline is resumed."""


def run_pipeline(
    config: PipelineConfig, run_dir: str | Path, *, resume: bool = False, quiet: bool = False
) -> list[dict[str, Any]]:
    """Runs every stage that is not done yet.

    Args:
        config: the stages.
        run_dir: where to write.
        resume: go on with what is in ``run_dir``; begin if there is nothing.
        quiet: print nothing.

    Returns:
        A row for each stage: its name, held-out accuracy and length, what was learnt from, seconds.

    Raises:
        ConfigError: if the folder holds another pipeline, or one that is not to be resumed, or a stage cannot be done.
        TrainingError: if the numbers of a stage are no longer finite, or its policy has collapsed.
    """
    folder = Path(run_dir).resolve()  # a run of the trainer in it remembers where its policy came from
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError("A pipeline runs in one process; torchrun is for 'rlvr-gym train'.")
    if (folder / "pipeline.json").exists() and not resume:
        raise ConfigError(f"{folder} holds a pipeline already; resume it, or choose another folder.")
    _check_done(config, folder)
    base = config.base_config()
    if base.threads is not None:
        torch.set_num_threads(base.threads)
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / "pipeline.json", config.to_dict())
    progress, rows = TrainingProgress(quiet=quiet), []
    for number, stage in enumerate(config.stages, start=1):
        result = folder / "stages" / stage.name / "result.json"
        if not result.exists():
            progress.say(f"stage {number} of {len(config.stages)}: {stage.name} ({stage.kind})")
            _write_json(result, _run_stage(config, stage, folder / "stages", progress))
            for state in result.parent.rglob(STATE_FILE):
                state.unlink()  # of no use any more, and three times as large as the policy
        rows.append(_read_json(result))
        _write_json(folder / "results.json", {"stages": rows})
        progress.say(_sentence(rows[-1]))
    return rows


def _run_stage(
    config: PipelineConfig, stage: Stage, stages: Path, progress: TrainingProgress
) -> dict[str, Any]:
    """Does a stage and measures what came of it."""
    began = time.monotonic()
    folder = stages / stage.name
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / "stage.json", _spec(config, stage))
    base, own = config.base_config(), config.train_config(stage, stages)
    work = StageRun(own, folder, stages, progress)
    try:
        row: dict[str, Any] = {
            "stage": stage.name,
            "kind": stage.kind,
            "from": list(stage.sources),
            "note": stage.note,
            "details": work.run(stage),
        }
        if stage.gives_policy:
            row["accuracy"] = _measure(base, work.load(stage.name))
        elif isinstance(stage, EvaluateStage):
            row["accuracy"] = _measure(own.replace(seed=base.seed), work.load(stage.start))
    finally:
        work.close()
    return {**row, "seconds": round(time.monotonic() - began, 1)}


def _measure(config: TrainConfig, policy: Policy) -> dict[str, Any]:
    """Held-out accuracy and length, on the same tasks and random streams for every stage."""
    held_out = HeldOut(config)
    try:
        engine = RolloutEngine(policy, max_rows=config.sampling.max_rows, compile=config.sampling.compile)
        return held_out.measure(engine).to_dict()
    finally:
        held_out.settings.close()


def _spec(config: PipelineConfig, stage: Stage) -> dict[str, Any]:
    """What a stage's outcome depends on, beside the policies that it begins from."""
    train = config.train_config(stage, Path()).to_dict()
    said = stage.model_dump(mode="json", by_alias=True, exclude={"note", "train"})
    return {**said, "train": {key: value for key, value in train.items() if key not in _MAY_CHANGE}}


def _check_done(config: PipelineConfig, folder: Path) -> None:
    """Refuses to mix stages that were done, or begun, in another way with new ones."""
    for stage in config.stages:
        path = folder / "stages" / stage.name / "stage.json"
        if not path.exists():
            continue
        known, given = _read_json(path), _spec(config, stage)
        changed = [key for key in given if known.get(key) != given[key]]
        if "train" in changed:
            parts, before = given["train"], known.get("train", {})
            changed.remove("train")
            changed += [f"train.{key}" for key in parts if before.get(key) != parts[key]]
        if changed:
            raise ConfigError(
                f"Stage {stage.name} was begun with another {', '.join(changed)}; delete {path.parent}, and the folders "
                "of the stages that begin from it, to do it again."
            )


def results_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Held-out accuracy with its 95 % interval, and mean length, after each stage."""
    table = Table(box=None, pad_edge=False)
    for name in ("stage", "from", "what"):
        table.add_column(name, overflow="fold")
    for name in ("accuracy", "95 % interval", "tokens", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        measured = row.get("accuracy")
        numbers = ["", "", ""]
        if measured:
            numbers = [
                f"{measured['pass@1']:.3f}",
                f"{measured['low']:.3f} to {measured['high']:.3f}",
                f"{measured['mean_length']:.1f}",
            ]
        what = row["note"] or _told(row)
        cells = [row["stage"], ", ".join(row["from"]), what]
        table.add_row(*map(Text, cells), *numbers, f"{row['seconds']:.0f}")
    return table


def _told(row: Mapping[str, Any]) -> str:
    """What a stage did, in a few words."""
    details = row["details"]
    match row["kind"]:
        case "rl":
            return f"{details['steps']} steps of RL"
        case "sft":
            return f"{details['examples']} demonstrations"
        case "best_of_n" | "rejection_sft" | "distil":
            return f"{details['kept']} of {details['sampled']} completions"
        case "dpo":
            return f"{details['pairs']} pairs"
        case "reward_model":
            held_out = f"{details['held_out']:.3f} [{details['low']:.3f}, {details['high']:.3f}]"
            return f"{details['pairs']} pairs; {held_out} of {details['held_out_pairs']} others ordered"
        case kind:
            return str(kind)


def _sentence(row: Mapping[str, Any]) -> str:
    measured = row.get("accuracy")
    if not measured:
        return f"{row['stage']}: {_told(row)}"
    rate = f"{measured['pass@1']:.3f} [{measured['low']:.3f}, {measured['high']:.3f}]"
    return (
        f"{row['stage']}: held-out accuracy {rate}, {measured['mean_length']:.1f} tokens ({_told(row)}, "
        f"{row['seconds']:.0f} s)"
    )


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    """A whole file, replaced atomically."""
    temporary = path.with_suffix(".partial")
    temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} should hold a JSON object.")
    return content
