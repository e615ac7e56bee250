"""A small decoder-only transformer from scratch: RoPE, RMSNorm, SwiGLU, tied embeddings, no dropout, no biases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rlvr_gym.agents.attention import Attention
from rlvr_gym.agents.cache import CacheShape
from rlvr_gym.agents.linear import linear, linear_plus
from rlvr_gym.agents.policy import Policy, run_layer
from rlvr_gym.agents.tokenizer import CharTokenizer
from rlvr_gym.errors import ConfigError

__all__ = ["SIZES", "Transformer", "TransformerConfig"]


@dataclass(frozen=True, slots=True)
class TransformerConfig:
    """The shape of a transformer.

    Attributes:
        layers: blocks.
        width: of the residual stream.
        heads: attention heads; divides ``width`` into even parts.
        inner: width inside the SwiGLU.
        max_context: most tokens in a sequence.
        rope_base: RoPE's base (2104.09864).
    """

    layers: int
    width: int
    heads: int
    inner: int
    max_context: int = 4096
    rope_base: float = 10_000.0

    def __post_init__(self) -> None:
        if self.width % (2 * self.heads):
            raise ConfigError(
                f"heads divides width into even parts; got width {self.width}, heads {self.heads}."
            )


SIZES: dict[str, TransformerConfig] = {
    "micro": TransformerConfig(layers=1, width=32, heads=2, inner=64),
    "tiny": TransformerConfig(layers=2, width=96, heads=4, inner=256),
    "small": TransformerConfig(layers=4, width=192, heads=6, inner=512),
    "medium": TransformerConfig(layers=6, width=384, heads=6, inner=1024),
}
"""Named shapes: 0.01 M, 0.23 M, 1.8 M and 10.7 M weights."""


class RMSNorm(nn.Module):
    """``x / rms(x) * weight`` (1910.07467)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """``[..., D]`` to ``[..., D]``."""
        return F.rms_norm(x, (x.shape[-1],), self.weight, 1e-6)


class Block(nn.Module):
    """Attention and SwiGLU, each on a normalised copy and added back."""

    def __init__(self, config: TransformerConfig, layer: int) -> None:
        super().__init__()
        width, inner = config.width, config.inner
        self.layer, self.heads = layer, config.heads
        self.norm_attention, self.norm_mlp = RMSNorm(width), RMSNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.gate_up = nn.Linear(width, 2 * inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor, rope: tuple[Tensor, Tensor], attention: Attention) -> Tensor:
        """``[B, T, D]`` to ``[B, T, D]``."""
        b, t, width = x.shape
        qkv = linear(self.qkv, self.norm_attention(x)).view(b, t, 3, self.heads, -1)
        qk = rotate(qkv[:, :, :2], *rope)  # queries and keys in one go
        query, key, value = (part.transpose(1, 2) for part in (qk[:, :, 0], qk[:, :, 1], qkv[:, :, 2]))
        mixed = attention(self.layer, query, key, value)
        x = linear_plus(self.out, mixed.transpose(1, 2).reshape(b, t, width), x)
        gate, up = linear(self.gate_up, self.norm_mlp(x)).chunk(2, dim=-1)
        return linear_plus(self.down, F.silu(gate) * up, x)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """RoPE: turns the pairs ``(x[i], x[i + dim/2])``; ``x [B, T, 2, H, dim]``, ``cos, sin [B, T, 1, 1, dim/2]``."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


class Transformer(Policy):
    """The from-scratch policy.

    Args:
        config: its shape.
        tokenizer: a character tokenizer.
        seed: of the initial weights.
    """

    def __init__(self, config: TransformerConfig, tokenizer: CharTokenizer, seed: int = 0) -> None:
        super().__init__()
        self.config, self.tokenizer, self.max_context = config, tokenizer, config.max_context
        self._char_tokenizer = tokenizer
        self.embedding = nn.Embedding(tokenizer.vocab_size, config.width)
        self.blocks = nn.ModuleList(Block(config, layer) for layer in range(config.layers))
        self.norm = RMSNorm(config.width)
        dim = config.width // config.heads
        speeds = config.rope_base ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
        angles = torch.arange(config.max_context, dtype=torch.float64)[:, None] * speeds
        self.register_buffer("cos", angles.cos().float(), persistent=False)
        self.register_buffer("sin", angles.sin().float(), persistent=False)
        self.cos: Tensor
        self.sin: Tensor
        self._initialise(seed)

    @classmethod
    def fresh(cls, size: str, tokenizer: CharTokenizer, seed: int) -> Transformer:
        """A policy of a named size with fresh weights."""
        return cls(SIZES[size], tokenizer, seed)

    @classmethod
    def rebuild(cls, described: dict[str, Any]) -> Transformer:
        """The inverse of :meth:`describe`."""
        return cls(TransformerConfig(**described["config"]), CharTokenizer.from_dict(described["tokenizer"]))

    @torch.no_grad()
    def _initialise(self, seed: int) -> None:
        """Normal(0, 0.02), and less where a block writes to the residual stream (GPT-2)."""
        generator = torch.Generator().manual_seed(seed)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                writes = name.endswith(("out.weight", "down.weight"))
                std = 0.02 / (2 * self.config.layers) ** 0.5 if writes else 0.02
                weight.normal_(0.0, std, generator=generator)

    def describe(self) -> dict[str, Any]:
        """Shape and tokenizer."""
        return {
            "kind": "transformer",
            "config": asdict(self.config),
            "tokenizer": self._char_tokenizer.to_dict(),
        }

    def head(self) -> nn.Module:
        """The embedding."""
        return self.embedding

    @property
    def layers(self) -> Sequence[nn.Module]:
        """The blocks."""
        return list(self.blocks)

    @property
    def cache_shape(self) -> CacheShape:
        """Layers, heads, and the size of a head."""
        return self.config.layers, self.config.heads, self.config.width // self.config.heads

    def run(self, tokens: Tensor, positions: Tensor, attention: Attention) -> Tensor:
        """See :meth:`Policy.run`."""
        dtype = self.norm.weight.dtype
        rope = tuple(table[positions][:, :, None, None].to(dtype) for table in (self.cos, self.sin))
        x = self.embedding(tokens).to(dtype)
        for block in self.blocks:
            x = run_layer(block, x, rope, attention, again=self.checkpoint_layers)
        return self.norm(x)
