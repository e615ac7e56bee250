"""open-instruct (github.com/allenai/open-instruct): its three RLVR columns, and a verifier for its table of them.

Rows have ``messages``, ``ground_truth`` (our label) and ``dataset`` (the verifier's name, ``rlvr_gym``)::

    rlvr-gym export --format open-instruct Countdown -n 10000 -o train.jsonl

open-instruct finds verifiers among the subclasses of its ``VerifierFunction``; :func:`verifier_function` makes ours.
"""

from __future__ import annotations

from typing import Any

from rlvr_gym.interop.labels import EnvLike, RewardLike, RewardSpec, examples, single_completions_only
from rlvr_gym.interop.scoring import Scorer, or_else

__all__ = ["NAME", "score", "to_rows", "verifier_function"]

NAME = "rlvr_gym"
"""What the column ``dataset`` says."""

_REMEDY = (
    "open-instruct cannot leave a sample out: give invalid_score the number that such samples shall get."
)


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
    """Rows for open-instruct; see :func:`rlvr_gym.interop.examples` for the arguments.

    Raises:
        ConfigError: if the environment has several turns, or the reward design compares a group's attempts.
    """
    spec = RewardSpec.of(env, reward=reward, **settings)
    single_completions_only(spec, "open-instruct")
    return [
        {"id": example.task.id, "messages": example.messages, "ground_truth": example.label, "dataset": NAME}
        for example in examples(spec, n, seed, start=start, system_prompt=system_prompt)
    ]


def score(prediction: str, label: str, *, invalid_score: float | None = None) -> float:
    """The reward of a prediction.

    Args:
        prediction: the completion.
        label: of the column ``ground_truth``.
        invalid_score: for samples whose verification failed; None raises.

    Raises:
        VerificationFailedError: if verification failed and there is no ``invalid_score``.
        DataError: if it is no label.
    """
    return or_else(Scorer().one(label, prediction), invalid_score, _REMEDY)


def verifier_function(base: Any, result: Any, *, invalid_score: float | None = None) -> type:
    """Our verifier as a class that open-instruct finds.

    Args:
        base: open-instruct's ``VerifierFunction``.
        result: its ``VerificationResult``.
        invalid_score: as for :func:`score`.

    Returns:
        a subclass of ``base`` that is called with ``(tokenized_prediction, prediction, label, query)``.
    """

    def start(self: Any, verifier_config: Any = None) -> None:
        base.__init__(self, NAME, weight=1.0, verifier_config=verifier_config)

    def judge(
        self: Any,
        tokenized_prediction: list[int],
        prediction: str,
        label: str,
        query: str | None = None,
        **_: Any,
    ) -> Any:
        return result(score=score(prediction, label, invalid_score=invalid_score))

    made: type = type("RLVRGymVerifier", (base,), {"__init__": start, "__call__": judge})
    return made
