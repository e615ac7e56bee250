"""The episodes of one session, one after another: no network and no event loop here."""

from __future__ import annotations

import math
import secrets
import uuid
from collections.abc import Mapping, Sequence

from rlvr_gym.env import EnvSettings, TaskStream
from rlvr_gym.episode import Episode, Message
from rlvr_gym.rewards import Reward
from rlvr_gym.serve.messages import Action, Observation, Outcome, ResetData, Said, State, VerdictShown
from rlvr_gym.serve.refusals import Code, Refusal
from rlvr_gym.task import SEED_LIMIT
from rlvr_gym.verdict import Verdict

__all__ = ["Conversation"]


class Conversation:
    """Resets and steps as a client sees them; to be called by one thread at a time.

    What it gives out holds the prompt, what the environment says, scores, reason codes and numbers: never the task's
    answer, solution or metadata, nor a verdict's details, which may quote them.

    Args:
        settings: problem, verifier and reward; shared with all other sessions.
        length: how many tasks a stream has; None for no end.
        episode_bytes: most bytes of all of an episode's actions.
    """

    def __init__(self, settings: EnvSettings, length: int | None, episode_bytes: int) -> None:
        self._settings = settings
        self._length = length
        self._episode_bytes = episode_bytes
        self._stream = TaskStream(settings.problem)
        self._episode: Episode | None = None
        self._episode_id: str | None = None
        self._bytes = 0
        self._unjudged: str | None = None

    @property
    def verdict(self) -> Verdict | None:
        """How the episode ended; None while it goes on."""
        return None if self._episode is None else self._episode.verdict

    def reset(self, data: ResetData) -> Outcome:
        """Begins an episode: the tasks are those of ``gymnasium.make(...).reset(seed=, options={"index"})``.

        Raises:
            Refusal: if there is no such task.
        """
        if self._length is not None and data.index is not None and data.index >= self._length:
            raise Refusal(
                Code.VALIDATION_ERROR, f"index: this environment's tasks go from 0 to {self._length - 1}."
            )
        self._episode = self._episode_id = self._unjudged = None  # if it fails there is no episode
        fallback = None if self._stream.seeded else secrets.randbelow(SEED_LIMIT)
        place = None if data.index is None else {"index": data.index}
        episode = self._settings.begin(self._stream.next(data.seed, fallback, place))
        self._episode, self._bytes = episode, 0
        self._episode_id = uuid.uuid4().hex if data.episode_id is None else data.episode_id
        return Outcome(observation=_observe(episode, episode.messages))

    def step(self, action: Action) -> Outcome:
        """Takes one action in, or verifies the last one again.

        Raises:
            Refusal: if there is no episode that this is a step of.
        """
        episode = self._episode
        if episode is None:
            raise Refusal(Code.NOT_RESET, "This session has no episode yet.")
        try:
            before = self._say(episode, action)
            return self._judge(episode, before)
        except Refusal:
            raise
        except BaseException:
            self._episode = None  # it may be half a step further
            raise

    def _say(self, episode: Episode, action: Action) -> int:
        """Puts the action into the episode; says how many messages are no news."""
        if action.message is None:
            if self._unjudged is None:
                raise Refusal(Code.NOTHING_TO_RETRY, "No verification of this episode has failed.")
            episode.verdict, episode.pending = None, self._unjudged
            return len(episode.messages)
        if episode.done:
            raise Refusal(Code.EPISODE_OVER, "This episode is over.")
        size = len(action.message.encode("utf-8", "replace"))
        if self._bytes + size > self._episode_bytes:
            raise Refusal(
                Code.EPISODE_TOO_LARGE,
                f"The messages of an episode may have {self._episode_bytes} bytes together.",
                limit=self._episode_bytes,
            )
        self._bytes += size
        before = len(episode.messages) + 1  # the action itself is a message
        episode.act(action.message)
        return before

    def _judge(self, episode: Episode, before: int) -> Outcome:
        pending = episode.pending
        self._settings.judge([episode])
        (reward,) = self._settings.rewards([episode])
        failed = episode.verdict is not None and not episode.verdict.valid
        self._unjudged = pending if failed else None
        return Outcome(
            observation=_observe(episode, episode.messages[before:], reward, self._unjudged is not None),
            reward=_number(reward.total),
            done=episode.done,
        )

    def state(self) -> State:
        """Where it stands."""
        episode = self._episode
        if episode is None:
            return State()
        return State(
            episode_id=self._episode_id,
            step_count=episode.turns,
            task_id=episode.task.id,
            done=episode.done,
            max_turns=episode.max_turns,
        )


def _observe(
    episode: Episode, news: Sequence[Message], reward: Reward | None = None, retriable: bool = False
) -> Observation:
    said = [Said(role=m["role"], content=_text(m["content"])) for m in news]
    ended = episode.verdict is not None
    return Observation(
        text="\n\n".join(message.content for message in said),
        messages=said,
        task_id=episode.task.id,
        turn=episode.turns,
        truncated=episode.truncated,
        verdict=None if episode.verdict is None else _shown(episode.verdict),
        reward_terms=_numbers(reward.terms) if ended and reward is not None else {},
        metrics=_numbers(episode.metrics) if ended else {},
        retriable=retriable,
    )


def _shown(verdict: Verdict) -> VerdictShown:
    return VerdictShown(
        valid=verdict.valid,
        correct=verdict.correct if verdict.valid else None,
        score=verdict.score if verdict.valid else None,
        reason=str(verdict.reason),
    )


def _text(text: str) -> str:
    """Without halves of surrogate pairs, which no encoding carries."""
    return text.encode("utf-8", "replace").decode()


def _number(value: float) -> float | None:
    """JSON has no nan, which stands for the reward of a verification that failed."""
    return value if math.isfinite(value) else None


def _numbers(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: _number(float(value)) for name, value in values.items()}
