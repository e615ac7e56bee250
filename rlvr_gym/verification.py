"""Verifying many completions at once, through an executor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rlvr_gym.executor import Executor, InlineExecutor, Outcome
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import Verifier

__all__ = ["Judge", "judge_all", "verify_all"]

_REASONS = {
    "timeout": Reason.TIMEOUT,
    "crashed": Reason.WORKER_CRASHED,
    "raised": Reason.VERIFIER_ERROR,
}


class Judge:
    """A verifier as a function of one item; picklable."""

    def __init__(self, verifier: Verifier) -> None:
        self.verifier = verifier

    def __call__(self, item: tuple[str, Task]) -> Verdict:
        """The verdict on ``(completion, task)``."""
        return self.verifier.verify(*item)


def judge_all(
    judge: Callable[[Any], Verdict],
    items: Sequence[Any],
    executor: Executor,
    *,
    timeout: float = 10.0,
    retries: int = 1,
) -> list[tuple[Verdict, float]]:
    """The verdict on each item and the seconds that it took, in order.

    Args:
        judge: gives the verdict on one item; picklable if the executor has other processes.
        items: what to judge.
        executor: where to run.
        timeout: seconds for each item, where the executor can enforce it.
        retries: further tries for an item whose verification failed.
    """
    outcomes = executor.map(judge, items, timeout=timeout)
    for _ in range(retries):
        again = [i for i, outcome in enumerate(outcomes) if outcome.failure is not None]
        if not again:
            break
        for i, outcome in zip(
            again, executor.map(judge, [items[i] for i in again], timeout=timeout), strict=True
        ):
            outcomes[i] = outcome
    return [(_verdict(outcome), outcome.seconds) for outcome in outcomes]


def verify_all(
    verifier: Verifier,
    completions: Sequence[str],
    tasks: Sequence[Task],
    executor: Executor | None = None,
    *,
    timeout: float = 10.0,
    retries: int = 1,
) -> list[Verdict]:
    """The verdicts on ``completions[i]`` for ``tasks[i]``, in order.

    Items whose worker died or ran over its time are tried again ``retries`` times; what then still fails has
    ``valid=False``.

    Args:
        verifier: the judge.
        completions: the texts.
        tasks: as many tasks.
        executor: where to run; None for here, in one batch.
        timeout: seconds for each item, where the executor can enforce it.
        retries: further tries for an item whose verification failed.
    """
    if executor is None or isinstance(executor, InlineExecutor):
        return verifier.verify_batch(completions, tasks)
    items = list(zip(completions, tasks, strict=True))
    return [
        verdict
        for verdict, _ in judge_all(Judge(verifier), items, executor, timeout=timeout, retries=retries)
    ]


def _verdict(outcome: Outcome) -> Verdict:
    if outcome.failure is None:
        verdict: Verdict = outcome.value
        return verdict
    return Verdict.failed(_REASONS[outcome.failure], error=outcome.message)
