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


def test_gdpo_by_hand() -> None:
    # two terms; the second is ten times the first and has the weight 0.5
    a, b = [0.0, 0.0, 1.0, 1.0], [0.0, 10.0, 0.0, 10.0]
    terms = torch.tensor([list(zip(a, b, strict=True))], dtype=torch.float64)
    std = math.sqrt(1 / 3)
    first, second = 0.5 / (std + 1e-4), 5 / (10 * std + 1e-4)
    sums = [-first - second / 2, -first + second / 2, first - second / 2, first + second / 2]
    scale = math.sqrt(sum(x * x for x in sums) / 3) + 1e-4
    result = adv.gdpo(terms, torch.tensor([1.0, 0.5], dtype=torch.float64))
    torch.testing.assert_close(result, rows([x / scale for x in sums]))


def test_gdpo_tells_apart_what_grpo_on_the_sum_cannot() -> None:
    # (1, 0), (0, 1), (0, 1), (0, 1): the sums are all 1, and the rare term counts for more
    terms = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 1.0]]], dtype=torch.float64)
    weights = torch.ones(2, dtype=torch.float64)
    separate = adv.gdpo(terms, weights)
    summed = adv.grpo((terms * weights).sum(-1))
    assert summed[0, 0] == summed[0, 1]
    assert separate[0, 0] < separate[0, 1]


def test_gdpo_leaves_invalid_samples_out() -> None:
    generator = torch.Generator().manual_seed(3)
    full = torch.rand(2, 4, 3, dtype=torch.float64, generator=generator)
    holed = torch.cat([full, torch.full((2, 1, 3), NAN, dtype=torch.float64)], dim=1)
    weights = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
    result = adv.gdpo(holed, weights)
    torch.testing.assert_close(result[:, :4], adv.gdpo(full, weights))
    assert not result[:, 4].any()


def test_turn_level_credit_of_two_turns_is_the_papers() -> None:
    first, outcomes = rows([0, 0, 1, 1]), rows([1, 0, 1, 0])
    turns = torch.stack([first, torch.zeros_like(first)], dim=-1)
    a_turn, a_outcome = adv.grpo(first), adv.grpo(outcomes)
    result = adv.turn_level(turns, outcomes, decay=0.5)
    torch.testing.assert_close(result[..., 0], a_turn + 0.5 * a_outcome)
    torch.testing.assert_close(result[..., 1], a_outcome)


def test_turn_level_credit_of_episodes_of_different_lengths() -> None:
    # turn 0 was taken by all, turn 1 by the first three, turn 2 by the first alone, whose share of it is 0
    turns = torch.tensor([[[1, 3, 5], [2, 4, NAN], [3, 8, NAN], [6, NAN, NAN]]], dtype=torch.float64)
    outcomes = rows([1, 0, 0, 1])
    zeroth, won = adv.grpo(rows([1, 2, 3, 6]))[0], adv.grpo(outcomes)[0]
    first = adv.grpo(rows([3, 4, 8]))[0]
    expected = torch.zeros(4, 3, dtype=torch.float64)
    expected[0, 2] = won[0]
    expected[:3, 1] = first + torch.stack([won[0], won[1], won[2]])
    expected[:3, 0] = zeroth[:3] + expected[:3, 1]
    expected[3, 0] = zeroth[3] + won[3]
    torch.testing.assert_close(adv.turn_level(turns, outcomes)[0], expected)


def test_turn_level_leaves_invalid_samples_out() -> None:
    turns = torch.tensor([[[1, 3], [2, 4], [9, 9]]], dtype=torch.float64)
    result = adv.turn_level(turns, rows([1, 0, NAN]))
    torch.testing.assert_close(result[:, :2], adv.turn_level(turns[:, :2], rows([1, 0])))
    assert not result[:, 2].any()


def test_whiten_by_hand() -> None:
    # over 1, 3, 5: mean 3, std sqrt(8 / 3)
    values, mask = rows([1, 3, 100], [-7, 5, 2]), rows([1, 1, 0], [0, 1, 0])
    unit = 2 / (math.sqrt(8 / 3) + 1e-8)
    torch.testing.assert_close(adv.whiten(values, mask), rows([-unit, 0, 0], [0, unit, 0]))
    kept = adv.whiten(values, mask, shift_mean=False)
    torch.testing.assert_close(kept, rows([3 - unit, 3, 0], [0, 3 + unit, 0]))


def test_whitening_nothing_is_no_nan() -> None:
    assert not adv.whiten(rows([1, 2]), rows([0, 0])).any()
    assert not adv.whiten(rows([4, 4]), rows([1, 1])).any()


def test_the_moving_average_forgets_its_start() -> None:
    average = adv.MovingAverage()
    assert average.value == 0
    average.update(2.0, decay=0.9)
    assert average.value == pytest.approx(2.0)
    average.update(5.0, decay=0.9)
    # weights 0.09 and 0.1
    assert average.value == pytest.approx((0.09 * 2 + 0.1 * 5) / 0.19)
