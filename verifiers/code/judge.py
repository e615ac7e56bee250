"""The judge: runs a program's cases in a sandbox and compares outside it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rlvr_gym.sandbox import Job, RunResult, Sandbox, SandboxError, Status, read_record
from rlvr_gym.sandbox.guest.literals import dumps
from rlvr_gym.verdict import Reason
from rlvr_gym.verifiers.code.cases import Case, CodeSpec
from rlvr_gym.verifiers.code.program import assemble
from rlvr_gym.verifiers.code.testing import run_tests

__all__ = ["CaseVerdict", "Report", "judge_many", "judge_program"]

MAX_ENDS = 3
"""After so many cases that ended the process, the rest get the last one's reason unseen."""

_REASONS = {
    Status.TIMEOUT: Reason.TIMEOUT,
    Status.MEMORY: Reason.MEMORY,
    Status.OUTPUT_LIMIT: Reason.OUTPUT_LIMIT,
    Status.SYNTAX_ERROR: Reason.SYNTAX_ERROR,
    Status.RUNTIME_ERROR: Reason.RUNTIME_ERROR,
    Status.EXITED: Reason.RUNTIME_ERROR,  # it ended before it answered
}


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """One case's outcome: the reason, and the error's name where there was one."""

    reason: Reason
    error: str = ""

    @property
    def passed(self) -> bool:
        """Whether the case is right."""
        return self.reason is Reason.PASSED


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a program.

    Attributes:
        cases: one verdict a case, in order; with ``stop_early`` up to the first failure.
        total: how many cases there are.
        lint: the linter's codes; None if it was not asked, or the program is not Python.
        relative_time: processor time over the reference's (median of interleaved runs); None if it was not measured, or
            failed while it was.
    """

    cases: tuple[CaseVerdict, ...]
    total: int
    lint: tuple[str, ...] | None = None
    relative_time: float | None = None
    stderr: str = field(default="", compare=False)

    @property
    def passed(self) -> int:
        """How many cases passed."""
        return sum(case.passed for case in self.cases)

    @property
    def reason(self) -> Reason:
        """``passed``, or the first failure's reason."""
        return next((case.reason for case in self.cases if not case.passed), Reason.PASSED)


def judge_program(program: str, spec: CodeSpec, sandbox: Sandbox) -> Report:
    """Judges one program.

    Raises:
        SandboxError: if the infrastructure failed: nothing is known about the program.
    """
    run = {"stdin": _run_stdin, "calls": _run_calls, "tests": _run_tests}[spec.kind]
    cases, stderr = run(program, spec, sandbox)
    total = 1 if spec.kind == "tests" else len(spec.cases)
    report = Report(tuple(cases), total, stderr=stderr)
    if spec.lint:
        report = replace(report, lint=_lint(program, sandbox))
    if spec.reference and spec.kind != "tests" and report.passed == total:
        report = replace(report, relative_time=_relative_time(program, spec, sandbox))
    return report


def judge_many(
    programs: Sequence[str],
    specs: Sequence[CodeSpec],
    sandbox: Sandbox,
    progress: Callable[[int, int], None] | None = None,
) -> list[Report | SandboxError]:
    """One report a program, in order; in place of a report that could not be had, the error.

    Args:
        programs: the sources.
        specs: as many specifications.
        sandbox: where to run them, as many at once as it has workers.
        progress: called with (done, total) after each program.
    """

    def attempt(pair: tuple[str, CodeSpec]) -> Report | SandboxError:
        try:
            return judge_program(*pair, sandbox)
        except SandboxError as error:
            return error

    return sandbox.map(attempt, list(zip(programs, specs, strict=True)), progress)


def _ended(result: RunResult) -> CaseVerdict:
    return CaseVerdict(_REASONS[result.status], result.error)


def _text(stderr: bytes) -> str:
    return stderr[-2000:].decode("utf-8", "replace")


def _run_stdin(program: str, spec: CodeSpec, sandbox: Sandbox) -> tuple[list[CaseVerdict], str]:
    verdicts: list[CaseVerdict] = []
    stderr, ends, seconds = "", 0, 0.0
    for case in spec.cases:
        if ends >= MAX_ENDS or (verdicts and verdicts[-1].reason is Reason.SYNTAX_ERROR):
            verdicts.append(verdicts[-1])
            continue
        if seconds > spec.limits.total_seconds:
            verdicts.append(CaseVerdict(Reason.TIMEOUT))
            continue
        result = sandbox.run(program, case.given, spec.limits)
        seconds += result.wall_seconds
        verdict = _judge_output(case, result, spec)
        stderr = stderr or ("" if verdict.passed else _text(result.stderr))
        ends = ends + 1 if verdict.reason in (Reason.TIMEOUT, Reason.MEMORY, Reason.OUTPUT_LIMIT) else 0
        verdicts.append(verdict)
        if spec.stop_early and not verdict.passed:
            break
    return verdicts, stderr


