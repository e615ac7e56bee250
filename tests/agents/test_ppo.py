"""PPO's parts by hand: value model, value loss, controllers, reward normalisation; and that together they learn."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from rlvr_gym.agents.algorithms import AlgorithmConfig, ValueConfig
from rlvr_gym.agents.checkpoint import save_policy
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.learner import Learner
from rlvr_gym.agents.policy import Policy, load_policy
from rlvr_gym.agents.ppo import (
    VALUE_HEAD_FILE,
    AlgorithmState,
    RunningStd,
    ValueModel,
    adapted_beta,
    adapted_penalty,
    save_value_head,
    value_loss,
)
from rlvr_gym.agents.scoring import score
from rlvr_gym.errors import ConfigError


def column(*values: float) -> torch.Tensor:
    return torch.tensor([values], dtype=torch.float64)


@pytest.fixture
def policy() -> Policy:
    return load_policy("micro", seed=1)


def config(**overrides: object) -> TrainConfig:
    return TrainConfig.for_env("rlvr/Arithmetic-v0", algorithm="ppo", **overrides)


def test_value_loss_by_hand() -> None:
    values, old, returns = column(1.0, 1.0, -1.0, 0.1), column(0.0, 0.9, 0.0, 0.0), column(2.0, 2.0, 1.0, 0.0)
    # clipped: 0.2, 1.0, -0.2, 0.1; errors of it: 1.8, 1, 1.2, 0.1; plain ones: 1, 1, 2, 0.1
    loss, cut = value_loss(values, old, returns, 0.2)
    torch.testing.assert_close(loss, 0.5 * column(1.8**2, 1.0, 4.0, 0.01))
    assert cut.tolist() == [[1, 0, 0, 0]]
    loss, cut = value_loss(values, old, returns, None)
    torch.testing.assert_close(loss, 0.5 * column(1.0, 1.0, 4.0, 0.01))
    assert not cut.any()


def test_a_clipped_value_has_no_gradient() -> None:
    values = column(1.0, -1.0).requires_grad_()
    value_loss(values, column(0.0, 0.0), column(2.0, 1.0), 0.2)[0].sum().backward()
    torch.testing.assert_close(values.grad, column(0.0, -2.0))


def test_value_loss_gradients_in_float64() -> None:
    generator = torch.Generator().manual_seed(0)
    values, old, returns = torch.randn(3, 2, 5, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(lambda v: value_loss(v, old, returns, 0.2)[0], (values.requires_grad_(),))


def test_adapted_beta_by_hand() -> None:
    assert adapted_beta(0.2, kl=0.0105, target=0.01, samples=100, horizon=1000) == pytest.approx(0.2 * 1.005)
    assert adapted_beta(0.2, kl=9.0, target=0.01, samples=100, horizon=1000) == pytest.approx(0.2 * 1.02)
    assert adapted_beta(0.2, kl=0.0, target=0.01, samples=100, horizon=1000) == pytest.approx(0.2 * 0.98)


def test_adapted_penalty_by_hand() -> None:
    assert adapted_penalty(1.0, kl=0.016, target=0.01) == 2.0
    assert adapted_penalty(1.0, kl=0.006, target=0.01) == 0.5
    assert adapted_penalty(1.0, kl=0.014, target=0.01) == 1.0
    assert adapted_penalty(1.0, kl=0.007, target=0.01) == 1.0


def test_running_std_is_that_of_all_numbers() -> None:
    numbers = torch.randn(50, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3 + 7
    running = RunningStd()
    assert running.scale == 1
    for part in (numbers[:1], numbers[1:20], numbers[20:20], numbers[20:]):
        running.update(part)
    assert running.scale == pytest.approx(float(numbers.std(unbiased=False)))
    assert running.mean == pytest.approx(float(numbers.mean()))


def test_running_std_of_equal_numbers_divides_by_nothing() -> None:
    running = RunningStd()
    running.update(torch.ones(5))
    assert running.scale == 1


def test_the_state_survives_a_checkpoint() -> None:
    from dataclasses import asdict

    state = AlgorithmState.begin(AlgorithmConfig(name="grpo", beta=0.1))
    state.baseline.update(3.0, 0.9)
    state.rewards.update(torch.tensor([1.0, 4.0]))
    assert AlgorithmState.from_dict(asdict(state)) == state


@pytest.mark.parametrize("trunk", ["shared", "own"])
def test_values_stand_where_the_policy_sampled(policy: Policy, trunk: str) -> None:
    value = ValueModel(policy, ValueConfig(trunk=trunk, init="random"), seed=3)
    tokens = torch.randint(5, 90, (2, 6), generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[0.0, 0, 1, 1, 0, 1], [0, 1, 1, 0, 0, 0]])
    values = score(policy, tokens, mask, value=value).values
    assert values is not None
    hidden = policy.hidden(tokens)
    for row in range(2):
        for t in range(6):
            expected = value.head_of(hidden[row, t - 1]) if mask[row, t] else torch.tensor(0.0)
            torch.testing.assert_close(values[row, t], expected)
    assert values.count_nonzero() == mask.sum()


def test_a_head_begins_at_zero_or_as_a_reward_models(policy: Policy) -> None:
    hidden = torch.randn(3, 32, generator=torch.Generator().manual_seed(0))
    assert not ValueModel(policy, ValueConfig()).head_of(hidden).any()
    random = ValueModel(policy, ValueConfig(init="random"), seed=5)
    assert 0.5 / math.sqrt(33) < float(random.head.weight.detach().std()) < 2 / math.sqrt(33)
    again = ValueModel(policy, ValueConfig(init="random"), seed=5)
    assert torch.equal(random.head.weight, again.head.weight)


@pytest.mark.parametrize("trunk", ["shared", "own"])
def test_a_head_out_of_a_reward_models_checkpoint(policy: Policy, trunk: str, tmp_path: Path) -> None:
    judge = load_policy("micro", seed=9)
    written = ValueModel(judge, ValueConfig(init="random"), seed=5)
    save_policy(judge, tmp_path / "rm")
    save_value_head(written, tmp_path / "rm")
    loaded = ValueModel(policy, ValueConfig(trunk=trunk, init=f"ckpt:{tmp_path / 'rm'}"))
    assert torch.equal(loaded.head.weight, written.head.weight)
    loaded.follow(policy)  # what came from a checkpoint stays as it is
    if trunk == "own":
        assert loaded.trunk is not None
        weights, expected = loaded.trunk.state_dict(), judge.state_dict()
        assert all(torch.equal(weights[key], expected[key]) for key in expected)


def test_a_checkpoint_without_a_head(policy: Policy, tmp_path: Path) -> None:
    save_policy(policy, tmp_path / "p")
    with pytest.raises(ConfigError, match=f"holds no head \\({VALUE_HEAD_FILE}\\)"):
        ValueModel(policy, ValueConfig(init=f"ckpt:{tmp_path / 'p'}"))


def test_an_own_trunk_begins_as_the_policy(policy: Policy) -> None:
    value = ValueModel(policy, ValueConfig(trunk="own"))
    with torch.no_grad():
        for weight in policy.parameters():
            weight.add_(1)
    value.follow(policy)
    assert value.trunk is not None
    mine, theirs = value.trunk.state_dict(), policy.state_dict()
    assert all(torch.equal(mine[key], theirs[key]) for key in theirs)
    assert not {id(p) for p in value.parameters()} & {id(p) for p in policy.parameters()}


def test_the_value_models_rate_is_its_own(policy: Policy) -> None:
    learner = Learner(policy, config(**{"algorithm.value": {"trunk": "own", "lr_scale": 5.0}}))
    scales = [group["lr_scale"] for group in learner.optimiser.param_groups]
    assert scales == [1.0, 1.0, 5.0, 5.0]
    trained = sum(p.numel() for group in learner.optimiser.param_groups for p in group["params"])
    assert trained == 2 * policy.num_parameters + 33
