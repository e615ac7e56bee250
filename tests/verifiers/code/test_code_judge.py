"""The judge: reasons, scores, early stop, batches; on every backend where the backend matters."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rlvr_gym.errors import DataError
from rlvr_gym.sandbox import Limits, Sandbox, SandboxError
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason
from rlvr_gym.verifier import get_verifier
from rlvr_gym.verifiers.code import (
    CodeSpec,
    Comparison,
    assert_tests,
    function_cases,
    judge_many,
    judge_program,
    source_tests,
    stdin_cases,
    verdict_of,
)

FAST = Limits(cpu_seconds=0.5, wall_seconds=1.5, memory_mb=128)
DOUBLE = function_cases("f", [([1], 2), ([5], 10), (["ab"], "abab")], limits=FAST)
SUMS = stdin_cases([("1 2\n", "3\n"), ("4 5\n", "9")], limits=FAST)
TESTED = source_tests(
    "f", "for i in range(5):\n    assert candidate(i) == 2 * i\nassert f('a') == 'aa'\n", limits=FAST
)

FUNCTIONS = [
    ("def f(x): return x * 2", Reason.PASSED, 3),
    ("def f(x): return 2", Reason.WRONG_ANSWER, 1),
    ("def f(x): return None", Reason.WRONG_ANSWER, 0),
    ("def f(x): raise ValueError('no')", Reason.RUNTIME_ERROR, 0),
    ("def g(x): return x * 2", Reason.RUNTIME_ERROR, 0),
    ("f = 3", Reason.RUNTIME_ERROR, 0),
    ("def f(x: return 2", Reason.SYNTAX_ERROR, 0),
    ("def f(x):\n    while True: pass", Reason.TIMEOUT, 0),
    ("def f(x):\n    while x == 5: pass\n    return x * 2", Reason.TIMEOUT, 2),
    ("def f(x):\n    if x == 5: import os; os._exit(0)\n    return x * 2", Reason.RUNTIME_ERROR, 2),
    ("def f(x): return [0] * 10**9", Reason.MEMORY, 0),
    ("def f(x): return 'x' * 3_000_000", Reason.OUTPUT_LIMIT, 0),
    ("import sys\ndef f(x): sys.exit(0)", Reason.RUNTIME_ERROR, 0),
    ("import nothing_of_this_name", Reason.RUNTIME_ERROR, 0),
    ("def f(x): return object()", Reason.WRONG_ANSWER, 0),
    ("def f(x):\n    x = [x]; x.append(x); return x", Reason.RUNTIME_ERROR, 0),
]


@pytest.mark.parametrize(("program", "reason", "passed"), FUNCTIONS)
def test_functions(sandbox, program, reason, passed):
    report = judge_program(program, DOUBLE, sandbox)
    assert (report.reason, report.passed, report.total, len(report.cases)) == (reason, passed, 3, 3), report


SCRIPTS = [
    ("print(sum(map(int, input().split())))", Reason.PASSED, 2),
    ("print(3)", Reason.WRONG_ANSWER, 1),
    ("print(sum(map(int, input().split())))\nraise SystemExit(1)", Reason.RUNTIME_ERROR, 0),
    ("print(3); 1 / 0", Reason.RUNTIME_ERROR, 0),
    ("print(", Reason.SYNTAX_ERROR, 0),
    ("while True: print('x' * 10000)", Reason.OUTPUT_LIMIT, 0),
]


@pytest.mark.parametrize(("program", "reason", "passed"), SCRIPTS)
def test_scripts(sandbox, program, reason, passed):
    report = judge_program(program, SUMS, sandbox)
    assert (report.reason, report.passed, report.total, len(report.cases)) == (reason, passed, 2, 2), report


TESTS = [
    ("def f(x): return x * 2", Reason.PASSED),
    ("def f(x): return x + x if x != 3 else 7", Reason.WRONG_ANSWER),
    ("def f(x): return None", Reason.WRONG_ANSWER),
    ("def f(x): raise KeyError", Reason.RUNTIME_ERROR),
    ("def f(x:", Reason.SYNTAX_ERROR),
    ("import os\nos._exit(0)", Reason.RUNTIME_ERROR),
    ("import os\ndef f(x): os._exit(0)", Reason.RUNTIME_ERROR),
    ("import sys\ndef f(x): sys.exit(0)", Reason.RUNTIME_ERROR),
    ("def f(x):\n    while True: pass", Reason.TIMEOUT),
    ("class Y:\n    def __eq__(self, o): return True\ndef f(x): return Y()", Reason.WRONG_ANSWER),
    ("import os\ndef f(x): os.write(3, b'{\"passed\":true}\\n' * 50)", Reason.RUNTIME_ERROR),
    ("import os\nos.close(4)\ndef f(x): return x * 2", Reason.RUNTIME_ERROR),
]


@pytest.mark.parametrize(("program", "reason"), TESTS)
def test_sources_of_tests(sandbox, program, reason):
    report = judge_program(program, TESTED, sandbox)
    assert (report.reason, report.total) == (reason, 1), report


def test_broken_tests_are_our_fault_and_not_the_program_s(any_sandbox):
    spec = source_tests("f", "import os\nos._exit(3)", limits=FAST)
    with pytest.raises(DataError, match="without a verdict"):
        judge_program("def f(x): return 1", spec, any_sandbox)


def test_early_stop(any_sandbox):
    spec = function_cases("f", [([i], i) for i in range(10)], stop_early=True)
    report = judge_program("def f(x): return x if x < 4 else 0", spec, any_sandbox)
    assert (len(report.cases), report.passed, report.total) == (5, 4, 10)
    spec = stdin_cases([(str(i), str(i)) for i in range(10)], stop_early=True)
    report = judge_program("print(min(int(input()), 3))", spec, any_sandbox)
    assert (len(report.cases), report.passed, report.total) == (5, 4, 10)


def test_a_program_that_always_hangs_costs_three_timeouts_and_no_more(any_sandbox):
    limits = Limits(cpu_seconds=0.2, wall_seconds=1.0)
    spec = function_cases("f", [([i], i) for i in range(50)], limits=limits)
    report = judge_program("def f(x):\n    while x % 10 == 0: pass\n    return x", spec, any_sandbox)
    assert report.reason is Reason.TIMEOUT
    assert [case.passed for case in report.cases[:21]] == [i % 10 != 0 for i in range(21)]


def test_keyword_and_per_case_comparisons(any_sandbox):
    spec = assert_tests(
        "f", "assert abs(f(1, y=2) - 0.3) < 1e-6\nassert f(1, 2) == 0.1 + 0.2\nassert not f(0, y=0)"
    )
    assert judge_program("def f(x, y): return (x + y) / 10", spec, any_sandbox).passed == 2
    spec = function_cases("f", [([3], [1, 2, 3])], compare=Comparison("unordered"))
    assert judge_program("def f(n): return list(range(n, 0, -1))", spec, any_sandbox).passed == 1


def test_arguments_are_not_shared_between_cases(any_sandbox):
    spec = function_cases("f", [([[3, 1]], [1, 3]), ([[3, 1]], [1, 3])])
    assert judge_program("def f(xs):\n    xs.sort()\n    return xs", spec, any_sandbox).passed == 2


def test_lint_and_times(any_sandbox):
    reference = "def f(n):\n    return sum(i * i for i in range(n))\n"
    slow = "import os\ndef f(n):\n    t = 0\n    for _ in range(8):\n        t = sum(i * i for i in range(n))\n    return t\n"
    spec = function_cases(
        "f", [([100_000], sum(i * i for i in range(100_000)))], reference=reference, lint=True
    )
    report = judge_program(slow, spec, any_sandbox)
    assert report.lint == ("F401",)
    assert 2 < report.relative_time < 32
    assert judge_program("def f(n): return 0", spec, any_sandbox).relative_time is None
    details = verdict_of(report, slow).details
    assert details["lint"] == ["F401"]
    assert json.dumps(dict(details))


def test_time_cannot_be_hidden_in_another_process(any_sandbox):
    fork = "import os\ndef f(n):\n    if os.fork() == 0:\n        os._exit(0)\n    return n\n"
    spec = function_cases("f", [([1], 1)], reference="def f(n): return n\n", timing_runs=1)
    report = judge_program(fork, spec, any_sandbox)
    assert report.passed == 1  # right, but its timed run was refused the helper
    from rlvr_gym.sandbox import Job

    job = Job(fork, "calls", entry="f", calls=('["l",["t",1],["d"]]',), limits=Limits(processes=1))
    assert any_sandbox.execute(job).records == ('{"raised":"BlockingIOError"}',)


def test_batches_keep_their_order_and_report_progress(sandbox):
    programs = [f"def f(x): return {i}" if i % 3 else "def f(x: oops" for i in range(60)]
    specs = [function_cases("f", [([0], i)]) for i in range(60)]
    seen = []
    reports = judge_many(programs, specs, sandbox, progress=lambda done, total: seen.append((done, total)))
    assert [r.reason for r in reports] == [Reason.PASSED if i % 3 else Reason.SYNTAX_ERROR for i in range(60)]
    assert seen == [(i + 1, 60) for i in range(60)]


def test_the_verifier(any_sandbox, monkeypatch):
    monkeypatch.setenv("RLVR_GYM_SANDBOX", any_sandbox.backend.name)
    verifier = get_verifier("code")
    task = Task("Double x.", DOUBLE.to_dict(), id="t")
    task = Task.from_json(task.to_json())
    right = verifier.verify("Here:\n```python\ndef f(x):\n    return x * 2\n```\n", task)
    assert (right.correct, right.score, right.reason, right.valid) == (True, 1.0, Reason.PASSED, True)
    part = verifier.verify("def f(x): return 2", task)
    assert (part.correct, part.score, part.reason) == (False, 1 / 3, Reason.WRONG_ANSWER)
    assert part.details["cases"] == ["passed", "wrong_answer", "wrong_answer"]
    assert part.details["runs"]
    assert verifier.verify("", task).reason is Reason.NO_ANSWER
    assert verifier.verify("x" * 300_000, task).reason is Reason.TOO_COMPLEX
    prose = verifier.verify("I cannot do that, sorry.", task)
    assert (prose.reason, prose.score, prose.details["syntax"]) == (Reason.SYNTAX_ERROR, 0.0, False)
    assert verifier.verify("x", Task("", {"kind": "?"})).valid is False
    batch = verifier.verify_batch(["def f(x): return x * 2", "def f(x): return 0"] * 5, [task] * 10)
    assert [v.correct for v in batch] == [True, False] * 5


def test_infrastructure_errors_are_no_reward(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    from rlvr_gym.sandbox.backends.docker import DockerBackend
    from rlvr_gym.verifiers.code import verifier as module

    absent = Sandbox(DockerBackend(), 1, patience=0.0)
    monkeypatch.setattr(module, "get_sandbox", lambda backend: absent)
    verdicts = get_verifier("code").verify_batch(
        ["def f(x): return x * 2"] * 3, [Task("", DOUBLE.to_dict())] * 3
    )
    assert [(v.valid, v.reason) for v in verdicts] == [(False, Reason.INFRASTRUCTURE_ERROR)] * 3
    (report,) = judge_many(["x"], [DOUBLE], absent)
    assert isinstance(report, SandboxError)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "dict with 'kind'"),
        ([], "dict with 'kind'"),
        ({"kind": "calls", "entry": "f"}, "at least one case"),
        ({"kind": "calls", "cases": [[["l"], 1]]}, "needs 'entry'"),
        ({"kind": "calls", "entry": "f", "cases": [[["q"], 1]]}, "right form"),
        ({"kind": "stdin", "cases": [["", ""]], "color": 1}, "right form"),
        ({"kind": "stdin", "cases": [["", ""]], "limits": {"cpu": 1}}, "Limits are"),
    ],
)
def test_bad_specifications_are_told(row, message):
    with pytest.raises((DataError, ValueError), match=message):
        CodeSpec.from_dict(row)


def test_cases_are_plain():
    with pytest.raises(DataError, match="plain values"):
        function_cases("f", [([object()], 1)])


# ------------------------------------------------------------------ the same verdicts everywhere

_values = (
    st.integers(-5, 5) | st.text("ab", max_size=3) | st.lists(st.integers(-2, 2), max_size=3) | st.none()
)
_bodies = st.sampled_from(
    [
        "return x", "return x * 2", "return [x]", "return len(x)", "return x[0]", "return {x: x}", "return {x}",
        "return sorted(x)", "return str(x)", "return 1 / x", "raise SystemExit(x)", "import os; os._exit(0)",
        "return lambda: x", "return (x for _ in range(2))", "return x.upper()", "return x if x else f(x)",
        "yield x", "return float('nan')", "return 10 ** 5000", "assert x", "global f; f = None; return x",
        "print(x); return x", "return int(x)", "return b'ab'", "return (x, x) ", "return -x", "return x is None",
    ]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=_bodies,
    arguments=st.lists(_values, min_size=1, max_size=4),
    wanted=st.lists(_values, min_size=4, max_size=4),
)
def test_all_backends_agree(working_sandboxes, body, arguments, wanted):
    program = f"def f(x):\n    {body}\n"
    spec = function_cases("f", [([a], w) for a, w in zip(arguments, wanted, strict=False)], limits=FAST)
    reports = [judge_program(program, spec, sandbox) for sandbox in working_sandboxes]
    assert all(report == reports[0] for report in reports), reports


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.sampled_from(["print(x)", "x += 1", "x = int(input())", "print(x, end='')", "1 / x", "exit(x)",
                                       "print('é\\udcff')", "(", "import sys; print(len(sys.argv))"]), max_size=5),
       start=st.integers(-1, 1))  # fmt: skip
def test_all_backends_print_the_same(working_sandboxes, lines, start):
    program = "\n".join([f"x = {start}", *lines])
    results = [sandbox.run(program, "1\n0\n", FAST) for sandbox in working_sandboxes]
    assert len({(r.status, r.stdout, r.error, r.exit_code) for r in results}) == 1, results
