"""Rewards from running programs: specifications, the judge outside the sandbox, and the verifier ``code``.

For environment authors: build a :class:`CodeSpec` with :func:`function_cases`, :func:`stdin_cases` or
:func:`assert_tests`, and give the task ``answer=spec.to_dict()`` and the verifier ``"code"``. To run programs oneself:
``get_sandbox().run(program, stdin, limits)`` and ``get_sandbox().call(program, entry, arguments)``.
"""

from rlvr_gym.sandbox import (
    Limits,
    Record,
    RunResult,
    Sandbox,
    SandboxError,
    Status,
    get_sandbox,
    read_record,
    sandbox_status,
)
from rlvr_gym.verifiers.code.cases import Case, CodeSpec, function_cases, source_tests, stdin_cases
from rlvr_gym.verifiers.code.compare import Comparison, register_checker
from rlvr_gym.verifiers.code.datasets import assert_tests, humaneval_spec, mbpp_spec
from rlvr_gym.verifiers.code.judge import CaseVerdict, Report, judge_many, judge_program
from rlvr_gym.verifiers.code.program import assemble, extract_program
from rlvr_gym.verifiers.code.verifier import CodeVerifier, verdict_of

__all__ = [
    "Case",
    "CaseVerdict",
    "CodeSpec",
    "CodeVerifier",
    "Comparison",
    "Limits",
    "Record",
    "Report",
    "RunResult",
    "Sandbox",
    "SandboxError",
    "Status",
    "assemble",
    "assert_tests",
    "extract_program",
    "function_cases",
    "get_sandbox",
    "humaneval_spec",
    "judge_many",
    "judge_program",
    "mbpp_spec",
    "read_record",
    "register_checker",
    "sandbox_status",
    "source_tests",
    "stdin_cases",
    "verdict_of",
]
