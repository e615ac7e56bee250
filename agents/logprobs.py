"""Log-probabilities of sampled tokens, for training: prompts that rows share are run once, logits made where needed."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint

from rlvr_gym.agents.attention import AfterPrefix, Prefill
from rlvr_gym.agents.policy import Policy

__all__ = ["sampled_logprobs", "target_logprobs"]

_LOGITS_AT_ONCE = 2**26
_WORTH_SHARING = 0.2
"""Share of a batch's tokens that sharing prompts has to save."""


def sampled_logprobs(policy: Policy, tokens: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """Log-probabilities ``[B, T]`` of the tokens where ``mask`` is 1, and 0 elsewhere.

    Logits are made for those positions only, in pieces that are recomputed in the backward pass if the
    vocabulary is large. What comes before the first of them in a row is its prompt; equal prompts are run once.

    Args:
        policy: the policy.
        tokens: ``[B, T]``, padded on the right.
        mask: ``[B, T]``; its first column is 0, as nothing predicts the first token.
        temperature: divides the logits, as it did in sampling.
    """
    shared = _SharedPrompts.of(tokens, mask)
    if shared is None:
        return _scored(policy, policy.hidden(tokens[:, :-1]), tokens, mask, temperature)
    rows, row_mask = shared.cut(tokens), shared.cut(mask)
    return shared.put_back(_scored(policy, shared.hidden(policy, rows), rows, row_mask, temperature))


def _scored(policy: Policy, hidden: Tensor, tokens: Tensor, mask: Tensor, temperature: float) -> Tensor:
    """``[B, T]`` out of the hidden states ``[B, T - 1, D]`` of all tokens but the last."""
    chosen = mask[:, 1:].bool()
    flat_hidden, targets = hidden[chosen], tokens[:, 1:][chosen]  # [N, D], [N]

    def score(h: Tensor, target: Tensor) -> Tensor:
        logits = policy.logits(h)
        return target_logprobs(logits / temperature if temperature != 1 else logits, target)

    piece = max(1, _LOGITS_AT_ONCE // policy.tokenizer.vocab_size)
    if len(targets) <= piece:
        flat = score(flat_hidden, targets)
    else:
        pieces = zip(flat_hidden.split(piece), targets.split(piece), strict=True)
        flat = torch.cat([checkpoint(score, h, t, use_reentrant=False) for h, t in pieces])
    scored = torch.zeros(chosen.shape, dtype=flat.dtype, device=flat.device).masked_scatter(chosen, flat)
    return F.pad(scored, (1, 0))


class _SharedPrompts:
    """A batch as its different prompts and what each row adds, beginning with its prompt's last token."""

    def __init__(
        self, tokens: Tensor, starts: list[int], prefixes: dict[tuple[int, ...], int], prefix_of: list[int]
    ):
        device, self.shape = tokens.device, tokens.shape
        self.prefix_of = torch.tensor(prefix_of, device=device)
        self.lengths = torch.tensor([len(prefix) for prefix in prefixes], device=device)
        longest = max(map(len, prefixes))
        padded = [[*prefix, *[0] * (longest - len(prefix))] for prefix in prefixes]
        self.prompts = torch.tensor(padded, device=device)
        self.width = self.shape[1] - min(starts)
        columns = torch.arange(self.width, device=device)
        self.columns = torch.tensor(starts, device=device)[:, None] + columns

    @classmethod
    def of(cls, tokens: Tensor, mask: Tensor) -> _SharedPrompts | None:
        """The batch in this form, or None if too little would be saved."""
        starts = [max(first - 1, 0) for first in mask.argmax(dim=1).tolist()]
        prefixes: dict[tuple[int, ...], int] = {}
        prefix_of = [
            prefixes.setdefault(tuple(row[:start]), len(prefixes))
            for row, start in zip(tokens.tolist(), starts, strict=True)
        ]
        saved = sum(starts) - sum(map(len, prefixes))
        if saved < _WORTH_SHARING * tokens.numel() or not min(map(len, prefixes)):
            return None
        return cls(tokens, starts, prefixes, prefix_of)

    def cut(self, x: Tensor) -> Tensor:
        """``[B, T]`` to what comes from each prompt's last token on, ``[B, W]``, 0 beyond."""
        return F.pad(x, (0, self.width)).gather(1, self.columns)

    def put_back(self, x: Tensor) -> Tensor:
        """The inverse of :meth:`cut`; prompts get 0."""
        whole = torch.zeros(self.shape[0], self.shape[1] + self.width, dtype=x.dtype, device=x.device)
        return whole.scatter(1, self.columns, x)[:, : self.shape[1]]

    def hidden(self, policy: Policy, rows: Tensor) -> Tensor:
        """Hidden states ``[B, W - 1, D]`` of all tokens of the rows but the last."""
        prefill = Prefill()
        policy.run(self.prompts, torch.arange(self.prompts.shape[1], device=rows.device)[None], prefill)
        attention = AfterPrefix(prefill, self.lengths, self.prefix_of, self.width - 1)
        return policy.run(rows[:, :-1], self.columns[:, :-1], attention)


def target_logprobs(logits: Tensor, targets: Tensor) -> Tensor:
    """``log_softmax(logits)`` at the targets: ``[N, V]`` and ``[N]`` to ``[N]``.

    The same as ``-cross_entropy``, with half of its passes over memory: the log-softmax is never written.
    """
    result: Tensor = _TargetLogprobs.apply(logits, targets)
    return result


class _TargetLogprobs(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor) -> Tensor:
        normaliser = logits.logsumexp(-1, keepdim=True)
        ctx.save_for_backward(logits, normaliser, targets)
        return (logits.gather(-1, targets[:, None]) - normaliser)[:, 0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        logits, normaliser, targets = ctx.saved_tensors
        gradient = gradient[:, None]
        result = (logits - normaliser).exp_().mul_(-gradient)
        return result.scatter_add_(1, targets[:, None], gradient), None