def _judge_output(case: Case, result: RunResult, spec: CodeSpec) -> CaseVerdict:
    if result.status is not Status.EXITED:
        return _ended(result)
    right = (case.comparison or spec.comparison).outputs(case.given, result.stdout, case.expected)
    return CaseVerdict(Reason.PASSED if right else Reason.WRONG_ANSWER)


def _judge_record(case: Case, line: str, spec: CodeSpec) -> CaseVerdict:
    record = read_record(line)
    if record.raised:
        return CaseVerdict(
            Reason.MEMORY if record.raised == "MemoryError" else Reason.RUNTIME_ERROR, record.raised
        )
    right = (case.comparison or spec.comparison).values(case.given, record.value, case.expected)
    return CaseVerdict(Reason.PASSED if right else Reason.WRONG_ANSWER)


def _run_calls(program: str, spec: CodeSpec, sandbox: Sandbox) -> tuple[list[CaseVerdict], str]:
    """All calls in one process; after a case that ends it, the rest in a new one."""
    verdicts: list[CaseVerdict] = []
    stderr = ""
    total = len(spec.cases)
    for _ in range(MAX_ENDS):
        rest = spec.cases[len(verdicts) :]
        lines = tuple(dumps(list(case.given)) for case in rest)
        job = Job(program, "calls", entry=spec.entry, calls=lines, limits=spec.limits)
        result = sandbox.execute(job)
        stderr = stderr or _text(result.stderr)
        if len(result.records) > len(
            rest
        ):  # it wrote more answers than it was asked for: none can be trusted
            verdicts += [CaseVerdict(Reason.RUNTIME_ERROR, "forged records")] * len(rest)
        else:
            verdicts += [
                _judge_record(case, line, spec) for case, line in zip(rest, result.records, strict=False)
            ]
            if len(verdicts) == total and result.status is not Status.EXITED:
                verdicts[-1] = _ended(result)
        failed = next((i for i, verdict in enumerate(verdicts) if not verdict.passed), None)
        if spec.stop_early and failed is not None:
            return verdicts[: failed + 1], stderr
        if len(verdicts) < total:
            verdicts.append(_ended(result))
        if len(verdicts) >= total or spec.stop_early:
            break
        if result.status is Status.SYNTAX_ERROR:
            break
    verdicts += [verdicts[-1]] * (total - len(verdicts)) if not spec.stop_early else []
    return verdicts, stderr


def _run_tests(program: str, spec: CodeSpec, sandbox: Sandbox) -> tuple[list[CaseVerdict], str]:
    outcome = run_tests(program, spec, sandbox)
    if outcome.passed:
        return [CaseVerdict(Reason.PASSED)], ""
    stderr = _text(outcome.solution.stderr)
    if outcome.solution_ended or outcome.solution.status is Status.SYNTAX_ERROR:
        return [_ended(outcome.solution)], stderr
    if outcome.raised:
        return [CaseVerdict(Reason.RUNTIME_ERROR, outcome.raised)], stderr
    return [CaseVerdict(Reason.WRONG_ANSWER, outcome.assertion)], stderr


def _lint(program: str, sandbox: Sandbox) -> tuple[str, ...] | None:
    result = sandbox.execute(Job(program, "lint"))
    try:
        return tuple(str(code)[:8] for _, code, _ in json.loads(result.records[0])["findings"])
    except (IndexError, KeyError, TypeError, ValueError):
        return None


def _relative_time(program: str, spec: CodeSpec, sandbox: Sandbox) -> float | None:
    """Median processor time over the reference's: the two take turns in the same sandbox, without helpers.

    None if the program is not right in a measured run: one that gives up as soon as it is measured takes no time.
    """
    limits = replace(spec.limits, processes=1)  # a process or thread of its own could hide its time
    reference = assemble(spec.reference, spec.prefix, spec.entry)
    ours, theirs = [], []
    for _ in range(max(1, spec.timing_runs)):
        results = _timed(program, spec, limits, sandbox)
        if not _all_right(results, spec):
            return None
        ours.append(sum(result.cpu_seconds for result in results))
        theirs.append(sum(result.cpu_seconds for result in _timed(reference, spec, limits, sandbox)))
    return round(statistics.median(ours) / max(statistics.median(theirs), 1e-6), 4)


def _all_right(results: list[RunResult], spec: CodeSpec) -> bool:
    if spec.kind == "stdin":
        return all(_judge_output(case, r, spec).passed for case, r in zip(spec.cases, results, strict=True))
    (result,) = results
    if result.status is not Status.EXITED or len(result.records) != len(spec.cases):
        return False
    pairs = zip(spec.cases, result.records, strict=True)
    return all(_judge_record(case, line, spec).passed for case, line in pairs)


def _timed(source: str, spec: CodeSpec, limits: Any, sandbox: Sandbox) -> list[RunResult]:
    if spec.kind == "calls":
        lines = tuple(dumps(list(case.given)) for case in spec.cases)
        return [sandbox.execute(Job(source, "calls", entry=spec.entry, calls=lines, limits=limits))]
    return [sandbox.run(source, case.given, limits) for case in spec.cases]
