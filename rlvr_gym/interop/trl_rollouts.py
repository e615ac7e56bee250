"""Playing episodes with TRL's trainer as the policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rlvr_gym.agents.hf import HFTokenizer
from rlvr_gym.env import EnvSettings
from rlvr_gym.episode import Episode

__all__ = ["Played", "play"]


@dataclass(slots=True)
class Played:
    """One conversation as tokens.

    Attributes:
        prompt: ids of the prompt.
        completion: ids of everything after it.
        mask: as long as ``completion``; 1 where the policy sampled the token, else 0.
        logprobs: as long as ``completion``, 0 where the environment spoke; None if the trainer gives none.
        finished: whether every message of the policy ended by itself.
    """

    prompt: list[int]
    completion: list[int] = field(default_factory=list)
    mask: list[int] = field(default_factory=list)
    logprobs: list[float] | None = field(default_factory=list)
    finished: bool = True

    def add(self, ids: Sequence[int], sampled: bool, logprobs: Sequence[float] | None) -> None:
        """Appends tokens."""
        self.completion += ids
        self.mask += [int(sampled)] * len(ids)
        if sampled and logprobs is None:
            self.logprobs = None
        if self.logprobs is not None:
            self.logprobs += [0.0] * len(ids) if logprobs is None else logprobs


def play(
    trainer: Any, prompts: Sequence[Any], episodes: Sequence[Episode], settings: Sequence[EnvSettings]
) -> list[Played]:
    """Plays fresh episodes side by side, turn by turn, until they end or have no room for another turn.

    Args:
        trainer: a ``GRPOTrainer``.
        prompts: the conversations that they begin with.
        episodes: one a prompt; those without a verdict afterwards ran out of room.
        settings: the environment of each.
    """
    tokenizer = _tokenizer(trainer)
    played = [
        Played(tokenizer.encode_prompt([{k: m[k] for k in ("role", "content")} for m in prompt]))
        for prompt in prompts
    ]
    active = list(range(len(episodes)))
    while active:
        sampled, logprobs = trainer._generate_single_turn(
            [played[i].prompt + played[i].completion for i in active], None, {}, 1
        )
        going = []
        for row, i in enumerate(active):
            take = _Turn(played[i], episodes[i], tokenizer, trainer.max_completion_length)
            if take(sampled[row], None if logprobs is None else logprobs[row]):
                going.append(i)
        for i in active:
            settings[i].judge([episodes[i]])
        active = going
    return played


def _tokenizer(trainer: Any) -> HFTokenizer:
    inner = trainer._tokenizer
    return HFTokenizer(inner, len(inner), list(trainer.eos_token_ids))


@dataclass(frozen=True, slots=True)
class _Turn:
    """Takes one completion in."""

    played: Played
    episode: Episode
    tokenizer: HFTokenizer
    room: int

    def __call__(self, ids: Sequence[int], logprobs: Sequence[float] | None) -> bool:
        """Whether the conversation goes on."""
        left = self.room - len(self.played.completion)
        ids, logprobs = list(ids[:left]), None if logprobs is None else list(logprobs[:left])
        ended = bool(ids) and ids[-1] in self.tokenizer.stop_ids
        self.played.finished = self.played.finished and ended
        self.played.add(ids, True, logprobs)
        before = len(self.episode.messages) + 1  # the action itself is a message
        self.episode.act(self.tokenizer.decode(ids))
        if self.episode.done or self.episode.pending is not None:
            return False
        reply = self.tokenizer.encode_reply(self.episode.messages[before:], finished=ended)
        if len(self.played.completion) + len(reply) >= self.room:
            return False
        self.played.add(reply, False, None)
        return True
