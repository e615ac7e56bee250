"""Advantages against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from rlvr_gym.agents import advantages as adv

NAN = math.nan


def rows(*values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_grpo_by_hand() -> None:
    # mean 0.5, unbiased std of (0, 0, 1, 1): sqrt(4 * 0.25 / 3)
    std = math.sqrt(1 / 3)
    expected = 0.5 / (std + 1e-4)
    result = adv.grpo(rows([0, 0, 1, 1], [1, 1, 1, 1]))
    torch.testing.assert_close(result, rows([-expected, -expected, expected, expected], [0, 0, 0, 0]))


def test_dr_grpo_by_hand() -> None:
    torch.testing.assert_close(adv.dr_grpo(rows([0, 0, 0, 1])), rows([-0.25, -0.25, -0.25, 0.75]))


def test_rloo_by_hand() -> None:
    # 1 - mean(0, 2, 3) = -2/3, and so on
    expected = rows([1 - 5 / 3, 0 - 6 / 3, 2 - 4 / 3, 3 - 3 / 3])
    torch.testing.assert_close(adv.rloo(rows([1, 0, 2, 3])), expected)


def test_batch_scaled_by_hand() -> None:
    # group means 0.5 and 2.5; std over (0, 1, 2, 3) is sqrt(5 / 3)
    scale = math.sqrt(5 / 3) + 1e-4
    expected = rows([-0.5, 0.5], [-0.5, 0.5]) / scale
    torch.testing.assert_close(adv.batch_scaled(rows([0, 1], [2, 3])), expected)


@pytest.mark.parametrize("name", sorted(adv.ADVANTAGES))
def test_an_invalid_sample_is_as_if_it_were_not_there(name: str) -> None:
    function = adv.ADVANTAGES[name]
    full = function(rows([0, 1, 1], [2, 0, 1]))
    holed = function(rows([0, NAN, 1, 1], [2, 0, NAN, 1]))
    torch.testing.assert_close(holed[0, [0, 2, 3]], full[0])
    torch.testing.assert_close(holed[1, [0, 1, 3]], full[1])
    assert holed[0, 1] == 0
    assert holed[1, 2] == 0


@pytest.mark.parametrize("name", sorted(adv.ADVANTAGES))
@pytest.mark.parametrize("group", [[NAN, NAN, NAN], [NAN, 1.0, NAN], [1.0, 1.0, 1.0]])
def test_groups_that_teach_nothing_have_no_advantage(name: str, group: list[float]) -> None:
    result = adv.ADVANTAGES[name](rows(group))
    assert torch.equal(result, torch.zeros_like(result))


@pytest.mark.parametrize("name", sorted(adv.ADVANTAGES))
def test_adding_a_constant_changes_nothing(name: str) -> None:
    rewards = torch.rand(5, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    function = adv.ADVANTAGES[name]
    torch.testing.assert_close(function(rewards), function(rewards + 7))


def test_solved_alike() -> None:
    matrix = rows([1, 1, 1], [0, 1, 1], [NAN, 1, 1], [NAN, 0, 1], [NAN, NAN, 1], [NAN, NAN, NAN])
    assert adv.solved_alike(matrix).tolist() == [True, False, True, False, True, True]


def test_group_std() -> None:
    result = adv.group_std(rows([1, 3, NAN], [4, NAN, NAN]))
    torch.testing.assert_close(result, rows([math.sqrt(2)], [0]))
