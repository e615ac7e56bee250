"""A static KV cache: allocated once, rows at positions of their own, no padding on the left."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["KVCache"]


class KVCache:
    """Keys and values of ``rows`` sequences, each filled up to a position of its own.

    Stored token-major, ``[layer, key or value, row, position, head * dim]``, so that writing one token of every
    row is one ``index_copy_``. Attention layers call :meth:`update`, which has the signature that Hugging Face
    models expect of a cache. Before a forward pass the owner says what is being written: :meth:`write_prefix`
    or :meth:`write_next`.

    Args:
        layers: attention layers.
        rows: sequences side by side.
        length: most tokens in a sequence.
        heads: key/value heads.
        dim: size of one head.
        dtype: of the stored values.
        device: where they lie.
    """

    def __init__(
        self,
        layers: int,
        rows: int,
        length: int,
        heads: int,
        dim: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self.rows, self.length, self.heads, self.dim = rows, length, heads, dim
        # zeros and not empty: a masked position has weight 0, but 0 * nan is nan
        self.store = torch.zeros(layers, 2, rows, length, heads * dim, dtype=dtype, device=device)
        self._columns = torch.arange(length, device=device)
        self._row_starts = torch.arange(rows, device=device) * length
        self._index: Tensor | None = None
        self._visible = 0

    def write_prefix(self, rows: int, length: int) -> Tensor:
        """The next forward writes positions ``0 .. length - 1`` of the first ``rows`` rows.

        Returns:
            The attention mask ``[1, 1, length, length]``: causal, True where attention may look.
        """
        self._index, self._visible = None, length
        return (self._columns[:length] <= self._columns[:length, None])[None, None]

    def write_next(self, positions: Tensor, visible: int) -> Tensor:
        """The next forward writes one token of each of the first ``len(positions)`` rows.

        Args:
            positions: ``[n]``, where the token of each row goes.
            visible: one more than the largest of ``positions`` (known to the caller without a device sync).

        Returns:
            The attention mask ``[n, 1, 1, visible]``.
        """
        self._index, self._visible = self._row_starts[: len(positions)] + positions, visible
        return (self._columns[:visible] <= positions[:, None])[:, None, None]

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        """Takes ``[n, heads, t, dim]`` in; returns what attention looks at, ``[n, heads, visible, dim]``."""
        n, _heads, t, _dim = keys.shape
        for store, new in zip(self.store[layer], (keys, values), strict=True):
            flat = new.transpose(1, 2).reshape(n, t, -1)
            if self._index is None:
                store[:n, :t] = flat
            else:
                store.view(self.rows * self.length, -1).index_copy_(0, self._index, flat[:, 0])
        if self._index is None:
            return keys, values
        return self._view(layer, 0, n), self._view(layer, 1, n)

    def _view(self, layer: int, which: int, n: int) -> Tensor:
        window = self.store[layer, which, :n, : self._visible]
        return window.unflatten(-1, (self.heads, self.dim)).transpose(1, 2)

    def take(self, other: KVCache, source: Tensor, target: Tensor, length: int) -> None:
        """Copies the first ``length`` positions of rows ``source`` of another cache to rows ``target`` here."""
        self.store[:, :, target, :length] = other.store[:, :, source, :length]

    def move(self, source: Tensor, target: Tensor, length: int) -> None:
        """Copies rows within this cache."""
        self.store[:, :, target, :length] = self.store[:, :, source, :length]
