"""Inspect AI: any environment of ours as one of its tasks, of any number of turns.

``examples/inspect_task.py`` is a file for ``inspect eval``.
"""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import Any

from rlvr_gym.env import EnvSettings
from rlvr_gym.episode import Episode
from rlvr_gym.errors import ConfigError, MissingExtraError
from rlvr_gym.interop.labels import EnvLike, RewardSpec, examples, read_label
from rlvr_gym.interop.scoring import open_settings
from rlvr_gym.verdict import Verdict

try:
    _inspect: Any = import_module("inspect_ai")
    _datasets: Any = import_module("inspect_ai.dataset")
    _model: Any = import_module("inspect_ai.model")
    _scorers: Any = import_module("inspect_ai.scorer")
    _solvers: Any = import_module("inspect_ai.solver")
except ImportError as error:
    raise MissingExtraError("inspect-ai", "inspect", "rlvr_gym.interop.inspect") from error

__all__ = ["environment", "play", "verified"]

_VERDICT = "rlvr_verdict"


@_inspect.task  # type: ignore[untyped-decorator]
def environment(
    env: EnvLike = "Countdown",
    n: int = 100,
    seed: int = 0,
    system_prompt: str = "plain",
    solver: Any = None,
    max_turns: int | None = None,
    executor: str = "inline",
    timeout: float = 10.0,
    settings: dict[str, Any] | None = None,
    difficulty: Any = None,
) -> Any:
    """A ``Task``: the environment's tasks as its data set, our verifier as its scorer.

    Args:
        env: an id, a problem or an environment.
        n: tasks; fewer where a data set ends.
        seed: the stream of tasks.
        system_prompt: ``"plain"``, ``"r1"``, ``"boxed"``, or a text of one's own.
        solver: takes the place of the plain generation; of several turns, only :func:`play` keeps the conversation.
        max_turns: most actions in an episode; None for the problem's own.
        executor: where verification runs: ``"inline"`` or ``"process"``.
        timeout: seconds for one verification, where the executor can enforce it.
        settings: the problem's fields, where ``env`` is an id.
        difficulty: one of them, for the command line.

    Raises:
        ConfigError, UnknownNameError: if a setting is wrong.
    """
    fields = dict(settings or {}) | ({} if difficulty is None else {"difficulty": difficulty})
    spec = RewardSpec.of(env, max_turns=max_turns, **fields)
    several = spec.make_problem().several_turns
    return _inspect.Task(
        dataset=_datasets.MemoryDataset(_samples(spec, n, seed, system_prompt), name=spec.env),
        solver=solver or (play(executor, timeout) if several else _solvers.generate()),
        scorer=verified(executor, timeout),
    )


def _samples(spec: RewardSpec, n: int, seed: int, system_prompt: str) -> list[Any]:
    said = {"system": _model.ChatMessageSystem, "user": _model.ChatMessageUser}
    return [
        _datasets.Sample(
            id=example.task.id,
            input=[said[message["role"]](content=message["content"]) for message in example.messages],
            target=json.dumps(example.task.answer, ensure_ascii=False, default=str),
            metadata={"label": example.label, **example.task.metadata},
        )
        for example in examples(spec, n, seed, system_prompt=system_prompt)
    ]


@_solvers.solver  # type: ignore[untyped-decorator]
def play(executor: str = "inline", timeout: float = 10.0) -> Any:
    """Plays an episode of several turns to its end, and leaves the verdict for :func:`verified`."""

    async def solve(state: Any, generate: Any) -> Any:
        settings, episode = _begin(state, executor, timeout)
        while not episode.done:
            state = await generate(state)
            before = len(episode.messages)
            await asyncio.to_thread(_act, settings, episode, state.output.completion)
            # results of tools come from the user, too: there were no calls in the model's own form
            state.messages += [
                _model.ChatMessageUser(content=message["content"])
                for message in episode.messages[before + 1 :]
            ]
        state.metadata[_VERDICT] = episode.rollout().verdict.to_dict()
        return state

    return solve


@_scorers.scorer(metrics=[_scorers.mean(), _scorers.stderr()])  # type: ignore[untyped-decorator]
def verified(executor: str = "inline", timeout: float = 10.0) -> Any:
    """1 for what is correct, else 0; the graded score is in the metadata.

    Where verification itself failed the sample is unscored: it is in no metric, and never a 0.
    """

    async def score(state: Any, target: Any) -> Any:
        saved = state.metadata.get(_VERDICT)
        if saved is not None:
            return _score(Verdict.from_dict(saved))
        settings, episode = _begin(state, executor, timeout)
        if episode.problem.several_turns:
            raise ConfigError(
                f"{episode.task.id} is of several turns: use rlvr_gym.interop.inspect.play as solver."
            )
        await asyncio.to_thread(_act, settings, episode, state.output.completion)
        return _score(episode.rollout().verdict)

    return score


def _begin(state: Any, executor: str, timeout: float) -> tuple[EnvSettings, Episode]:
    spec, task = read_label(state.metadata["label"])
    settings = open_settings(spec, executor, timeout)
    return settings, settings.begin(task)


def _act(settings: EnvSettings, episode: Episode, action: str) -> None:
    episode.act(action)
    settings.judge([episode])


def _score(verdict: Verdict) -> Any:
    told = {"reason": str(verdict.reason), "score": verdict.score, **verdict.details}
    if not verdict.valid:
        return _scorers.Score.unscored(
            reason="scoring_failed",
            answer=verdict.extracted,
            explanation=f"Verification failed ({verdict.reason}).",
            metadata=told,
        )
    return _scorers.Score(
        value=float(verdict.correct), answer=verdict.extracted, explanation=str(verdict.reason), metadata=told
    )
