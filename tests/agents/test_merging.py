"""Means of weights: by hand, and what does not fit together."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rlvr_gym.agents.merging import merge_policies, merge_weights
from rlvr_gym.agents.policy import load_policy
from rlvr_gym.agents.tokenizer import CharTokenizer
from rlvr_gym.errors import ConfigError


def test_by_hand() -> None:
    states = [
        {"a": torch.tensor([1.0, 2.0])},
        {"a": torch.tensor([3.0, -2.0])},
        {"a": torch.tensor([0.0, 4.0])},
    ]
    assert merge_weights(states, [0.5, 0.25, 0.25])["a"].tolist() == [1.25, 1.5]
    assert merge_weights(states[:2], [1.5, -0.5])["a"].tolist() == [
        0.0,
        4.0,
    ]  # beyond the first, away from the second


def test_types_stay_and_half_precision_is_summed_in_float32() -> None:
    states = [
        {"a": torch.full((1,), x, dtype=torch.bfloat16), "n": torch.tensor(3)} for x in (256.0, 1.0, 1.0)
    ]
    merged = merge_weights(states, [1 / 3, 1 / 3, 1 / 3])
    assert merged["a"].dtype == torch.bfloat16
    assert float(merged["a"]) == 86.0  # in bfloat16 all along it would be 85.5
    assert merged["n"].equal(torch.tensor(3))
    assert (
        merge_weights([{"a": torch.ones(1, dtype=torch.float64)}] * 2, [0.5, 0.5])["a"].dtype == torch.float64
    )


def test_policies() -> None:
    one, two = load_policy("micro", seed=1), load_policy("micro", seed=2)
    kept = {key: weight.clone() for key, weight in one.state_dict().items()}
    merged = merge_policies([one, two], [0.25, 0.75])
    for key, weight in merged.state_dict().items():
        torch.testing.assert_close(weight, 0.25 * one.state_dict()[key] + 0.75 * two.state_dict()[key])
        assert torch.equal(one.state_dict()[key], kept[key])
    equal = merge_policies([one, one]).state_dict()
    for key, weight in kept.items():
        torch.testing.assert_close(equal[key], weight)


@pytest.mark.parametrize(
    ("states", "shares", "message"),
    [
        ([{"a": torch.ones(2)}], [1.0], "at least two policies"),
        ([{"a": torch.ones(2)}] * 2, [1.0], "at least two policies and a share of each; got 2 and 1"),
        ([{"a": torch.ones(2)}] * 2, [0.5, 0.6], r"add up to 1; \[0.5, 0.6\] add up to 1.1"),
        ([{"a": torch.ones(2)}, {"b": torch.ones(2)}], [0.5, 0.5], "number 2 differs from the first in 'a'"),
        (
            [{"a": torch.ones(2)}, {"a": torch.ones(1, 2)}],
            [0.5, 0.5],
            r"'a' is \[2\] in the first and \[1, 2\]",
        ),
        ([{"a": torch.tensor(1)}, {"a": torch.tensor(2)}], [0.5, 0.5], "whole numbers that differ"),
    ],
)
def test_what_does_not_fit(states: list[Any], shares: list[float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        merge_weights(states, shares)


def test_policies_of_other_shapes_or_alphabets() -> None:
    with pytest.raises(ConfigError, match=r"embedding\.weight"):
        merge_policies(
            [
                load_policy("micro", tokenizer=CharTokenizer("ab")),
                load_policy("micro", tokenizer=CharTokenizer("abc")),
            ]
        )
    with pytest.raises(ConfigError, match="share a tokenizer; that of number 2 is another"):
        merge_policies(
            [
                load_policy("micro", tokenizer=CharTokenizer("ab")),
                load_policy("micro", tokenizer=CharTokenizer("ba")),
            ]
        )
    with pytest.raises(ConfigError, match="number 2 differs"):
        merge_policies([load_policy("micro"), load_policy("tiny")])
