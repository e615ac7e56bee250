"""Matrix products with weights, by the faster of the two libraries that torch has for them on a CPU."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from rlvr_gym.agents.threads import all_threads

__all__ = ["linear", "linear_plus", "packed_weights", "product", "swiglu", "weight_gradient"]

_WORTHWHILE = 2**19
"""Multiplications of a product from which on a call of oneDNN (about 20 us) is made up for."""
_WORTHWHILE_WITH_GRADIENTS = 2**21
"""The same where gradients are wanted: a function of our own costs autograd some 50 us."""
_TYPICAL_ROWS = 64
"""Rows that packed weights are laid out for; products of other numbers of rows take them as well."""
_NARROW = 256
"""Columns up to which copying a factor costs less than what it saves."""
_PLAIN: tuple[type, ...] = (Tensor, nn.Parameter)
"""Unlike a weight that is spread over processes."""
_Place = tuple[int, torch.Size, tuple[int, ...]]
"""Address, shape and strides: two weights may begin at the same address, where one is a part of the other."""
_PACKED: dict[_Place, Tensor] = {}
"""oneDNN's own layout of weights, by where the weights themselves lie."""


def linear(layer: nn.Module, x: Tensor) -> Tensor:
    """``layer(x)``; ``x [..., in]`` to ``[..., out]``.

    In float32 torch multiplies by MKL, which leaves half of the speed of an AMD processor with AVX-512 unused. A plain
    linear layer of some size goes through oneDNN there, and so do its gradients. The two differ in rounding only.
    """
    if not _goes_through_one_dnn(layer, x):
        return _as_it_is(layer, x)
    if not torch.is_grad_enabled():
        return _one_dnn(layer, x)
    result: Tensor = _Product.apply(x, layer.weight, layer.bias)
    return result


def linear_plus(layer: nn.Module, x: Tensor, residual: Tensor) -> Tensor:
    """``residual + layer(x)``, by oneDNN in one go where no gradients are wanted."""
    if _fuses(layer, x):
        return _one_dnn(layer, x, "add", residual)
    return residual + linear(layer, x)


def swiglu(gate: nn.Module, up: nn.Module, x: Tensor) -> Tensor:
    """``silu(gate(x)) * up(x)`` (2002.05202), by oneDNN in two products and nothing else where no gradients are wanted."""
    gated = _one_dnn(gate, x, "swish") if _fuses(gate, x) else F.silu(linear(gate, x))
    if _fuses(up, x):
        return _one_dnn(up, x, "mul", gated)
    return gated * linear(up, x)


@contextmanager
def packed_weights(model: nn.Module) -> Iterator[None]:
    """Within it, products through oneDNN find the weights of ``model`` in oneDNN's own layout; they must not change.

    oneDNN would lay them out anew in each product, which takes a sixth of its time at 64 rows. Packing takes as long as
    some 10 of these, and memory for a second copy of the weights of linear layers for as long as it lasts.
    """
    packed: dict[_Place, Tensor] = {}
    if _ONE_DNN_IS_FASTER:
        for layer in model.modules():
            if type(layer) is not nn.Linear or not _is_plain(layer.weight):
                continue
            weight = layer.weight.detach()
            if _TYPICAL_ROWS * weight.numel() >= _WORTHWHILE:
                laid_out = torch.ops.mkldnn._reorder_linear_weight(weight, _TYPICAL_ROWS)
                packed[_place(weight)] = laid_out
    _PACKED.update(packed)
    try:
        yield
    finally:
        for place in packed:
            _PACKED.pop(place, None)


def _place(weight: Tensor) -> _Place:
    return weight.data_ptr(), weight.shape, weight.stride()


def product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x W' + b`` of tensors without gradients: ``x [..., in]`` and ``weight [out, in]`` to ``[..., out]``."""
    if _one_dnn_takes(x, weight, _WORTHWHILE):
        return _multiply(x, weight, bias, "none", None)
    with all_threads():
        return F.linear(x, weight, bias)


def weight_gradient(gradient: Tensor, x: Tensor) -> Tensor:
    """``g' x``: the gradient ``[N, out]`` of a product and its input ``[N, in]`` to that of its weight ``[out, in]``."""
    # oneDNN copies the first factor
    if x.shape[1] <= min(_NARROW, gradient.shape[1]):
        return product(x.T, gradient.T).T
    return product(gradient.T, x.T)


def _is_plain(weight: Tensor) -> bool:
    return type(weight) in _PLAIN and weight.dtype == torch.float32 and weight.device.type == "cpu"


def _one_dnn_takes(x: Tensor, weight: Tensor, worthwhile: int) -> bool:
    return (
        _ONE_DNN_IS_FASTER
        and _is_plain(weight)
        and x.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")  # which wants another type
        and _rows(x) * weight.numel() >= worthwhile
    )


def _goes_through_one_dnn(layer: nn.Module, x: Tensor) -> bool:
    worthwhile = _WORTHWHILE_WITH_GRADIENTS if torch.is_grad_enabled() else _WORTHWHILE
    return type(layer) is nn.Linear and _one_dnn_takes(x, layer.weight, worthwhile)


def _fuses(layer: nn.Module, x: Tensor) -> bool:
    return not torch.is_grad_enabled() and _goes_through_one_dnn(layer, x)


def _rows(x: Tensor) -> int:
    """Rows of a product, or some typical number while they are a symbol, which a comparison would pin down."""
    return 16 if torch.compiler.is_compiling() else x.shape[:-1].numel()


def _as_it_is(layer: nn.Module, x: Tensor) -> Tensor:
    with all_threads():
        result: Tensor = layer(x)
    return result


def _one_dnn(layer: nn.Module, x: Tensor, then: str = "none", other: Tensor | None = None) -> Tensor:
    multiply: Any = torch.ops.rlvr_gym.one_dnn_linear if torch.compiler.is_compiling() else _multiply
    result: Tensor = multiply(x, layer.weight, layer.bias, then, other)
    return result


def _multiply(x: Tensor, weight: Tensor, bias: Tensor | None, then: str, other: Tensor | None) -> Tensor:
    """The product, and ``then`` something to each number, alone or with ``other``."""
    weight = _PACKED.get(_place(weight), weight)
    result: Tensor
    with all_threads():
        if other is None:
            result = torch.ops.mkldnn._linear_pointwise(x, weight, bias, then, [], "")
        else:
            result = torch.ops.mkldnn._linear_pointwise.binary(x, other, weight, bias, then)
    return result


class _Product(torch.autograd.Function):
    """``x W' + b`` with its gradients: three products, and a sum for the bias."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _multiply(x, weight, bias, "none", None)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        of_x, of_weight, of_bias = ctx.needs_input_grad
        rows = gradient.reshape(-1, weight.shape[0])
        return (
            product(gradient, weight.T) if of_x else None,
            weight_gradient(rows, x.reshape(-1, weight.shape[1])) if of_weight else None,
            rows.sum(0) if of_bias else None,
        )


# torch's compiler knows the operation itself with weights that never change only; under this name it calls it as it is
_operations = torch.library.Library("rlvr_gym", "FRAGMENT")
_operations.define("one_dnn_linear(Tensor x, Tensor weight, Tensor? bias, str then, Tensor? other) -> Tensor")
_operations.impl("one_dnn_linear", _multiply, "CPU")


def _shape(x: Tensor, weight: Tensor, bias: Tensor | None, then: str, other: Tensor | None) -> Tensor:
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
