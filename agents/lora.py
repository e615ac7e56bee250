"""LoRA: small trainable matrices beside the frozen weights of a Hugging Face policy (2106.09685), through ``peft``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import nn

from rlvr_gym.agents.hf import HFPolicy
from rlvr_gym.agents.policy import Policy
from rlvr_gym.errors import ConfigError, MissingExtraError

__all__ = ["LoraSettings", "add_lora"]


@dataclass(frozen=True, slots=True)
class LoraSettings:
    """What is trained.

    Attributes:
        rank: of the added matrices.
        alpha: their product counts ``alpha / rank``.
        targets: names of the linear layers that get them; ``all-linear`` for all but the head.
    """

    rank: int = 16
    alpha: int = 32
    targets: str | Sequence[str] = "all-linear"


def add_lora(policy: Policy, settings: LoraSettings, seed: int = 0) -> Policy:
    """Freezes the policy and gives it adapters, in place; at first they change nothing.

    Args:
        policy: a Hugging Face policy.
        settings: what is trained.
        seed: of the adapters' first matrices; the second ones are 0.

    Raises:
        ConfigError: if it is no Hugging Face policy, or has no such layers.
        MissingExtraError: without ``peft``.
    """
    if not isinstance(policy, HFPolicy):
        raise ConfigError(
            "LoRA is for Hugging Face policies (smollm2, hf:PATH); from-scratch ones train whole."
        )
    try:
        import peft
    except ImportError as error:
        raise MissingExtraError("peft", "lora", "LoRA") from error
    targets = settings.targets if isinstance(settings.targets, str) else list(settings.targets)
    if targets == "all-linear":
        targets = _linear_names(policy.model.base_model)
    config = peft.LoraConfig(r=settings.rank, lora_alpha=settings.alpha, target_modules=targets)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            peft.inject_adapter_in_model(config, policy.model)
    except ValueError as error:
        raise ConfigError(f"LoRA finds no layer named {targets!r} in {policy.source!r}: {error}") from error
    policy.adapters = asdict(settings)
    return policy


def _linear_names(decoder: nn.Module) -> list[str]:
    """The last parts of the names of all linear layers, such as ``q_proj``; the head is not in the decoder."""
    return sorted(
        {name.rpartition(".")[2] for name, m in decoder.named_modules() if isinstance(m, nn.Linear)}
    )
