"""Choosing the next token: temperature, top-k, top-p, each row from a random stream of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rlvr_gym.errors import ConfigError

__all__ = ["Chunking", "SamplingParams", "row_uniforms", "sample", "stream_seed"]


_BLOCK = 128
"""Tokens of a block, by which large vocabularies are sampled from."""


@dataclass(frozen=True, slots=True)
class Chunking:
    """Thinking in chunks whose context does not grow (Delethink, 2510.06557).

    The first chunk follows the prompt and has ``size`` tokens. Each later one follows the prompt and the last
    ``carry`` tokens of what came before, and has ``size - carry``: so no forward pass sees more than the prompt and
    ``size`` tokens, and the cost of thinking is linear in its length.

    Attributes:
        size: C, tokens of a chunk and what it carries.
        carry: m, tokens that are carried over.
    """

    size: int
    carry: int

    def __post_init__(self) -> None:
        if not 0 < self.carry < self.size:
            raise ConfigError(f"Chunks need 0 < carry < size; got size {self.size}, carry {self.carry}.")

    def bounds(self, length: int) -> list[tuple[int, int]]:
        """Where the chunks of a completion of ``length`` tokens begin and end."""
        starts = [0, *range(self.size, length, self.size - self.carry)]
        return list(zip(starts, [*starts[1:], length], strict=True))


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How completions are sampled.

    Attributes:
        max_tokens: most tokens of a completion, its end included.
        temperature: divides the logits; 0 is greedy.
        top_p: the smallest set of likeliest tokens that holds this much probability; 1 for all.
        top_k: the k likeliest tokens; 0 for all.
        chunking: think in chunks; None for one context that grows.
    """

    max_tokens: int = 64
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    chunking: Chunking | None = None

    def __post_init__(self) -> None:
        if self.max_tokens < 1 or self.temperature < 0 or not 0 < self.top_p <= 1 or self.top_k < 0:
            raise ConfigError(
                f"Needs max_tokens >= 1, temperature >= 0, 0 < top_p <= 1, top_k >= 0; got {self}."
            )


def row_uniforms(
    seed: int, rows: Sequence[int], count: int, turn: int = 0, chunk: int = 0
) -> NDArray[np.float32]:
    """``[len(rows), count]`` numbers in [0, 1), one for each token that a row may sample.

    Row ``r`` draws from ``SeedSequence([seed, r, turn, chunk])`` whatever else is in the batch. (Trailing zeros do
    not change a seed sequence, so the first turn is the stream ``[seed, r]``.)
    """
    uniforms = np.empty((len(rows), count), dtype=np.float32)
    for i, row in enumerate(rows):
        sequence = np.random.SeedSequence([seed, row, turn, chunk])
        np.random.Generator(np.random.PCG64(sequence)).random(out=uniforms[i], dtype=np.float32)
    return uniforms


def stream_seed(seed: int, row: int, turn: int = 0, chunk: int = 0) -> int:
    """A number below 2**63 for samplers that take one seed a row."""
    (state,) = np.random.SeedSequence([seed, row, turn, chunk]).generate_state(1, np.uint64)
    return int(state) >> 1


def sample(logits: Tensor, uniforms: Tensor, params: SamplingParams) -> tuple[Tensor, Tensor]:
    """Draws one token a row by inverting the cumulative distribution.

    The log-probability is that under the *tempered* distribution before top-k and top-p cut it:
    ``log_softmax(logits / temperature)``. The trainer computes the same from the same logits, so that the ratio
    of new to old is exactly 1 on policy. Greedy sampling (temperature 0) reports the untempered one.

    Args:
        logits: ``[B, V]`` in float32.
        uniforms: ``[B]`` in [0, 1).
        params: temperature, top-p and top-k.

    Returns:
        Tokens ``[B]`` and their log-probabilities ``[B]``.
    """
    if params.temperature == 0:
        logprobs = logits.log_softmax(-1)
        tokens = logits.argmax(-1)
        return tokens, logprobs.gather(-1, tokens[:, None])[:, 0]
    tempered = logits if params.temperature == 1 else logits / params.temperature
    probs = tempered.softmax(-1)
    tokens = _invert(_truncate(probs, params), uniforms[:, None])
    # softmax adds up a row in a few long chains, which loses digits over 100,000 tokens; sum does not
    own = probs.gather(-1, tokens) / probs.sum(-1, keepdim=True)
    return tokens[:, 0], own.log()[:, 0]


def _invert(mass: Tensor, uniforms: Tensor) -> Tensor:
    """The first index ``[B, 1]`` whose cumulative mass is above ``uniforms [B, 1]`` times that of all of ``mass [B, V]``.

    Large vocabularies go by blocks: the block first, then the token in it. So only one block has to be summed token
    by token, which takes several times as long as to sum in any order.
    """
    width = mass.shape[-1]
    if width < _BLOCK**2:
        return _first_above(mass, uniforms)[0]
    whole = width // _BLOCK * _BLOCK
    blocks = mass[:, :whole].unflatten(-1, (-1, _BLOCK)).sum(-1)
    if whole < width:
        blocks = torch.cat([blocks, mass[:, whole:].sum(-1, keepdim=True)], dim=-1)
    block, rest = _first_above(blocks, uniforms)
    index = block * _BLOCK + torch.arange(_BLOCK, device=mass.device)
    inside = mass.gather(-1, index.clamp(max=width - 1)).masked_fill(index >= width, 0.0)
    return block * _BLOCK + _first_above(inside, rest)[0]


def _first_above(mass: Tensor, uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """The index ``[B, 1]``, which has a mass of its own above 0, and where in that mass it was met, in [0, 1)."""
    above = mass.cumsum(-1)
    target = uniforms * above[:, -1:]
    index = torch.searchsorted(above, target, right=True)
    own = mass.gather(-1, index)
    met = (target - above.gather(-1, index) + own) / own
    return index, met.clamp(0.0, 1.0 - 2.0**-24)


def _truncate(probs: Tensor, params: SamplingParams) -> Tensor:
    """``probs [B, V]`` with 0 outside the top-k and the nucleus; not renormalised."""
    if 0 < params.top_k < probs.shape[-1]:
        threshold = probs.topk(params.top_k, dim=-1).values[:, -1:]
        probs = probs * (probs >= threshold)
    if params.top_p < 1:
        ordered, order = probs.sort(dim=-1, descending=True)
        before = ordered.cumsum(-1) - ordered  # mass of all likelier tokens
        kept = ordered * (before < params.top_p * ordered.sum(-1, keepdim=True))
        probs = torch.zeros_like(probs).scatter(-1, order, kept)
    return probs
