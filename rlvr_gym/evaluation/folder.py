"""The folder of an evaluation: what was asked and answered, what it came to, and how to go on with it."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rlvr_gym.errors import ConfigError, DataError, RLVRError, os_reason
from rlvr_gym.evaluation.plan import Plan
from rlvr_gym.evaluation.run import Sample

__all__ = [
    "JOURNAL",
    "default_folder",
    "open_folder",
    "read_samples",
    "read_summary",
    "same_run",
    "write_results",
]

_SUMMARY_KEYS = (
    "suite", "suite_digest", "seed", "tasks", "label", "model", "samples", "samples_per_task", "invalid", "truncated",
    "low", "high", "mean_score", "tokens", "cost", "mean_length", "length_unit", "seconds",
)  # fmt: skip
_PART_KEYS = ("tasks", "weight", "pass@1", "low", "high", "mean_score", "truncated", "invalid")

JOURNAL, MANIFEST, ROLLOUTS, SUMMARY = "requests.jsonl", "run.json", "rollouts.jsonl", "summary.json"


def same_run(plan: Plan, identity: str) -> dict[str, Any]:
    """What has to be equal for answers of one run to be answers of another.

    Numbers of tasks and samples are not in it: a run can be made longer, and only what is new is paid.
    """
    parts = [
        {key: p[key] for key in ("name", "env", "settings", "max_turns")}
        for p in plan.suite.to_dict()["parts"]
    ]
    # a limited suite has fewer parts; tasks of the others are simply not asked
    return {
        "suite": plan.suite.name,
        "model": identity,
        "seed": plan.seed,
        "system_prompt": plan.system_prompt,
        "parts": {part["name"]: part for part in json.loads(json.dumps(parts, default=str))},
    }


def default_folder(plan: Plan, identity: str) -> Path:
    """The same command gives the same folder, and goes on with what is there."""
    content = {key: value for key, value in same_run(plan, identity).items() if key != "parts"}
    settings = [part.settings for part in plan.suite.parts] if plan.suite.alone else []
    text = json.dumps([content, settings], sort_keys=True, default=str)
    digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
    return Path("runs") / "eval" / _slug(plan.suite.name) / f"{_slug(plan.label)}-{digest}"


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")[:60] or "model"


def open_folder(folder: Path, plan: Plan, identity: str) -> dict[str, Any] | None:
    """Makes the folder, or makes sure that it is of the same run; returns the manifest of before, if there was one.

    Raises:
        ConfigError: if another run is in it, or it cannot be written.
    """
    before = _read_json(folder / MANIFEST) if (folder / MANIFEST).exists() else None
    now = same_run(plan, identity)
    if before is not None:
        known = before.get("same") or {}
        parts = {**known.get("parts", {}), **now["parts"]}
        different = [key for key in now if key != "parts" and known.get(key) != now[key]]
        different += [
            name for name, part in now["parts"].items() if known.get("parts", {}).get(name, part) != part
        ]
        if different:
            raise ConfigError(
                f"{folder} holds another evaluation (it differs in {', '.join(different)}); choose another --output."
            )
        now["parts"] = parts
    _write(
        folder / MANIFEST, [json.dumps({"format": 1, "same": now, "plan": plan.to_dict()}, indent=2) + "\n"]
    )
    return before


def write_results(folder: Path, samples: Iterable[Sample], summary: dict[str, Any]) -> None:
    """Writes the rollouts and the summary, each of them whole or not at all.

    Raises:
        ConfigError: if they cannot be written.
    """
    _write(folder / ROLLOUTS, (json.dumps(sample.to_dict()) + "\n" for sample in samples))
    _write(folder / SUMMARY, [json.dumps(summary, indent=2) + "\n"])


def _write(path: Path, lines: Iterable[str]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as stream:
            new = Path(stream.name)
            try:
                stream.writelines(lines)
                stream.flush()
                new.chmod(0o644)
                new.replace(path)
            except BaseException:
                new.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({os_reason(error)}); choose another place for the output."
        ) from error


def read_summary(folder: Path) -> dict[str, Any]:
    """The summary of a finished evaluation: of its folder, or a ``summary.json``.

    Raises:
        DataError: if there is none, or it lacks what tables of several evaluations show.
    """
    path = folder / SUMMARY if folder.is_dir() else folder
    summary = _read_json(path)
    parts = summary.get("parts")
    if "pass@1" not in summary or not isinstance(parts, dict):
        raise DataError(f"{path} is no summary of rlvr-gym eval; give the folder that --output named.")
    missing = [key for key in _SUMMARY_KEYS if key not in summary]
    missing += [key for key in _PART_KEYS if not all(key in part for part in parts.values())]
    if missing:
        raise DataError(
            f"{path} is of another version: it lacks {', '.join(missing)}; start the same 'rlvr-gym eval' again, "
            "which asks for no answer twice."
        )
    return summary


def read_samples(folder: Path) -> list[Sample]:
    """The attempts of a finished evaluation: of its folder, or a ``rollouts.jsonl``.

    Raises:
        DataError: if there are none, or a line is broken.
    """
    path = folder / ROLLOUTS if folder.is_dir() else folder
    samples = []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read; give the folder of a finished evaluation (rlvr-gym eval --output)."
        ) from error
    for number, line in enumerate(lines, 1):
        try:
            samples.append(Sample.from_dict(json.loads(line)))
        except (RLVRError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(f"{path} line {number} is no rollout of rlvr-gym eval: {error!r:.200}") from error
    if not samples:
        raise DataError(f"{path} is empty.")
    return samples


def _read_json(path: Path) -> dict[str, Any]:
    mend = "give the folder of a finished evaluation (rlvr-gym eval --output)."
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({os_reason(error)}); {mend}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON ({str(error)[:100]}); {mend}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} holds no object; {mend}")
    return content
