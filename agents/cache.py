"""A static key/value cache in two parts: prompts, stored once whoever shares them, and what each row adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rlvr_gym.agents.attention import Prefill, mix
from rlvr_gym.agents.threads import all_threads

__all__ = ["CacheShape", "OneToken", "Rounding", "Seating", "SeveralTokens", "SharedCache"]

_SMALL = 2**20
"""Multiplications of a layer's attention, for scores, up to which one thread is enough."""
CacheShape = tuple[int, int, int]
"""Attention layers, key/value heads, size of a head."""


@dataclass(frozen=True, slots=True)
class Rounding:
    """Sizes that a step is carried out in: exact, or rounded up, so that steps have few shapes.

    Attributes:
        tokens: lengths become multiples of this; what is too much is masked.
        doubling: counts become powers of two; rows that are too many are computed for nothing.
        pairs: there are two rows and two prompts at least, nothing is used to its end, and rows are looked up in their
            seats even where they sit in order: a compiler that tells 1 from other sizes, and a part of a tensor from
            the whole, has fewer cases then.
    """

    tokens: int = 1
    doubling: bool = False
    pairs: bool = False

    def length(self, tokens: int, most: int) -> int:
        """Of prompts, or of what rows have added, in a cache of ``most`` tokens."""
        return min(_up(max(tokens, 1), self.tokens), most - self.pairs) if self.tokens > 1 else tokens

    def seats(self, rows: int, most: int) -> int:
        """Of one prompt; at most ``most``."""
        return min(1 << (rows - 1).bit_length(), most) if self.doubling else rows

    def count(self, rows: int, most: int) -> int:
        """Of rows or prompts in a cache of ``most``."""
        return self.seats(max(rows, 2) if self.pairs else rows, most - self.pairs)

    def sizes(
        self, prompts: int, prompt_length: int, rows: int, row_length: int
    ) -> tuple[int, int, int, int]:
        """Of a cache that holds so much and what rounding adds."""
        if not self.pairs:
            return prompts, _up(prompt_length, self.tokens), rows, _up(row_length, self.tokens)
        lengths = _up(prompt_length, self.tokens) + 1, _up(row_length, self.tokens) + 1
        return max(prompts, 2) + 1, lengths[0], max(rows, 2) + 1, lengths[1]


