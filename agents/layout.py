"""How a batch goes through a policy in training: rows as they are, or different prompts once and rows after them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rlvr_gym.agents.attention import SharedPrefixes
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.sampling import Chunking

__all__ = ["Chunks", "Layout", "SharedPrompts", "lay_out"]

_WORTH_SHARING = 0.2
"""Share of a batch's tokens that sharing prompts has to save."""


def lay_out(tokens: Tensor, mask: Tensor, chunking: Chunking | None = None) -> Layout:
    """The cheaper layout of a batch.

    What comes before the first sampled token of a row is its prompt. The G samples of a prompt repeat it, and where
    that is a fair part of all tokens, each different prompt is run once.

    Args:
        tokens: ``[B, T]``, padded on the right.
        mask: ``[B, T]``, 1 on sampled tokens.
        chunking: how completions were sampled, if in chunks.
    """
    if chunking is not None:
        return Chunks(tokens, mask, chunking)
    starts = [max(first - 1, 0) for first in mask.argmax(dim=1).tolist()]
    prefixes: dict[tuple[int, ...], int] = {}
    prefix_of = [
        prefixes.setdefault(tuple(row[:start]), len(prefixes))
        for row, start in zip(tokens.tolist(), starts, strict=True)
    ]
    saved = sum(starts) - sum(map(len, prefixes))
    if saved < _WORTH_SHARING * tokens.numel() or not min(map(len, prefixes)):
        return Layout(tokens, mask)
    return SharedPrompts(tokens, mask, starts, list(prefixes), prefix_of)


class Layout:
    """Rows as they are.

    Attributes:
        tokens: ``[B, W]``.
        mask: ``[B, W]``.
    """

    def __init__(self, tokens: Tensor, mask: Tensor) -> None:
        self.tokens, self.mask = tokens, mask

    def hidden(self, policy: Policy) -> Tensor:
        """Hidden states ``[B, W - 1, D]`` of all tokens but the last of each row."""
        return policy.hidden(self.tokens[:, :-1])

    def put_back(self, x: Tensor) -> Tensor:
        """``[B, W]`` to the batch's own shape ``[B, T]``; prompts get 0."""
        return x


class SharedPrompts(Layout):
    """Different prompts once, and rows that begin with their prompt's last token.

    Args:
        tokens: ``[B, T]``.
        mask: ``[B, T]``.
        starts: where each row's part of its own begins.
        prefixes: the different prompts, without their last token.
        prefix_of: which of them each row has.
    """

    def __init__(
        self,
        tokens: Tensor,
        mask: Tensor,
        starts: list[int],
        prefixes: list[tuple[int, ...]],
        prefix_of: list[int],
    ) -> None:
        device, self._shape = tokens.device, tokens.shape
        longest = max(map(len, prefixes))
        padded = [[*prefix, *[0] * (longest - len(prefix))] for prefix in prefixes]
        self._prompts = torch.tensor(padded, device=device)
        self._lengths = torch.tensor([len(prefix) for prefix in prefixes], device=device)
        self._prefix_of = torch.tensor(prefix_of, device=device)
        self._width = tokens.shape[1] - min(starts)
        self._columns = torch.tensor(starts, device=device)[:, None] + torch.arange(
            self._width, device=device
        )
        super().__init__(self._cut(tokens), self._cut(mask))

    def _cut(self, x: Tensor) -> Tensor:
        """``[B, T]`` to what comes from each prompt's last token on, ``[B, W]``, 0 beyond."""
        return F.pad(x, (0, self._width)).gather(1, self._columns)

    def put_back(self, x: Tensor) -> Tensor:
        """See :meth:`Layout.put_back`."""
        rows, length = self._shape
        whole = torch.zeros(rows, length + self._width, dtype=x.dtype, device=x.device)
        return whole.scatter(1, self._columns, x)[:, :length]

    def hidden(self, policy: Policy) -> Tensor:
        """See :meth:`Layout.hidden`."""
        shape = self.tokens.shape[0], self._width - 1
        longest = self._prompts.shape[1]
        before = torch.arange(longest, device=self.tokens.device).expand_as(self._prompts)
        hidden = policy.run(
            _one_row(self._prompts, self.tokens[:, :-1]),
            _one_row(before, self._columns[:, :-1]),
            SharedPrefixes(self._lengths, longest, self._prefix_of, shape[1]),
        )
        return hidden[0, self._prompts.numel() :].unflatten(0, shape)


def _one_row(prompts: Tensor, rows: Tensor) -> Tensor:
    """``[P, S]`` and ``[B, T]`` to ``[1, P S + B T]``."""
    return torch.cat([prompts.flatten(), rows.flatten()])[None]


class Chunks(Layout):
    """Completions that were sampled in chunks: each chunk is a row after the context that it was sampled in.

    Args:
        tokens: ``[B, T]``, prompt and whole completion.
        mask: ``[B, T]``, 1 on the completion, which is one piece.
        chunking: size and carry.
    """

    def __init__(self, tokens: Tensor, mask: Tensor, chunking: Chunking) -> None:
        self._shape = tokens.shape
        sources: list[list[int]] = []  # for each chunk, the places in its row that its tokens come from
        sampled: list[int] = []  # how many of them, at the end, the policy sampled in it
        starts = mask.argmax(dim=1).tolist()
        for row, (start, count) in enumerate(zip(starts, mask.sum(dim=1).tolist(), strict=True)):
            first = row * tokens.shape[1]
            for low, high in chunking.bounds(int(count)):
                carried = range(start + max(low - chunking.carry, 0), start + low)
                places = [*range(start), *carried, *range(start + low, start + high)]
                sources.append([first + place for place in places])
                sampled.append(high - low)
        width = max(map(len, sources))
        device = tokens.device
        self._sources = torch.tensor([[*s, *[0] * (width - len(s))] for s in sources], device=device)
        ends = torch.tensor([len(s) for s in sources], device=device)[:, None]
        begins = ends - torch.tensor(sampled, device=device)[:, None]
        columns = torch.arange(width, device=device)
        own = (columns >= begins) & (columns < ends)
        super().__init__(tokens.flatten()[self._sources], own.to(mask.dtype))

    def put_back(self, x: Tensor) -> Tensor:
        """See :meth:`Layout.put_back`."""
        own = self.mask.bool()
        whole = torch.zeros(self._shape[0] * self._shape[1], dtype=x.dtype, device=x.device)
        return whole.scatter(0, self._sources[own], x[own]).view(self._shape)
