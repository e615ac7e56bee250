"""Losses against numbers worked out by hand, and their gradients in float64."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from rlvr_gym.agents.losses import (
    KL_ESTIMATORS,
    LOSSES,
    clipped_policy_loss,
    kl_divergence,
    masked_mean,
    token_weights,
)

MASK = torch.tensor([[0, 1, 1, 1], [0, 1, 0, 0]], dtype=torch.float64)
"""Two sequences, of three tokens and of one, after a prompt of one token."""


def logs(*ratios: list[float]) -> Tensor:
    return torch.tensor(ratios, dtype=torch.float64).log()


def test_clip_by_hand() -> None:
    logprobs = logs([1.0, 1.5, 0.5], [1.0, 1.5, 0.5])
    advantages = torch.tensor([[2.0], [-2.0]], dtype=torch.float64)
    loss, clips = clipped_policy_loss(
        logprobs, torch.zeros_like(logprobs), advantages, eps_low=0.2, eps_high=0.28
    )
    # A = 2: min(2, 2), min(3, 2.56), min(1, 1.6);  A = -2: min(-2, -2), min(-3, -2.56), min(-1, -1.6)
    expected = -torch.tensor([[2.0, 2.56, 1.0], [-2.0, -3.0, -1.6]], dtype=torch.float64)
    torch.testing.assert_close(loss, expected)
    assert clips["clip_ratio/high"].tolist() == [[0, 1, 0], [0, 0, 0]]
    assert clips["clip_ratio/low"].tolist() == [[0, 0, 0], [0, 0, 1]]


def test_a_clipped_token_has_no_gradient() -> None:
    logprobs = logs([1.0, 1.5, 0.5]).requires_grad_()
    advantages = torch.tensor([[1.0]], dtype=torch.float64)
    loss, _ = clipped_policy_loss(
        logprobs, torch.zeros(1, 3, dtype=torch.float64), advantages, eps_low=0.2, eps_high=0.2
    )
    loss.sum().backward()
    # d(-rho A) / d logprob = -rho A where it is not clipped
    torch.testing.assert_close(logprobs.grad, torch.tensor([[-1.0, 0.0, -0.5]], dtype=torch.float64))


def test_no_gradient_into_old_or_reference() -> None:
    a, b, c = (torch.randn(2, 3, dtype=torch.float64, requires_grad=True) for _ in range(3))
    loss, _ = clipped_policy_loss(a, b, torch.ones(2, 1), eps_low=0.2, eps_high=0.2)
    (loss + kl_divergence(a, c)).sum().backward()
    assert a.grad is not None
    assert b.grad is None
    assert c.grad is None


def test_kl_by_hand() -> None:
    logprobs, ref = logs([0.5, 0.2]), logs([0.25, 0.4])
    d = [math.log(0.5), math.log(2)]
    expected = {
        "k1": [-x for x in d],
        "k2": [x * x / 2 for x in d],
        "k3": [0.5 - d[0] - 1, 2 - d[1] - 1],
    }
    for name, values in expected.items():
        torch.testing.assert_close(kl_divergence(logprobs, ref, name)[0].tolist(), values)


def test_k1_and_k3_estimate_the_true_kl() -> None:
    p = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    q = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    true = (p * (p / q).log()).sum()
    for name in ("k1", "k3"):
        torch.testing.assert_close((p * kl_divergence(p.log(), q.log(), name)).sum(), true)


def test_weights_by_hand() -> None:
    third = 1 / 3
    expected = {
        # each sequence half; a token of the long one a third of that
        "grpo": [[0, third / 2, third / 2, third / 2], [0, 0.5, 0, 0]],
        "bnpo": [[0, 0.25, 0.25, 0.25], [0, 0.25, 0, 0]],
        "dapo": [[0, 0.25, 0.25, 0.25], [0, 0.25, 0, 0]],
        # 2 sequences x limit 5
        "dr_grpo": [[0, 0.1, 0.1, 0.1], [0, 0.1, 0, 0]],
    }
    assert expected.keys() == LOSSES.keys()
    for name, values in expected.items():
        torch.testing.assert_close(token_weights(MASK, name, 5), torch.tensor(values, dtype=torch.float64))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_an_invalid_sequence_leaves_the_loss(name: str) -> None:
    with_invalid = torch.cat([MASK, torch.zeros(1, 4, dtype=torch.float64)])
    weights = token_weights(with_invalid, name, 5)
    torch.testing.assert_close(weights[:2], token_weights(MASK, name, 5))
    assert not weights[2].any()


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_an_empty_batch_is_no_nan(name: str) -> None:
    assert not token_weights(torch.zeros(2, 4), name, 5).any()


@pytest.mark.parametrize("loss_name", sorted(LOSSES))
@pytest.mark.parametrize("estimator", sorted(KL_ESTIMATORS))
def test_gradients_in_float64(loss_name: str, estimator: str) -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(2, 4, 6, dtype=torch.float64, generator=generator).requires_grad_()
    old, ref = (torch.randn(2, 4, dtype=torch.float64, generator=generator) / 4 - 2 for _ in range(2))
    advantages = torch.tensor([[0.7], [-1.3]], dtype=torch.float64)
    tokens = torch.randint(6, (2, 4, 1), generator=generator)

    def loss(x: Tensor) -> Tensor:
        logprobs = x.log_softmax(-1).gather(-1, tokens)[..., 0]
        per_token, _ = clipped_policy_loss(logprobs, old, advantages, eps_low=0.2, eps_high=0.28)
        per_token = per_token + 0.1 * kl_divergence(logprobs, ref, estimator)
        return (token_weights(MASK, loss_name, 5) * per_token).sum()

    assert torch.autograd.gradcheck(loss, (logits,))
    loss(logits).backward()
    assert logits.grad is not None
    masked_out = MASK == 0
    assert not logits.grad[masked_out].any()
    assert logits.grad[~masked_out].any(dim=-1).any()


def test_masked_mean() -> None:
    values = torch.tensor([[9.0, 1, 2, 3], [9, 6, 9, 9]])
    assert masked_mean(values, MASK) == 3
    assert masked_mean(values, torch.zeros_like(MASK)) == 0
