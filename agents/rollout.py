"""The rollout engine: prompts to completions, many rows at once, over a static key/value cache.

Rows that ask the same prompt share its prefill and its place in the cache. Rows that end give their slot to the next
one in the queue, and once the queue is empty the batch shrinks, so that no forward pass is spent on finished rows.
A conversation keeps its slot from turn to turn, so that only what it is told is read anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch

from rlvr_gym.agents.cache import Rounding, SharedCache
from rlvr_gym.agents.decoder import Completion, Decoder, Reply, check_context
from rlvr_gym.agents.linear import packed_weights
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.sampling import Chunking, SamplingParams
from rlvr_gym.agents.sharding import whole
from rlvr_gym.agents.step import Slots, advance
from rlvr_gym.agents.world import World
from rlvr_gym.errors import ConfigError

if TYPE_CHECKING:
    from rlvr_gym.agents.compiled import CompiledStep

__all__ = ["Completion", "Reply", "RolloutEngine", "in_turns", "make_engine"]

_WORTH_PACKING = 16
"""Tokens of a completion from which on laying out the weights for products pays."""


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
        compile: decode through ``torch.compile`` (:mod:`rlvr_gym.agents.compiled`), with CUDA graphs on a GPU. The first
            steps take as long as the compiler does.

    Raises:
        ConfigError: if ``max_rows`` is below 1, or there is no compiler.

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
        compile: bool = False,
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
        self._slots: Slots | None = None
        self._compiled = _compiled_step(self.world.home(policy.device)) if compile else None
        self._rounding = Rounding() if self._compiled is None else self._compiled.rounding

    def __init_subclass__(cls) -> None:
        """An engine that generates in a way of its own leads conversations by that, turn by turn."""
        super().__init_subclass__()
        if "generate" in vars(cls) and "converse" not in vars(cls):
            cls.converse = in_turns  # type: ignore[assignment]

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
        rows = range(len(prompts)) if rows is None else rows
        mine = self.world.share(range(len(prompts)))
        share = [prompts[i] for i in mine], [rows[i] for i in mine]
        with self._ready(prompts, params):
            if params.chunking is not None:
                part = self._think_in_chunks(*share, params, params.chunking, seed, turn)
            else:
                part = self._decode(*share, params, seed, turn)
        return self.world.gather(part)

    @torch.inference_mode()
    def converse(
        self,
        prompts: Sequence[Sequence[int]],
        params: SamplingParams,
        reply: Reply,
        *,
        seed: int,
        rows: Sequence[int] | None = None,
    ) -> None:
        """Leads conversations to their end, each at its own pace: completion, reply, completion and so on.

        Gives what :func:`in_turns` gives, without reading again what is in the cache. (Completions in chunks, and rows
        that several processes share, do go turn by turn.)

        Args:
            prompts: token ids that conversations begin with; equal ones that stand together share one prefill.
            params: of each completion.
            reply: see :data:`Reply`; called while other conversations are being decoded.
            seed: of the random streams, in ``[0, 2**32)``; each turn has its own.
            rows: the number of each conversation's random streams; ``0, 1, 2, ...`` by default.

        Raises:
            ConfigError: if a prompt is empty, or what is to be read does not fit the policy's context.
        """
        rows = range(len(prompts)) if rows is None else rows
        if self.world.size > 1 or params.chunking is not None:
            in_turns(self, prompts, params, reply, seed=seed, rows=rows)
        elif prompts:
            with self._ready(prompts, params):
                self._decode(prompts, rows, params, seed, turn=0, reply=reply)

    @contextmanager
    def _ready(self, prompts: Sequence[Sequence[int]], params: SamplingParams) -> Iterator[None]:
        """The weights as they are now, laid out for products if that pays; prompts are looked at first."""
        if not all(prompts):
            raise ConfigError("A prompt needs at least one token; the tokenizer gave an empty one.")
        check_context(self.policy, max(map(len, prompts)), params)
        self._synchronise()
        policy = self.policy if self._twin is None else self._twin
        with packed_weights(policy) if params.max_tokens >= _WORTH_PACKING else nullcontext():
            yield

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
        reply: Reply | None = None,
    ) -> list[Completion]:
        """This process's rows; of conversations the last completions."""
        if not prompts:
            return []
        slots = min(self.max_rows, len(prompts))
        stride = _stride(self.policy.device)
        policy = self.policy if self._twin is None else self._twin
        cache, kept = self._workspace(
            policy,
            min(slots, len(set(map(tuple, prompts)))),
            max(max(map(len, prompts)) - 1, 1),
            slots,
            params.max_tokens + stride,
        )
        decoder = Decoder(
            policy,
            cache,
            kept,
            slots,
            params,
            (seed, turn, chunk),
            stride,
            self._compiled or advance,
            self._rounding,
            partial(self._compiled.keep, cache, kept) if self._compiled else lambda: None,
        )
        queue = deque(zip(range(len(prompts)), prompts, rows, strict=True))
        results: dict[int, Completion] = {}
        while queue or decoder.live:
            decoder.admit(queue)
            decoder.resume()
            for _ in range(stride if decoder.working else 0):
                decoder.step()
            ended = decoder.collect()
            results |= ended
            if reply is None:
                decoder.hear(dict.fromkeys(ended))
            elif decoder.resting:
                idle = decoder.resting == decoder.live and not (queue and decoder.live < slots)
                decoder.hear(reply(ended, idle))
        return [results[i] for i in range(len(prompts))]

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

    def _workspace(
        self, policy: Policy, prompts: int, prompt_length: int, rows: int, row_length: int
    ) -> tuple[SharedCache, Slots]:
        """A cache and slots that are large enough; kept from call to call, as what is left in them is masked."""
        device = policy.device
        dtype = self.dtype or next(policy.parameters()).dtype
        sizes = self._rounding.sizes(prompts, prompt_length, rows, row_length)
        if (
            self._cache is None
            or self._slots is None
            or any(has < needed for has, needed in zip(self._cache.sizes, sizes, strict=True))
            or self._cache.rows.dtype != dtype
            or self._cache.rows.device != device
        ):
            self._cache = self._slots = None  # free the old ones before the new ones are made
            self._cache = SharedCache(policy.cache_shape, *sizes, dtype, device)
            self._slots = Slots(sizes[2], sizes[3], policy.tokenizer.vocab_size, device)
            if self._compiled is not None:
                self._compiled.keep(self._cache, self._slots)
        return self._cache, self._slots


