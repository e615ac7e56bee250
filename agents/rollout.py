"""The rollout engine: prompts to completions, many rows at once, over a static KV cache.

Rows that ask the same prompt share its prefill. Rows that end give their slot to the next one in the queue, and
once the queue is empty the batch shrinks, so that no forward pass is spent on finished rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rlvr_gym.agents.cache import KVCache
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.sampling import SamplingParams, row_uniforms, sample
from rlvr_gym.errors import ConfigError

__all__ = ["Completion", "RolloutEngine"]


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


class RolloutEngine:
    """Samples completions from a policy.

    Deterministic: a row's tokens depend on the weights, its prompt, the parameters, ``seed`` and its row number,
    and not on what else is in the batch. (Exactly so on CPU in float32, up to matrix products of another batch
    size being rounded differently in the last bit; that moves a token with a chance of about 1e-7 each.)

    Args:
        policy: the policy; its weights are read anew in each call.
        max_rows: completions decoded side by side; more wait in a queue.

    Example:
        >>> from rlvr_gym.agents.policy import load_policy
        >>> engine = RolloutEngine(load_policy("micro"))
        >>> prompt = engine.policy.tokenizer.encode_prompt([{"role": "user", "content": "2+2="}])
        >>> a, b = engine.generate([prompt, prompt], SamplingParams(max_tokens=5), seed=0)
        >>> len(a.tokens) <= 5, len(a.tokens) == len(a.logprobs)
        (True, True)
    """

    def __init__(self, policy: Policy, *, max_rows: int = 512) -> None:
        if max_rows < 1:
            raise ConfigError(f"max_rows is at least 1; got {max_rows}.")
        self.policy = policy
        self.max_rows = max_rows
        self._cache: KVCache | None = None

    @torch.inference_mode()
    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        params: SamplingParams,
        *,
        seed: int,
        rows: Sequence[int] | None = None,
        turn: int = 0,
    ) -> list[Completion]:
        """One completion for each prompt, in order; for a group of G samples give its prompt G times.

        Args:
            prompts: token ids; rows with equal prompts that stand together share one prefill.
            params: how to sample.
            seed: of the random streams, in ``[0, 2**32)``.
            rows: the number of each row's random stream; ``0, 1, 2, ...`` by default.
            turn: which turn of a conversation this is; each has its own random stream.

        Raises:
            ConfigError: if a prompt is empty or does not fit the policy's context.
        """
        if not prompts:
            return []
        self._check(prompts, params)
        rows = range(len(prompts)) if rows is None else rows
        slots = min(self.max_rows, len(prompts))
        # on a GPU, asking which rows are done stalls the queue of kernels; it is asked every few steps
        stride = 1 if self.policy.device.type == "cpu" else 8
        cache = self._cache_for(slots, max(map(len, prompts)) + params.max_tokens + stride)
        decoder = _Decoder(self.policy, cache, slots, params, stride)
        queue = deque(zip(range(len(prompts)), prompts, rows, strict=True))
        results: dict[int, Completion] = {}
        while queue or decoder.live:
            decoder.admit(queue, seed, turn)
            for _ in range(stride):
                decoder.step()
            decoder.collect(results)
        return [results[i] for i in range(len(prompts))]

    def _check(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> None:
        longest = max(map(len, prompts))
        if not all(prompts):
            raise ConfigError("A prompt needs at least one token; the tokenizer gave an empty one.")
        if longest + params.max_tokens > self.policy.max_context:
            raise ConfigError(
                f"A prompt of {longest} tokens and max_tokens={params.max_tokens} do not fit the policy's context "
                f"of {self.policy.max_context} tokens; lower max_tokens or choose shorter tasks."
            )

    def _cache_for(self, slots: int, length: int) -> KVCache:
        """A cache that is large enough; kept from call to call, as what is left in it is masked."""
        weight = next(self.policy.parameters())
        kept = self._cache
        if (
            kept is None
            or kept.rows < slots
            or kept.length < length
            or kept.store.dtype != weight.dtype
            or kept.store.device != weight.device
        ):
            self._cache = kept = None  # free the old one before the new one is made
            kept = self._cache = self.policy.new_cache(slots, length)
        return kept


class _Decoder:
    """The rows that are being decoded: slots ``0 .. live - 1`` of the cache and of every tensor here."""

    def __init__(
        self, policy: Policy, cache: KVCache, slots: int, params: SamplingParams, stride: int
    ) -> None:
        device, width = policy.device, params.max_tokens + stride
        self.policy, self.cache, self.slots, self.params = policy, cache, slots, params
        self.live = 0
        self.owner = [0] * slots
        self.visible = 0
        """One more than the largest position that the next step writes."""
        self.token = torch.zeros(slots, dtype=torch.long, device=device)
        self.position = torch.zeros(slots, dtype=torch.long, device=device)
        self.length = torch.zeros(slots, dtype=torch.long, device=device)
        self.column = torch.zeros(slots, dtype=torch.long, device=device)
        self.done = torch.zeros(slots, dtype=torch.bool, device=device)
        self.uniforms = torch.zeros(slots, width, device=device)
        self.tokens = torch.zeros(slots, width, dtype=torch.long, device=device)
        self.logprobs = torch.zeros(slots, width, device=device)
        self.stops = torch.zeros(policy.tokenizer.vocab_size, dtype=torch.bool, device=device)
        self.stops[list(policy.tokenizer.stop_ids)] = True
        self.prefix_cache: KVCache | None = None
        self.prefix_row: dict[tuple[int, ...], int] = {}

    def admit(self, queue: deque[tuple[int, Sequence[int], int]], seed: int, turn: int) -> None:
        """Fills free slots from the queue: not one by one, since a prefill of several prompts costs little more."""
        free = self.slots - self.live
        if not queue or free < min(len(queue), max(1, self.slots // 8)):
            return
        batch = [queue.popleft() for _ in range(min(free, len(queue)))]
        first, last = self.live, self.live + len(batch)
        device = self.token.device
        prompts = [tuple(prompt) for _, prompt, _ in batch]
        self._prefill(prompts, first)
        self.owner[first:last] = [owner for owner, _, _ in batch]
        self.token[first:last] = torch.tensor([prompt[-1] for prompt in prompts], device=device)
        self.position[first:last] = torch.tensor([len(prompt) - 1 for prompt in prompts], device=device)
        self.length[first:last] = 0
        self.column[first:last] = 0
        self.done[first:last] = False
        uniforms = row_uniforms(seed, [row for _, _, row in batch], self.params.max_tokens, turn)
        self.uniforms[first:last, : self.params.max_tokens] = torch.from_numpy(uniforms).to(device)
        self.live = last
        self.visible = max(self.visible, *map(len, prompts))

    def _prefill(self, prompts: list[tuple[int, ...]], first: int) -> None:
        """Writes each prompt to its slot, but for its last token, which the first decoding step reads.

        Different prompts are run once; one whose rows did not all find a slot last time is kept from then.
        """
        if any(prompt not in self.prefix_row for prompt in prompts):
            self._run_prefixes(list(dict.fromkeys(prompts)))
        if self.prefix_cache is not None:
            source = torch.tensor([self.prefix_row[prompt] for prompt in prompts], device=self.token.device)
            target = torch.arange(first, first + len(prompts), device=self.token.device)
            self.cache.take(self.prefix_cache, source, target, max(map(len, prompts)) - 1)

    def _run_prefixes(self, prompts: list[tuple[int, ...]]) -> None:
        """Makes a prefix cache of these prompts, out of the last one where it has them."""
        kept = [prompt for prompt in prompts if prompt in self.prefix_row]
        new = [prompt for prompt in prompts if prompt not in self.prefix_row]
        width, device = max(map(len, prompts)) - 1, self.token.device
        old_cache, old_row = self.prefix_cache, self.prefix_row
        self.prefix_row = {prompt: row for row, prompt in enumerate([*new, *kept])}
        if width == 0:
            return
        self.prefix_cache = self.policy.new_cache(len(prompts), width)
        pad = self.policy.tokenizer.pad_id
        tokens = torch.tensor([[*p[:-1], *[pad] * (width - len(p) + 1)] for p in new], device=device)
        attend = self.prefix_cache.write_prefix(len(new), width)
        self.policy.extend(tokens, torch.arange(width, device=device)[None], attend, self.prefix_cache)
        if kept and old_cache is not None:
            source = torch.tensor([old_row[prompt] for prompt in kept], device=device)
            target = torch.arange(len(new), len(prompts), device=device)
            self.prefix_cache.take(old_cache, source, target, max(map(len, kept)) - 1)

    def step(self) -> None:
        """Reads the current token of every live row and samples its next one."""
        n = self.live
        positions = self.position[:n]
        attend = self.cache.write_next(positions, self.visible)
        hidden = self.policy.extend(self.token[:n, None], positions[:, None], attend, self.cache)
        column = self.column[:n, None]
        uniforms = self.uniforms[:n].gather(1, column)[:, 0]
        token, logprob = sample(self.policy.logits(hidden[:, 0]), uniforms, self.params)
        self.token[:n] = token
        self.tokens[:n].scatter_(1, column, token[:, None])
        self.logprobs[:n].scatter_(1, column, logprob[:, None])
        self.position[:n] += 1
        self.column[:n] += 1
        self.visible += 1
        # a row that is done goes on until it is collected; what it writes from here on does not count
        self.length[:n] += ~self.done[:n]
        self.done[:n] |= self.stops[token] | (self.column[:n] >= self.params.max_tokens)

    def collect(self, results: dict[int, Completion]) -> None:
        """Hands out the rows that are done and moves the others together."""
        n = self.live
        done = self.done[:n].tolist()
        if not any(done):
            return
        ended = [i for i in range(n) if done[i]]
        index = torch.tensor(ended, device=self.token.device)
        lengths = self.length[index].tolist()
        width = max(lengths)
        columns = zip(
            ended,
            lengths,
            self.tokens[index, :width].tolist(),
            self.logprobs[index, :width].tolist(),
            strict=True,
        )
        tokenizer = self.policy.tokenizer
        for slot, length, tokens, logprobs in columns:
            tokens = tokens[:length]
            finished = tokens[-1] in tokenizer.stop_ids
            results[self.owner[slot]] = Completion(
                tokens, logprobs[:length], finished, tokenizer.decode(tokens)
            )
        self._close_gaps(done)

    def _close_gaps(self, done: list[bool]) -> None:
        """Moves live rows from the end into the slots of those that are done."""
        remaining = len(done) - sum(done)
        holes = [i for i in range(remaining) if done[i]]
        movers = [i for i in range(remaining, len(done)) if not done[i]]
        if holes:
            source = torch.tensor(movers, device=self.token.device)
            target = torch.tensor(holes, device=self.token.device)
            self.cache.move(source, target, self.visible)
            for state in self._state():
                state[target] = state[source]
            for hole, mover in zip(holes, movers, strict=True):
                self.owner[hole] = self.owner[mover]
        self.live = remaining
        self.visible = int(self.position[:remaining].max()) + 1 if remaining else 0

    def _state(self) -> tuple[Tensor, ...]:
        return (
            self.token, self.position, self.length, self.column, self.done,
            self.uniforms, self.tokens, self.logprobs,
        )  # fmt: skip
