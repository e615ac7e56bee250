"""Advantages over tokens against a plain loop and against numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rlvr_gym.agents.gae import gae, last_sampled, reward_to_go, suffix_scan, turns_of

ONE_TURN = [0, 1, 1, 1, 0]
THREE_TURNS = [0, 1, 1, 0, 0, 1, 0, 1, 1, 0]


def column(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


def plain_gae(
    rewards: list[float], values: list[float], mask: list[int], gamma: float, lam: float
) -> list[float]:
    """The textbook's loop, over sampled tokens only."""
    steps = [t for t, sampled in enumerate(mask) if sampled]
    result, following, advantage = [0.0] * len(mask), 0.0, 0.0
    for t in reversed(steps):
        delta = rewards[t] + gamma * following - values[t]
        advantage = delta + gamma * lam * advantage
        result[t], following = advantage, values[t]
    return result


def test_gae_by_hand() -> None:
    # V = 0.5, 0.25, 1; r = 0, 0, 2; gamma 0.5, lam 0.5
    # d = 0.5*0.25-0.5, 0.5*1-0.25, 2-1 = -0.375, 0.25, 1;  A = d + 0.25 A'
    mask = column(*ONE_TURN)
    advantages, returns = gae(column(9, 0, 0, 2, 9), column(9, 0.5, 0.25, 1, 9), mask, gamma=0.5, lam=0.5)
    torch.testing.assert_close(advantages, column(0, -0.25, 0.5, 1, 0))
    torch.testing.assert_close(returns, column(0, 0.25, 0.75, 2, 0))


def test_gae_steps_over_what_the_environment_says() -> None:
    together = gae(column(0, 1, 3), column(1, 2, 4), column(1, 1, 1), gamma=0.9, lam=0.8)[0]
    apart = gae(column(0, 1, 7, 7, 3), column(1, 2, 7, 7, 4), column(1, 1, 0, 0, 1), gamma=0.9, lam=0.8)[0]
    torch.testing.assert_close(apart[:, [0, 1, 4]], together)
    assert not apart[:, [2, 3]].any()


@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 9, 64, 100])
@pytest.mark.parametrize(("gamma", "lam"), [(1.0, 1.0), (1.0, 0.95), (0.99, 0.0), (0.9, 0.7)])
def test_gae_against_a_plain_loop(length: int, gamma: float, lam: float) -> None:
    generator = torch.Generator().manual_seed(length)
    rewards, values = torch.randn(2, 5, length, dtype=torch.float64, generator=generator)
    mask = (torch.rand(5, length, generator=generator) < 0.6).double()
    mask[4] = 0  # a sample that is not valid
    advantages, returns = gae(rewards, values, mask, gamma=gamma, lam=lam)
    for row in range(5):
        expected = plain_gae(
            rewards[row].tolist(), values[row].tolist(), mask[row].int().tolist(), gamma, lam
        )
        torch.testing.assert_close(advantages[row].tolist(), expected)
    torch.testing.assert_close(returns, (advantages + values) * mask)


def test_monte_carlo_is_reward_to_go_less_the_value() -> None:
    generator = torch.Generator().manual_seed(0)
    rewards, values = torch.randn(2, 3, 20, dtype=torch.float64, generator=generator)
    mask = (torch.rand(3, 20, generator=generator) < 0.5).double()
    advantages, returns = gae(rewards, values, mask, gamma=1.0, lam=1.0)
    expected = reward_to_go(rewards, mask)
    torch.testing.assert_close(returns, expected)
    torch.testing.assert_close(advantages, (expected - values) * mask)


def test_reward_to_go_by_hand() -> None:
    # three turns: 1 and 2, then 4, then 0 and 8, at half each step; -9 stands on tokens that do not count
    rewards = column(-9, 1, 2, -9, -9, 4, -9, 0, 8, -9)
    result = reward_to_go(rewards, column(*THREE_TURNS), gamma=0.5)
    torch.testing.assert_close(result, column(0, 3.5, 5, 0, 0, 6, 0, 4, 8, 0))


def test_suffix_scan_by_hand() -> None:
    # y3 = 4, y2 = 3 + 0.5*4 = 5, y1 = 2 + 0*5 = 2, y0 = 1 + 2*2 = 5
    torch.testing.assert_close(suffix_scan(column(1, 2, 3, 4), column(2, 0, 0.5, 7)), column(5, 2, 5, 4))


def test_a_long_row_loses_no_precision() -> None:
    rewards = torch.zeros(1, 10_000)
    rewards[0, -1] = 1
    advantages, _ = gae(rewards, torch.zeros_like(rewards), torch.ones_like(rewards), gamma=1, lam=1)
    assert torch.equal(advantages, torch.ones_like(rewards))


def test_turns() -> None:
    mask = torch.tensor([THREE_TURNS, [0] * 10, [1] * 10])
    assert turns_of(mask).tolist() == [
        [-1, 0, 0, -1, -1, 1, -1, 2, 2, -1],
        [-1] * 10,
        [0] * 10,
    ]


def test_last_sampled() -> None:
    mask = torch.tensor([THREE_TURNS, [0] * 10, [1] * 10])
    assert last_sampled(mask).tolist() == [[0] * 8 + [1, 0], [0] * 10, [0] * 9 + [1]]
