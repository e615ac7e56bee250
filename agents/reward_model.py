"""A reward model: a policy's trunk with a linear head, trained on preference pairs (Bradley and Terry 1952).

A completion's reward is the head's output at its last token. Saved, it is a checkpoint with a head beside it: PPO's value
model begins from it by ``algorithm.value.init: ckpt:FOLDER``.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rlvr_gym.agents.algorithms import ValueConfig
from rlvr_gym.agents.checkpoint import save_policy
from rlvr_gym.agents.policy import Policy, load_policy
from rlvr_gym.agents.ppo import ValueModel, save_value_head
from rlvr_gym.agents.preferences import Pair
from rlvr_gym.agents.tokenizer import Message
from rlvr_gym.errors import ConfigError
from rlvr_gym.stats import Interval, wilson

__all__ = ["RewardModel", "bradley_terry_loss", "pair_accuracy", "reward_gradient"]


def bradley_terry_loss(chosen: Tensor, rejected: Tensor, centre: float = 0.0) -> Tensor:
    """``-log sigmoid(r_c - r_r) + centre (r_c + r_r)^2`` of each pair ``[N]``.

    The first part fixes differences only; the second, if wanted, keeps rewards around 0 (2312.09244).

    Args:
        chosen: ``[N]`` rewards of the better ones.
        rejected: ``[N]`` rewards of the worse ones.
        centre: the second part's weight.
    """
    loss = -F.logsigmoid(chosen - rejected)
    return loss + centre * (chosen + rejected).square() if centre else loss


class RewardModel(nn.Module):
    """A trunk and a head.

    Attributes:
        trunk: a policy of its own, whose logits nobody asks for.
        value: the head on its hidden states.

    Args:
        policy: the trunk begins as a copy of it.
        seed: of the head, which begins at random (2009.01325).
    """

    def __init__(self, policy: Policy, seed: int = 0) -> None:
        super().__init__()
        self.trunk = copy.deepcopy(policy)
        self.value = ValueModel(self.trunk, ValueConfig(init="random"), seed)

    def forward(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """Sequences of tokens to their rewards ``[N]``, read off each one's last token."""
        ends = [len(row) - 1 for row in rows]
        pad = self.trunk.tokenizer.pad_id
        padded = [[*row, *[pad] * (max(ends) - end)] for row, end in zip(rows, ends, strict=True)]
        device = self.trunk.device
        hidden = self.trunk.hidden(torch.tensor(padded, device=device))
        last = hidden[torch.arange(len(rows), device=device), torch.tensor(ends, device=device)]
        return self.value.head_of(last)

    @torch.no_grad()
    def rewards(self, rows: Sequence[Sequence[int]], micro_batch: int = 64) -> list[float]:
        """The same without gradients, in micro-batches of alike length."""
        found = [0.0] * len(rows)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        for first in range(0, len(order), micro_batch):
            index = order[first : first + micro_batch]
            for i, reward in zip(index, self([rows[i] for i in index]).tolist(), strict=True):
                found[i] = reward
        return found

    def score(self, prompt_messages: Sequence[Sequence[Message]], completions: Sequence[str]) -> list[float]:
        """The rewards of completions that ended by themselves.

        Args:
            prompt_messages: the conversation before each completion, as ``{"role", "content"}``.
            completions: what a policy then said.

        Raises:
            ConfigError: if there are not as many of the one as of the other, or something does not fit the context.
        """
        if len(prompt_messages) != len(completions):
            raise ConfigError(
                f"Each completion needs its prompt; got {len(prompt_messages)} prompts, {len(completions)} completions."
            )
        tokenizer = self.trunk.tokenizer
        rows = [
            [*tokenizer.encode_prompt(messages), *tokenizer.encode_completion(completion)]
            for messages, completion in zip(prompt_messages, completions, strict=True)
        ]
        longest = max(map(len, rows), default=0)
        if longest > self.trunk.max_context:
            raise ConfigError(
                f"A conversation has {longest} tokens; the reward model's context is {self.trunk.max_context}."
            )
        return self.rewards(rows)

    def save(self, folder: Path) -> None:
        """Writes trunk and head, for :meth:`load` and for ``algorithm.value.init: ckpt:FOLDER``."""
        save_policy(self.trunk, folder)
        save_value_head(self.value, folder)

    @classmethod
    def load(cls, folder: Path, device: str | torch.device = "cpu") -> RewardModel:
        """The inverse of :meth:`save`.

        Raises:
            ConfigError: if the folder holds no reward model.
        """
        model = cls(load_policy(f"ckpt:{folder}", device=device))
        model.value = ValueModel(model.trunk, ValueConfig(init=f"ckpt:{folder}"))
        return model


def reward_gradient(
    model: RewardModel, pairs: Sequence[Pair], micro_batch: int, centre: float = 0.0
) -> dict[str, float]:
    """Adds the gradient of the pairs' mean loss; returns it and how many pairs are in the right order.

    Args:
        model: gathers the gradient.
        pairs: the pairs.
        micro_batch: sequences in one forward pass; the two of a pair stay together.
        centre: see :func:`bradley_terry_loss`.
    """
    total, ordered, size = 0.0, 0, max(1, micro_batch // 2)
    for first in range(0, len(pairs), size):
        part = pairs[first : first + size]
        rewards = model([attempt.tokens for pair in part for attempt in (pair.chosen, pair.rejected)])
        loss = bradley_terry_loss(rewards[::2], rewards[1::2], centre).sum() / len(pairs)
        loss.backward()
        total += loss.item()
        ordered += int((rewards[::2] > rewards[1::2]).sum())
    return {"loss": total, "accuracy": ordered / len(pairs)}


def pair_accuracy(model: RewardModel, pairs: Sequence[Pair], micro_batch: int = 64) -> Interval:
    """The share of pairs whose better attempt has the higher reward, with Wilson's 95 % interval."""
    rewards = model.rewards(
        [attempt.tokens for pair in pairs for attempt in (pair.chosen, pair.rejected)], micro_batch
    )
    won = sum(better > worse for better, worse in zip(rewards[::2], rewards[1::2], strict=True))
    return wilson(won, len(pairs))
