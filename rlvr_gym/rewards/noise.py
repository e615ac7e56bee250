"""Verdicts with errors at stated rates: how much noise of a verifier does training bear?"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b

from rlvr_gym.rollout import Rollout
from rlvr_gym.verdict import Reason, Verdict

__all__ = ["corrupt"]


def corrupt(rollout: Rollout, fp: float, fn: float, seed: int = 0) -> Rollout:
    """The rollout as a verifier would judge it that errs at these rates.

    Whether it errs is a pure function of seed, task and completion: the same completion of the same task always gets
    the same verdict, as from a verifier with blind spots, in every process and after every resume. Its graded score
    follows: 1 if taken for right, 0 if taken for wrong.

    Args:
        rollout: with a valid verdict.
        fp: the share of wrong completions that are taken for right.
        fn: the share of right completions that are taken for wrong.
        seed: other seeds err elsewhere.
    """
    verdict = rollout.verdict
    if _draw(rollout, seed) >= (fn if verdict.correct else fp):
        return rollout
    if verdict.correct:
        wrong = Verdict.wrong(Reason.WRONG, verdict.extracted, noise="false negative")
        return replace(rollout, verdict=wrong)
    return replace(rollout, verdict=Verdict.right(verdict.extracted, noise="false positive"))


def _draw(rollout: Rollout, seed: int) -> float:
    """Uniform in [0, 1)."""
    task = rollout.task.id or rollout.task.prompt
    hashed = blake2b(digest_size=8)
    for text in (str(seed), task, rollout.completion):
        data = text.encode("utf-8", "surrogatepass")
        hashed.update(len(data).to_bytes(8, "big") + data)
    return int.from_bytes(hashed.digest(), "big") / 2**64
