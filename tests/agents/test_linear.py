"""Products through oneDNN are those of the layer, and are left to the layer wherever gradients or adapters want it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from rlvr_gym.agents import linear as module
from rlvr_gym.agents.linear import linear, linear_plus, packed_weights, swiglu


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of each product that went through oneDNN, as on a processor where it is faster."""
    if not torch.backends.mkldnn.is_available():
        pytest.skip("this torch has no oneDNN")
    monkeypatch.setattr(module, "_ONE_DNN_IS_FASTER", True)
    rows: list[int] = []
    multiply = module._multiply

    def counted(x: torch.Tensor, *rest: Any) -> torch.Tensor:
        rows.append(x.shape[:-1].numel())
        return multiply(x, *rest)

    monkeypatch.setattr(module, "_multiply", counted)
    return rows


@pytest.mark.parametrize("bias", [True, False])
def test_as_the_layer_itself(products: list[int], bias: bool) -> None:
    layer, x = nn.Linear(128, 256, bias=bias), torch.randn(4, 8, 128)
    with torch.no_grad():
        torch.testing.assert_close(linear(layer, x), layer(x))
        layer.weight.mul_(2)  # what an optimiser does is seen
        torch.testing.assert_close(linear(layer, x), layer(x))
    assert products == [32, 32]


def test_what_the_layer_does_itself(products: list[int]) -> None:
    class Adapted(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x) + 1

    layer, x = nn.Linear(128, 256), torch.randn(32, 128)
    linear(layer, x).sum().backward()
    assert layer.weight.grad is not None
    with torch.no_grad():
        linear(layer, x[:1])  # too small to be worth a call
        linear(layer.bfloat16(), x.bfloat16())
        adapted = Adapted(128, 256)
        torch.testing.assert_close(linear(adapted, x), adapted(x))
    assert products == []


def test_fused_forms_are_what_they_say(products: list[int]) -> None:
    gate, up, down = nn.Linear(128, 256), nn.Linear(128, 256, bias=False), nn.Linear(256, 128)
    x = torch.randn(32, 1, 128)
    expected = x + down(nn.functional.silu(gate(x)) * up(x))
    plain = linear_plus(down, swiglu(gate, up, x), x)
    assert products == []
    assert plain.requires_grad
    with torch.no_grad():
        torch.testing.assert_close(linear_plus(down, swiglu(gate, up, x), x), expected)
    assert products == [32, 32, 32]
    torch.testing.assert_close(plain, expected)


@pytest.mark.parametrize("rows", [1, 7, 64, 300])
def test_packed_weights_give_the_same_products(products: list[int], rows: int) -> None:
    model, x = nn.Sequential(nn.Linear(640, 1024), nn.Linear(1024, 32, bias=False)), torch.randn(rows, 640)
    with torch.no_grad():
        expected = model(x)
        with packed_weights(model):
            assert len(module._PACKED) == 2
            torch.testing.assert_close(linear(model[1], linear(model[0], x)), expected)
        assert not module._PACKED
        model[0].weight.zero_()  # what comes after does not see the layout of before
        torch.testing.assert_close(linear(model[0], x), model[0](x))
    assert products


def test_packed_weights_are_dropped_when_something_fails(products: list[int]) -> None:
    seen: list[int] = []

    def fail() -> None:
        with packed_weights(nn.Linear(512, 512)):
            seen.append(len(module._PACKED))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen == [1]
    assert not module._PACKED
    assert products == []


def test_a_weight_that_is_a_part_of_another_is_not_taken_for_it(products: list[int]) -> None:
    whole, part, turned = nn.Linear(512, 512), nn.Linear(512, 256), nn.Linear(512, 512)
    part.weight = nn.Parameter(whole.weight.detach()[:256])
    turned.weight = nn.Parameter(whole.weight.detach().T)
    x = torch.randn(32, 512)
    with torch.no_grad(), packed_weights(whole):
        for layer in (part, turned, whole):
            torch.testing.assert_close(linear(layer, x), layer(x))
    assert products == [32, 32, 32]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(64,), (4, 16), (1, 64, 1), (1,), ()])
@pytest.mark.parametrize(("narrow", "wide"), [(64, 1024), (1024, 64), (600, 900)])
def test_gradients_are_those_of_the_layer(
    products: list[int],
    monkeypatch: pytest.MonkeyPatch,
    bias: bool,
    shape: tuple[int, ...],
    narrow: int,
    wide: int,
) -> None:
    monkeypatch.setattr(module, "_WORTHWHILE", 1)
    monkeypatch.setattr(module, "_WORTHWHILE_WITH_GRADIENTS", 1)
    layer = nn.Linear(narrow, wide, bias=bias)
    x = torch.randn(*shape, narrow, requires_grad=True)
    for pull in (torch.randn(*shape, wide), torch.ones(1).expand(*shape, wide)):
        inputs = [x, *layer.parameters()]
        ours = torch.autograd.grad((linear(layer, x) * pull).sum(), inputs)
        assert len(products) == 3
        products.clear()
        for a, b in zip(ours, torch.autograd.grad((layer(x) * pull).sum(), inputs), strict=True):
            torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_gradients_of_what_is_frozen_are_not_computed(products: list[int]) -> None:
    layer, x = nn.Linear(512, 512), torch.randn(32, 512, requires_grad=True)
    layer.requires_grad_(False)
    linear(layer, x).sum().backward()
    assert products == [32, 32]  # the product, and the gradient of its input
    assert layer.weight.grad is None


@pytest.mark.parametrize("gradients", [True, False])
def test_under_autocast_products_are_in_the_type_that_it_wants(products: list[int], gradients: bool) -> None:
    layer, x = nn.Linear(512, 512), torch.randn(32, 512)
    with torch.set_grad_enabled(gradients), torch.autocast("cpu", torch.bfloat16):
        assert linear(layer, x).dtype == torch.bfloat16
    assert products == []


def test_a_layer_that_is_computed_again_gives_the_same_gradients(products: list[int]) -> None:
    layer, x = nn.Linear(512, 512), torch.randn(32, 512, requires_grad=True)
    inputs = [x, *layer.parameters()]
    plain = torch.autograd.grad(linear(layer, x).square().sum(), inputs)
    again = torch.autograd.grad(checkpoint(linear, layer, x, use_reentrant=False).square().sum(), inputs)
    assert all(torch.equal(a, b) for a, b in zip(plain, again, strict=True))
    assert len(products) == 3 + 4
