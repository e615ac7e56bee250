"""What the trainer's forward pass says about sampled tokens: log-probabilities, entropies, values."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from rlvr_gym.agents.batch import Batch
from rlvr_gym.agents.head import head_scores
from rlvr_gym.agents.layout import Layout, lay_out
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.ppo import ValueModel
from rlvr_gym.agents.sampling import Chunking
from rlvr_gym.agents.world import World

__all__ = ["Scores", "sampled_logprobs", "score", "score_batch"]

_LOGITS_AT_ONCE = 2**26
"""Of heads that are more than a product."""


@dataclass(frozen=True, slots=True)
class Scores:
    """``[B, T]`` each; 0 where the policy did not sample.

    Attributes:
        logprobs: of the sampled tokens.
        entropy: of the distribution that each was sampled from, in nats; None if not asked for.
        values: of the state that each was sampled in; None without a value model.
    """

    logprobs: Tensor
    entropy: Tensor | None = None
    values: Tensor | None = None


def score(
    policy: Policy,
    tokens: Tensor,
    mask: Tensor,
    temperature: float = 1.0,
    *,
    entropy: bool = False,
    value: ValueModel | None = None,
    chunking: Chunking | None = None,
    layout: Layout | None = None,
) -> Scores:
    """Scores of the tokens where ``mask`` is 1.

    Logits are made for those positions only, and never all at once (:mod:`rlvr_gym.agents.head`). Prompts that
    rows share are run once (:mod:`rlvr_gym.agents.layout`).

    Args:
        policy: the policy.
        tokens: ``[B, T]``, padded on the right.
        mask: ``[B, T]``; its first column is 0, as nothing predicts the first token.
        temperature: divides the logits, as it did in sampling.
        entropy: whether to measure that as well.
        value: the value model; a shared trunk costs no second forward pass.
        chunking: how the completions were sampled, if in chunks.
        layout: how the batch goes through the policy; the cheaper one by default.
    """
    layout = layout or lay_out(tokens, mask, chunking)
    return policy.one_pass(lambda: _score(policy, layout, temperature, entropy, value))


def _score(
    policy: Policy, layout: Layout, temperature: float, entropy: bool, value: ValueModel | None
) -> Scores:
    chosen = layout.mask[:, 1:].bool()

    def states(trunk: Policy) -> Tensor:
        with _autocast(policy):
            return layout.hidden(trunk)[chosen]

    hidden = states(policy)  # [N, D]
    targets = layout.tokens[:, 1:][chosen]  # [N]

    def place(flat: Tensor) -> Tensor:
        spread = torch.zeros(chosen.shape, dtype=flat.dtype, device=flat.device).masked_scatter(chosen, flat)
        return layout.put_back(F.pad(spread, (1, 0))).clone()  # what leaves a pass is no view

    logprobs, entropies = _judge(policy, hidden, targets, temperature, entropy)
    values = None if value is None else place(value(hidden, states)[:, 0])
    return Scores(place(logprobs), None if entropies is None else place(entropies), values)


def _judge(
    policy: Policy, hidden: Tensor, targets: Tensor, temperature: float, entropy: bool
) -> tuple[Tensor, Tensor | None]:
    """Log-probabilities of the targets, and entropies: hidden states ``[N, D]`` and ids ``[N]`` to ``[N]`` each."""
    plain = policy.plain_head()
    if plain is not None:
        return head_scores(hidden, *plain, targets, temperature, entropy=entropy)

    def judge(h: Tensor, target: Tensor) -> tuple[Tensor, ...]:
        log_p = (policy.logits(h) / temperature).log_softmax(-1)
        logprobs = log_p.gather(-1, target[:, None])[:, 0]
        return (logprobs, -(log_p.exp() * log_p).sum(-1)) if entropy else (logprobs,)

    piece = max(1, _LOGITS_AT_ONCE // policy.tokenizer.vocab_size)
    pieces = zip(hidden.split(piece), targets.split(piece), strict=True)
    parts = [checkpoint(judge, h, t, use_reentrant=False) for h, t in pieces]
    columns = [torch.cat(column) for column in zip(*parts, strict=True)]
    return columns[0], columns[1] if entropy else None


def _autocast(policy: Policy) -> torch.autocast:
    """Matrix products in the type that the policy asks for; logits are made outside of it."""
    return torch.autocast(policy.device.type, dtype=policy.autocast, enabled=policy.autocast is not None)


def sampled_logprobs(
    policy: Policy, tokens: Tensor, mask: Tensor, temperature: float = 1.0, chunking: Chunking | None = None
) -> Tensor:
    """Log-probabilities ``[B, T]`` of the tokens where ``mask`` is 1, and 0 elsewhere; see :func:`score`."""
    return score(policy, tokens, mask, temperature, chunking=chunking).logprobs


@torch.no_grad()
def score_batch(
    policy: Policy,
    batch: Batch,
    micro_batch: int,
    temperature: float,
    value: ValueModel | None = None,
    world: World | None = None,
    chunking: Chunking | None = None,
) -> Scores:
    """Log-probabilities (and values) of a whole batch without gradients, rows of alike length together."""
    world = world or World()
    logprobs = torch.zeros_like(batch.mask)
    values = None if value is None else torch.zeros_like(batch.mask)
    rows = sorted(torch.nonzero(batch.mask.sum(1) > 0)[:, 0].tolist(), key=lambda i: batch.lengths[i])
    for index, counts in world.deal(rows, micro_batch):
        part = batch.rows(index)
        scores = score(policy, part.tokens, part.mask, temperature, value=value, chunking=chunking)
        if not counts:
            continue
        width = part.tokens.shape[1]
        logprobs[index, :width] = scores.logprobs
        if values is not None and scores.values is not None:
            values[index, :width] = scores.values
    world.sum(logprobs, *([] if values is None else [values]))
    return Scores(logprobs, None, values)
