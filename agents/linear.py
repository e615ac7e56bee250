"""Matrix products with weights, by the faster of the two libraries that torch has for them on a CPU."""

from __future__ import annotations

import platform
from pathlib import Path

import torch
from torch import Tensor, nn

__all__ = ["linear"]

_WORTHWHILE = 2**19
"""Multiplications of a product from which on a call of oneDNN (about 20 us) is made up for."""


def linear(layer: nn.Module, x: Tensor) -> Tensor:
    """``layer(x)``; ``x [..., in]`` to ``[..., out]``.

    In float32 torch multiplies by MKL, which leaves half of the speed of an AMD processor with AVX-512 unused. Without
    gradients, a plain linear layer of some size goes through oneDNN there. The two differ in rounding only.
    """
    if _ONE_DNN_IS_FASTER and type(layer) is nn.Linear and not torch.is_grad_enabled():
        weight = layer.weight
        # a weight that is spread over processes is no plain parameter
        if (
            type(weight) is nn.Parameter
            and weight.dtype == x.dtype == torch.float32
            and x.device.type == "cpu"
            and _rows(x) * weight.numel() >= _WORTHWHILE
        ):
            multiply = torch.ops.rlvr_gym.one_dnn_linear if torch.compiler.is_compiling() else _multiply
            product: Tensor = multiply(x, weight, layer.bias)
            return product
    output: Tensor = layer(x)
    return output


def _rows(x: Tensor) -> int:
    """Rows of a product, or some typical number while they are a symbol, which a comparison would pin down."""
    return 16 if torch.compiler.is_compiling() else x.shape[:-1].numel()


def _multiply(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    product: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return product


# torch's compiler knows the operation itself with weights that never change only; under this name it calls it as it is
_operations = torch.library.Library("rlvr_gym", "FRAGMENT")
_operations.define("one_dnn_linear(Tensor x, Tensor weight, Tensor? bias) -> Tensor")
_operations.impl("one_dnn_linear", _multiply, "CPU")


def _shape(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return x.new_empty(*x.shape[:-1], weight.shape[0])


torch.library.register_fake("rlvr_gym::one_dnn_linear", _shape)


def _one_dnn_is_faster() -> bool:
    """Whether there is AVX-512 on a processor that is not Intel's; not measured, so that runs can be repeated."""
    try:
        processor = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        processor = platform.processor()
    return (
        torch.backends.mkldnn.is_available()
        and torch.backends.mkl.is_available()
        and torch.backends.cpu.get_cpu_capability() == "AVX512"
        and "Intel" not in processor
    )


_ONE_DNN_IS_FASTER = _one_dnn_is_faster()
