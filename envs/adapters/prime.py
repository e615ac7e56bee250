"""Environments of Prime Intellect's ``verifiers`` as ours: their data set, judged by their rubric."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs.adapters import _prime_worker as worker
from rlvr_gym.errors import ConfigError, DataError, MissingExtraError
from rlvr_gym.executor import Executor, Outcome, make_executor
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import ListSource, Task, TaskSource
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import Verifier

__all__ = ["PrimeEnvironment", "PrimeTasks", "PrimeVerifier"]

LOAD_SECONDS = 600.0
"""For imports, and for a data set that is loaded."""
FAILURES = {"timeout": Reason.TIMEOUT, "crashed": Reason.WORKER_CRASHED, "raised": Reason.VERIFIER_ERROR}


@dataclass(frozen=True, kw_only=True)
class PrimeTasks(Problem):
    """The rows of an installed environment of ``verifiers``.

    Attributes:
        environment: its id, such as ``"gsm8k"``; ``verifiers`` finds the package of that name.
        arguments: of its ``load_environment``, or of its task set's configuration, as JSON.
        split: ``"train"`` or ``"eval"``, which of its data sets.
        full_reward: the reward that counts as solved; scores are the reward over this, between 0 and 1.
        timeout: seconds for one rubric, or for one answer of theirs.
    """

    difficulty: int | tuple[int, int] = 1
    environment: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    split: str = "train"
    full_reward: float = 1.0
    timeout: float = 30.0

    difficulty_range: ClassVar[tuple[int, int]] = (1, 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        name = type(self).__name__
        if not self.environment or self.split not in ("train", "eval"):
            raise ConfigError(
                f"{name} needs environment, an id of verifiers such as 'gsm8k', and a split 'train' or 'eval'; "
                f"got {self.environment!r} and {self.split!r}."
            )
        if not (self.full_reward > 0 and self.timeout > 0):
            raise ConfigError(
                f"full_reward and timeout are above 0; got {self.full_reward!r} and {self.timeout!r}."
            )
        if importlib.util.find_spec("verifiers") is None:
            raise MissingExtraError("verifiers", "prime", f"rlvr/{name}-v0")

    @property
    def spec(self) -> worker.Spec:
        """The environment as its worker takes it."""
        return self.environment, json.dumps(self.arguments, sort_keys=True)

    def source(self, seed: int) -> TaskSource:
        """Their rows, in an order of their own for each seed.

        Raises:
            DataError: if the environment cannot be loaded, or has no rows.
        """
        return ListSource([self._task(i, row) for i, row in enumerate(self._rows())], seed)

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """A random row."""
        rows = self._rows()
        index = int(rng.integers(len(rows)))
        return self._task(index, rows[index])

    def _rows(self) -> list[dict[str, Any]]:
        return load_rows(self.spec, self.split, self.several_turns, os.getpid())

    def _task(self, index: int, row: Mapping[str, Any]) -> Task:
        prompt = self.prompt(row)
        reference = row.get("answer")
        return Task(
            prompt=prompt,
            answer={"row": dict(row), "reference": None if reference is None else str(reference)},
            id=f"{self.environment}-{self.split}-{index}",
            metadata={"environment": self.environment, "hardness": len(prompt.split()), "difficulty": 1},
        )

    def prompt(self, row: Mapping[str, Any]) -> str:
        """What is asked, as one text."""
        return prompt_text(row.get("prompt"))

    def answer_text(self, task: Task) -> str:
        """The reference of the row, which may lack the form that the rubric wants."""
        return task.answer["reference"] or ""

    def make_verifier(self) -> PrimeVerifier:
        """Their rubric."""
        return PrimeVerifier(self.spec, self.full_reward, self.timeout)


@register("rlvr/PrimeEnvironment-v0", family="adapters", needs=("environment",), trusted=False)
@dataclass(frozen=True, kw_only=True)
class PrimeEnvironment(PrimeTasks):
    """Tasks of an installed ``verifiers`` environment of a single turn, judged by its own rubric.

    Versions 0.1 and 0.4 of the package are served. In the latter ``environment`` is the id of a task set that needs
    no more than a model's reply: no tools, no container, no program of its own; an endless one gives its first
    1,000 tasks, and there is no split ``"eval"``.

    Nothing of it runs in this process: data set and rubric are in a worker that is killed when it runs over its time.
    It is no sandbox, and what the rubric says is passed on as it is: that is why the environment is marked
    ``trusted=False``. A rubric hides what its functions raise behind a reward of 0; here that is a failed
    verification. The hardness is the number of words of the prompt.
    """


class PrimeVerifier(Verifier):
    """A rubric of ``verifiers``, in a worker process.

    Args:
        spec: id and arguments of the environment.
        full_reward: what counts as solved.
        timeout: seconds for one completion.
    """

    def __init__(self, spec: worker.Spec, full_reward: float, timeout: float) -> None:
        self.spec, self.full_reward, self.timeout = spec, full_reward, timeout

    def judge(self, completion: str, task: Task) -> Verdict:
        """The rubric's verdict; ``valid=False`` where it was killed, raised, or gave no number."""
        loaded = call(
            worker.load, self.spec, LOAD_SECONDS
        )  # at once, but in a worker that replaces a killed one
        job = (self.spec, task.answer["row"], completion)
        outcome = call(worker.score, job, self.timeout) if loaded.failure is None else loaded
        if outcome.failure is not None:
            return Verdict.failed(FAILURES[outcome.failure], error=outcome.message[:500])
        return graded(outcome.value, self.full_reward)


