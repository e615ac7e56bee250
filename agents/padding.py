"""Positions and attention masks of padded batches."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["attention_of", "positions_of"]


def positions_of(mask: Tensor) -> Tensor:
    """Positions ``[B, T]`` that count real tokens only, whichever side the padding is on."""
    return (mask.long().cumsum(-1) - 1).clamp(min=0)


def attention_of(mask: Tensor) -> Tensor:
    """Causal attention ``[B, 1, T, T]`` to real tokens; every position sees itself, so that no row is empty."""
    t = mask.shape[1]
    causal = torch.ones(t, t, dtype=torch.bool, device=mask.device).tril()
    itself = torch.eye(t, dtype=torch.bool, device=mask.device)
    return ((causal & mask.bool()[:, None]) | itself)[:, None]
