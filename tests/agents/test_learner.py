"""The update: log-probabilities of sampled tokens, accumulation, and what gets no gradient."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.guards import CollapseGuard, TrainingError
from rlvr_gym.agents.learner import Batch, Learner, pad_batch, sampled_logprobs
from rlvr_gym.agents.policy import Policy, load_policy
from rlvr_gym.agents.rollout import RolloutEngine
from rlvr_gym.agents.sampling import SamplingParams
from rlvr_gym.agents.sft import Demonstration, sft_gradient

SHAPES = [(3, 5), (6, 2), (2, 9), (4, 4), (5, 1), (3, 7)]
"""Prompt and completion lengths of a batch."""


@pytest.fixture
def policy() -> Policy:
    return load_policy("micro", seed=1)


def make_batch(policy: Policy, *, invalid: int | None = None, environment: slice | None = None) -> Batch:
    """Random sequences; ``environment`` are positions of the first one that somebody else wrote."""
    generator = torch.Generator().manual_seed(0)
    tokens = [torch.randint(5, 100, (p + c,), generator=generator).tolist() for p, c in SHAPES]
    masks = [[False] * p + [True] * c for p, c in SHAPES]
    if environment is not None:
        masks[0][environment] = [False] * len(masks[0][environment])
    if invalid is not None:
        masks[invalid] = [False] * len(masks[invalid])
    old = [[-4.6 if m else 0.0 for m in mask] for mask in masks]
    advantages = [1.0, -1.0, 0.5, -0.5, 2.0, -2.0]
    return pad_batch(tokens, masks, old, advantages, policy.tokenizer.pad_id, torch.device("cpu"))


def config(**overrides: object) -> TrainConfig:
    return TrainConfig.for_env("rlvr/Arithmetic-v0", **overrides)


def gradient(policy: Policy, batch: Batch, **overrides: object) -> dict[str, torch.Tensor]:
    """The gradient of one update, before clipping."""
    policy = copy.deepcopy(policy)
    reference = copy.deepcopy(policy)
    with torch.no_grad():
        for weight in reference.parameters():
            weight.add_(0.01)
    learner = Learner(policy, config(**{"optimiser.max_grad_norm": 1e9, **overrides}), reference)
    learner.update(batch, 1)
    return {name: p.grad.clone() for name, p in policy.named_parameters() if p.grad is not None}


def assert_same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> None:
    assert a.keys() == b.keys()
    assert a
    for name in a:
        torch.testing.assert_close(a[name], b[name], atol=1e-7, rtol=1e-4)


def test_sampled_logprobs_are_the_chosen_entries(policy: Policy) -> None:
    batch = make_batch(policy)
    result = sampled_logprobs(policy, batch.tokens, batch.mask, temperature=0.8)
    for i, (prompt, completion) in enumerate(SHAPES):
        sequence = batch.tokens[i : i + 1, : prompt + completion]
        full = (policy.logits(policy.hidden(sequence))[0] / 0.8).log_softmax(-1)
        for t in range(result.shape[1]):
            inside = prompt <= t < prompt + completion
            expected = full[t - 1, sequence[0, t]] if inside else torch.tensor(0.0)
            torch.testing.assert_close(result[i, t], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("settings", [{}, {"algorithm": {"name": "grpo", "entropy_coef": 0.1}}])
def test_a_head_that_is_more_than_a_product_is_called(
    policy: Policy, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = make_batch(policy)
    tiled = gradient(policy, batch, **settings)
    monkeypatch.setattr("rlvr_gym.agents.scoring._LOGITS_AT_ONCE", 5 * policy.tokenizer.vocab_size)
    monkeypatch.setattr(type(policy), "plain_head", lambda self: None)
    assert_same(gradient(policy, batch, **settings), tiled)


@pytest.mark.parametrize("algorithm", ["grpo", "bnpo", "dr_grpo", "dapo", "rloo"])
@pytest.mark.parametrize("beta", [0.0, 0.1])
def test_accumulation_changes_nothing(policy: Policy, algorithm: str, beta: float) -> None:
    batch = make_batch(policy, invalid=3)
    settings = {"algorithm": {"name": algorithm, "beta": beta}}
    whole = gradient(policy, batch, **settings)
    for size in (1, 2, 4):
        assert_same(gradient(policy, batch, **settings, **{"optimiser.micro_batch": size}), whole)


def test_accumulation_in_the_warm_start(policy: Policy) -> None:
    batch = make_batch(policy)
    rows = [
        Demonstration(batch.tokens[i, :n].tolist(), batch.mask[i, :n].bool().tolist())
        for i, n in enumerate(batch.lengths)
    ]
    losses, gradients = [], []
    for size in (100, 1, 4):
        other = copy.deepcopy(policy)
        losses.append(sft_gradient(other, rows, size))
        gradients.append({n: p.grad for n, p in other.named_parameters() if p.grad is not None})
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)
    assert_same(gradients[1], gradients[0])
    assert_same(gradients[2], gradients[0])
    mask = batch.mask
    expected = -sampled_logprobs(policy, batch.tokens, mask).detach().sum() / mask.sum()
    assert losses[0] == pytest.approx(float(expected), rel=1e-5)


def test_an_invalid_sample_is_as_if_it_were_not_there(policy: Policy) -> None:
    batch = make_batch(policy, invalid=2)
    others = [0, 1, 3, 4, 5]
    assert_same(gradient(policy, batch), gradient(policy, batch.rows(others)))


def test_zero_advantage_rows_count_in_the_normaliser_only(policy: Policy) -> None:
    batch = make_batch(policy)
    batch.advantages[1] = 0
    without_kl = gradient(policy, batch)
    # a KL term of no weight to speak of sends every row through the forward pass
    assert_same(gradient(policy, batch, **{"algorithm.beta": 1e-12}), without_kl)


def test_tokens_of_the_environment_are_context_only(policy: Policy) -> None:
    batch = make_batch(policy, environment=slice(5, 7))
    logprobs = sampled_logprobs(policy, batch.tokens, batch.mask)
    assert not logprobs[0, 5:7].any()
    # what is masked out is not predicted, so which token stands last before the padding does not matter
    changed = make_batch(policy, environment=slice(7, 8))
    before = gradient(policy, changed)
    changed.tokens[0, 7] = 42
    assert_same(gradient(policy, changed), before)


def test_padding_does_not_matter(policy: Policy) -> None:
    batch = make_batch(policy)
    before = gradient(policy, batch)
    for i, length in enumerate(batch.lengths):
        batch.tokens[i, length:] = 42
    assert_same(gradient(policy, batch), before)


def test_nothing_to_learn_moves_nothing(policy: Policy) -> None:
    batch = make_batch(policy)
    learner = Learner(policy, config())
    learner.update(batch, 1)  # momentum is there
    batch.advantages.zero_()
    before = copy.deepcopy(policy.state_dict())
    metrics = learner.update(batch, 2)
    assert all(torch.equal(before[key], value) for key, value in policy.state_dict().items())
    assert metrics["grad_norm"] == 0


def test_good_tokens_get_likelier_and_bad_ones_less(policy: Policy) -> None:
    batch = make_batch(policy)
    learner = Learner(policy, config(**{"optimiser.lr": 1e-3, "optimiser.warmup_steps": 0}))
    before = sampled_logprobs(policy, batch.tokens, batch.mask).sum(1)
    for step in range(5):
        learner.update(batch, step)
    change = sampled_logprobs(policy, batch.tokens, batch.mask).sum(1) - before
    assert torch.equal(change > 0, batch.advantages[:, 0] > 0)


def test_a_copy_in_bfloat16_samples_from_the_weights_of_the_last_step(policy: Policy) -> None:
    learner = Learner(
        policy, config(**{"optimiser.lr": 0.1, "optimiser.warmup_steps": 0}), copy.deepcopy(policy)
    )
    engine, greedy = RolloutEngine(policy, dtype=torch.bfloat16), SamplingParams(max_tokens=4, temperature=0)
    before = engine.generate([[5, 6]], greedy, seed=0)
    learner.update(make_batch(policy), 1)
    after = engine.generate([[5, 6]], greedy, seed=0)
    assert after != before
    assert after == RolloutEngine(policy, dtype=torch.bfloat16).generate([[5, 6]], greedy, seed=0)


def test_minibatches_and_epochs(policy: Policy) -> None:
    batch = make_batch(policy)
    learner = Learner(policy, config(**{"algorithm.minibatches": 3, "algorithm.epochs": 2}))
    metrics = learner.update(batch, 1)
    assert learner.optimiser_steps == 6
    assert metrics["approx_kl"] > 0


def test_kl_to_the_reference(policy: Policy) -> None:
    batch = make_batch(policy)
    learner = Learner(policy, config(), copy.deepcopy(policy))
    exact = Batch(
        batch.tokens,
        batch.mask,
        sampled_logprobs(policy, batch.tokens, batch.mask).detach(),
        batch.advantages,
        batch.lengths,
    )
    assert learner.update(exact, 1)["kl"] == pytest.approx(0, abs=1e-6)


def test_warm_up() -> None:
    policy = load_policy("micro")
    learner = Learner(policy, config(**{"optimiser.lr": 1.0e-3, "optimiser.warmup_steps": 3}))
    rates = [learner.update(make_batch(policy), step)["lr"] for step in range(5)]
    assert rates == pytest.approx([2.5e-4, 5e-4, 7.5e-4, 1e-3, 1e-3])


def test_decay() -> None:
    policy = load_policy("micro")
    settings = {"optimiser.lr": 1.0e-3, "optimiser.warmup_steps": 1, "optimiser.decay_steps": 5}
    learner = Learner(policy, config(**settings))
    rates = [learner.update(make_batch(policy), step)["lr"] for step in range(8)]
    # half, the peak at step 1, a tenth at step 5, and then for good
    assert rates == pytest.approx([5e-4, 1e-3, 7.75e-4, 5.5e-4, 3.25e-4, 1e-4, 1e-4, 1e-4])


def test_gradients_are_clipped(policy: Policy) -> None:
    learner = Learner(policy, config(**{"optimiser.max_grad_norm": 1e-3}))
    metrics = learner.update(make_batch(policy), 1)
    norms = [float(p.grad.norm()) for p in policy.parameters() if p.grad is not None]
    assert metrics["grad_norm"] > 1e-3  # what is told is the norm before
    assert math.hypot(*norms) == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_numbers_that_are_not_finite_stop_before_the_weights_change(policy: Policy, bad: float) -> None:
    batch = make_batch(policy)
    batch.advantages[0] = bad
    before = copy.deepcopy(policy.state_dict())
    with pytest.raises(TrainingError, match="not finite"):
        Learner(policy, config()).update(batch, 1)
    assert all(torch.equal(before[key], value) for key, value in policy.state_dict().items())


def test_collapse_is_noticed_with_advice() -> None:
    guard = CollapseGuard(window=3)
    for accuracy in (0.1, 0.5, 0.6, 0.6, 0.6, 0.3, 0.1, math.nan):
        guard.check(accuracy, 1e-3)
    again = CollapseGuard(window=3)
    again.load_state_dict(guard.state_dict())
    with pytest.raises(TrainingError, match=r"was 0\.60 and is 0\.13 .* optimiser\.lr \(now 0\.001\)"):
        again.check(0.0, 1e-3)


def test_a_hard_task_is_no_collapse() -> None:
    guard = CollapseGuard(window=3)
    for accuracy in [0.05, 0.1, 0.05, 0, 0, 0, 0, 0]:
        guard.check(accuracy, 1e-3)
