"""A lean forward pass for models of the Llama kind, over the modules that Hugging Face made.

It computes what ``transformers`` computes (the policy compares the two when it is made) with fewer and larger
operations: on small models the many small ones take half of the time. Weights, names and adapters in the modules stay
as they are.
"""

from __future__ import annotations

from types import MethodType
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rlvr_gym.agents.attention import Attention
from rlvr_gym.agents.linear import linear, linear_plus, swiglu
from rlvr_gym.agents.policy import run_layer

__all__ = ["LlamaForward"]

_KINDS = frozenset({"llama", "mistral", "qwen2", "qwen3"})
_STATIC_ROPE = frozenset({"default", "linear", "llama3", "yarn"})
"""Kinds of RoPE whose speeds do not depend on the length of the sequence."""


class LlamaForward:
    """Llama, Mistral, Qwen2 and Qwen3: RMSNorm, RoPE, grouped queries, SwiGLU.

    Args:
        model: a causal language model of ``transformers``, of one of these kinds.
    """

    def __init__(self, model: Any) -> None:
        self._decoder = model.base_model
        self._rotary = self._decoder.rotary_emb
        for layer in self._decoder.layers:  # a method, as what may gather a layer's weights is the layer
            layer.lean_forward = MethodType(_block, layer)

    @classmethod
    def of(cls, model: Any) -> Self | None:
        """The lean forward of a model, or None if it is of no kind that is known here."""
        config = model.config
        rope = getattr(config, "rope_parameters", None) or {}
        known = (
            config.model_type in _KINDS
            and config.hidden_act == "silu"
            and rope.get("rope_type", "default") in _STATIC_ROPE
            and hasattr(model.base_model, "rotary_emb")
        )
        return cls(model) if known else None

    def __call__(
        self, tokens: Tensor, positions: Tensor, attention: Attention, *, again: bool = False
    ) -> Tensor:
        """Hidden states ``[B, T, D]``; see :meth:`rlvr_gym.agents.policy.Policy.run`.

        Args:
            tokens: ``[B, T]``.
            positions: ``[B, T]`` or ``[1, T]``.
            attention: mixes values in each layer.
            again: compute each layer again in the backward pass (gradient checkpointing).
        """
        x: Tensor = self._decoder.embed_tokens(tokens).to(self._decoder.norm.weight.dtype)
        angles = positions[..., None].float() * self._rotary.inv_freq
        factor = self._rotary.attention_scaling
        rope = tuple((f(angles) * factor).to(x.dtype)[:, :, None] for f in (torch.cos, torch.sin))
        for number, layer in enumerate(self._decoder.layers):
            x = run_layer(layer.lean_forward, number, x, *rope, attention, again=again)
        return _norm(self._decoder.norm, x)


def _block(
    layer: nn.Module, number: int, x: Tensor, cos: Tensor, sin: Tensor, attention: Attention
) -> Tensor:
    """``[B, T, D]`` to ``[B, T, D]``; ``cos, sin [B or 1, T, 1, dim/2]``."""
    a: Any = layer.self_attn
    h = _norm(layer.input_layernorm, x)
    query, key, value = (
        linear(project, h).unflatten(-1, (-1, a.head_dim)) for project in (a.q_proj, a.k_proj, a.v_proj)
    )
    if hasattr(a, "q_norm"):
        query, key = _norm(a.q_norm, query), _norm(a.k_norm, key)
    query, key = _rotate(query, cos, sin), _rotate(key, cos, sin)
    mixed = attention(number, query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), a.scaling)
    x = linear_plus(a.o_proj, mixed.transpose(1, 2).flatten(2), x)
    m: Any = layer.mlp
    h = _norm(layer.post_attention_layernorm, x)
    return linear_plus(m.down_proj, swiglu(m.gate_proj, m.up_proj, h), x)


def _norm(norm: Any, x: Tensor) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), norm.weight, norm.variance_epsilon)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """RoPE: turns the pairs ``(x[i], x[i + dim/2])`` of ``[B, T, H, dim]``."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
