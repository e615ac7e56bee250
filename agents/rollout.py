"""The rollout engine: prompts to completions, many rows at once, over a static key/value cache.

Rows that ask the same prompt share its prefill and its place in the cache. Rows that end give their slot to the next
one in the queue, and once the queue is empty the batch shrinks, so that no forward pass is spent on finished rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rlvr_gym.agents.attention import Prefill
from rlvr_gym.agents.cache import SharedCache
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.sampling import Chunking, SamplingParams, row_uniforms, sample
from rlvr_gym.agents.sharding import whole
from rlvr_gym.agents.world import World
from rlvr_gym.errors import ConfigError

__all__ = ["Completion", "RolloutEngine", "make_engine"]

_TOKENS_AT_ONCE = 2**16
"""Prompt tokens in one forward pass: bounds the memory of a prefill."""


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
        world: processes that each decode a share of the rows; alone by default.
        dtype: sample from a copy whose layers are of this type (bfloat16 is twice as fast and more); the copy
            follows the weights. Log-probabilities are then the copy's, not quite the trainer's. Where the policy is to
            be spread over processes there is a whole copy in each, of its own type if no other is given.

    Example:
        >>> from rlvr_gym.agents.policy import load_policy
        >>> engine = RolloutEngine(load_policy("micro"))
        >>> prompt = engine.policy.tokenizer.encode_prompt([{"role": "user", "content": "2+2="}])
        >>> a, b = engine.generate([prompt, prompt], SamplingParams(max_tokens=5), seed=0)
        >>> len(a.tokens) <= 5, len(a.tokens) == len(a.logprobs)
        (True, True)
    """

    def __init__(
        self,
        policy: Policy,
        *,
        max_rows: int = 512,
        world: World | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        if max_rows < 1:
            raise ConfigError(f"max_rows is at least 1; got {max_rows}.")
        self.policy = policy
        self.max_rows = max_rows
        self.world = world or World()
        self.dtype = dtype
        if self.world.sharding == "full":
            self.dtype = dtype or next(policy.parameters()).dtype
        self._twin = policy.copy_in(self.dtype) if self.dtype and self.world.sharding == "full" else None
        self._twin_of: int | None = None
        self._cache: SharedCache | None = None

    @torch.inference_mode()
    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        params: SamplingParams,
        *,
        seed: int,
        rows: Sequence[int] | None = None,
        turn: int = 0,
        on_finished: Callable[[dict[int, Completion]], None] | None = None,
    ) -> list[Completion]:
        """One completion for each prompt, in order; for a group of G samples give its prompt G times.

        Args:
            prompts: token ids; rows with equal prompts that stand together share one prefill.
            params: how to sample.
            seed: of the random streams, in ``[0, 2**32)``.
            rows: the number of each row's random stream; ``0, 1, 2, ...`` by default.
            turn: which turn of a conversation this is; each has its own random stream.
            on_finished: called with completions by number as they end, while others are still being decoded; not
                called where several processes share the work.

        Raises:
            ConfigError: if a prompt is empty or does not fit the policy's context.
        """
        if not prompts:
            return []
        self._check(prompts, params)
        self._synchronise()
        rows = range(len(prompts)) if rows is None else rows
        mine = self.world.share(range(len(prompts)))
        share = [prompts[i] for i in mine], [rows[i] for i in mine]
        if params.chunking is not None:
            part = self._think_in_chunks(*share, params, params.chunking, seed, turn)
        else:
            part = self._decode(
                *share, params, seed, turn, on_finished=on_finished if self.world.size == 1 else None
            )
        return self.world.gather(part)

    def _think_in_chunks(
        self,
        prompts: list[Sequence[int]],
        rows: list[int],
        params: SamplingParams,
        chunking: Chunking,
        seed: int,
        turn: int,
    ) -> list[Completion]:
        """Chunk after chunk, each after the prompt and the end of the chunk before."""
        tokens: list[list[int]] = [[] for _ in prompts]
        logprobs: list[list[float]] = [[] for _ in prompts]
        finished = [False] * len(prompts)
        for chunk, (start, end) in enumerate(chunking.bounds(params.max_tokens)):
            going = [i for i in range(len(prompts)) if not finished[i]]
            contexts = [[*prompts[i], *tokens[i][-chunking.carry :]] for i in going]
            one = replace(params, max_tokens=end - start, chunking=None)
            parts = self._decode(contexts, [rows[i] for i in going], one, seed, turn, chunk)
            for i, part in zip(going, parts, strict=True):
                tokens[i] += part.tokens
                logprobs[i] += part.logprobs
                finished[i] = part.finished
        texts = map(self.policy.tokenizer.decode, tokens)
        return [Completion(*row) for row in zip(tokens, logprobs, finished, texts, strict=True)]

    def _decode(
        self,
        prompts: Sequence[Sequence[int]],
        rows: Sequence[int],
        params: SamplingParams,
        seed: int,
        turn: int,
        chunk: int = 0,
        on_finished: Callable[[dict[int, Completion]], None] | None = None,
    ) -> list[Completion]:
        """This process's rows."""
        if not prompts:
            return []
        slots = min(self.max_rows, len(prompts))
        # on a GPU, asking which rows are done stalls the queue of kernels; it is asked every few steps
        stride = 1 if self.policy.device.type == "cpu" else 8
        policy = self.policy if self._twin is None else self._twin
        cache = self._cache_for(
            policy,
            min(slots, len(set(map(tuple, prompts)))),
            max(max(map(len, prompts)) - 1, 1),
            slots,
            params.max_tokens + stride,
        )
        decoder = _Decoder(policy, cache, slots, params, stride)
        queue = deque(zip(range(len(prompts)), prompts, rows, strict=True))
        results: dict[int, Completion] = {}
        while queue or decoder.live:
            decoder.admit(queue, (seed, turn, chunk))
            for _ in range(stride):
                decoder.step()
            ended = decoder.collect()
            results |= ended
            if ended and on_finished is not None:
                on_finished(ended)
        return [results[i] for i in range(len(prompts))]

    def _check(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> None:
        longest = max(map(len, prompts))
        grows = params.max_tokens if params.chunking is None else params.chunking.size
        if not all(prompts):
            raise ConfigError("A prompt needs at least one token; the tokenizer gave an empty one.")
        if longest + grows > self.policy.max_context:
            raise ConfigError(
                f"A prompt of {longest} tokens and {grows} new ones do not fit the policy's context "
                f"of {self.policy.max_context} tokens; lower sampling.max_tokens (or its chunk) or choose shorter tasks."
            )

    @torch.inference_mode(False)
    @torch.no_grad()
    def _synchronise(self) -> None:
        """The copy gets the weights as they are now; all processes come by, as spread weights are gathered."""
        if self.dtype is None:
            return
        version = sum(weight._version for weight in self.policy.parameters())
        if self._twin is None:
            self._twin = self.policy.copy_in(self.dtype)
        elif version != self._twin_of:
            self._twin.to(self.policy.device)
            for twin, weight in zip(self._twin.parameters(), self.policy.parameters(), strict=True):
                twin.copy_(whole(weight.detach().to(twin.dtype)))
        self._twin_of = version

    def _cache_for(
        self, policy: Policy, prompts: int, prompt_length: int, rows: int, row_length: int
    ) -> SharedCache:
        """A cache that is large enough; kept from call to call, as what is left in it is masked."""
        device = policy.device
        dtype = self.dtype or next(policy.parameters()).dtype
        sizes, kept = (prompts, prompt_length, rows, row_length), self._cache
        if (
            kept is None
            or any(has < needed for has, needed in zip(kept.sizes, sizes, strict=True))
            or kept.rows.dtype != dtype
            or kept.rows.device != device
        ):
            self._cache = kept = None  # free the old one before the new one is made
            kept = self._cache = SharedCache(policy.cache_shape, *sizes, dtype, device)
        return kept


def make_engine(
    name: str,
    policy: Policy,
    max_rows: int,
    world: World | None = None,
    dtype: torch.dtype | None = None,
) -> RolloutEngine:
    """The engine of this name: ``own`` or ``vllm``.

    Raises:
        MissingExtraError: if vLLM is asked for and not installed.
    """
    if name == "vllm":
        from rlvr_gym.agents.vllm import VllmEngine

        return VllmEngine(policy, max_rows=max_rows, world=world, dtype=dtype)
    return RolloutEngine(policy, max_rows=max_rows, world=world, dtype=dtype)


class _Decoder:
    """The rows that are being decoded: slots ``0 .. live - 1`` of the cache and of every tensor here."""

    def __init__(
        self, policy: Policy, cache: SharedCache, slots: int, params: SamplingParams, stride: int
    ) -> None:
        device, width = policy.device, params.max_tokens + stride
        self.policy, self.cache, self.slots, self.params = policy, cache, slots, params
        self.live = 0
        self.owner: list[int] = []
        self.prompt_of: list[int] = []
        """The place in the cache of each live row's prompt."""
        self.prompts: list[tuple[int, ...]] = []
        """What is in those places."""
        self.next_prompt: tuple[int, ...] | None = None
        """What the queue goes on with; kept in the cache even if no live row has it."""
        self.visible = 0
        """One more than the largest column that the next step writes."""
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

    def admit(self, queue: deque[tuple[int, Sequence[int], int]], stream: tuple[int, int, int]) -> None:
        """Fills free slots from the queue: not one by one, since a prefill of several prompts costs little more."""
        free = self.slots - self.live
        if not queue or free < min(len(queue), max(1, self.slots // 8)):
            return
        batch = [queue.popleft() for _ in range(min(free, len(queue)))]
        self.next_prompt = tuple(queue[0][1]) if queue else None
        first, last = self.live, self.live + len(batch)
        device = self.token.device
        prompts = [tuple(prompt) for _, prompt, _ in batch]
        self._prefill(prompts)
        self.owner += [owner for owner, _, _ in batch]
        self.token[first:last] = torch.tensor([prompt[-1] for prompt in prompts], device=device)
        self.position[first:last] = torch.tensor([len(prompt) - 1 for prompt in prompts], device=device)
        self.length[first:last] = 0
        self.column[first:last] = 0
        self.done[first:last] = False
        seed, turn, chunk = stream
        numbers = [row for _, _, row in batch]
        uniforms = row_uniforms(seed, numbers, self.params.max_tokens, turn, chunk)
        self.uniforms[first:last, : self.params.max_tokens] = torch.from_numpy(uniforms).to(device)
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
        device = self.token.device
        tokens = torch.tensor([[*p[:-1], *[pad] * (width - len(p) + 1)] for p in prompts], device=device)
        prefill = Prefill()
        self.policy.run(tokens, torch.arange(width, device=device)[None], prefill)
        self.cache.write_prompts(prefill, len(self.prompts))

    def step(self) -> None:
        """Reads the current token of every live row and samples its next one."""
        n = self.live
        self.cache.begin_step(self.column[:n], self.visible)
        hidden = self.policy.run(self.token[:n, None], self.position[:n, None], self.cache)
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

    def collect(self) -> dict[int, Completion]:
        """Hands out the rows that are done, by the number of their owner, and moves the others together."""
        n = self.live
        done = self.done[:n].tolist()
        if not any(done):
            return {}
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
            source = torch.tensor(movers, device=self.token.device)
            target = torch.tensor(holes, device=self.token.device)
            self.cache.move_rows(source, target, self.visible)
            for state in self._state():
                state[target] = state[source]
            for hole, mover in zip(holes, movers, strict=True):
                self.owner[hole], self.prompt_of[hole] = self.owner[mover], self.prompt_of[mover]
        del self.owner[remaining:], self.prompt_of[remaining:]
        self.live = remaining
        self.visible = int(self.column[:remaining].max()) + 1 if remaining else 0
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
            device = self.token.device
            self.cache.move_prompts(torch.tensor(movers, device=device), torch.tensor(holes, device=device))
            moved = dict(zip(movers, holes, strict=True))
            for mover, hole in moved.items():
                self.prompts[hole] = self.prompts[mover]
            self.prompt_of = [moved.get(place, place) for place in self.prompt_of]
        del self.prompts[remaining:]

    def _arrange(self) -> None:
        if self.live:
            self.cache.arrange(self.prompt_of, [len(prompt) - 1 for prompt in self.prompts])

    def _state(self) -> tuple[Tensor, ...]:
        return (
            self.token, self.position, self.length, self.column, self.done,
            self.uniforms, self.tokens, self.logprobs,
        )  # fmt: skip