def graded(found: Mapping[str, Any], full_reward: float) -> Verdict:
    """The verdict for a reward of theirs, with its metrics and what was raised on the way."""
    if found["errors"] or not math.isfinite(found["reward"]):
        why = "; ".join(found["errors"])[:500] or f"the reward is {found['reward']}"
        return Verdict.failed(Reason.VERIFIER_ERROR, error=why)
    score = min(1.0, max(0.0, found["reward"] / full_reward))
    return Verdict.graded(score, reward=found["reward"], metrics=found["metrics"])


def prompt_text(given: Any) -> str:
    """One text: a single message as it is, several with their roles."""
    if isinstance(given, str):
        return given
    messages = [message for message in given or [] if isinstance(message, Mapping)]
    texts = [_text(message.get("content")) for message in messages]
    roles = [str(message.get("role")) for message in messages]
    if "assistant" not in roles:  # a system prompt and the question
        return "\n\n".join(texts)
    return "\n\n".join(f"[{role}]\n{text}" for role, text in zip(roles, texts, strict=True))


def _text(content: Any) -> str:
    if isinstance(content, str) or content is None:
        return content or ""
    return "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))


@lru_cache(maxsize=8)
def load_rows(spec: worker.Spec, split: str, dialogue: bool, process: int) -> list[dict[str, Any]]:
    """The rows of an environment.

    Raises:
        DataError: if it cannot be used, or has none.
    """
    outcome = call(worker.rows, (spec, split, dialogue), LOAD_SECONDS)
    if outcome.failure is not None:
        raise DataError(
            f"The environment {spec[0]!r} of verifiers cannot be used ({outcome.message[:300] or outcome.failure}); "
            f"its package is to be installed beside verifiers in {sys.executable}."
        )
    if not outcome.value:
        raise DataError(f"The environment {spec[0]!r} of verifiers has no rows in its split {split!r}.")
    rows: list[dict[str, Any]] = outcome.value
    return rows


def call(function: Callable[[Any], Any], job: Any, timeout: float, use: str = "rubrics") -> Outcome:
    """Runs a job in the worker of this process for this use, in which things stay loaded."""
    return _executor(os.getpid(), use).map(function, [job], timeout=timeout)[0]


@lru_cache(maxsize=2)
def _executor(process: int, use: str) -> Executor:
    """One worker; after a fork the child makes its own."""
    return make_executor("process", workers=1)
