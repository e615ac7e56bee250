"""The verifier ``code``: completion in, verdict out, by way of a sandbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rlvr_gym.errors import RLVRError
from rlvr_gym.sandbox import Sandbox, SandboxError, get_sandbox
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import Verifier, register_verifier
from rlvr_gym.verifiers.code.cases import CodeSpec
from rlvr_gym.verifiers.code.judge import Report, judge_program
from rlvr_gym.verifiers.code.program import assemble, extract_program

__all__ = ["CodeVerifier", "verdict_of"]

MAX_PROGRAM_CHARS = 200_000
_CASES_SHOWN = 200
_CRASHES = frozenset(
    {Reason.RUNTIME_ERROR, Reason.SYNTAX_ERROR, Reason.TIMEOUT, Reason.MEMORY, Reason.OUTPUT_LIMIT}
)


def verdict_of(report: Report, program: str) -> Verdict:
    """The verdict on a program: the score is the fraction of cases that pass, ``correct`` means all of them.

    ``details`` has ``passed``, ``total``, ``reasons`` (how many cases of each), ``cases`` (the reasons in order, the
    first 200), ``syntax`` (it is Python), ``runs`` (no case ended badly), ``code_chars``, ``code_lines``, where asked
    ``lint`` (the linter's codes) and ``relative_time``, and ``error`` of the first failure.
    """
    failed = next((case for case in report.cases if not case.passed), None)
    details: dict[str, Any] = {
        "passed": report.passed,
        "total": report.total,
        "reasons": dict(Counter(str(case.reason) for case in report.cases)),
        "cases": [str(case.reason) for case in report.cases[:_CASES_SHOWN]],
        "syntax": report.reason is not Reason.SYNTAX_ERROR,
        "runs": not any(case.reason in _CRASHES for case in report.cases),
        "code_chars": len(program),
        "code_lines": sum(bool(line.strip()) for line in program.splitlines()),
    }
    if failed is not None and failed.error:
        details["error"] = failed.error
    if report.lint is not None:
        details["lint"] = list(report.lint)
    if report.relative_time is not None:
        details["relative_time"] = report.relative_time
    correct = report.passed == report.total
    return Verdict(report.passed / report.total, correct, report.reason, True, program[:2000], details)


@register_verifier("code")
@dataclass(frozen=True)
class CodeVerifier(Verifier):
    """Judges programs; ``task.answer`` is ``CodeSpec.to_dict()``.

    A sandbox that could not be had gives ``valid=False`` with ``infrastructure_error``, after retries: never a
    reward of 0.

    Attributes:
        backend: as for :func:`rlvr_gym.sandbox.get_sandbox`; empty for ``RLVR_GYM_SANDBOX``, else ``auto``.
    """

    backend: str = ""

    def judge(self, completion: str, task: Task) -> Verdict:
        """Extracts the program, runs it, compares."""
        spec = CodeSpec.from_dict(task.answer)
        program = extract_program(completion)
        if not program.strip():
            return Verdict.wrong(Reason.NO_ANSWER)
        if len(program) > MAX_PROGRAM_CHARS:
            return Verdict.wrong(Reason.TOO_COMPLEX, program[:200], limit=MAX_PROGRAM_CHARS)
        try:
            report = judge_program(
                assemble(program, spec.prefix, spec.entry), spec, get_sandbox(self.backend)
            )
        except SandboxError as error:
            return Verdict.failed(Reason.INFRASTRUCTURE_ERROR, program[:2000], error=str(error))
        return verdict_of(report, program)

    def verify_batch(
        self,
        completions: Sequence[str],
        tasks: Sequence[Task],
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Verdict]:
        """The verdicts in order, as many at once as the sandbox has workers.

        Args:
            completions: the texts.
            tasks: as many tasks.
            progress: called with (done, total) after each.
        """
        pairs = list(zip(completions, tasks, strict=True))
        try:
            sandbox: Sandbox = get_sandbox(self.backend)
        except RLVRError as error:  # nothing that runs programs: the same for every one
            return [Verdict.failed(Reason.INFRASTRUCTURE_ERROR, error=str(error)) for _ in pairs]
        return sandbox.map(lambda pair: self.verify(*pair), pairs, progress)
