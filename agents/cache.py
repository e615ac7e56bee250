"""A static key/value cache in two parts: prompts, stored once whoever shares them, and what each row adds."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rlvr_gym.agents.attention import Prefill

__all__ = ["CacheShape", "SharedCache"]

CacheShape = tuple[int, int, int]
"""Attention layers, key/value heads, size of a head."""


class SharedCache:
    """Keys and values of rows that are decoded one token at a time, each after a prompt.

    Rows of the same prompt share its keys and values, so memory for prompts does not grow with the samples of
    each, and one matrix product scores a prompt for all its rows. It is the :class:`rlvr_gym.agents.attention.Attention`
    of a decoding step: :meth:`begin_step` says where each row's token goes, then the layers call it.

    Args:
        shape: of the model.
        prompts: most prompts at a time.
        prompt_length: most tokens of a prompt.
        rows: most rows at a time.
        row_length: most tokens that a row adds.
        dtype: of the stored values.
        device: where they lie.
    """

    def __init__(
        self,
        shape: CacheShape,
        prompts: int,
        prompt_length: int,
        rows: int,
        row_length: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        layers, self.heads, self.dim = shape
        self.sizes = prompts, prompt_length, rows, row_length
        # zeros and not empty: what is masked has weight 0, but 0 * nan is nan
        self.prompts = torch.zeros(
            layers, 2, prompts, self.heads, prompt_length, self.dim, dtype=dtype, device=device
        )
        self.rows = torch.zeros(layers, 2, rows, self.heads, row_length, self.dim, dtype=dtype, device=device)
        heads = torch.arange(rows * self.heads, device=device)
        self._starts = heads.view(rows, self.heads) * row_length
        self._columns = torch.arange(max(prompt_length, row_length), device=device)
        self._members: Tensor | None = None
        self._visible = 0

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.prompts.nbytes + self.rows.nbytes

    def write_prompts(self, prefill: Prefill, first: int) -> None:
        """Keeps the keys and values of prompts in the places from ``first`` on."""
        for layer, key in prefill.keys.items():
            count, _, length, _ = key.shape
            for which, new in enumerate((key, prefill.values[layer])):
                self.prompts[layer, which, first : first + count, :, :length] = new

    def arrange(self, prompt_of: Sequence[int], lengths: Sequence[int]) -> None:
        """Says which prompt each row goes on after; holds until it is called again.

        Args:
            prompt_of: the place of its prompt, for each live row.
            lengths: tokens of the prompt in each place.
        """
        device = self.rows.device
        members: list[list[int]] = [[] for _ in lengths]
        for row, place in enumerate(prompt_of):
            members[place].append(row)
        width = max(map(len, members))
        flat = [row for rows in members for row in (rows + [0] * (width - len(rows)))]
        seat = {row: p * width + i for p, rows in enumerate(members) for i, row in enumerate(rows)}
        self._length = max(lengths)
        hidden = self._columns[: self._length] >= torch.tensor(lengths, device=device)[:, None]
        self._prompt_bias = self._bias(hidden)[:, None, None]
        in_order = flat == list(range(len(prompt_of)))
        self._members = None if in_order else torch.tensor(flat, device=device)
        self._seats = None if in_order else torch.tensor([seat[r] for r in range(len(seat))], device=device)
        self._places, self._width = len(lengths), width

    def begin_step(self, columns: Tensor, visible: int) -> None:
        """The next forward pass writes one token of each live row.

        Args:
            columns: ``[n]``, where each row's token goes, counted from the end of its prompt.
            visible: one more than the largest of ``columns`` (known to the caller without asking the device).
        """
        self._index = (self._starts[: len(columns)] + columns[:, None]).flatten()
        self._visible = visible
        self._row_bias = self._bias(self._columns[:visible] > columns[:, None])[:, None, None]

    def __call__(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float | None = None
    ) -> Tensor:
        """See :class:`rlvr_gym.agents.attention.Attention`; ``T`` is 1."""
        n, all_heads, _, dim = query.shape
        for store, new in zip(self.rows[layer], (key, value), strict=True):
            store.view(-1, dim).index_copy_(0, self._index, new.reshape(-1, dim))
        grouped = query.reshape(n, self.heads, -1, dim) * (dim**-0.5 if scale is None else scale)
        own_keys, own_values = self.rows[layer, :, :n, :, : self._visible]
        own = grouped @ own_keys.transpose(-1, -2) + self._row_bias
        scores = torch.cat([self._score_prompts(layer, grouped), own], dim=-1)
        weights = scores.softmax(-1, dtype=torch.float32).to(query.dtype)
        on_prompts, on_own = weights.split([self._length, self._visible], dim=-1)
        mixed = self._mix_prompts(layer, on_prompts) + on_own @ own_values
        return mixed.reshape(n, all_heads, 1, dim)

    def _score_prompts(self, layer: int, query: Tensor) -> Tensor:
        """``[n, K, H/K, D]`` to the scores of prompt tokens ``[n, K, H/K, S]``."""
        keys = self.prompts[layer, 0, : self._places, :, : self._length]
        scores = self._seat(query) @ keys.transpose(-1, -2) + self._prompt_bias
        return self._unseat(scores, query.shape[0])

    def _mix_prompts(self, layer: int, weights: Tensor) -> Tensor:
        """Weights ``[n, K, H/K, S]`` to values ``[n, K, H/K, D]``."""
        values = self.prompts[layer, 1, : self._places, :, : self._length]
        return self._unseat(self._seat(weights) @ values, weights.shape[0])

    def _seat(self, x: Tensor) -> Tensor:
        """Rows together that share a prompt: ``[n, K, R, X]`` to ``[P, K, G R, X]``, G the most rows of a prompt."""
        _, heads, repeats, last = x.shape
        seated = x if self._members is None else x[self._members]
        seated = seated.view(self._places, self._width, heads, repeats, last).transpose(1, 2)
        return seated.reshape(self._places, heads, self._width * repeats, last)

    def _unseat(self, x: Tensor, n: int) -> Tensor:
        """The inverse of :meth:`_seat`."""
        places, heads, _, last = x.shape
        rows = x.view(places, heads, self._width, -1, last).transpose(1, 2)
        rows = rows.reshape(places * self._width, heads, -1, last)
        return rows if self._seats is None else rows[self._seats]

    def _bias(self, hidden: Tensor) -> Tensor:
        """0 where attention may look, and -inf where ``hidden``."""
        return torch.zeros(hidden.shape, dtype=self.rows.dtype, device=hidden.device).masked_fill_(
            hidden, -torch.inf
        )

    def move_rows(self, source: Tensor, target: Tensor, length: int) -> None:
        """Copies the first ``length`` tokens of some rows to others."""
        self.rows[:, :, target, :, :length] = self.rows[:, :, source, :, :length]

    def move_prompts(self, source: Tensor, target: Tensor) -> None:
        """Copies some prompts to the places of others."""
        self.prompts[:, :, target] = self.prompts[:, :, source]
