"""Weights, gradients and moments spread over processes (FSDP2), and how to have them whole again.

Each process keeps a part of every tensor, cut along its first axis. What a layer needs is gathered when it runs and
freed after it, in the forward and once more in the backward pass, whose gradients are summed and cut at once. So a
process holds its part of everything, and one layer, and for a moment what is outside of layers (embedding, last norm,
head), whole.

Gathering is work of all processes together: all of them have to make the same passes in the same order
(:meth:`rlvr_gym.agents.world.World.deal`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.graph import increment_version
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import (
    FSDPModule,
    MixedPrecisionPolicy,
    fully_shard,
    register_fsdp_forward_method,
)
from torch.distributed.tensor import DTensor, distribute_tensor

__all__ = [
    "clip_gradients",
    "count_steps",
    "gather_state",
    "load_weights",
    "scatter_as",
    "shard",
    "whole",
]

ENTRIES = ("one_pass", "lean_forward")
"""What is called in place of ``forward``, where a module has it: gathers weights as that does."""


def shard(
    model: nn.Module, layers: Iterable[nn.Module], device: torch.device, dtype: torch.dtype | None = None
) -> None:
    """Spreads a model over the processes, in place and layer by layer; it may be larger than a device until then.

    Args:
        model: the same in every process.
        layers: parts of it that are gathered one at a time; what is in none of them is gathered for a whole pass.
        device: where the parts go.
        dtype: gather the layers in this type, and compute with them in it; the weights stay as they are.
    """
    mesh = _mesh(device.type)
    lower = MixedPrecisionPolicy(dtype, torch.float32 if dtype else None, cast_forward_inputs=False)
    for layer in layers:
        fully_shard(layer, mesh=mesh, reshard_after_forward=True, mp_policy=lower)
    fully_shard(model, mesh=mesh, reshard_after_forward=True)
    for module in model.modules():
        if isinstance(module, FSDPModule):
            # losses are shares of a sum and not means; gloo knows no division
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)
            for entry in ENTRIES:
                if hasattr(module, entry):
                    register_fsdp_forward_method(module, entry)


@cache
def _mesh(kind: str) -> DeviceMesh:
    return init_device_mesh(kind, (dist.get_world_size(),))


def whole(tensor: Tensor) -> Tensor:
    """A tensor as it is without sharding; of a spread one every process has to ask."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def clip_gradients(weights: Iterable[Tensor], most: float) -> float:
    """Scales gradients down to a norm of at most ``most`` over all weights; returns the norm before."""
    return float(whole(nn.utils.clip_grad_norm_(weights, most)))


def count_steps(optimiser: torch.optim.Optimizer) -> None:
    """Lets steps count in the ``_version`` of weights, by which copies of them know that they are old.

    In plain weights they do so by themselves, but not where the optimiser is fused, nor in weights that are spread.
    """
    optimiser.register_step_post_hook(
        lambda stepped, *_: increment_version([w for group in stepped.param_groups for w in group["params"]])
    )


def gather_state(state: Any, keep: bool = True) -> Any:
    """A state dict with its spread tensors whole and on the CPU, one at a time; every process has to ask.

    Args:
        state: mappings, sequences, tensors, plain data.
        keep: whether this process wants them; it gets None in their place if not.
    """
    if isinstance(state, DTensor):
        tensor = whole(state.detach())
        return tensor.cpu() if keep else None
    if isinstance(state, Mapping):
        return {key: gather_state(value, keep) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return type(state)(gather_state(value, keep) for value in state)
    return state


def load_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """``model.load_state_dict`` with whole tensors, of which a model that is spread takes its parts."""
    known = model.state_dict()
    model.load_state_dict({name: scatter_as(known.get(name), tensor) for name, tensor in weights.items()})
    increment_version([w for w in model.parameters() if isinstance(w, DTensor)])


def scatter_as(weight: Tensor | None, value: Any) -> Any:
    """A whole tensor spread as a weight of its shape is; anything else as it is."""
    if isinstance(weight, DTensor) and isinstance(value, Tensor) and value.shape == weight.shape:
        return distribute_tensor(value, weight.device_mesh, weight.placements, src_data_rank=None)
    return value
