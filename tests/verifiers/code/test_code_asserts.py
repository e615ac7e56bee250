"""Assertions as cases: what can be translated means the same, and the rest is left alone."""

from __future__ import annotations

import math

import pytest

from rlvr_gym.errors import DataError
from rlvr_gym.verifiers.code import CodeSpec, assert_tests, humaneval_spec, mbpp_spec
from rlvr_gym.verifiers.code.asserts import cases_from_asserts

TRANSLATED = [
    ("assert f(1, [2], k=(3,)) == {'a': 1}", ([1, [2]], {"k": (3,)}), {"a": 1}, "equal"),
    ("assert 6 == f(-2)", ([-2], {}), 6, "equal"),
    ("assert candidate(1) == 2.0/3.0", ([1], {}), 2 / 3, "equal"),
    ("assert f(1) is None", ([1], {}), None, "exact"),
    ("assert f(1)", ([1], {}), True, "truthy"),
    ("assert not f('x'), 'message'", (["x"], {}), False, "falsy"),
    ("assert f(1) == set([1, 2])", ([1], {}), {1, 2}, "equal"),
    ("assert f(1) == [1] + [2]", None, None, None),
    ("assert f(1) != 2", None, None, None),
    ("assert f(f(1)) == 2", None, None, None),
    ("assert f(x) == 2", None, None, None),
    ("assert set(f(1)) == {1}", None, None, None),
    ("assert f(1) == 2 == 2", None, None, None),
    ("assert f(1) in (1, 2)", None, None, None),
    ("assert f(*[1]) == 2", None, None, None),
    ("import os\nassert f(1) == 2", None, None, None),
    ("for i in range(3):\n    assert f(i) == i", None, None, None),
    ("assert f(1/0) == 2", None, None, None),
    ("def (", None, None, None),
    ("assert True", None, None, None),
]


@pytest.mark.parametrize(("source", "given", "expected", "mode"), TRANSLATED)
def test_translation(source, given, expected, mode):
    cases = cases_from_asserts(source, "f")
    if mode is None:
        assert cases is None
    else:
        (case,) = cases
        assert (case.given, case.expected) == (given, expected)
        assert (case.comparison.mode if case.comparison else "equal") == mode


@pytest.mark.parametrize("value", [0.33, 0.3300009, 0.3300011, 0.3299989, 0.34])
def test_distances_mean_the_same(value):
    (case,) = cases_from_asserts("assert abs(f(1.33) - 0.33) < 1e-6", "f")
    assert case.comparison.values(case.given, value, case.expected) == (abs(value - 0.33) < 1e-6)
    (case,) = cases_from_asserts("assert math.isclose(f(1.33), 0.33, rel_tol=1e-6)", "f")
    assert case.comparison.values(case.given, value, case.expected) == math.isclose(value, 0.33, rel_tol=1e-6)


def test_humaneval_form():
    row = {
        "prompt": "def f(x):\n",
        "entry_point": "f",
        "test": "METADATA = {}\n\ndef check(candidate):\n    assert candidate(1) == 2\n    assert True\n    print\n",
    }
    spec = humaneval_spec(row)
    assert (spec.kind, len(spec.cases), spec.prefix) == ("calls", 1, "def f(x):\n")
    spec = humaneval_spec(
        {**row, "test": "def check(candidate):\n    for i in range(3):\n        assert candidate(i)\n"}
    )
    assert (spec.kind, spec.tests.endswith("check(candidate)\n")) == ("tests", True)
    with pytest.raises(DataError, match="prompt, entry_point and test"):
        humaneval_spec({"prompt": ""})


def test_mbpp_form():
    row = {
        "code": "def helper(): pass\ndef f(x): pass\n",
        "test_list": ["assert set(f((1, 2))) == {1}", "assert f(3)==4"],
    }
    assert (mbpp_spec(row).kind, mbpp_spec(row).entry) == ("tests", "f")
    spec = mbpp_spec({**row, "test_list": ["assert f([1], 2)==(1,)"] * 3, "test_setup_code": ""})
    assert (spec.kind, len(spec.cases), spec.cases[0].expected) == ("calls", 3, (1,))
    with pytest.raises(DataError, match="calls a function"):
        mbpp_spec({"test_list": ["assert 1 == 1"]})


def test_specs_survive_json():
    spec = assert_tests("f", "assert f({1: (2,)}) == {3}\nassert not f(b'x')", stop_early=True, lint=True)
    assert CodeSpec.from_dict(spec.to_dict()) == spec
