"""What the judges of programs have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rlvr_gym.envs.code._programs import fenced
from rlvr_gym.errors import RLVRError
from rlvr_gym.problem import Problem
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, Verifier, register_verifier
from rlvr_gym.verifiers.code import CodeVerifier, Limits, extract_program, get_sandbox

__all__ = [
    "DATA_LIMITS",
    "LIMITS",
    "AllTestsVerifier",
    "CodeProblem",
    "SandboxAnswerVerifier",
    "SandboxVerifier",
    "TestedProblem",
    "all_or_nothing",
]

LIMITS = Limits(cpu_seconds=1.0, wall_seconds=4.0)
"""For each case; the references need milliseconds."""
DATA_LIMITS = Limits(cpu_seconds=2.0, wall_seconds=4.5)
"""For each case of a data set; the slowest canonical solution of HumanEval needs 0.2 seconds for all of its cases."""


def all_or_nothing(verdict: Verdict) -> Verdict:
    """Score 0 for a program that does not pass everything.

    A share of the tests would reward constants: half of the tests of a yes-no question expect "yes". ``details``
    has ``passed`` and ``total`` for reward designs that want a share.
    """
    return verdict if verdict.correct else replace(verdict, score=0.0)


@register_verifier("code_all_tests")
class AllTestsVerifier(CodeVerifier):
    """Like ``code``, but a program scores 1 if it passes all tests and else 0."""

    def judge(self, completion: str, task: Task) -> Verdict:
        """Extracts the program, runs it, compares."""
        return all_or_nothing(super().judge(completion, task))


def _judge_many(verifier: Verifier, completions: Sequence[str], tasks: Sequence[Task]) -> list[Verdict]:
    pairs = list(zip(completions, tasks, strict=True))
    try:
        sandbox = get_sandbox()
    except RLVRError as error:  # nothing that runs programs: the same for every one
        return [Verdict.failed(Reason.INFRASTRUCTURE_ERROR, error=str(error)) for _ in pairs]
    return sandbox.map(lambda pair: verifier.verify(*pair), pairs)


def _guarded(judge: Callable[[], Verdict]) -> Verdict:
    try:
        return judge()
    except RLVRError as error:  # nothing that runs programs: says nothing about the answer
        return Verdict.failed(Reason.INFRASTRUCTURE_ERROR, error=str(error))


class SandboxVerifier(Verifier):
    """A judge of whole completions that uses the shared sandbox; subclasses implement :meth:`examine`."""

    def judge(self, completion: str, task: Task) -> Verdict:
        """The verdict; trouble with the sandbox makes it invalid."""
        return _guarded(lambda: self.examine(completion, task))

    @abstractmethod
    def examine(self, completion: str, task: Task) -> Verdict:
        """The verdict on one completion."""

    def verify_batch(self, completions: Sequence[str], tasks: Sequence[Task]) -> list[Verdict]:
        """The verdicts in order, as many at once as the sandbox has workers."""
        return _judge_many(self, completions, tasks)


class SandboxAnswerVerifier(AnswerVerifier):
    """A judge of final answers that uses the shared sandbox; subclasses implement :meth:`check`."""

    def judge(self, completion: str, task: Task) -> Verdict:
        """The verdict; trouble with the sandbox makes it invalid."""
        return _guarded(lambda: super(SandboxAnswerVerifier, self).judge(completion, task))

    def verify_batch(self, completions: Sequence[str], tasks: Sequence[Task]) -> list[Verdict]:
        """The verdicts in order, as many at once as the sandbox has workers."""
        return _judge_many(self, completions, tasks)


@dataclass(frozen=True, kw_only=True)
class CodeProblem(Problem):
    """A problem whose answers are programs; ``solution`` of its tasks holds the reference in a block."""

    def answer_text(self, task: Task) -> str:
        """The reference in a block of its own lines, so that it is found inside of tags, too."""
        return f"\n{fenced(extract_program(task.solution or ''), self.language)}\n"

    @property
    def language(self) -> str:
        """The block's language."""
        return "python"


@dataclass(frozen=True, kw_only=True)
class TestedProblem(CodeProblem):
    """A problem whose programs are judged by test cases.

    Attributes:
        stop_early: whether tests after the first failure are left out, which makes hopeless programs cheap; False to
            have the number of passed tests in ``details``, for reward designs that pay for a share.
    """

    __test__ = False  # pytest: no test class
    stop_early: bool = True
