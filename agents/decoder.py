"""The rows that are being decoded: who has which slot, and the step that all of them take together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rlvr_gym.agents.attention import Prefill
from rlvr_gym.agents.cache import OneToken, Rounding, Seating, SharedCache
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.sampling import SamplingParams, row_uniforms, sample
from rlvr_gym.agents.threads import all_threads, one_thread

__all__ = ["Completion", "Decoder", "Slots", "Step", "advance"]

_TOKENS_AT_ONCE = 2**16
"""Prompt tokens in one forward pass: bounds the memory of a prefill."""
_LOGITS_AT_ONCE = 2**22
"""Logits in one piece on a CPU, 16 MiB: larger ones leave the processor's cache, and are given back to the system."""
_ROWS_AT_ONCE = 32
"""Logits of so many rows are made together in any case, as each product reads the whole head."""
_SMALL = 2**19
"""Numbers in the hidden states of a step, up to which its operations other than products take one thread."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a policy wrote after one prompt.

    Attributes:
        tokens: the sampled ids, the stop token included if there was one.
        logprobs: of each token, as :func:`rlvr_gym.agents.sampling.sample` defines them.
        finished: whether it ended with a stop token; False if it was cut off at ``max_tokens``.
        text: the decoded tokens.
    """

    tokens: list[int]
    logprobs: list[float]
    finished: bool
    text: str


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
    with all_threads(len(hidden) * policy.tokenizer.vocab_size > _SMALL):
        drawn, logprobs = zip(*(sample(policy.logits(h), u, params) for h, u in parts), strict=True)
    return torch.cat(drawn), torch.cat(logprobs)


Step = Callable[[Policy, SharedCache, Slots, Seating, int, SamplingParams], None]
"""What :func:`advance` is, and a compiled form of it."""


