"""Losses against numbers worked out by hand, and their gradients in float64."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from rlvr_gym.agents.losses import (
    KL_ESTIMATORS,
    LOSSES,
    cispo_loss,
    clipped_policy_loss,
    importance_weights,
    kl_divergence,
    kl_penalty_loss,
    masked_mean,
    sequence_ratio,
    token_weights,
    vanilla_policy_loss,
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


def test_the_weighted_kl_is_unbiased_off_policy_and_so_is_its_gradient() -> None:
    old = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)  # what sampled
    ref = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    logits = torch.tensor([0.1, -0.4, 0.8], dtype=torch.float64, requires_grad=True)
    logprobs = logits.log_softmax(-1)
    true = (logprobs.exp() * (logprobs - ref.log())).sum()
    estimated = (old * kl_divergence(logprobs, ref.log(), "k3", old=old.log())).sum()
    torch.testing.assert_close(estimated, true)
    gradients = [torch.autograd.grad(x, logits, retain_graph=True)[0] for x in (estimated, true)]
    torch.testing.assert_close(*gradients)


def test_weights_by_hand() -> None:
    third = 1 / 3
    expected = {
        # each sequence half; a token of the long one a third of that
        "grpo": [[0, third / 2, third / 2, third / 2], [0, 0.5, 0, 0]],
        "bnpo": [[0, 0.25, 0.25, 0.25], [0, 0.25, 0, 0]],
        "dapo": [[0, 0.25, 0.25, 0.25], [0, 0.25, 0, 0]],
        # 2 sequences x limit 5
        "dr_grpo": [[0, 0.1, 0.1, 0.1], [0, 0.1, 0, 0]],
        # of one prompt: as a mean over tokens
        "prompt": [[0, 0.25, 0.25, 0.25], [0, 0.25, 0, 0]],
    }
    assert expected.keys() == LOSSES.keys()
    for name, values in expected.items():
        weights = token_weights(MASK, name, 5, torch.tensor([3, 3]))
        torch.testing.assert_close(weights, torch.tensor(values, dtype=torch.float64))


def test_weights_over_prompts_by_hand() -> None:
    # prompt 0: rows of 3 and 1 tokens; prompt 2: a row of 2; prompt 1 has no token at all
    mask = torch.tensor([[1, 1, 1], [1, 1, 0], [0, 0, 0], [0, 1, 0]], dtype=torch.float64)
    weights = token_weights(mask, "prompt", 5, torch.tensor([0, 2, 1, 0]))
    expected = torch.tensor([[1 / 8] * 3, [1 / 4, 1 / 4, 0], [0, 0, 0], [0, 1 / 8, 0]], dtype=torch.float64)
    torch.testing.assert_close(weights, expected)
    with pytest.raises(ValueError, match="which prompt"):
        token_weights(mask, "prompt", 5)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_an_invalid_sequence_leaves_the_loss(name: str) -> None:
    with_invalid = torch.cat([MASK, torch.zeros(1, 4, dtype=torch.float64)])
    weights = token_weights(with_invalid, name, 5, torch.tensor([0, 1, 2]))
    torch.testing.assert_close(weights[:2], token_weights(MASK, name, 5, torch.tensor([0, 1])))
    assert not weights[2].any()


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_an_empty_batch_is_no_nan(name: str) -> None:
    assert not token_weights(torch.zeros(2, 4), name, 5, torch.tensor([0, 1])).any()


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
        return (token_weights(MASK, loss_name, 5, torch.tensor([0, 1])) * per_token).sum()

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


def test_vanilla_by_hand() -> None:
    logprobs = logs([0.5, 0.25]).requires_grad_()
    advantages = torch.tensor([[2.0, -3.0]], dtype=torch.float64)
    loss, clips = vanilla_policy_loss(logprobs, advantages)
    torch.testing.assert_close(loss, -advantages * logprobs)
    assert not clips
    loss.sum().backward()
    torch.testing.assert_close(logprobs.grad, -advantages)


def test_vanilla_and_the_ratio_have_one_gradient_on_policy() -> None:
    generator = torch.Generator().manual_seed(2)
    old, advantages = (torch.randn(3, 5, dtype=torch.float64, generator=generator) for _ in range(2))
    gradients = []
    for loss in (
        lambda x: vanilla_policy_loss(x, advantages)[0],
        lambda x: clipped_policy_loss(x, old, advantages, eps_low=0.2, eps_high=0.2)[0],
        lambda x: cispo_loss(x, old, advantages, ratio_max=5.0)[0],
        lambda x: kl_penalty_loss(x, old, advantages, penalty=3.0)[0],
    ):
        logprobs = old.clone().requires_grad_()
        loss(logprobs).sum().backward()
        gradients.append(logprobs.grad)
    for gradient in gradients[1:]:
        torch.testing.assert_close(gradient, gradients[0])


def test_dual_clip_by_hand() -> None:
    logprobs = logs([4.0, 2.0], [4.0, 2.0])
    advantages = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    loss, clips = clipped_policy_loss(
        logprobs, torch.zeros_like(logprobs), advantages, eps_low=0.2, eps_high=0.2, dual_clip=3.0
    )
    # A < 0: min(-3, -1.2), min(-2, -1.2); A > 0 is clipped at 1.2 before
    torch.testing.assert_close(loss, -torch.tensor([[-3.0, -2.0], [1.2, 1.2]], dtype=torch.float64))
    assert clips["clip_ratio/dual"].tolist() == [[1, 0], [0, 0]]


def test_sequence_ratio_by_hand() -> None:
    # mean of log 2 and log 8 is log 4; the first column does not count
    logprobs = logs([7.0, 2.0, 8.0]).requires_grad_()
    mask = torch.tensor([[0, 1, 1]], dtype=torch.float64)
    ratio = sequence_ratio(logprobs, torch.zeros(1, 3, dtype=torch.float64), mask)
    torch.testing.assert_close(ratio, torch.full((1, 3), 4.0, dtype=torch.float64))
    (ratio * mask).sum().backward()
    torch.testing.assert_close(logprobs.grad, torch.tensor([[0.0, 4.0, 4.0]], dtype=torch.float64))


def test_gspo_clips_whole_sequences() -> None:
    logprobs = logs([1.2, 1.2], [1.4, 1.0])
    advantages = torch.ones(2, 1, dtype=torch.float64)
    loss, clips = clipped_policy_loss(
        logprobs, torch.zeros_like(logprobs), advantages, eps_low=0.1, eps_high=0.19, mask=torch.ones(2, 2)
    )
    # sqrt(1.4) = 1.18 is inside, though one of its tokens is not
    torch.testing.assert_close(
        loss, -torch.tensor([[1.19], [math.sqrt(1.4)]], dtype=torch.float64).expand(2, 2)
    )
    assert clips["clip_ratio/high"].tolist() == [[1, 1], [0, 0]]


def test_cispo_by_hand() -> None:
    logprobs = logs([0.9, 0.5, 0.5]).requires_grad_()
    old = logs([0.1, 0.25, 0.5])
    advantages = torch.tensor([[1.0, -1.0, 1.0]], dtype=torch.float64)
    loss, clips = cispo_loss(logprobs, old, advantages, ratio_max=5.0)
    weights = torch.tensor([[5.0, 2.0, 1.0]], dtype=torch.float64)  # 9 is cut to 5
    torch.testing.assert_close(loss, -weights * advantages * logprobs)
    assert clips["clip_ratio/high"].tolist() == [[1, 0, 0]]
    loss.sum().backward()
    torch.testing.assert_close(logprobs.grad, -weights * advantages)  # a clipped token still has a gradient


def test_kl_penalty_by_hand() -> None:
    logprobs, old = logs([0.5, 0.2]).requires_grad_(), logs([0.25, 0.4])
    advantages = torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    loss, _ = kl_penalty_loss(logprobs, old, advantages, penalty=0.5)
    kl = [2 - math.log(2) - 1, 0.5 - math.log(0.5) - 1]
    expected = torch.tensor([[-2 + 0.5 * kl[0], 0.5 + 0.5 * kl[1]]], dtype=torch.float64)
    torch.testing.assert_close(loss, expected)
    loss.sum().backward()
    torch.testing.assert_close(
        logprobs.grad, torch.tensor([[-2 + 0.5 * (2 - 1), 0.5 + 0.5 * (0.5 - 1)]], dtype=torch.float64)
    )


def test_the_penaltys_gradient_is_that_of_the_true_kl() -> None:
    old = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    logits = torch.tensor([0.1, -0.4, 0.8], dtype=torch.float64, requires_grad=True)
    zero = torch.zeros(3, dtype=torch.float64)
    estimated = (old * kl_penalty_loss(logits.log_softmax(-1), old.log(), zero, penalty=1.0)[0]).sum()
    true = (old * (old.log() - logits.log_softmax(-1))).sum()
    torch.testing.assert_close(estimated, true)
    torch.testing.assert_close(
        torch.autograd.grad(estimated, logits)[0], torch.autograd.grad(true, logits)[0]
    )


def test_importance_weights_by_hand() -> None:
    trainer, rollout = logs([0.5, 0.9, 0.3]).requires_grad_(), logs([0.4, 0.1, 0.6])
    weights = importance_weights(trainer, rollout, cap=2.0)
    torch.testing.assert_close(weights, torch.tensor([[1.25, 2.0, 0.5]], dtype=torch.float64))
    assert not weights.requires_grad


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("objective", ["vanilla", "clip", "dual", "gspo", "cispo", "penalty"])
def test_gradients_of_objectives_in_float64(objective: str, width: int) -> None:
    """Against finite differences; what stands in a stop-gradient is frozen at the point first."""
    generator = torch.Generator().manual_seed(3)
    old = torch.randn(2, 4, dtype=torch.float64, generator=generator) / 4 - 2
    advantages = torch.randn(2, width, dtype=torch.float64, generator=generator)
    start = old + torch.randn(2, 4, dtype=torch.float64, generator=generator) / 3
    weights = token_weights(MASK, "grpo", 5)

    def loss(x: Tensor) -> Tensor:
        if objective == "vanilla":
            per_token, _ = vanilla_policy_loss(x, advantages)
        elif objective == "cispo":
            frozen = (start - old).exp().clamp(max=1.1)
            per_token = -frozen * advantages * x
        elif objective == "penalty":
            per_token, _ = kl_penalty_loss(x, old, advantages, penalty=0.7)
        elif objective == "gspo":  # eq. 5 of the paper, written down directly, one advantage a sequence
            s = (((x - old) * MASK).sum(1) / MASK.sum(1)).exp()[:, None]
            a = advantages[:, :1]
            per_token = -torch.minimum(s * a, s.clamp(0.8, 1.2) * a).expand(2, 4)
        else:
            dual = 1.3 if objective == "dual" else None
            per_token, _ = clipped_policy_loss(x, old, advantages, eps_low=0.2, eps_high=0.2, dual_clip=dual)
        return (weights * per_token).sum()

    point = start.clone().requires_grad_()
    assert torch.autograd.gradcheck(loss, (point,))
    expected = torch.autograd.grad(loss(point), point)[0]
    if objective == "cispo":
        ours = cispo_loss(point, old, advantages, ratio_max=1.1)[0]
    elif objective == "gspo":
        ours = clipped_policy_loss(point, old, advantages[:, :1], eps_low=0.2, eps_high=0.2, mask=MASK)[0]
    else:
        return
    torch.testing.assert_close(torch.autograd.grad((weights * ours).sum(), point)[0], expected)
