"""The rows that are being decoded: who has which slot, and what each goes on with."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

import torch
from torch import Tensor

from rlvr_gym.agents.attention import Prefill
from rlvr_gym.agents.cache import Rounding, Seating, SeveralTokens, SharedCache
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.sampling import SamplingParams, row_uniforms
from rlvr_gym.agents.step import SMALL, Slots, Step, advance
from rlvr_gym.agents.threads import one_thread
from rlvr_gym.errors import ConfigError

__all__ = ["Completion", "Decoder", "Reply", "check_context"]

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


Reply = Callable[[dict[int, Completion], bool], Mapping[int, Sequence[int] | None]]
"""Leads conversations, which have numbers: ``reply(ended, wait)`` is handed completions as they end, and gives the tokens
that conversations (these, or others from before) are told next, or None for those that are over. Those that it leaves out
wait for it; it is called again, with nothing new. With ``wait`` nothing goes on but what it waits for."""


def check_context(policy: Policy, tokens: int, params: SamplingParams) -> None:
    """Raises ConfigError if what is to be read, and a completion after it, do not fit the policy's context."""
    grows = params.max_tokens if params.chunking is None else params.chunking.size
    if tokens + grows > policy.max_context:
        raise ConfigError(
            f"A prompt of {tokens} tokens and {grows} new ones do not fit the policy's context "
            f"of {policy.max_context} tokens; lower sampling.max_tokens (or its chunk) or choose shorter tasks."
        )


@dataclass(slots=True)
class _Row:
    """A live row.

    Attributes:
        owner: the number that its completions are handed out by.
        number: of its random streams.
        place: of its prompt in the cache.
        turn: of its conversation.
        first: the column of this turn's first step, which reads the last token of what came before.
        told: what it has to read before it goes on, from that column on.
        at: whether it is being decoded, waits for a reply, or has one.
    """

    owner: int
    number: int
    place: int
    turn: int
    first: int = 0
    told: list[int] = field(default_factory=list)
    at: Literal["work", "rest", "start"] = "work"


