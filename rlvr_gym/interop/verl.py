r"""A parquet file for the data loader of verl (github.com/verl-project/verl, 0.9), and the function that scores it.

    rlvr-gym export --format verl Countdown -n 10000 -o train.parquet
    python3 -m verl.trainer.main_ppo data.train_files=train.parquet \
        reward.custom_reward_function.path=pkg://rlvr_gym.interop.verl \
        reward.custom_reward_function.name=compute_score ...

``path`` may also be this file's path. ``reward_kwargs`` of the same section are :func:`compute_score`'s own settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlvr_gym.interop.labels import EnvLike, RewardLike, RewardSpec, examples, single_completions_only
from rlvr_gym.interop.scoring import Scorer, or_else

__all__ = ["compute_score", "to_rows"]

_REMEDY = (
    "verl cannot leave a sample out: set custom_reward_function.reward_kwargs.invalid_score to the number that such "
    "samples shall get, or executor to process, which tries again."
)


def to_rows(
    env: EnvLike,
    n: int,
    seed: int = 0,
    *,
    start: int = 0,
    split: str = "train",
    system_prompt: str = "plain",
    reward: RewardLike | None = None,
    **settings: Any,
) -> list[dict[str, Any]]:
    """Rows of verl's RLHFDataset, for :func:`rlvr_gym.interop.files.write_rows`; see :func:`rlvr_gym.interop.examples` for the arguments.

    Raises:
        ConfigError: if the environment has several turns, or the reward design compares a group's attempts: verl
            scores completions one by one.
    """
    spec = RewardSpec.of(env, reward=reward, **settings)
    single_completions_only(spec, "verl")
    return [
        {
            "data_source": spec.env,
            "prompt": example.messages,
            "ability": "rlvr",
            "reward_model": {"style": "rule", "ground_truth": example.label},
            "extra_info": {"split": split, "index": example.index, "seed": seed, "task_id": example.task.id},
        }
        for example in examples(spec, n, seed, start=start, system_prompt=system_prompt)
    ]


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any] | None = None,
    *,
    executor: str = "inline",
    timeout: float = 10.0,
    invalid_score: float | None = None,
    **_: Any,
) -> dict[str, float]:
    """The custom reward function that verl calls. It is called from several threads and processes.

    Args:
        data_source: the environment's id; the label knows it as well.
        solution_str: the completion.
        ground_truth: the label of an exported row.
        extra_info: of the row; not needed.
        executor: ``"inline"``, or ``"process"``, where what hangs is killed.
        timeout: seconds for one verification, in ``"process"``.
        invalid_score: for samples whose verification failed; None stops the training with an error.

    Returns:
        ``score`` (the reward), ``acc`` (1 if the task is solved) and ``valid`` (0 if verification failed).

    Raises:
        VerificationFailedError: if verification failed and there is no ``invalid_score``.
        DataError: if ``ground_truth`` is no label.
    """
    scored = Scorer(executor, timeout).one(ground_truth, solution_str)
    return {
        "score": or_else(scored, invalid_score, _REMEDY),
        "acc": float(scored.verdict.correct),
        "valid": float(scored.total is not None),
    }
