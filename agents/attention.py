"""What a query may look at: one small object for each kind of forward pass.

A policy's layers compute queries, keys and values and ask the object that came with the pass to mix them. So a
layer knows nothing of caches, padding or shared prompts, and whatever model there is gets all of them. (The fourth
kind, one token a row over cached keys and values, is :class:`rlvr_gym.agents.cache.SharedCache`.)
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "Attention",
    "Causal",
    "Documents",
    "Prefill",
    "SharedPrefixes",
    "attention_of",
    "mix",
    "positions_of",
]


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
        return mix(query, key, value, self._attend, scale)


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
        return mix(query, key, value, None, scale)


class SharedPrefixes:
    """Prefixes, and sequences that go on after them, in one pass; gradients reach the prefixes.

    The pass is a single row of ``P S + B T`` tokens: the prefixes one after another, then the sequences. So each
    layer is called once, as it is for a batch without shared prefixes.

    Args:
        lengths: tokens of each prefix ``[P]``, which are padded on the right.
        longest: tokens S that they are padded to.
        prefix_of: the prefix of each sequence ``[B]``.
        width: tokens T of the sequences, which are padded on the right.
    """

    def __init__(self, lengths: Tensor, longest: int, prefix_of: Tensor, width: int) -> None:
        self._prefixes, self._sequences = (len(lengths), longest), (len(prefix_of), width)
        self._prefix_of = prefix_of
        before = torch.arange(longest, device=lengths.device) < lengths[prefix_of, None]
        own = torch.ones(width, width, dtype=torch.bool, device=lengths.device).tril()
        self._attend = torch.cat(
            [before[:, None].expand(-1, width, -1), own.expand(len(prefix_of), -1, -1)], dim=-1
        )[:, None]

    def __call__(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float | None = None
    ) -> Tensor:
        """See :class:`Attention`."""
        (query, after), (key, own_key), (value, own_value) = map(self._apart, (query, key, value))
        own_key = torch.cat([key[self._prefix_of], own_key], dim=2)
        own_value = torch.cat([value[self._prefix_of], own_value], dim=2)
        mixed = (
            mix(query, key, value, None, scale),
            mix(after, own_key, own_value, self._attend, scale),
        )
        return torch.cat([x.transpose(1, 2).flatten(0, 1) for x in mixed]).transpose(0, 1)[None]

    def _apart(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """``[1, H, P S + B T, D]`` to ``[P, H, S, D]`` and ``[B, H, T, D]``."""
        shapes = self._prefixes, self._sequences
        parts = zip(x[0].split([*map(math.prod, shapes)], dim=1), shapes, strict=True)
        prefixes, sequences = (part.unflatten(1, shape).transpose(0, 1) for part, shape in parts)
        return prefixes, sequences


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
        return mix(query, key, value, self._attend, scale)


def positions_of(mask: Tensor) -> Tensor:
    """Positions ``[B, T]`` that count real tokens only, whichever side the padding is on."""
    return (mask.long().cumsum(-1) - 1).clamp(min=0)


def attention_of(mask: Tensor) -> Tensor:
    """Causal attention ``[B, 1, T, T]`` to real tokens; every position sees itself, so that no row is empty."""
    t = mask.shape[1]
    causal = torch.ones(t, t, dtype=torch.bool, device=mask.device).tril()
    itself = torch.eye(t, dtype=torch.bool, device=mask.device)
    return ((causal & mask.bool()[:, None]) | itself)[:, None]


def mix(query: Tensor, key: Tensor, value: Tensor, attend: Tensor | None, scale: float | None) -> Tensor:
    """Scaled dot-product attention, as :class:`Attention` has it; causal if ``attend`` is None."""
    return F.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=attend,
        is_causal=attend is None,
        scale=scale,
        enable_gqa=query.shape[1] != key.shape[1],
    )
