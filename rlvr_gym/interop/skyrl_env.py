"""Our environments behind the ``BaseTextEnv`` of SkyRL-Gym, of any number of turns.

    import skyrl_gym
    skyrl_gym.register(id="rlvr_gym", entry_point="rlvr_gym.interop.skyrl_env:SkyRLEnv")

The rows of :mod:`rlvr_gym.interop.skyrl` name the environment ``rlvr_gym``; their label says which of ours it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from rlvr_gym.errors import ConfigError, MissingExtraError
from rlvr_gym.interop.labels import read_label
from rlvr_gym.interop.scoring import Scored, open_settings, or_else

try:
    _peer: Any = import_module("skyrl_gym.envs.base_text_env")
except ImportError as error:
    raise MissingExtraError("skyrl-gym", "skyrl", "rlvr_gym.interop.skyrl_env") from error

__all__ = ["SkyRLEnv"]

_REMEDY = (
    "SkyRL cannot leave a sample out: set environment.skyrl_gym.rlvr_gym.invalid_score to the number that such samples "
    "shall get, or executor to process, which tries again."
)


class SkyRLEnv(_peer.BaseTextEnv):  # type: ignore[misc]
    """One episode about the task of a row.

    Args:
        env_config: ``executor`` (``"inline"``), ``timeout`` (10) and ``invalid_score`` (None: an error stops the run),
            in any mapping.
        extras: the row's fields; ``reward_spec.ground_truth`` is needed.

    Raises:
        ConfigError, DataError: if the row has no label of ours.
    """

    def __init__(self, env_config: Any = None, extras: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        try:
            label = (extras or {})["reward_spec"]["ground_truth"]
        except (KeyError, TypeError) as error:
            raise ConfigError(
                "A row needs reward_spec.ground_truth; write it with rlvr-gym export --format skyrl."
            ) from error
        options = dict(env_config or {})
        spec, task = read_label(label)
        self._settings = open_settings(
            spec, options.get("executor", "inline"), float(options.get("timeout", 10.0))
        )
        self._invalid_score: float | None = options.get("invalid_score")
        self._episode = self._settings.begin(task)
        self.max_turns = self._episode.max_turns

    def step(self, action: str) -> dict[str, Any]:
        """Takes one message of the model in."""
        episode = self._episode
        before = len(episode.messages) + 1  # the action itself is a message
        episode.act(action)
        self.turns = episode.turns
        self._settings.judge([episode])
        metadata: dict[str, Any] = {"task_id": episode.task.id}
        reward = 0.0
        if episode.verdict is not None:
            (given,) = self._settings.rewards([episode])
            reward = or_else(Scored(episode.verdict, given), self._invalid_score, _REMEDY)
            metadata |= {
                "correct": episode.verdict.correct,
                "valid": episode.verdict.valid,
                "reason": str(episode.verdict.reason),
                "reward_terms": given.terms,
            }
        said = [] if episode.done else episode.messages[before:]
        # chat templates know results of tools only after calls in their own form, so everything comes from the user
        return {
            "observations": [{"role": "user", "content": message["content"]} for message in said],
            "reward": reward,
            "done": episode.done,
            "metadata": metadata,
            "postprocessed_action": None,
        }

    def get_metrics(self) -> dict[str, float]:
        """What the environment counted, and whether the task was solved."""
        verdict = self._episode.verdict
        solved = {} if verdict is None or not verdict.valid else {"correct": float(verdict.correct)}
        return {**self._episode.metrics, **solved}
