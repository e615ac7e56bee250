"""Random generators of tasks, many at once.

``numpy.random.SeedSequence`` hashes a seed in about five microseconds, a third of what a small task takes. For
neighbouring indices :class:`TaskRngs` does the same arithmetic on whole arrays; the generators are the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence

from rlvr_gym.task import SEED_LIMIT, task_rng

__all__ = ["TaskRngs"]

_BLOCK = 256
_POOL = 4
# the constants of numpy's bit_generator.pyx, which are those of Melissa O'Neill's randutils
_INIT_A, _MULT_A = 0x43B0D7E5, 0x931E8875
_INIT_B, _MULT_B = 0x8B51F9DD, 0x58F38DED
_MIX_LEFT, _MIX_RIGHT = np.uint32(0xCA01F9DD), np.uint32(0x4973F715)
_SHIFT = np.uint32(16)

Words = np.ndarray[Any, np.dtype[np.uint32]]


class _State(ISeedSequence):
    """A seed sequence whose words are known."""

    __slots__ = ("words",)

    def __init__(self, words: Any) -> None:
        self.words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Any:
        """The four 64-bit words that PCG64 asks for."""
        return self.words


class TaskRngs:
    """The generators :func:`rlvr_gym.task.task_rng` of one seed.

    Indices in rising order are cheap: their states are computed in blocks.

    Args:
        seed: below 2**32.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._next = -1  # so that a source of which only index 0 is used computes no block
        self._block: tuple[int, Any] = (0, ())

    def __getitem__(self, index: int) -> np.random.Generator:
        in_order, self._next = index == self._next, index + 1
        first, states = self._block
        if not first <= index < first + len(states):
            if not in_order or index + _BLOCK > SEED_LIMIT:
                return task_rng(self._seed, index)
            first, states = index, pcg64_states(self._seed, index, _BLOCK)
            self._block = (first, states)  # in one step: threads may share a source
        return np.random.Generator(np.random.PCG64(_State(states[index - first])))  # type: ignore[arg-type]


def pcg64_states(seed: int, first: int, count: int) -> Any:
    """``SeedSequence([seed, index]).generate_state(4, np.uint64)`` of ``count`` indices, as rows [count, 4]."""
    constant = _INIT_A

    def hashed(words: Words) -> Words:
        nonlocal constant
        words = words ^ np.uint32(constant)
        constant = constant * _MULT_A & 0xFFFFFFFF
        words = words * np.uint32(constant)
        return words ^ words >> _SHIFT

    entropy = [np.full(count, seed, np.uint32), np.arange(first, first + count, dtype=np.uint32)]
    entropy += [np.zeros(count, np.uint32)] * (_POOL - len(entropy))
    pool = [hashed(words) for words in entropy]
    for source in range(_POOL):
        for target in range(_POOL):
            if source != target:
                mixed = pool[target] * _MIX_LEFT - hashed(pool[source]) * _MIX_RIGHT
                pool[target] = mixed ^ mixed >> _SHIFT
    state = np.empty((count, 2 * _POOL), np.uint32)
    constant = _INIT_B
    for place in range(2 * _POOL):
        words = pool[place % _POOL] ^ np.uint32(constant)
        constant = constant * _MULT_B & 0xFFFFFFFF
        words = words * np.uint32(constant)
        state[:, place] = words ^ words >> _SHIFT
    return state.astype("<u4").view("<u8").astype(np.uint64)
