"""Scores from hidden states, tile by tile, against the logits of the whole vocabulary."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rlvr_gym.agents import head as module
from rlvr_gym.agents.head import head_scores

Columns = tuple[torch.Tensor, torch.Tensor | None]


def plainly(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    targets: torch.Tensor,
    temperature: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    log_p = (torch.nn.functional.linear(hidden, weight, bias) / temperature).log_softmax(-1)
    return log_p.gather(1, targets[:, None])[:, 0], -(log_p.exp() * log_p).sum(-1)


def example(
    seed: int, n: int, vocabulary: int, *, spread: float = 1.0, dtype: torch.dtype = torch.float64
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    hidden, weight, bias = (
        torch.randn(shape, dtype=dtype, generator=generator)
        for shape in ((n, 6), (vocabulary, 6), (vocabulary,))
    )
    targets = torch.randint(vocabulary, (n,), generator=generator)
    return (hidden * spread).requires_grad_(), weight.requires_grad_(), bias.requires_grad_(), targets


@pytest.fixture
def tiles(monkeypatch: pytest.MonkeyPatch) -> Any:
    def of(numbers: int, rows: int = 2**11) -> None:
        monkeypatch.setitem(module._TILE, "cpu", (rows, numbers))

    return of


def test_by_hand() -> None:
    # logits 0 and log 3 at temperature 1: probabilities 1/4 and 3/4
    hidden, weight = torch.ones(2, 1), torch.tensor([[1.0], [3.0]]).log()
    logprobs, entropy = head_scores(hidden, weight, None, torch.tensor([0, 1]), entropy=True)
    torch.testing.assert_close(logprobs.exp(), torch.tensor([0.25, 0.75]))
    assert entropy is not None
    # 1/4 log 4 + 3/4 log 4/3
    torch.testing.assert_close(entropy, torch.full((2,), 0.5623351446))


@pytest.mark.parametrize(("size", "rows"), [(1, 7), (7, 3), (35, 7), (35, 1), (10_000, 4), (10_000, 2_048)])
@pytest.mark.parametrize("with_bias", [True, False])
def test_tiles_of_any_size_give_scores_and_gradients_of_the_whole(
    size: int, rows: int, with_bias: bool, tiles: Any
) -> None:
    tiles(size, rows)
    hidden, weight, bias, targets = example(0, 7, 23)
    given_bias = bias if with_bias else None
    inputs = [hidden, weight, *([bias] if with_bias else [])]
    pulls = torch.randn(2, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def outcome(columns: Columns) -> list[torch.Tensor]:
        logprobs, entropy = columns
        assert entropy is not None
        gradients = torch.autograd.grad((pulls[0] * logprobs + pulls[1] * entropy).sum(), inputs)
        return [logprobs.detach(), entropy.detach(), *gradients]

    ours = outcome(head_scores(hidden, weight, given_bias, targets, 0.7, entropy=True))
    for a, b in zip(ours, outcome(plainly(hidden, weight, given_bias, targets, 0.7)), strict=True):
        torch.testing.assert_close(a, b)


def test_gradients_by_finite_differences(tiles: Any) -> None:
    tiles(15)
    *inputs, targets = example(2, 5, 8)

    def scores(hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> Columns:
        return head_scores(hidden, weight, bias, targets, 1.3, entropy=True)

    assert torch.autograd.gradcheck(scores, inputs)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 40), st.floats(0.0, 1e4))
def test_any_spread_of_logits(seed: int, n: int, vocabulary: int, spread: float) -> None:
    hidden, weight, bias, targets = example(seed, n, vocabulary, spread=spread)
    before = module._TILE["cpu"]
    module._TILE["cpu"] = 4, 5 * n
    try:
        logprobs, entropy = head_scores(hidden, weight, bias, targets, entropy=True)
    finally:
        module._TILE["cpu"] = before
    expected = plainly(hidden, weight, bias, targets, 1.0)
    torch.testing.assert_close(logprobs, expected[0])
    assert entropy is not None
    torch.testing.assert_close(entropy, expected[1], atol=1e-6, rtol=1e-6)
    assert (logprobs <= 0).all()
    assert (entropy >= -1e-9).all()


@pytest.mark.parametrize("wanted", [c for k in (1, 2) for c in itertools.combinations(range(3), k)])
def test_only_gradients_that_are_asked_for(wanted: tuple[int, ...]) -> None:
    *inputs, targets = example(3, 4, 9)
    for i, x in enumerate(inputs):
        x.requires_grad_(i in wanted)
    head_scores(*inputs, targets)[0].sum().backward()
    assert [i for i, x in enumerate(inputs) if x.grad is not None] == list(wanted)


def test_half_precision_weights_give_float32_scores() -> None:
    hidden, weight, bias, targets = example(4, 5, 11, dtype=torch.bfloat16)
    logprobs, entropy = head_scores(hidden, weight, bias, targets, entropy=True)
    assert entropy is not None
    assert logprobs.dtype == entropy.dtype == torch.float32
    (logprobs.sum() + entropy.sum()).backward()
    assert hidden.grad is not None
    assert hidden.grad.dtype == torch.bfloat16


def test_nothing_sampled_and_numbers_that_are_none() -> None:
    hidden, weight, _, targets = example(5, 0, 11)
    logprobs, entropy = head_scores(hidden, weight, None, targets, entropy=True)
    assert entropy is not None
    assert logprobs.shape == entropy.shape == (0,)
    hidden, weight, _, targets = example(6, 3, 11)
    poisoned = hidden.detach().clone()
    poisoned[1] = torch.nan
    assert head_scores(poisoned, weight, None, targets)[0].isnan().tolist() == [False, True, False]
