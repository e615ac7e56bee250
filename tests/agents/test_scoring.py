"""The trainer's forward pass: prompts that rows share are run once, and that changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.scoring import sampled_logprobs


def test_equal_prompts_are_run_once_and_change_nothing(
    sharp_policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randint(5, 90, (1, n), generator=generator) for n in (12, 9))
    tokens = torch.randint(5, 90, (6, 20), generator=generator)
    tokens[:4, :12], tokens[4:, :9] = first, second
    mask = torch.zeros(6, 20)
    mask[:4, 12:], mask[4:, 9:18] = 1, 1
    mask[1, 14:16] = 0  # what the environment said in between
    seen: list[tuple[int, ...]] = []
    run = sharp_policy.run

    def counted(tokens: torch.Tensor, *rest: Any) -> torch.Tensor:
        seen.append(tuple(tokens.shape))
        return run(tokens, *rest)

    monkeypatch.setattr(sharp_policy, "run", counted)

    def outcome() -> tuple[torch.Tensor, torch.Tensor]:
        seen.clear()
        sharp_policy.zero_grad()
        logprobs = sampled_logprobs(sharp_policy, tokens, mask)
        (logprobs * torch.arange(20)).sum().backward()
        return logprobs.detach(), torch.cat(
            [p.grad.flatten() for p in sharp_policy.parameters() if p.grad is not None]
        )

    shared = outcome()
    assert seen == [(1, 2 * 11 + 6 * 11)]
    monkeypatch.setattr("rlvr_gym.agents.layout._WORTH_SHARING", 2.0)
    plain = outcome()
    assert seen == [(6, 19)]
    for a, b in zip(shared, plain, strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)
