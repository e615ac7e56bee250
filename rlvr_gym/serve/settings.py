"""What is served: an environment with settings that fit sessions which know nothing of each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlvr_gym.env import EnvSettings
from rlvr_gym.errors import ConfigError
from rlvr_gym.executor import Executor
from rlvr_gym.rewards import RewardDesign

__all__ = ["session_settings"]


def session_settings(
    env: str,
    *,
    reward: str | Mapping[str, Any] | RewardDesign = "binary",
    system_prompt: str = "plain",
    max_turns: int | None = None,
    executor: str | Executor = "process",
    verify_timeout: float = 10.0,
    **settings: Any,
) -> EnvSettings:
    """The settings that all sessions share; arguments as of :func:`rlvr_gym.serve.serve`.

    Raises:
        ConfigError: if the reward compares the attempts at one task, or a setting is wrong.
        UnknownNameError: if there is no such environment, reward or executor.
    """
    design = RewardDesign.parse(reward)
    if design.compares:
        raise ConfigError(
            f"The reward {design.name!r} compares the attempts at one task, and sessions know nothing of each other: "
            "serve another design, and compare where the attempts come together."
        )
    return EnvSettings(
        env,
        reward=design,
        observation="text",
        system_prompt=system_prompt,
        max_turns=max_turns,
        executor=executor,
        verify_timeout=verify_timeout,
        problem_settings=settings,
    )
