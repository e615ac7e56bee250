"""Test sources that are not plain cases: they run in one sandbox, the solution in another, the host in between.

The tests see only the solution's values, rebuilt from text as plain types; the solution sees only arguments.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rlvr_gym.errors import DataError
from rlvr_gym.sandbox import Job, RunResult, Sandbox, SandboxError, SandboxLostError, Status, read_record
from rlvr_gym.sandbox.guest.literals import LiteralError, decode, encode
from rlvr_gym.sandbox.worker import Conversation
from rlvr_gym.verifiers.code.program import complete_stub

if TYPE_CHECKING:
    from rlvr_gym.verifiers.code.cases import CodeSpec

__all__ = ["TestOutcome", "run_tests"]

MAX_CALLS = 10_000
_TRIES = 3


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What the tests said.

    Attributes:
        passed: every assertion held.
        solution: how the solution's process ended.
        solution_ended: it ended before the tests did.
        raised: the exception that a call of the solution raised.
        assertion: the assertion that failed.
    """

    __test__ = False  # pytest: no test class

    passed: bool
    solution: RunResult
    solution_ended: bool = False
    raised: str = ""
    assertion: str = ""


@dataclass
class _Talk:
    passed: bool = False
    solution_ended: bool = False
    raised: str = ""
    assertion: str = ""
    finished: bool = False


def run_tests(program: str, spec: CodeSpec, sandbox: Sandbox) -> TestOutcome:
    """Runs the tests of a specification against a program.

    Raises:
        SandboxError: if the infrastructure failed.
        DataError: if the tests themselves do not work.
    """
    failure: SandboxError | None = None
    alone = False
    for _ in range(_TRIES):
        try:
            outcome = _attempt(program, spec, sandbox, alone)
        except SandboxLostError as error:
            failure = error
            continue
        if not alone and outcome.solution.status is Status.TIMEOUT and outcome.solution.was_starved:
            alone = True
            continue
        return outcome
    raise SandboxError(f"A sandbox was lost {_TRIES} times: {failure}")


def _attempt(program: str, spec: CodeSpec, sandbox: Sandbox, alone: bool) -> TestOutcome:
    limits = spec.limits
    solution = Job(program, "calls", entry=spec.entry, calls=None, limits=limits)
    # the tests' clock runs while the solution works
    patient = replace(
        limits,
        cpu_seconds=limits.cpu_seconds + 10,
        wall_seconds=limits.wall_seconds + 20,
        total_seconds=limits.total_seconds + 40,
    )
    tests = Job(
        complete_stub(spec.prefix), "tests", entry=spec.entry, calls=None, tests=spec.tests, limits=patient
    )

    def with_tests(tester: Conversation) -> TestOutcome:
        def with_both(solver: Conversation) -> tuple[_Talk, RunResult]:
            talk = _broker(tester, solver)
            return talk, solver.finish()

        talk, ended = sandbox.converse(solution, with_both, MAX_CALLS, alone=alone)
        if not talk.finished:
            raise DataError(f"The tests of {spec.entry} ended without a verdict: {_last_words(tester)}")
        return TestOutcome(talk.passed, ended, talk.solution_ended, talk.raised, talk.assertion)

    return sandbox.companion().converse(tests, with_tests, MAX_CALLS)


def _last_words(tester: Conversation) -> str:
    result = tester.finish()
    return f"{result.status} {result.stderr[-300:].decode('utf-8', 'replace')}"


def _broker(tester: Conversation, solver: Conversation) -> _Talk:
    """Carries calls to the solution and values back, until the tests have come to an end."""
    talk = _Talk()
    for _ in range(MAX_CALLS):
        line = tester.hear()
        if line is None:
            return talk
        message = _message(line)
        if "passed" in message:
            talk.finished = True
            talk.passed = message["passed"] is True and not talk.raised and not talk.solution_ended
            talk.assertion = str(message.get("assertion", ""))[:200]
            return talk
        solver.tell(json.dumps(message.get("call"), separators=(",", ":")))
        tester.tell(_reply(solver, talk))
    raise DataError(f"The tests make more than {MAX_CALLS} calls.")


def _message(line: str) -> dict[str, Any]:
    try:
        message = json.loads(line)
        if isinstance(message, dict):
            decode(message.get("call"))
            return message
    except (LiteralError, ValueError, RecursionError):
        pass
    raise DataError("The tests said something that is not of the protocol.")


def _reply(solver: Conversation, talk: _Talk) -> str:
    line = solver.hear()
    if line is None:
        talk.solution_ended = True
        return '{"raised":"gone"}'
    record = read_record(line)
    if record.raised:
        talk.raised = record.raised
        return '{"raised":"exception"}'
    return json.dumps({"value": encode(record.value)}, separators=(",", ":"))
