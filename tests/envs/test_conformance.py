"""Every registered environment keeps every promise; being registered is enough to be here."""

import importlib.util
import os
import re
from functools import cache
from pathlib import Path

import pytest

import rlvr_gym
from rlvr_gym.sandbox.select import BACKENDS
from rlvr_gym.testing import check_determinism, check_text_env

DATA = Path(os.environ.get("RLVR_GYM_DATA", Path(__file__).parents[3] / "shared" / "data"))
SUFFIXES = (".jsonl", ".jsonl.gz")
BUNDLED = Path(__file__).parents[2] / "datasets" / "wordproblems" / "test.jsonl"
ADAPTED = {
    "rlvr/JSONL-v0": {"data": str(BUNDLED), "answer_mark": "####", "verifier": "math"},
    # one of those whose scorer keeps the promises of ours; the environment is marked as untrusted because others do
    # not: see tests/envs/adapters/test_reasoning_gym.py
    "rlvr/ReasoningGym-v0": {"dataset": "base_conversion"},
    "rlvr/LengthConditioned-v0": {"env": "rlvr/Countdown-v0", "settings": {"difficulty": 4}},
    "rlvr/Mixture-v0": {
        "parts": [
            {"env": "rlvr/Countdown-v0", "weight": 2, "settings": {"difficulty": 4}},
            {"env": "rlvr/KnightsAndKnaves-v0", "settings": {"difficulty": 5}},
            {"env": "rlvr/GuessTheNumber-v0", "weight": [[0, 1], [40, 2]]},
        ]
    },
}


def data_of(env_id):
    """The data file of ``rlvr/Name-v0`` in a folder whose name begins with ``name``; None if there is none."""
    name = env_id.partition("/")[2].rpartition("-v")[0].lower()
    folders = sorted(folder for folder in DATA.glob("*/") if folder.name.startswith(name))
    files = sorted(file for folder in folders for file in folder.iterdir() if file.name.endswith(SUFFIXES))
    return next(
        (str(file) for file in files if file.name.startswith("test")), str(files[0]) if files else None
    )


@cache
def has_reasoning_gym():
    """Whether the package is there, and a sandbox that can import it."""
    usable = any(cls.takes_modules and cls().check().ok for cls in BACKENDS.values())
    return usable and importlib.util.find_spec("reasoning_gym") is not None


def settings_of(entry):
    """The settings that an environment needs, or None if they are not to be had here."""
    if not entry.needs:
        return {}
    if entry.id in ADAPTED:
        return ADAPTED[entry.id] if entry.id != "rlvr/ReasoningGym-v0" or has_reasoning_gym() else None
    data = data_of(entry.id)
    return {"data": data} if entry.needs == ("data",) and data else None


ENTRIES = {entry.id: entry for entry in rlvr_gym.list_envs() if entry.id.startswith("rlvr/")}


def test_every_environment_is_here():
    """The tests below raise what they find; an empty list of environments would find nothing."""
    catalogue = (Path(__file__).parents[2] / "docs" / "catalogue.md").read_text(encoding="utf-8")
    assert set(ENTRIES) == set(re.findall(r"^### `(rlvr/[^`]+)`", catalogue, re.MULTILINE))
    assert len(ENTRIES) > 150


@pytest.mark.parametrize("env_id", ENTRIES)
def test_conformance(env_id):
    settings = settings_of(ENTRIES[env_id])
    if settings is None:
        pytest.skip(f"needs {', '.join(ENTRIES[env_id].needs)}")
    check_text_env(env_id, across_processes=False, **settings)


def test_the_same_in_other_processes_with_other_hash_seeds():
    settings = {env_id: settings_of(entry) for env_id, entry in ENTRIES.items()}
    check_determinism({env_id: given for env_id, given in settings.items() if given is not None})