def _up(size: int, unit: int) -> int:
    return -(-size // unit) * unit


@dataclass(frozen=True, slots=True)
class Seating:
    """Which prompt each row goes on after: n rows, P prompts of at most S tokens, G seats at each.

    Attributes:
        rows: n.
        bias: ``[P, 1, 1, S]``, 0 on the tokens of a prompt and -inf on what pads it.
        members: ``[P, G]``, the row in each seat, any row where it is empty; None if the rows sit in order.
        seats: ``[n]``, where each row sits; None as well.
    """

    rows: int
    bias: Tensor
    members: Tensor | None
    seats: Tensor | None


class SharedCache:
    """Keys and values of rows that are decoded one token at a time, each after a prompt.

    Rows of the same prompt share its keys and values, so memory for prompts does not grow with the samples of
    each, and one matrix product scores a prompt for all its rows: see :class:`OneToken`.

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
        self._number()

    def _number(self) -> None:
        """Where rows start in what :func:`_write_rows` sees, and the numbers of columns."""
        _, prompt_length, rows, row_length = self.sizes
        heads = torch.arange(rows * self.heads, device=self.rows.device)
        self.starts = heads.view(rows, self.heads) * row_length
        self.columns = torch.arange(max(prompt_length, row_length), device=self.rows.device)

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

    def seat(self, prompt_of: Sequence[int], lengths: Sequence[int], rounding: Rounding) -> Seating:
        """Seats rows at their prompts.

        Args:
            prompt_of: the place of its prompt, for each live row.
            lengths: tokens of the prompt in each place.
            rounding: of rows, prompts, seats and tokens. Rows beyond the live ones sit in some live row's seat.
        """
        members: list[list[int]] = [[] for _ in lengths]
        for row, place in enumerate(prompt_of):
            members[place].append(row)
        places, _, slots, _ = self.sizes
        rows = rounding.count(len(prompt_of), slots)
        width = rounding.seats(max(map(len, members)), rows)
        empty = rounding.count(len(lengths), places) - len(lengths)
        seat_of = {row: p * width + i for p, seated in enumerate(members) for i, row in enumerate(seated)}
        flat = [row for seated in [*members, *[[]] * empty] for row in seated + [0] * (width - len(seated))]
        seats = [seat_of.get(row, 0) for row in range(rows)]
        device = self.rows.device
        filled = torch.tensor([*lengths, *[0] * empty], device=device)
        longest = rounding.length(max(lengths), self.sizes[1])
        bias = self.bias(self.columns[:longest] >= filled[:, None])[:, None, None]
        if not rounding.pairs and flat == list(range(rows)):
            return Seating(rows, bias, None, None)
        return Seating(
            rows,
            bias,
            torch.tensor(flat, device=device).view(-1, width),
            torch.tensor(seats, device=device),
        )

    def bias(self, hidden: Tensor) -> Tensor:
        """0 where attention may look, and -inf where ``hidden``."""
        return torch.zeros(hidden.shape, dtype=self.rows.dtype, device=hidden.device).masked_fill_(
            hidden, -torch.inf
        )

    def widen(self, row_length: int) -> None:
        """Makes room for more tokens of each row; what is there stays."""
        old = self.rows
        self.rows = old.new_zeros(*old.shape[:4], row_length, self.dim)
        self.rows[..., : self.sizes[3], :] = old
        self.sizes = (*self.sizes[:3], row_length)
        self._number()

    def move_rows(self, source: Tensor, target: Tensor, length: int) -> None:
        """Copies the first ``length`` tokens of some rows to others."""
        self.rows[:, :, target, :, :length] = self.rows[:, :, source, :, :length]

    def move_prompts(self, source: Tensor, target: Tensor) -> None:
        """Copies some prompts to the places of others."""
        self.prompts[:, :, target] = self.prompts[:, :, source]


class OneToken:
    """The :class:`rlvr_gym.agents.attention.Attention` of a decoding step: one token of each row over a cache.

    Args:
        cache: is read and written.
        seating: of the rows; it holds from step to step.
        columns: ``[n]``, where each row's token goes, counted from the end of its prompt.
        visible: more than the largest of ``columns`` (known to the caller without asking the device).
    """

    def __init__(self, cache: SharedCache, seating: Seating, columns: Tensor, visible: int) -> None:
        self._cache, self._seating, self._visible = cache, seating, visible
        self._index = (cache.starts[: seating.rows] + columns[:, None]).flatten()
        self._row_bias = cache.bias(cache.columns[:visible] > columns[:, None])[:, None, None]

    def __call__(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float | None = None
    ) -> Tensor:
        """See :class:`rlvr_gym.agents.attention.Attention`; ``T`` is 1."""
        n, all_heads, _, dim = query.shape
        write = torch.ops.rlvr_gym.write_rows if torch.compiler.is_compiling() else _write_rows
        write(self._cache.rows, layer, self._index, key, value)
        grouped = query.reshape(n, key.shape[1], -1, dim) * (dim**-0.5 if scale is None else scale)
        with all_threads(self._is_large(query)):
            mixed = self._mix(layer, grouped)
        return mixed.reshape(n, all_heads, 1, dim)

    def _is_large(self, query: Tensor) -> bool:
        return query.numel() * (self._seating.bias.shape[-1] + self._visible) > _SMALL

    def _mix(self, layer: int, grouped: Tensor) -> Tensor:
        n = len(grouped)
        own_keys, own_values = self._cache.rows[layer, :, :n, :, : self._visible]
        own = grouped @ own_keys.transpose(-1, -2) + self._row_bias
        prompts = self._cache.prompts[
            layer, :, : self._seating.bias.shape[0], :, : self._seating.bias.shape[-1]
        ]
        before = self._seat(grouped) @ prompts[0].transpose(-1, -2) + self._seating.bias
        scores = torch.cat([self._unseat(before), own], dim=-1)
        weights = scores.softmax(-1, dtype=torch.float32).to(grouped.dtype)
        on_prompts, on_own = weights.split([before.shape[-1], self._visible], dim=-1)
        return self._unseat(self._seat(on_prompts) @ prompts[1]) + on_own @ own_values

    def _seat(self, x: Tensor) -> Tensor:
        """Rows together that share a prompt: ``[n, K, H/K, X]`` to ``[P, K, G H/K, X]``."""
        n, heads, repeats, last = x.shape
        members, places = self._seating.members, self._seating.bias.shape[0]
        width = n // places if members is None else members.shape[1]
        seated = x if members is None else x[members.flatten()]
        seated = seated.view(places, width, heads, repeats, last).transpose(1, 2)
        return seated.reshape(places, heads, width * repeats, last)

    def _unseat(self, x: Tensor) -> Tensor:
        """The inverse of :meth:`_seat`."""
        places, heads, seats, last = x.shape
        members = self._seating.members
        width = self._seating.rows // places if members is None else members.shape[1]
        rows = x.view(places, heads, width, seats // width, last).transpose(1, 2)
        rows = rows.reshape(places * width, heads, seats // width, last)
        return rows if self._seating.seats is None else rows[self._seating.seats]


class SeveralTokens:
    """The :class:`rlvr_gym.agents.attention.Attention` of what some rows are told: each goes on after its own tokens.

    Args:
        cache: is read and written.
        rows: which rows.
        prompts: the place of each one's prompt.
        lengths: tokens of each of these prompts in the cache.
        starts: the column that the first token of each row goes to.
        counts: tokens of each row, at least 1; they are padded on the right to the largest.
    """

    def __init__(
        self,
        cache: SharedCache,
        rows: Sequence[int],
        prompts: Sequence[int],
        lengths: Sequence[int],
        starts: Sequence[int],
        counts: Sequence[int],
    ) -> None:
        device = cache.rows.device
        self._cache = cache
        self._rows, self._prompts, prompt_lengths, first, count = (
            torch.tensor(numbers, device=device) for numbers in (rows, prompts, lengths, starts, counts)
        )
        self._longest = max(lengths)
        self._visible = max(start + count for start, count in zip(starts, counts, strict=True))
        steps = torch.arange(max(counts), device=device)
        columns = first[:, None] + steps
        self._real = (steps < count[:, None])[:, None].expand(-1, cache.heads, -1)
        self._index = (cache.starts[self._rows][:, :, None] + columns[:, None])[self._real]
        before = cache.columns[: self._longest] < prompt_lengths[:, None, None]
        own = cache.columns[: self._visible] <= columns[:, :, None]
        self._attend = torch.cat([before.expand(-1, len(steps), -1), own], dim=-1)[:, None]

    def __call__(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, scale: float | None = None
    ) -> Tensor:
        """See :class:`rlvr_gym.agents.attention.Attention`."""
        _write_rows(self._cache.rows, layer, self._index, key[self._real], value[self._real])
        prompts = self._cache.prompts[layer][:, self._prompts, :, : self._longest]
        own = self._cache.rows[layer][:, self._rows, :, : self._visible]
        keys, values = torch.cat([prompts, own], dim=3)
        return mix(query, keys, values, self._attend, scale)


def _write_rows(rows: Tensor, layer: int, index: Tensor, key: Tensor, value: Tensor) -> None:
    """Writes ``key, value [n, K, 1, D]`` to a layer of ``rows [layers, 2, R, K, L, D]``, at ``index [n K]`` of its tokens."""
    dim = key.shape[-1]
    for store, new in zip(rows[layer], (key, value), strict=True):
        store.view(-1, dim).index_copy_(0, index, new.reshape(-1, dim))


# written out, the compiler would make a copy of the whole cache in each layer; an operation of this form it leaves alone
_operations = torch.library.Library("rlvr_gym", "FRAGMENT")
_operations.define("write_rows(Tensor(a!) rows, int layer, Tensor index, Tensor key, Tensor value) -> ()")
_operations.impl("write_rows", _write_rows, "CompositeExplicitAutograd")
torch.library.register_fake("rlvr_gym::write_rows", lambda rows, layer, index, key, value: None)
