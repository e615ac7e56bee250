"""Sequences to learn from, as one padded batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

__all__ = ["Batch", "pad_batch"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences to learn from: B of at most T tokens, padded on the right.

    Attributes:
        tokens: ``[B, T]`` ids.
        mask: ``[B, T]`` in float32, 1 where the policy sampled the token and its sample is valid.
        old: ``[B, T]`` log-probabilities under the policy that sampled.
        advantages: ``[B, 1]`` or ``[B, T]``.
        lengths: tokens of each sequence.
        values: ``[B, T]`` of the value model when the batch was sampled, if there is one.
        returns: ``[B, T]`` that it is to learn.
        importance: ``[B, T]`` weights against the mismatch of sampler and trainer, if they are mended.
        prompts: ``[B]``, which prompt of the step a sequence belongs to.
    """

    tokens: Tensor
    mask: Tensor
    old: Tensor
    advantages: Tensor
    lengths: list[int]
    values: Tensor | None = None
    returns: Tensor | None = None
    importance: Tensor | None = None
    prompts: Tensor | None = None

    def rows(self, index: Sequence[int]) -> Batch:
        """Some rows, cut to the longest of them."""
        lengths = [self.lengths[i] for i in index]
        at, width = torch.tensor(index, device=self.tokens.device), max(lengths)
        cut = {}
        for field in fields(self):
            whole = getattr(self, field.name)
            if isinstance(whole, Tensor):
                cut[field.name] = whole[at, :width] if whole.ndim == 2 else whole[at]
        return Batch(lengths=lengths, **cut)


def pad_batch(
    tokens: Sequence[Sequence[int]],
    masks: Sequence[Sequence[bool]],
    old: Sequence[Sequence[float]],
    advantages: Sequence[float],
    pad_id: int,
    device: torch.device,
) -> Batch:
    """A batch out of lists, one row a sequence."""
    lengths = [len(row) for row in tokens]
    shape = len(lengths), max(lengths)
    ids, mask, logprobs = (
        np.full(shape, pad_id, np.int64),
        np.zeros(shape, np.float32),
        np.zeros(shape, np.float32),
    )
    for i, length in enumerate(lengths):
        ids[i, :length], mask[i, :length], logprobs[i, :length] = tokens[i], masks[i], old[i]
    columns = torch.tensor(advantages, dtype=torch.float32, device=device)[:, None]
    moved = [torch.from_numpy(array).to(device) for array in (ids, mask, logprobs)]
    return Batch(moved[0], moved[1], moved[2], columns, lengths)
