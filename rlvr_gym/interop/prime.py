"""Prime Intellect's ``verifiers`` (0.1): any environment of ours as one of theirs, of any number of turns.

An environment package of theirs is a module with ``load_environment``; this is one::

    from rlvr_gym.interop.prime import load_environment

    env = load_environment("GuessTheNumber", n=1000, difficulty=4)

Later versions have another interface (task sets, agents, harnesses): :mod:`rlvr_gym.interop.prime_v1` is for it. The
other way round, environments of theirs are ``rlvr/PrimeEnvironment-v0`` and ``rlvr/PrimeDialogue-v0``.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from rlvr_gym.interop._prime_versions import other_version
from rlvr_gym.interop.labels import EnvLike, RewardLike, RewardSpec, examples, no_group_terms, read_label
from rlvr_gym.interop.scoring import act, open_settings

try:
    vf: Any = import_module("verifiers")
    _base: Any = vf.MultiTurnEnv
except (ImportError, AttributeError) as error:
    raise other_version("0.1", "prime", __name__) from error

__all__ = ["PrimeEnv", "load_environment"]

_EVAL_SEED = 2**31
"""Added to the seed for the evaluation set: seeds share no tasks."""


def load_environment(
    env: EnvLike = "Countdown",
    *,
    n: int = 1000,
    n_eval: int = 100,
    seed: int = 0,
    system_prompt: str = "plain",
    reward: RewardLike | None = None,
    max_turns: int | None = None,
    executor: str = "inline",
    timeout: float = 10.0,
    **settings: Any,
) -> PrimeEnv:
    """An environment of ``verifiers``.

    Args:
        env: an id, a problem or an environment.
        n: tasks for training.
        n_eval: tasks for evaluation, of another stream.
        seed: the stream of tasks, below 2**31.
        system_prompt: ``"plain"``, ``"r1"``, ``"boxed"``, or a text of one's own.
        reward: the reward design; None for that of ``env``.
        max_turns: most actions in an episode; None for the problem's own.
        executor: where verification runs: ``"inline"`` or ``"process"``.
        timeout: seconds for one verification, where the executor can enforce it.
        **settings: the problem's fields, where ``env`` is an id.

    Raises:
        ConfigError, UnknownNameError: if a setting is wrong, or the reward design compares a group's attempts.
    """
    spec = RewardSpec.of(env, reward=reward, max_turns=max_turns, **settings)
    no_group_terms(spec, "this wrapper")

    def rows(count: int, stream: int) -> Any:
        import datasets

        return datasets.Dataset.from_list(
            [
                {"prompt": example.messages, "info": {"label": example.label, "task_id": example.task.id}}
                for example in examples(spec, count, stream, system_prompt=system_prompt)
            ]
        )

    return PrimeEnv(
        executor,
        timeout,
        dataset=rows(n, seed),
        eval_dataset=rows(n_eval, seed + _EVAL_SEED),
        rubric=vf.Rubric(funcs=[rlvr_reward, correct], weights=[1.0, 0.0]),
        env_id=spec.env,
    )


async def rlvr_reward(state: Any, **_: Any) -> float:
    """The reward of the design; 0 for a rollout that was left, or has an error."""
    return float(state.get("rlvr_reward") or 0.0)


async def correct(state: Any, **_: Any) -> float:
    """1 if the task is solved."""
    return float(bool(state.get("rlvr_correct")))


class PrimeEnv(_base):  # type: ignore[misc]
    """Plays our episodes; a failed verification becomes the rollout's error, which trainers leave out.

    Args:
        executor: where verification runs.
        timeout: seconds for one verification, where the executor can enforce it.
        **arguments: those of ``verifiers.MultiTurnEnv``.
    """

    def __init__(self, executor: str, timeout: float, **arguments: Any) -> None:
        super().__init__(max_turns=-1, **arguments)  # our episodes know when they are over
        self._executor, self._verify_timeout = executor, timeout

    async def setup_state(self, state: Any) -> None:
        """Begins the episode of the row."""
        spec, task = read_label(state["info"]["label"])
        settings = open_settings(spec, self._executor, self._verify_timeout)
        state["rlvr_episode"] = (settings, settings.begin(task))

    async def add_trajectory_step(self, state: Any, trajectory_step: Any) -> None:
        """Takes an action in as soon as it is there."""
        await super().add_trajectory_step(state, trajectory_step)
        settings, episode = state["rlvr_episode"]
        said = [_text(message) for message in trajectory_step["completion"] if _role(message) == "assistant"]
        scored = await asyncio.to_thread(act, settings, episode, "\n".join(said))
        if scored is None:
            return
        state["rlvr_reward"], state["rlvr_correct"] = scored.total, scored.verdict.correct
        if scored.total is None:
            raise vf.InfraError(
                f"verification failed ({scored.verdict.reason}): no reward, and no wrong answer"
            )

    async def env_response(self, messages: Any, state: Any, **_: Any) -> Any:
        """What the environment said to the last action."""
        _, episode = state["rlvr_episode"]
        last = max(i for i, message in enumerate(episode.messages) if message["role"] == "assistant")
        # results of tools come from the user, too: there were no calls in the endpoint's own form
        return [{"role": "user", "content": message["content"]} for message in episode.messages[last + 1 :]]

    @vf.stop  # type: ignore[untyped-decorator]
    async def episode_over(self, state: Any) -> bool:
        """Whether our episode has its verdict."""
        return "rlvr_episode" in state and state["rlvr_episode"][1].done


def _role(message: Any) -> str:
    return str(message["role"] if isinstance(message, dict) else message.role)


def _text(message: Any) -> str:
    content = message["content"] if isinstance(message, dict) else message.content
    if isinstance(content, str) or content is None:
        return content or ""
    return "".join(part["text"] if isinstance(part, dict) else getattr(part, "text", "") for part in content)
