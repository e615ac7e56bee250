"""The audit against somebody else's verifiers: it finds the holes that are known to be there.

Skipped where reasoning-gym or a sandbox that can import it is absent.
"""

import importlib.util

import pytest

from rlvr_gym.audit import AuditSettings, Job, Kind, Limits, run_audit
from rlvr_gym.registration import entry
from rlvr_gym.sandbox.select import BACKENDS

USABLE = any(cls.takes_modules and cls().check().ok for cls in BACKENDS.values())
INSTALLED = importlib.util.find_spec("reasoning_gym") is not None
pytestmark = pytest.mark.skipif(not (INSTALLED and USABLE), reason="needs reasoning-gym and a sandbox")


def audit(dataset, family):
    limits = Limits(tasks=2, only=(family,), budget=300.0, timeout=30.0)
    (report,) = run_audit([Job(entry("rlvr/ReasoningGym-v0"), {"dataset": dataset})], AuditSettings(limits))
    assert report.tasks == 2
    return report


def accepted(report, family):
    return next(f for f in report.findings if f.kind is Kind.ACCEPTED and f.family == family)


def test_banana_is_a_solution_of_game_of_life_halting():
    found = accepted(audit("game_of_life_halting", "trivial"), "trivial")
    assert any("banana" in name for name in found.names)


def test_nan_is_a_complex_number():
    found = accepted(audit("complex_arithmetic", "numbers"), "numbers")
    assert any("nan" in name for name in found.names)


@pytest.mark.parametrize(
    "dataset",
    [
        "binary_matrix",
        "countdown",
        "intermediate_integration",
        "n_queens",
        "polynomial_multiplication",
        "puzzle24",
        "simple_integration",
        "spiral_matrix",
        "string_insertion",
    ],
)
def test_answers_that_are_executed_are_seen_and_reach_nothing(dataset):
    report = audit(dataset, "injection")
    executed = [f for f in report.findings if f.kind is Kind.EXECUTES]
    assert [f.attack for f in executed] == ["code that ends its process"]  # and no file appeared


def test_answers_that_are_not_executed_are_not_said_to_be():
    report = audit("base_conversion", "injection")
    assert not any(f.kind is Kind.EXECUTES for f in report.findings)
