"""Designs as a user gives them on a command line: a name, JSON, or a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rlvr_gym.errors import ConfigError
from rlvr_gym.files import read_yaml
from rlvr_gym.rewards.design import RewardDesign

__all__ = ["read_design"]

_SUFFIXES = (".json", ".yaml", ".yml")


def read_design(text: str) -> RewardDesign:
    """The design of a name (``r1``), of JSON (``{"correct": 1}``), or of a ``.json`` or ``.yaml`` file.

    A training config will do for a file: then it is the design under ``reward``.

    Raises:
        ConfigError, UnknownNameError: saying what is wrong with it.
    """
    if text.lstrip().startswith("{"):
        return RewardDesign.parse(_json(text))
    path = Path(text)
    if path.suffix not in _SUFFIXES:
        return RewardDesign.parse(text)
    spec = read_yaml(path)
    if isinstance(spec, dict) and "reward" in spec and spec.keys() != {"name", "reward"}:
        spec = spec["reward"]
    design = RewardDesign.parse(spec)
    return RewardDesign(path.stem, design.root) if design.name == "custom" else design


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(f"This design is no JSON ({error}): {text[:200]}") from error
