"""What a query may look at: one small object for each kind of forward pass.

A policy's layers compute queries, keys and values and ask the object that came with the pass to mix them. So a
layer knows nothing of caches, padding or shared prompts, and whatever model there is gets all of them. (The fourth
kind, one token a row over cached keys and values, is :class:`rlvr_gym.agents.cache.SharedCache`.)
"""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["AfterPrefix", "Attention", "Causal", "Documents", "Prefill", "attention_of", "positions_of"]


class Attention(Protocol):
    """Mixes values: B sequences, H query heads, K key/value heads (K divides H), T tokens, D the size of a head."""

    def __call__(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float | None = None
    ) -> Tensor:
        """``query [B, H, T, D]``, ``key`` and ``value [B, K, T, D]`` to ``[B, H, T, D]``.

        Args:
            layer: which layer asks, counted from 0.
            query: turned by its position already, as ``key`` is.
            key: of the same tokens.
            value: of the same tokens.
            scale: of the scores; ``1 / sqrt(D)`` by default.
        """


class Causal:
    """Whole sequences, each token looking at itself and what came before.

    Args:
        mask: ``[B, T]``, True on real tokens, if padding is not on the right only.
    """

    def __init__(self, mask: Tensor | None = None) -> None:
        self._attend = None if mask is None else attention_of(mask)

    def __call__(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float | None = None
    ) -> Tensor:
        """See :class:`Attention`."""
        return _mix(query, key, value, self._attend, scale)


class Prefill:
    """Whole sequences padded on the right, whose keys and values are kept for what follows them.

    Attributes:
        keys: of each layer, ``[B, K, T, D]``.
        values: of each layer.
    """

    def __init__(self) -> None:
        self.keys: dict[int, Tensor] = {}
        self.values: dict[int, Tensor] = {}

    def __call__(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float | None = None
    ) -> Tensor:
        """See :class:`Attention`."""
        self.keys[layer], self.values[layer] = key, value
        return _mix(query, key, value, None, scale)


class AfterPrefix:
    """Sequences that go on after prefixes that several of them may share; gradients reach the prefixes.

    Args:
        prefixes: has seen the prefixes, ``[P, S]`` tokens.
        lengths: tokens of each prefix ``[P]``; what is beyond is padding.
        prefix_of: the prefix of each row ``[B]``.
        width: tokens T of the rows, which are padded on the right.
    """

    def __init__(self, prefixes: Prefill, lengths: Tensor, prefix_of: Tensor, width: int) -> None:
        self._prefixes, self._prefix_of = prefixes, prefix_of
        columns = torch.arange(prefixes.keys[0].shape[2], device=lengths.device)
        before = (columns < lengths[prefix_of, None])[:, None].expand(-1, width, -1)
        own = torch.ones(width, width, dtype=torch.bool, device=lengths.device).tril()
        self._attend = torch.cat([before, own.expand(len(prefix_of), -1, -1)], dim=-1)[:, None]

    def __call__(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float | None = None
    ) -> Tensor:
        """See :class:`Attention`."""
        key = torch.cat([self._prefixes.keys[layer][self._prefix_of], key], dim=2)
        value = torch.cat([self._prefixes.values[layer][self._prefix_of], value], dim=2)
        return _mix(query, key, value, self._attend, scale)


class Documents:
    """Rows that hold several sequences one after another; each token looks at what came before in its own.

    Args:
        documents: ``[B, T]``, which sequence each token belongs to; padding is a sequence of its own.
    """

    def __init__(self, documents: Tensor) -> None:
        t = documents.shape[1]
        causal = torch.ones(t, t, dtype=torch.bool, device=documents.device).tril()
        self._attend = (causal & (documents[:, :, None] == documents[:, None]))[:, None]

    def __call__(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float | None = None
    ) -> Tensor:
        """See :class:`Attention`."""
        return _mix(query, key, value, self._attend, scale)


def positions_of(mask: Tensor) -> Tensor:
    """Positions ``[B, T]`` that count real tokens only, whichever side the padding is on."""
    return (mask.long().cumsum(-1) - 1).clamp(min=0)


def attention_of(mask: Tensor) -> Tensor:
    """Causal attention ``[B, 1, T, T]`` to real tokens; every position sees itself, so that no row is empty."""
    t = mask.shape[1]
    causal = torch.ones(t, t, dtype=torch.bool, device=mask.device).tril()
    itself = torch.eye(t, dtype=torch.bool, device=mask.device)
    return ((causal & mask.bool()[:, None]) | itself)[:, None]


def _mix(query: Tensor, key: Tensor, value: Tensor, attend: Tensor | None, scale: float | None) -> Tensor:
    return F.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=attend,
        is_causal=attend is None,
        scale=scale,
        enable_gqa=query.shape[1] != key.shape[1],
    )