class Decoder:
    """Takes rows from a queue, decodes them side by side, and hands them out as they end.

    The live rows are slots ``0 .. live - 1`` of the cache and of every tensor.

    Args:
        policy: samples.
        cache: large enough for all.
        slots: likewise.
        most: rows at a time.
        params: how to sample.
        step: one step of all rows.
        rounding: sizes that the step is carried out in.
    """

    def __init__(
        self,
        policy: Policy,
        cache: SharedCache,
        slots: Slots,
        most: int,
        params: SamplingParams,
        step: Step = advance,
        rounding: Rounding = Rounding(),  # noqa: B008 - immutable
    ) -> None:
        self.policy, self.cache, self.slots, self.most, self.params = policy, cache, slots, most, params
        self._step, self._rounding = step, rounding
        self._seating: Seating
        self.live = 0
        self.owner: list[int] = []
        self.prompt_of: list[int] = []
        """The place in the cache of each live row's prompt."""
        self.prompts: list[tuple[int, ...]] = []
        """What is in those places."""
        self.next_prompt: tuple[int, ...] | None = None
        """What the queue goes on with; kept in the cache even if no live row has it."""
        width = next(policy.head().parameters()).shape[-1]
        self._small = step is advance and policy.device.type == "cpu" and most * width <= _SMALL
        self.visible = 0
        """One more than the largest column that the next step writes."""
        slots.stops.zero_()
        slots.stops[list(policy.tokenizer.stop_ids)] = True

    def admit(self, queue: deque[tuple[int, Sequence[int], int]], stream: tuple[int, int, int]) -> None:
        """Fills free slots from the queue: not one by one, since a prefill of several prompts costs little more."""
        free = self.most - self.live
        if not queue or free < min(len(queue), max(1, self.most // 8)):
            return
        batch = [queue.popleft() for _ in range(min(free, len(queue)))]
        self.next_prompt = tuple(queue[0][1]) if queue else None
        first, last = self.live, self.live + len(batch)
        device = self.cache.rows.device
        prompts = [tuple(prompt) for _, prompt, _ in batch]
        self._prefill(prompts)
        self.owner += [owner for owner, _, _ in batch]
        self.slots.token[first:last] = torch.tensor([prompt[-1] for prompt in prompts], device=device)
        self.slots.position[first:last] = torch.tensor([len(prompt) - 1 for prompt in prompts], device=device)
        self.slots.length[first:last] = 0
        self.slots.column[first:last] = 0
        self.slots.done[first:last] = False
        seed, turn, chunk = stream
        numbers = [row for _, _, row in batch]
        uniforms = row_uniforms(seed, numbers, self.params.max_tokens, turn, chunk)
        self.slots.uniforms[first:last, : self.params.max_tokens] = torch.from_numpy(uniforms).to(device)
        self.live = last
        self.visible = max(self.visible, 1)
        self._arrange()

    def _prefill(self, prompts: list[tuple[int, ...]]) -> None:
        """Runs those prompts that are not in the cache, but for their last token, which the first step reads."""
        places = {prompt: place for place, prompt in enumerate(self.prompts)}
        new = [prompt for prompt in dict.fromkeys(prompts) if prompt not in places]
        while new:
            width = max(map(len, new)) - 1
            count = max(1, _TOKENS_AT_ONCE // max(width, 1))
            part, new = new[:count], new[count:]
            if width:
                self._run_prompts(part)
            self.prompts += part
        places |= {prompt: place for place, prompt in enumerate(self.prompts)}
        self.prompt_of += [places[prompt] for prompt in prompts]

    def _run_prompts(self, prompts: list[tuple[int, ...]]) -> None:
        width, pad = max(map(len, prompts)) - 1, self.policy.tokenizer.pad_id
        device = self.cache.rows.device
        tokens = torch.tensor([[*p[:-1], *[pad] * (width - len(p) + 1)] for p in prompts], device=device)
        prefill = Prefill()
        self.policy.run(tokens, torch.arange(width, device=device)[None], prefill)
        self.cache.write_prompts(prefill, len(self.prompts))

    def step(self) -> None:
        """Reads the current token of every live row and samples its next one."""
        visible = self._rounding.length(self.visible, self.cache.sizes[3])
        with one_thread(self._small):
            self._step(self.policy, self.cache, self.slots, self._seating, visible, self.params)
        self.visible += 1

    def collect(self) -> dict[int, Completion]:
        """Hands out the rows that are done, by the number of their owner, and moves the others together."""
        n = self.live
        done = self.slots.done[:n].tolist()
        if not any(done):
            return {}
        ended = [i for i in range(n) if done[i]]
        index = torch.tensor(ended, device=self.cache.rows.device)
        lengths = self.slots.length[index].tolist()
        width = max(lengths)
        columns = zip(
            ended,
            lengths,
            self.slots.tokens[index, :width].tolist(),
            self.slots.logprobs[index, :width].tolist(),
            strict=True,
        )
        tokenizer = self.policy.tokenizer
        results = {}
        for slot, length, tokens, logprobs in columns:
            tokens = tokens[:length]
            finished = tokens[-1] in tokenizer.stop_ids
            results[self.owner[slot]] = Completion(
                tokens, logprobs[:length], finished, tokenizer.decode(tokens)
            )
        self._close_gaps(done)
        return results

    def _close_gaps(self, done: list[bool]) -> None:
        """Moves live rows from the end into the slots of those that are done; drops prompts without a row."""
        remaining = len(done) - sum(done)
        holes = [i for i in range(remaining) if done[i]]
        movers = [i for i in range(remaining, len(done)) if not done[i]]
        if holes:
            source = torch.tensor(movers, device=self.cache.rows.device)
            target = torch.tensor(holes, device=self.cache.rows.device)
            self.cache.move_rows(source, target, self.visible)
            for state in self.slots.each():
                state[target] = state[source]
            for hole, mover in zip(holes, movers, strict=True):
                self.owner[hole], self.prompt_of[hole] = self.owner[mover], self.prompt_of[mover]
        del self.owner[remaining:], self.prompt_of[remaining:]
        self.live = remaining
        self.visible = int(self.slots.column[:remaining].max()) + 1 if remaining else 0
        self._drop_prompts()
        self._arrange()

    def _drop_prompts(self) -> None:
        """Moves prompts that have a row into the places of those that have none."""
        used = set(self.prompt_of)
        used |= {place for place, prompt in enumerate(self.prompts) if prompt == self.next_prompt}
        remaining = len(used)
        holes = [place for place in range(remaining) if place not in used]
        movers = [place for place in range(remaining, len(self.prompts)) if place in used]
        if holes:
            device = self.cache.rows.device
            self.cache.move_prompts(torch.tensor(movers, device=device), torch.tensor(holes, device=device))
            moved = dict(zip(movers, holes, strict=True))
            for mover, hole in moved.items():
                self.prompts[hole] = self.prompts[mover]
            self.prompt_of = [moved.get(place, place) for place in self.prompt_of]
        del self.prompts[remaining:]

    def _arrange(self) -> None:
        if self.live:
            lengths = [len(prompt) - 1 for prompt in self.prompts]
            self._seating = self.cache.seat(self.prompt_of, lengths, self._rounding)
