"""Scoring completions of labelled rows: what every adapter does in the end."""

from __future__ import annotations

import math
import os
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rlvr_gym.env import EnvSettings
from rlvr_gym.episode import Episode
from rlvr_gym.errors import ConfigError, RLVRError
from rlvr_gym.executor import Executor, make_executor
from rlvr_gym.interop.labels import RewardSpec, read_label
from rlvr_gym.problem import Dialogue
from rlvr_gym.rewards import Reward, RewardDesign
from rlvr_gym.verdict import Verdict

__all__ = ["Scored", "Scorer", "VerificationFailedError", "act", "open_settings", "or_else"]


class VerificationFailedError(RLVRError):
    """Verification itself failed, and the peer has no way to leave a sample out.

    Args:
        verdict: the verdict, which is not valid.
        remedy: how to go on nevertheless.
    """

    def __init__(self, verdict: Verdict, remedy: str) -> None:
        super().__init__(
            f"Verification failed ({verdict.reason}): this is not a wrong answer and has no reward. {remedy}"
        )
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class Scored:
    """A completion's verdict and reward.

    Attributes:
        verdict: the judgement.
        reward: its ``total`` is nan if there is none.
    """

    verdict: Verdict
    reward: Reward

    @property
    def total(self) -> float | None:
        """The reward; None if verification failed."""
        return None if math.isnan(self.reward.total) else self.reward.total


def act(settings: EnvSettings, episode: Episode, action: str) -> Scored | None:
    """Takes one action of a conversation in; the result if it ended the episode, else None."""
    episode.act(action)
    settings.judge([episode])
    if episode.verdict is None:
        return None
    (reward,) = settings.rewards([episode])
    return Scored(episode.verdict, reward)


def or_else(scored: Scored, invalid_score: float | None, remedy: str) -> float:
    """The reward, for peers that need a number.

    Args:
        scored: what there is.
        invalid_score: stands in for a reward that there is not; None refuses.
        remedy: told with the refusal.

    Raises:
        VerificationFailedError: if there is no reward, and nothing to stand in.
    """
    total = scored.total
    if total is not None:
        return total
    if invalid_score is None:
        raise VerificationFailedError(scored.verdict, remedy)
    return float(invalid_score)


def open_settings(
    spec: RewardSpec, executor: str | Executor = "inline", timeout: float = 10.0
) -> EnvSettings:
    """The environment behind a spec; made once in each process, and again after a fork."""
    shared = _executor(executor, os.getpid()) if isinstance(executor, str) else executor
    return _settings(spec.to_json(), shared, timeout)


@lru_cache(maxsize=8)
def _executor(name: str, process: int) -> Executor:
    return make_executor(name)


@lru_cache(maxsize=256)
def _settings(spec_json: str, executor: Executor, timeout: float) -> EnvSettings:
    spec = RewardSpec.from_json(spec_json)
    return EnvSettings(
        spec.env,
        reward=spec.reward,
        observation="chat",
        system_prompt="plain",
        max_turns=spec.max_turns,
        executor=executor,
        verify_timeout=timeout,
        problem_settings=dict(spec.settings),
    )


@dataclass(frozen=True, slots=True)
class _Item:
    """One completion on its way."""

    key: str
    settings: EnvSettings
    episode: Episode


@dataclass(frozen=True)
class Scorer:
    """Scores completions by their labels; plain data, so that it pickles, and safe in threads and after a fork.

    Attributes:
        executor: where verification runs: ``"inline"``, ``"process"`` or an Executor.
        timeout: seconds for one verification, where the executor can enforce it.
        design: takes the place of the labels' own reward designs; None leaves them theirs.
    """

    executor: str | Executor = "inline"
    timeout: float = 10.0
    design: RewardDesign | None = None

    def __call__(
        self,
        labels: Sequence[str],
        completions: Sequence[str],
        *,
        num_tokens: Sequence[int] | None = None,
        finished: Sequence[bool] | None = None,
        groups: Sequence[Hashable] | None = None,
        step: int = 0,
    ) -> list[Scored]:
        """Verdicts and rewards, in order.

        Args:
            labels: one a completion.
            completions: what was written, without the prompt.
            num_tokens: their lengths in the policy's tokens; None counts words.
            finished: False for what was cut off; None for all finished.
            groups: a key a completion; those with equal keys are attempts at one task, which terms that compare
                see together. None: each is on its own.
            step: of training, for designs with a schedule.

        Raises:
            ConfigError: if a task is of several turns, or the design compares and there are no groups.
            DataError: if a label is none.
        """
        items = [self._begin(*pair) for pair in zip(labels, completions, strict=True)]
        _judge(items)
        rollouts = [
            item.episode.rollout(
                None if num_tokens is None else num_tokens[i], True if finished is None else finished[i]
            )
            for i, item in enumerate(items)
        ]
        together: dict[Hashable, list[int]] = {}
        for i, item in enumerate(items):
            together.setdefault(i if groups is None else (item.key, groups[i]), []).append(i)
        rewards: dict[int, Reward] = {}
        for numbers in together.values():
            design = self.design or items[numbers[0]].settings.design
            if groups is None and design.compares:
                raise ConfigError(
                    f"The reward design {design.name!r} compares the attempts at one task, and here they come one by "
                    "one; choose a design without group terms."
                )
            rewards |= zip(numbers, design([rollouts[i] for i in numbers], step), strict=True)
        return [Scored(rollout.verdict, rewards[i]) for i, rollout in enumerate(rollouts)]

    def one(self, label: str, completion: str) -> Scored:
        """The verdict and the reward of a single completion; see :meth:`__call__`."""
        return self([label], [completion])[0]

    def _begin(self, label: str, completion: str) -> _Item:
        spec, task = read_label(label)
        settings = open_settings(spec, self.executor, self.timeout)
        episode = settings.begin(task)
        if isinstance(episode.problem, Dialogue):
            raise ConfigError(
                f"{spec.env} has several turns, and one completion cannot be scored for all of them; "
                "use an adapter that plays: environment_factory or rollouts of interop.trl, interop.skyrl, interop.prime."
            )
        episode.act(completion)
        return _Item(spec.to_json(), settings, episode)


def _judge(items: Sequence[_Item]) -> None:
    """Verifies all episodes, those of one environment at once."""
    by_env: dict[str, list[_Item]] = {}
    for item in items:
        by_env.setdefault(item.key, []).append(item)
    for same in by_env.values():
        same[0].settings.judge([item.episode for item in same])
