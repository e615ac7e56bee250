"""Sequence packing: several short sequences in one row, so that little of a forward pass is spent on padding.

Attention and positions know where one sequence ends and the next begins
(:class:`rlvr_gym.agents.attention.Documents`), so packed rows give the log-probabilities and gradients that the
sequences have alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rlvr_gym.agents.attention import Documents
from rlvr_gym.agents.layout import Layout
from rlvr_gym.agents.policy import Policy
from rlvr_gym.errors import ConfigError

__all__ = ["Packed", "pack"]


def pack(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Bins of at most ``capacity`` tokens: first-fit decreasing, at most 11/9 of the fewest bins and one (Johnson 1973).

    Args:
        lengths: tokens of each sequence.
        capacity: tokens of a row.

    Returns:
        The numbers of the sequences in each row, longest first.

    Raises:
        ConfigError: if a sequence is longer than a row.

    Example:
        >>> pack([3, 5, 2, 4, 1], 6)
        [[1, 4], [3, 2], [0]]
    """
    bins: list[list[int]] = []
    room: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if lengths[i] > capacity:
            raise ConfigError(
                f"A sequence of {lengths[i]} tokens does not fit a packed row of {capacity}; raise packing."
            )
        place = next((b for b, left in enumerate(room) if left >= lengths[i]), len(bins))
        if place == len(bins):
            bins.append([])
            room.append(capacity)
        bins[place].append(i)
        room[place] -= lengths[i]
    return bins


class Packed(Layout):
    """A batch whose sequences share rows; see :class:`rlvr_gym.agents.layout.Layout`.

    Args:
        tokens: ``[B, T]``, padded on the right.
        mask: ``[B, T]``, 1 where a token's log-probability is wanted; its first column is 0.
        lengths: tokens of each sequence.
        capacity: tokens of a packed row.

    Raises:
        ConfigError: if a sequence is longer than a row.
    """

    def __init__(self, tokens: Tensor, mask: Tensor, lengths: Sequence[int], capacity: int) -> None:
        self._shape, device = tokens.shape, tokens.device
        bins = pack(lengths, capacity)
        width = max(sum(lengths[i] for i in row) for row in bins)
        sources = torch.zeros(len(bins), width, dtype=torch.long)
        positions = torch.zeros(len(bins), width, dtype=torch.long)
        documents = torch.full((len(bins), width), -1)
        for row, members in enumerate(bins):
            column = 0
            for i in members:
                inside = torch.arange(lengths[i])
                span = slice(column, column + lengths[i])
                sources[row, span] = i * self._shape[1] + inside
                positions[row, span] = inside
                documents[row, span] = i
                column += lengths[i]
        self._sources, self._positions = sources.to(device), positions.to(device)
        self._documents = documents.to(device)
        real = self._documents >= 0
        super().__init__(tokens.flatten()[self._sources], mask.flatten()[self._sources] * real)

    def hidden(self, policy: Policy) -> Tensor:
        """See :meth:`rlvr_gym.agents.layout.Layout.hidden`."""
        attention = Documents(self._documents[:, :-1])
        return policy.run(self.tokens[:, :-1], self._positions[:, :-1], attention)

    def put_back(self, x: Tensor) -> Tensor:
        """See :meth:`rlvr_gym.agents.layout.Layout.put_back`."""
        real = self._documents >= 0
        whole = torch.zeros(self._shape[0] * self._shape[1], dtype=x.dtype, device=x.device)
        return whole.scatter(0, self._sources[real], x[real]).view(self._shape)