class Decoder:
    """Takes rows from a queue, decodes them side by side, and hands them out as they end.

    The live rows are slots ``0 .. live - 1`` of the cache and of every tensor. A row that is told something stays in its
    slot and goes on after its own tokens.

    Args:
        policy: samples.
        cache: large enough for all first turns; made wider for others.
        slots: likewise.
        most: rows at a time.
        params: how to sample.
        stream: of the random numbers: seed, first turn, chunk.
        margin: steps that a row may take after it is done, before it is collected.
        step: one step of all rows.
        rounding: sizes that the step is carried out in.
        widened: called when cache and slots have become wider, as other tensors than they were.
    """

    def __init__(
        self,
        policy: Policy,
        cache: SharedCache,
        slots: Slots,
        most: int,
        params: SamplingParams,
        stream: tuple[int, int, int],
        margin: int,
        step: Step = advance,
        rounding: Rounding = Rounding(),  # noqa: B008 - immutable
        widened: Callable[[], None] = lambda: None,
    ) -> None:
        self.policy, self.cache, self.slots, self.most, self.params = policy, cache, slots, most, params
        self._seed, self._turn, self._chunk = stream
        self._margin, self._step, self._rounding, self._widened = margin, step, rounding, widened
        self._seating: Seating
        self.rows: list[_Row] = []
        self.prompts: list[tuple[int, ...]] = []
        """What is in the places for prompts."""
        self.next_prompt: tuple[int, ...] | None = None
        """What the queue goes on with; kept in the cache even if no live row has it."""
        width = next(policy.head().parameters()).shape[-1]
        self._small = step is advance and policy.device.type == "cpu" and most * width <= SMALL
        self.visible = 0
        """One more than the largest column that the next step writes."""
        slots.stops.zero_()
        slots.stops[list(policy.tokenizer.stop_ids)] = True

    @property
    def live(self) -> int:
        """Rows that are not over."""
        return len(self.rows)

    @property
    def working(self) -> int:
        """Rows that are being decoded."""
        return sum(row.at == "work" for row in self.rows)

    @property
    def resting(self) -> int:
        """Rows that wait for a reply."""
        return sum(row.at == "rest" for row in self.rows)

    def admit(self, queue: deque[tuple[int, Sequence[int], int]]) -> None:
        """Fills free slots from the queue: not one by one, since a prefill of several prompts costs little more."""
        free = self.most - self.live
        enough = min(len(queue), max(1, self.most // 8)) if self.working else 1
        if not queue or free < enough:
            return
        batch = [queue.popleft() for _ in range(min(free, len(queue)))]
        self.next_prompt = tuple(queue[0][1]) if queue else None
        prompts = [tuple(prompt) for _, prompt, _ in batch]
        places = self._prefill(prompts)
        first = self.live
        self.rows += [
            _Row(owner, number, place, self._turn)
            for (owner, _, number), place in zip(batch, places, strict=True)
        ]
        self._begin_turn(range(first, self.live), [prompt[-1] for prompt in prompts])
        self._arrange()

    def _begin_turn(self, slots: Sequence[int], tokens: Sequence[int]) -> None:
        """Has the next step read these tokens in these slots, and sample the first ones of a turn after them."""
        rows, state = [self.rows[slot] for slot in slots], self.slots
        device = self.cache.rows.device
        index = torch.tensor(list(slots), device=device)
        columns = torch.tensor([row.first for row in rows], device=device)
        before = torch.tensor([len(self.prompts[row.place]) - 1 for row in rows], device=device)
        state.token[index] = torch.tensor(tokens, device=device)
        state.position[index] = before + columns
        state.length[index] = 0
        state.column[index] = columns
        state.done[index] = False
        span = torch.arange(self.params.max_tokens, device=device)
        state.uniforms[index[:, None], columns[:, None] + span] = self._uniforms(rows).to(device)
        self.visible = max(self.visible, 1 + max(row.first for row in rows))

    def _uniforms(self, rows: Sequence[_Row]) -> Tensor:
        """``[n, max_tokens]`` random numbers of the turns that rows are at."""
        runs = groupby(rows, key=lambda row: row.turn)
        count = self.params.max_tokens
        parts = [
            row_uniforms(self._seed, [row.number for row in run], count, turn, self._chunk)
            for turn, run in runs
        ]
        return torch.cat([torch.from_numpy(part) for part in parts])

    def _prefill(self, prompts: list[tuple[int, ...]]) -> list[int]:
        """Runs those prompts that are not in the cache, but for their last token, which the first step reads.

        Returns:
            The place of each.
        """
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
        return [places[prompt] for prompt in prompts]

    def _run_prompts(self, prompts: list[tuple[int, ...]]) -> None:
        tokens = self._padded([prompt[:-1] for prompt in prompts])
        prefill = Prefill()
        self.policy.run(tokens, torch.arange(tokens.shape[1], device=tokens.device)[None], prefill)
        self.cache.write_prompts(prefill, len(self.prompts))

    def _padded(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """``[n, longest]``, padded on the right."""
        width, pad = max(map(len, rows)), self.policy.tokenizer.pad_id
        filled = [[*row, *[pad] * (width - len(row))] for row in rows]
        return torch.tensor(filled, device=self.cache.rows.device)

    def step(self) -> None:
        """Reads the current token of every live row and samples its next one."""
        visible = self._rounding.length(self.visible, self.cache.sizes[3])
        with one_thread(self._small):
            self._step(self.policy, self.cache, self.slots, self._seating, visible, self.params)
        # what waits to be told something may have come to the end of its slot
        self.visible = min(self.visible + 1, self.cache.sizes[3] - self._rounding.pairs)

    def collect(self) -> dict[int, Completion]:
        """Hands out what has ended, by the number of its owner; these rows now wait for a reply."""
        done = self.slots.done[: self.live].tolist()
        ended = [slot for slot, row in enumerate(self.rows) if done[slot] and row.at == "work"]
        if not ended:
            return {}
        results = self._completions(ended)
        for slot in ended:
            row = self.rows[slot]
            tokens = results[row.owner].tokens
            row.at, row.turn, row.first, row.told = "rest", row.turn + 1, row.first + len(tokens), tokens[-1:]
        return results

    def hear(self, replies: Mapping[int, Sequence[int] | None]) -> None:
        """Takes in what rows that wait are told, by their owners; for None they are over, and others move together."""
        if not replies:
            return
        over = [False] * self.live
        for slot, row in enumerate(self.rows):
            if row.at != "rest" or row.owner not in replies:
                continue
            told = replies[row.owner]
            if told is None:
                over[slot] = True
            else:
                row.at = "start"
                row.told += told
        if any(over):
            self._close_gaps(over)

    def _completions(self, ended: list[int]) -> dict[int, Completion]:
        """What the rows in these slots wrote in their turn."""
        index = torch.tensor(ended, device=self.cache.rows.device)
        lengths = self.slots.length[index].tolist()
        width = max(self.rows[slot].first + length for slot, length in zip(ended, lengths, strict=True))
        written = self.slots.tokens[index, :width].tolist(), self.slots.logprobs[index, :width].tolist()
        tokenizer, results = self.policy.tokenizer, {}
        for slot, length, tokens, logprobs in zip(ended, lengths, *written, strict=True):
            row = self.rows[slot]
            turn = slice(row.first, row.first + length)
            tokens = tokens[turn]
            finished = tokens[-1] in tokenizer.stop_ids
            results[row.owner] = Completion(tokens, logprobs[turn], finished, tokenizer.decode(tokens))
        return results

    def resume(self) -> None:
        """Has rows read what they were told, and go on: not one by one either.

        Raises:
            ConfigError: if it does not fit the policy's context.
        """
        ready = [slot for slot, row in enumerate(self.rows) if row.at == "start"]
        if not ready or (len(ready) < self.live // 8 and self.working):
            return
        self._make_room([self.rows[slot] for slot in ready])
        # similar lengths together, as they are padded
        longer = sorted(
            (slot for slot in ready if len(self.rows[slot].told) > 1),
            key=lambda slot: len(self.rows[slot].told),
        )
        span = max(len(prompt) for prompt in self.prompts) + self.cache.sizes[3]
        count = max(1, _TOKENS_AT_ONCE // span)
        for start in range(0, len(longer), count):
            self._run_told(longer[start : start + count])
        last = []
        for slot in ready:
            row = self.rows[slot]
            last.append(row.told[-1])
            row.at, row.first, row.told = "work", row.first + len(row.told) - 1, []
        self._begin_turn(ready, last)
        self._see()

    def _make_room(self, rows: Sequence[_Row]) -> None:
        """Widens the cache if what rows are told, and what they may say to it, does not fit; at least to the double."""
        for row in rows:
            check_context(
                self.policy, len(self.prompts[row.place]) - 1 + row.first + len(row.told), self.params
            )
        most = self.cache.sizes[3] - self._rounding.pairs
        needed = max(row.first + len(row.told) for row in rows) + self.params.max_tokens + self._margin
        if needed > most:
            double = min(2 * most, self.policy.max_context + self._margin)
            width = max(needed, double) + self._rounding.pairs
            self.cache.widen(width)
            self.slots.widen(width)
            self._widened()

    def _run_told(self, slots: Sequence[int]) -> None:
        """Runs all but the last token of what these rows are told."""
        rows = [self.rows[slot] for slot in slots]
        tokens = self._padded([row.told[:-1] for row in rows])
        lengths = [len(self.prompts[row.place]) - 1 for row in rows]
        starts = [row.first for row in rows]
        attention = SeveralTokens(
            self.cache, slots, [r.place for r in rows], lengths, starts, [len(r.told) - 1 for r in rows]
        )
        before = torch.tensor([sum(pair) for pair in zip(lengths, starts, strict=True)], device=tokens.device)
        positions = before[:, None] + torch.arange(tokens.shape[1], device=tokens.device)
        self.policy.run(tokens, positions.clamp_(max=self.policy.max_context - 1), attention)

    def _see(self) -> None:
        """Sets :attr:`visible` from the columns."""
        self.visible = int(self.slots.column[: self.live].max()) + 1 if self.live else 0

    def _close_gaps(self, over: list[bool]) -> None:
        """Moves live rows from the end into the slots of those that are over; drops prompts without a row."""
        remaining = len(over) - sum(over)
        holes = [i for i in range(remaining) if over[i]]
        movers = [i for i in range(remaining, len(over)) if not over[i]]
        if holes:
            source = torch.tensor(movers, device=self.cache.rows.device)
            target = torch.tensor(holes, device=self.cache.rows.device)
            self.cache.move_rows(source, target, self.visible)
            for state in self.slots.each():
                state[target] = state[source]
            for hole, mover in zip(holes, movers, strict=True):
                self.rows[hole] = self.rows[mover]
        del self.rows[remaining:]
        self._see()
        self._drop_prompts()
        self._arrange()

    def _drop_prompts(self) -> None:
        """Moves prompts that have a row into the places of those that have none."""
        used = {row.place for row in self.rows}
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
            for row in self.rows:
                row.place = moved.get(row.place, row.place)
        del self.prompts[remaining:]

    def _arrange(self) -> None:
        if self.live:
            lengths = [len(prompt) - 1 for prompt in self.prompts]
            self._seating = self.cache.seat([row.place for row in self.rows], lengths, self._rounding)
