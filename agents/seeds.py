"""Seeds for different purposes out of one, so that no two parts of a run share a random stream."""

from __future__ import annotations

import hashlib

__all__ = ["derive_seed"]


def derive_seed(seed: int, *purpose: str | int) -> int:
    """A seed in ``[0, 2**32)`` that depends on ``seed`` and on what it is for, and on nothing else."""
    text = repr((seed, *purpose))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "little")
