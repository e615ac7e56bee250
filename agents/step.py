"""The step that all rows take together: reads a token of each and samples the next one."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rlvr_gym.agents.cache import OneToken, Seating, SharedCache
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.sampling import SamplingParams, sample
from rlvr_gym.agents.threads import all_threads

__all__ = ["SMALL", "Slots", "Step", "advance"]

_LOGITS_AT_ONCE = 2**22
"""Logits in one piece on a CPU, 16 MiB: larger ones leave the processor's cache, and are given back to the system."""
_ROWS_AT_ONCE = 32
"""Logits of so many rows are made together in any case, as each product reads the whole head."""
SMALL = 2**19
"""Numbers in the hidden states of a step, up to which its operations other than products take one thread."""


class Slots:
    """What a decoding step reads and writes of each row, beside the cache.

    Args:
        count: most rows at a time.
        width: most tokens that a row adds.
        vocabulary: tokens there are.
        device: where the tensors lie.
    """

    def __init__(self, count: int, width: int, vocabulary: int, device: torch.device) -> None:
        self.token = torch.zeros(count, dtype=torch.long, device=device)
        self.position = torch.zeros(count, dtype=torch.long, device=device)
        self.length = torch.zeros(count, dtype=torch.long, device=device)
        self.column = torch.zeros(count, dtype=torch.long, device=device)
        self.done = torch.zeros(count, dtype=torch.bool, device=device)
        self.uniforms = torch.zeros(count, width, device=device)
        self.tokens = torch.zeros(count, width, dtype=torch.long, device=device)
        self.logprobs = torch.zeros(count, width, device=device)
        self.stops = torch.zeros(vocabulary, dtype=torch.bool, device=device)

    def widen(self, width: int) -> None:
        """Makes room for more tokens of each row; what is there stays."""
        more = width - self.tokens.shape[1]
        self.uniforms, self.tokens, self.logprobs = (
            torch.nn.functional.pad(wide, (0, more)) for wide in (self.uniforms, self.tokens, self.logprobs)
        )

    def each(self) -> tuple[Tensor, ...]:
        """The tensors that have a row for each slot."""
        return (
            self.token, self.position, self.length, self.column, self.done,
            self.uniforms, self.tokens, self.logprobs,
        )  # fmt: skip


def advance(
    policy: Policy, cache: SharedCache, slots: Slots, seating: Seating, visible: int, params: SamplingParams
) -> None:
    """Reads the current token of the first rows and samples the next one of each; tensors only, nothing is asked.

    Args:
        policy: its weights are read.
        cache: gets the keys and values of the tokens.
        slots: go one token on.
        seating: of the rows, which are ``slots[: seating.rows]``.
        visible: more than the largest column of these rows.
        params: how to sample.
    """
    n = seating.rows
    token, position, column = slots.token[:n], slots.position[:n], slots.column[:n]
    attention = OneToken(cache, seating, column, visible)
    hidden = policy.run(token[:, None], position[:, None], attention)[:, 0]
    uniforms = slots.uniforms[:n].gather(1, column[:, None])[:, 0]
    drawn, logprob = _draw(policy, hidden, uniforms, params)
    token.copy_(drawn)
    slots.tokens[:n].scatter_(1, column[:, None], drawn[:, None])
    slots.logprobs[:n].scatter_(1, column[:, None], logprob[:, None])
    # a row that is done goes on until it is collected; what it writes from here on does not count, but must fit
    position.add_(1).clamp_(max=policy.max_context - 1)
    column.add_(1).clamp_(max=slots.tokens.shape[1] - 1)
    done = slots.done[:n]
    slots.length[:n] += ~done
    done |= slots.stops[drawn] | (slots.length[:n] >= params.max_tokens)


def _draw(policy: Policy, hidden: Tensor, uniforms: Tensor, params: SamplingParams) -> tuple[Tensor, Tensor]:
    """Tokens ``[n]`` and their log-probabilities; on a CPU a few rows at a time."""
    if hidden.device.type != "cpu" or torch.compiler.is_compiling():
        return sample(policy.logits(hidden), uniforms, params)
    most = max(_ROWS_AT_ONCE, _LOGITS_AT_ONCE // policy.tokenizer.vocab_size)
    count = -(-len(hidden) // most)
    parts = zip(hidden.chunk(count), uniforms.chunk(count), strict=True)
    with all_threads(len(hidden) * policy.tokenizer.vocab_size > SMALL):
        drawn, logprobs = zip(*(sample(policy.logits(h), u, params) for h, u in parts), strict=True)
    return torch.cat(drawn), torch.cat(logprobs)


Step = Callable[[Policy, SharedCache, Slots, Seating, int, SamplingParams], None]
"""What :func:`advance` is, and a compiled form of it."""
