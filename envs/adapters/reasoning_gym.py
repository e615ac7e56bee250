"""Any data set of the package reasoning-gym, generated and scored by that package inside of a sandbox."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.errors import ConfigError, DataError, MissingExtraError, RLVRError, UnknownNameError
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.sandbox import Limits, RunResult, Sandbox, SandboxError, Status, get_sandbox, read_record
from rlvr_gym.sandbox.guest.literals import LiteralError, decode, encode
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier

__all__ = ["ReasoningGym", "ReasoningGymVerifier"]

PACKAGE = "reasoning_gym"
GENERATE_LIMITS = Limits(cpu_seconds=60.0, wall_seconds=120.0, total_seconds=120.0, memory_mb=768)
SCORE_LIMITS = Limits(cpu_seconds=5.0, wall_seconds=15.0, total_seconds=15.0, memory_mb=512)
_SEEDS = 2**32
"""Seeds of theirs: as many as every generator of random numbers that they use can take."""
_OVER = {Status.TIMEOUT: Reason.TIMEOUT, Status.OUTPUT_LIMIT: Reason.OUTPUT_LIMIT}


@cache
def _guest() -> str:
    return Path(__file__).with_name("_reasoning_gym_guest.py").read_text(encoding="utf-8")


def _sandbox(backend: str) -> Sandbox:
    return get_sandbox(backend, modules=(PACKAGE,))


def _call(backend: str, entry: str, arguments: Sequence[Any], limits: Limits) -> RunResult:
    """One call of a function of the guest, in a process of its own that ends with the call."""
    return _sandbox(backend).call(_guest(), entry, [arguments], limits)


@register("rlvr/ReasoningGym-v0", family="adapters", needs=("dataset",), trusted=False)
@dataclass(frozen=True, kw_only=True)
class ReasoningGym(Problem):
    """Tasks of a reasoning-gym data set, judged by that package's own scorer.

    Nothing of reasoning-gym runs in this process: nine of its scorers evaluate answers as Python, and some of its
    generators depend on hash order or on global random state. Each task and each score is a process of its own in a
    sandbox without network, with a limit on time and memory. What the scorer says is passed on as it is, holes
    included: that is why the environment is marked ``trusted=False``. An answer that is evaluated in the process of
    its own scorer can also claim any score it likes.

    Task ``(seed, index)`` is item 0 of the data set under a seed drawn from our stream, so that neighbouring seeds
    share nothing (in reasoning-gym, item ``i`` of seed ``s`` is item ``i - 1`` of seed ``s + 1``). The hardness is
    the number of words of the question. How hard tasks are is up to ``config``.

    Attributes:
        dataset: a name such as ``"zebra_puzzles"``.
        config: the data set's own settings, without ``seed`` and ``size``.
        sandbox: ``"auto"``, ``"bubblewrap"`` or ``"subprocess"``.
    """

    difficulty: int | tuple[int, int] = 1
    dataset: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    sandbox: str = "auto"

    verifier: ClassVar[str] = "reasoning_gym"
    difficulty_range: ClassVar[tuple[int, int]] = (1, 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.dataset, str) or not self.dataset:
            raise ConfigError(
                "ReasoningGym needs dataset, the name of a reasoning-gym data set such as 'zebra_puzzles'; "
                f"got {self.dataset!r}."
            )
        taken = {"seed", "size"} & self.config.keys() if isinstance(self.config, Mapping) else {"no mapping"}
        if taken:
            raise ConfigError(
                "config is a mapping of the data set's settings without seed and size, which follow from the task; "
                f"got {self.config!r}."
            )
        if importlib.util.find_spec(PACKAGE) is None:
            raise MissingExtraError("reasoning-gym", "reasoning-gym", "rlvr/ReasoningGym-v0")

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """The entry of the seed that ``rng`` gives.

        Raises:
            UnknownNameError: if there is no such data set.
            ConfigError: if it refuses ``config``.
            DataError: if its generator fails.
            SandboxError: if no sandbox can be started.
        """
        entry = self._entry(int(rng.integers(_SEEDS)))
        question = str(entry["question"]).strip()
        reference = entry.get("answer")
        return Task(
            prompt=f"{question}\n\nGive your final answer in <answer> tags, like this: <answer>...</answer>.",
            answer={
                "dataset": self.dataset,
                "config": dict(self.config),
                "entry": encode(entry),
                "reference": None if reference is None else str(reference),
            },
            metadata={"dataset": self.dataset, "hardness": len(question.split())},
        )

    def _entry(self, seed: int) -> dict[str, Any]:
        result = _call(self.sandbox, "generate", [self.dataset, dict(self.config), seed], GENERATE_LIMITS)
        record = read_record(result.records[0]) if result.records else None
        value = record.value if record is not None and not record.raised else None
        if not isinstance(value, dict):
            why = record.raised if record is not None else str(result.status)
            raise DataError(
                f"The generator of reasoning-gym's {self.dataset} failed ({why}) with the config {self.config} and the "
                f"seed {seed}: {result.stderr.decode(errors='replace').strip()[-300:]}"
            )
        if "unknown" in value:
            raise UnknownNameError("reasoning-gym data set", self.dataset, value["unknown"])
        if "refused" in value:
            raise ConfigError(
                f"reasoning-gym's {self.dataset} refuses the config {self.config}: {value['refused']}"
            )
        entry = value["entry"]
        if not isinstance(entry, dict) or "question" not in entry:
            raise DataError(
                f"reasoning-gym's {self.dataset} made no entry with a question; got {entry!r:.200}."
            )
        return entry

    def answer_text(self, task: Task) -> str:
        """Its reference answer; empty for the data sets that have only a scorer."""
        return task.answer["reference"] or ""

    def make_verifier(self) -> ReasoningGymVerifier:
        """Their scorer, in the sandbox of this problem."""
        return ReasoningGymVerifier(self.sandbox)


@register_verifier("reasoning_gym")
class ReasoningGymVerifier(AnswerVerifier):
    """reasoning-gym's scorer of the task's data set, run on one answer in a sandbox.

    A scorer that is killed (time, memory, a crash) says nothing: ``valid=False``. One that raises is asked about the
    reference answer: if it raises on that, too, it is broken (``valid=False``), else it is the text that it cannot
    read, which is a wrong answer with the reason ``unparseable``.

    Args:
        backend: the sandbox.
    """

    def __init__(self, backend: str = "auto") -> None:
        self.backend = backend

    def verify_batch(self, completions: Sequence[str], tasks: Sequence[Task]) -> list[Verdict]:
        """The verdicts in order, as many at once as the sandbox has workers."""
        pairs = list(zip(completions, tasks, strict=True))
        try:
            sandbox = _sandbox(self.backend)
        except RLVRError as error:  # the same for every one
            return [Verdict.failed(Reason.INFRASTRUCTURE_ERROR, error=str(error)) for _ in pairs]
        return sandbox.map(lambda pair: self.verify(*pair), pairs)

    def check(self, answer: str, task: Task) -> Verdict:
        """The scorer's verdict on one answer."""
        try:
            return self._score(answer, task)
        except SandboxError as error:
            return Verdict.failed(Reason.INFRASTRUCTURE_ERROR, answer[:200], error=str(error)[:500])

    def _score(self, answer: str, task: Task) -> Verdict:
        result = self._run(answer, task)
        record = read_record(result.records[0]) if result.records else None
        if record is None:
            reason = _OVER.get(result.status, Reason.WORKER_CRASHED)
            return Verdict.failed(reason, answer[:200], status=str(result.status))
        if not record.raised:
            return _graded(record.value, answer)
        reference = task.answer["reference"]
        if reference is not None and self._raises(reference, task):
            return Verdict.failed(Reason.VERIFIER_ERROR, answer[:200], raised=record.raised)
        return Verdict.wrong(Reason.UNPARSEABLE, answer[:200], raised=record.raised)

    def _raises(self, answer: str, task: Task) -> bool:
        result = self._run(answer, task)
        return not result.records or bool(read_record(result.records[0]).raised)

    def _run(self, answer: str, task: Task) -> RunResult:
        spec = task.answer
        try:
            arguments = [spec["dataset"], spec["config"], decode(spec["entry"]), answer]
        except (KeyError, TypeError, LiteralError) as error:
            raise DataError(f"The task {task.id!r} is not one of ReasoningGym: {error!r}.") from error
        return _call(self.backend, "score", arguments, SCORE_LIMITS)


def _graded(score: Any, answer: str) -> Verdict:
    if not isinstance(score, float) or not math.isfinite(score):
        return Verdict.failed(Reason.VERIFIER_ERROR, answer[:200], score=repr(score)[:100])
    return replace(Verdict.graded(min(max(score, 0.0), 1.0), answer[:200]), details={"scored": score})
