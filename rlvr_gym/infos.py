"""The infos of sub-environments as Gymnasium's one info of a vector environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["batch_infos"]


def batch_infos(rows: Iterable[tuple[int, Mapping[str, Any]]], size: int) -> dict[str, Any]:
    """What ``VectorEnv._add_info`` gives when it is called row by row, several times faster: column by column.

    Args:
        rows: ``(i, info)`` of sub-environment ``i``; several rows may be of the same one.
        size: the number of sub-environments.

    Returns:
        For each key an array ``[size]`` of numbers, an array ``[size]`` of objects (None where absent), or a dict
        of the same form; and under ``_key`` a bool array ``[size]`` that says who has it.
    """
    columns: dict[str, tuple[list[int], list[Any]]] = {}
    for i, info in rows:
        for key, value in info.items():
            if (column := columns.get(key)) is None:
                column = columns[key] = ([], [])
            column[0].append(i)
            column[1].append(value)
    batch: dict[str, Any] = {}
    for key, (indices, values) in columns.items():
        if isinstance(values[0], dict):
            batch[key] = batch_infos(zip(indices, values, strict=True), size)
        else:
            batch[key] = _array(indices, values, size)
        mask = np.zeros(size, dtype=np.bool_)
        mask[indices] = True
        batch[f"_{key}"] = mask
    return batch


def _array(indices: Sequence[int], values: Sequence[Any], size: int) -> NDArray[Any]:
    first = type(values[0])
    if first in (int, float, bool) or issubclass(first, np.number):
        numbers = np.zeros(size, dtype=first)
        numbers[indices] = values
        return numbers
    objects = np.full(size, None, dtype=object)
    for i, value in zip(indices, values, strict=True):
        objects[i] = value
    return objects