def in_turns(
    engine: RolloutEngine,
    prompts: Sequence[Sequence[int]],
    params: SamplingParams,
    reply: Reply,
    *,
    seed: int,
    rows: Sequence[int] | None = None,
) -> None:
    """Leads conversations to their end, all at the same turn, each of which reads them from their beginning.

    Args:
        engine: samples completions.
        prompts: see :meth:`RolloutEngine.converse`, as for all others.
        params: likewise.
        reply: likewise.
        seed: likewise.
        rows: likewise.
    """
    rows = range(len(prompts)) if rows is None else rows
    contexts = {i: list(prompt) for i, prompt in enumerate(prompts)}
    turn = 0
    while contexts:
        numbers = [rows[i] for i in contexts]
        completions = engine.generate([*contexts.values()], params, seed=seed, rows=numbers, turn=turn)
        ended = dict(zip(contexts, completions, strict=True))
        replies = dict(reply(ended, True))
        while len(replies) < len(ended):
            replies |= reply({}, True)
        contexts = {
            i: [*contexts[i], *ended[i].tokens, *told] for i, told in replies.items() if told is not None
        }
        turn += 1


def _stride(device: torch.device) -> int:
    """Steps between two questions which rows are done; each stalls a GPU's queue of kernels."""
    return 1 if device.type == "cpu" else 8


def _compiled_step(device: torch.device) -> CompiledStep:
    from rlvr_gym.agents.compiled import CompiledStep  # takes torch's compiler seconds to import

    return CompiledStep(device)


def make_engine(
    name: str,
    policy: Policy,
    max_rows: int,
    world: World | None = None,
    dtype: torch.dtype | None = None,
    compile: bool = False,
) -> RolloutEngine:
    """The engine of this name: ``own`` or ``vllm``.

    Raises:
        MissingExtraError: if vLLM is asked for and not installed.
        ConfigError: if vLLM is to be compiled, which it does by itself.
    """
    if name == "vllm":
        if compile:
            raise ConfigError(
                "sampling.compile is of our own engine; leave it out with sampling.engine: vllm."
            )
        from rlvr_gym.agents.vllm import VllmEngine

        return VllmEngine(policy, max_rows=max_rows, world=world, dtype=dtype)
    return RolloutEngine(policy, max_rows=max_rows, world=world, dtype=dtype, compile=compile)
