"""The form of a completion, whatever it answers: thinking and answer tags."""

from __future__ import annotations

from rlvr_gym.formats import strict_think_answer, think_then_answer
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import Verifier, register_verifier

__all__ = ["FormatR1Verifier", "FormatStrictVerifier"]


@register_verifier("format_r1")
class FormatR1Verifier(Verifier):
    """Loose: one closed ``<think>`` block, then something (DeepSeek-R1, 2501.12948); the task does not matter."""

    def judge(self, completion: str, task: Task) -> Verdict:
        """Right if the form is there, else ``bad_format``."""
        return Verdict.right() if think_then_answer(completion) else Verdict.wrong(Reason.BAD_FORMAT)


@register_verifier("format_strict")
class FormatStrictVerifier(Verifier):
    """Strict: each of the four think and answer tags once and in order (Logic-RL, 2502.14768)."""

    def judge(self, completion: str, task: Task) -> Verdict:
        """Right if the form is there, else ``bad_format``."""
        return Verdict.right() if strict_think_answer(completion) else Verdict.wrong(Reason.BAD_FORMAT)
