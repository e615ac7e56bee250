"""LoRA: small trainable matrices beside the frozen weights of a Hugging Face policy (2106.09685), through ``peft``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from rlvr_gym.agents.hf import HFPolicy
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.sharding import whole
from rlvr_gym.errors import ConfigError, MissingExtraError

__all__ = ["LoraSettings", "add_lora", "merged_weights"]


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


def merged_weights(policy: HFPolicy) -> Iterator[tuple[str, Tensor]]:
    """Names and weights of the model, as of one without adapters: ``W + alpha / rank * B A`` where there are any.

    All processes have to come by, where weights are spread over them.
    """
    state = policy.model.state_dict()
    for name, weight in state.items():
        layer, own, kind = name.partition(".base_layer.")
        if ".lora_" in name:
            continue
        if own and kind == "weight":
            assert policy.adapters is not None
            up, down = (whole(state[f"{layer}.lora_{part}.default.weight"]) for part in "BA")
            added = policy.adapters["alpha"] / policy.adapters["rank"] * (up @ down)
            if getattr(policy.model.get_submodule(layer), "fan_in_fan_out", False):  # a layer like GPT-2's
                added = added.T
            yield f"{layer}.weight", whole(weight) + added.to(weight.dtype)
        else:
            yield f"{layer}.{kind}" if own else name, whole(weight)


def _linear_names(decoder: nn.Module) -> list[str]:
    """The last parts of the names of all linear layers, such as ``q_proj``; the head is not in the decoder."""
    return sorted(
        {name.rpartition(".")[2] for name, m in decoder.named_modules() if isinstance(m, nn.Linear)}
    )
