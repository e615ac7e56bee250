"""What runs inside the sandbox: reasoning-gym's generators and scorers. Read as text, never imported here.

A generator draws from the hash order of sets in four data sets (isomorphic_strings, knight_swap,
polynomial_multiplication, ransom_note), and from global random state in others: in the sandbox the hash seed is fixed
and both global generators are seeded, so the same seed gives the same task everywhere.
"""

import importlib
import random
from typing import Any

gym: Any = importlib.import_module("reasoning_gym")
DATASETS: dict[str, Any] = importlib.import_module("reasoning_gym.factory").DATASETS


def _make(dataset: str, config: dict[str, Any], seed: int) -> Any:
    random.seed(seed)
    importlib.import_module("numpy").random.seed(seed % 2**32)
    return gym.create_dataset(dataset, **{**config, "seed": seed, "size": 1})


def _plain(value: Any) -> Any:
    """A value without NumPy's scalars, which are equal to Python's but no plain values."""
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(map(_plain, value))
    return value.item() if hasattr(value, "item") else value


def generate(dataset: str, config: dict[str, Any], seed: int) -> dict[str, Any]:
    """The one entry of the data set under this seed, or what is wrong with the settings."""
    if dataset not in DATASETS:
        return {"unknown": sorted(DATASETS)}
    try:
        made = _make(dataset, config, seed)
    except (AssertionError, TypeError, ValueError, KeyError) as error:  # how its configurations complain
        return {"refused": f"{type(error).__name__}: {error}"}
    return {"entry": _plain(made[0])}


def score(dataset: str, config: dict[str, Any], entry: dict[str, Any], answer: str) -> float:
    """The score that the data set's own scorer gives; it may evaluate the answer as Python."""
    return float(_make(dataset, config, 0).score_answer(answer, entry))
