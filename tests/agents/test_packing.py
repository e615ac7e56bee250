"""Several sequences in one row give the numbers that they have alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rlvr_gym.agents.attention import Documents
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.packing import Packed, pack
from rlvr_gym.agents.policy import Policy, load_policy
from rlvr_gym.agents.scoring import score
from rlvr_gym.agents.sft import Demonstration, sft_gradient
from rlvr_gym.agents.trainer import train
from rlvr_gym.errors import ConfigError


def lively(policy: Policy) -> Policy:
    """Weights large enough for attention to matter."""
    with torch.no_grad():
        for weight in policy.parameters():
            weight.mul_(5 if weight.ndim == 2 else 1)
    return policy


def demonstrations(seed: int = 0, count: int = 11) -> list[Demonstration]:
    """Of different lengths, most with several turns."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        length = int(rng.integers(4, 30))
        mask = [False, False, *(rng.random(length - 3) < 0.6).tolist(), True]
        rows.append(Demonstration(rng.integers(5, 100, length).tolist(), mask))
    return rows


def gradient(
    policy: Policy, rows: list[Demonstration], micro_batch: int, packing: int
) -> tuple[float, list[torch.Tensor]]:
    policy.zero_grad()
    loss = sft_gradient(policy, rows, micro_batch, packing=packing)
    return loss, [p.grad.clone() for p in policy.parameters() if p.grad is not None]


@pytest.mark.parametrize("packing", [30, 47, 1000])
@pytest.mark.parametrize("micro_batch", [4, 64])
def test_packed_loss_and_gradient_are_those_of_rows_apart(packing: int, micro_batch: int) -> None:
    policy, rows = lively(load_policy("tiny", seed=1)), demonstrations()
    plain, expected = gradient(policy, rows, 64, 0)
    packed, found = gradient(policy, rows, micro_batch, packing)
    assert packed == pytest.approx(plain, abs=1e-5)
    assert len(found) == len(expected) > 0
    largest = max(float(g.abs().max()) for g in expected)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours / largest, theirs / largest, atol=1e-5, rtol=1e-5)


def test_packed_logprobs_stand_where_their_tokens_do() -> None:
    policy = lively(load_policy("tiny", seed=2))
    rows = demonstrations(seed=3, count=5)
    lengths = [len(row.tokens) for row in rows]
    tokens, mask = torch.zeros(5, max(lengths), dtype=torch.long), torch.zeros(5, max(lengths))
    for i, row in enumerate(rows):
        tokens[i, : lengths[i]] = torch.tensor(row.tokens)
        mask[i, : lengths[i]] = torch.tensor(row.mask).float()
    packed = score(policy, tokens, mask, layout=Packed(tokens, mask, lengths, 60)).logprobs
    torch.testing.assert_close(packed, score(policy, tokens, mask).logprobs, atol=1e-5, rtol=1e-5)
    assert not packed[mask == 0].any()


def test_nothing_is_seen_across_documents() -> None:
    """The attention by hand: the mean of what one may look at, as all keys are the same."""
    documents = torch.tensor([[0, 0, 1, 1, 1, -1]])
    value = torch.arange(1.0, 7.0).view(1, 1, 6, 1)
    same = torch.zeros(1, 1, 6, 1)
    mixed = Documents(documents)(0, same, same, value)[0, 0, :, 0]
    torch.testing.assert_close(mixed, torch.tensor([1.0, 1.5, 3.0, 3.5, 4.0, 6.0]))


def test_bins_hold_everything_once_and_no_more_than_fits() -> None:
    rng = np.random.default_rng(0)
    for capacity in (20, 31, 100):
        lengths = []  # ten full rows, cut into pieces
        for _ in range(10):
            cuts = sorted(rng.choice(np.arange(1, capacity), 4, replace=False).tolist())
            lengths += np.diff([0, *cuts, capacity]).tolist()
        bins = pack(lengths, capacity)
        assert sorted(i for row in bins for i in row) == list(range(len(lengths)))
        assert all(sum(lengths[i] for i in row) <= capacity for row in bins)
        assert 10 <= len(bins) <= 11 / 9 * 10 + 1
    assert pack([], 5) == []


def test_a_sequence_that_does_not_fit_is_told() -> None:
    with pytest.raises(ConfigError, match="7 tokens does not fit a packed row of 6; raise packing"):
        pack([1, 7], 6)


def test_a_warm_start_learns_the_same_packed(micro_config: TrainConfig, tmp_path: Path) -> None:
    config = micro_config.replace(steps=0, **{"eval.tasks": 0, "sft.steps": 10})
    train(config, tmp_path / "apart", quiet=True)
    train(config.replace(**{"sft.packing": 96}), tmp_path / "packed", quiet=True)
    apart, packed = (load_policy(f"ckpt:{tmp_path / name}").state_dict() for name in ("apart", "packed"))
    for name, weight in apart.items():
        torch.testing.assert_close(packed[name], weight, atol=2e-4, rtol=1e-3)
