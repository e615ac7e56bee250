"""Weights on their way from the learner to the rollout workers: bytes that Ray shares within a node without a copy."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from rlvr_gym.agents.policy import Policy

__all__ = ["Packed", "pack", "unpack"]

Packed = dict[str, NDArray[np.uint8]]
"""The raw bytes of each weight that is trained, by name. Others (a base under adapters) are everywhere the same."""


def pack(policy: Policy) -> Packed:
    """A copy of the weights that are trained."""
    trained = {name: weight for name, weight in policy.named_parameters() if weight.requires_grad}
    return {
        name: weight.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().copy()
        for name, weight in trained.items()
    }


@torch.no_grad()
def unpack(policy: Policy, packed: Packed) -> None:
    """Writes weights into a policy of the same architecture."""
    weights = dict(policy.named_parameters())
    for name, data in packed.items():
        weight = weights[name]
        raw = torch.from_numpy(data.copy())  # what lies in shared memory cannot be written to
        weight.copy_(raw.view(weight.dtype).reshape(weight.shape))
