"""SkyRL-Gym (github.com/NovaSky-AI/SkyRL, 0.4): its data format; the environment is in :mod:`rlvr_gym.interop.skyrl_env`.

rlvr-gym export --format skyrl GuessTheNumber -n 10000 -o train.parquet
"""

from __future__ import annotations

from typing import Any

from rlvr_gym.interop.labels import EnvLike, RewardLike, RewardSpec, examples, no_group_terms

__all__ = ["ENV_CLASS", "to_rows"]

ENV_CLASS = "rlvr_gym"
"""The environment's id in exported rows."""


def to_rows(
    env: EnvLike,
    n: int,
    seed: int = 0,
    *,
    start: int = 0,
    system_prompt: str = "plain",
    reward: RewardLike | None = None,
    **settings: Any,
) -> list[dict[str, Any]]:
    """Rows for SkyRL; see :func:`rlvr_gym.interop.examples` for the arguments.

    Raises:
        ConfigError: if the reward design compares a group's attempts: SkyRL-Gym rewards each on its own.
    """
    spec = RewardSpec.of(env, reward=reward, **settings)
    no_group_terms(spec, "SkyRL-Gym")
    return [
        {
            "data_source": spec.env,
            "prompt": example.messages,
            "env_class": ENV_CLASS,
            "reward_spec": {"method": "rule", "ground_truth": example.label},
            "extra_info": {"index": example.index, "seed": seed, "task_id": example.task.id},
        }
        for example in examples(spec, n, seed, start=start, system_prompt=system_prompt)
    ]
