"""Reward terms for programs."""

from __future__ import annotations

import math

import pytest

from rlvr_gym.rewards import RewardDesign, make_term
from rlvr_gym.rollout import Rollout
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifiers.code import CaseVerdict, Report, verdict_of


def rollout(*reasons: Reason, lint: tuple[str, ...] | None = None, time: float | None = None) -> Rollout:
    report = Report(tuple(map(CaseVerdict, reasons)), len(reasons), lint=lint, relative_time=time)
    program = "def f(x):\n\n    return x\n"
    return Rollout(Task("", {}), program, verdict_of(report, program), 5)


OK, WA, RE, SE = Reason.PASSED, Reason.WRONG_ANSWER, Reason.RUNTIME_ERROR, Reason.SYNTAX_ERROR


@pytest.mark.parametrize(
    ("term", "given", "value"),
    [
        ("code_syntax", rollout(WA), 1.0),
        ("code_syntax", rollout(SE, SE), 0.0),
        ("code_runs", rollout(OK, WA), 1.0),
        ("code_runs", rollout(OK, RE), 0.0),
        ("code_tests", rollout(OK, WA, OK, RE), 0.5),
        ("code_tests_all", rollout(OK, WA), 0.0),
        ("code_tests_all", rollout(OK, OK), 1.0),
        ("code_lint", rollout(OK, lint=()), 1.0),
        ("code_lint", rollout(OK, lint=("F401", "F841")), 0.5),
        ("code_lint", rollout(OK, lint=("F401",) * 9), 0.0),
        ("code_lint", rollout(SE), 0.0),
        ("code_speed", rollout(OK, time=1.0), 0.5),
        ("code_speed", rollout(OK, time=0.5), 1.0),
        ("code_speed", rollout(OK, time=math.sqrt(2)), 0.25),
        ("code_speed", rollout(OK, time=9.0), 0.0),
        ("code_speed", rollout(WA, time=0.1), 0.0),
        ("code_speed", rollout(OK), 0.0),
        ("code_length", rollout(OK), 2.0),
    ],
)
def test_values(term, given, value):
    assert make_term(term)(given) == pytest.approx(value)


def test_parameters():
    given = rollout(OK, lint=("F401", "F841"))
    assert make_term("code_lint", each=0.1, ignore="F841 E711")(given) == pytest.approx(0.9)
    assert make_term("code_speed", best=4.0, worst=1.0)(rollout(OK, time=0.5)) == pytest.approx(0.5)


def test_verdicts_that_are_not_about_programs_earn_nothing():
    other = Rollout(Task("", "3"), "3", Verdict.right("3"), 1)
    for name in ("syntax", "runs", "tests", "tests_all", "lint", "speed", "length"):
        assert make_term(f"code_{name}")(other) == 0.0


def test_they_compose():
    design = RewardDesign.parse({"code_tests": 1.0, "code_syntax": 0.1, "code_length": 0.0})
    (reward,) = design([rollout(OK, WA)])
    assert reward.total == pytest.approx(0.6)
    assert reward.terms["code_length"] == 2.0
