"""Comparisons of values and outputs."""

from __future__ import annotations

import math

import pytest

from rlvr_gym.errors import ConfigError, UnknownNameError
from rlvr_gym.sandbox.guest.literals import Opaque
from rlvr_gym.verifiers.code import Comparison, register_checker

VALUES = [
    ("equal", 1, 1.0, True),
    ("equal", True, 1, True),
    ("equal", [1, 2], (1, 2), False),
    ("equal", None, 0, False),
    ("equal", {1, 2}, {2, 1}, True),
    ("exact", 1, 1.0, False),
    ("exact", True, 1, False),
    ("exact", [{"a": {1, 2}}], [{"a": {2, 1}}], True),
    ("exact", 0.0, -0.0, False),
    ("close", 0.1 + 0.2, 0.3, True),
    ("close", [1, (2.0000001, "x")], [1.0, (2, "x")], True),
    ("close", [1, 2], [1, 2, 3], False),
    ("close", 1.001, 1.0, False),
    ("close", math.nan, math.nan, True),
    ("close", math.nan, 1.0, False),
    ("close", 10**400, 1.5, False),
    ("close", 1 + 1e-12j, 1, True),
    ("close", True, 1.0, False),
    ("close", {"a": 1.0}, {"a": 1.0000000001}, True),
    ("close", {"a": 1.0}, {"b": 1.0}, False),
    ("unordered", [3, 1, 2], [1, 2, 3], True),
    ("unordered", [1, 1, 2], [1, 2, 2], False),
    ("unordered", [[1, 2], [3]], ([3], [1, 2]), True),
    ("unordered", [1, True], [1, 1], False),
    ("truthy", [0], True, True),
    ("truthy", [], True, False),
    ("falsy", 0, False, True),
    ("falsy", "x", False, False),
]
OUTPUTS = [
    ("exact", b"a b\n", "a b\n", True),
    ("exact", b"a b", "a b\n", False),
    ("lines", b"a b  \nc\n\n\n", "a b\nc", True),
    ("lines", b"a  b\n", "a b\n", False),
    ("lines", b"\na\n", "a\n", False),
    ("tokens", b"  1\n2   3", "1 2 3\n", True),
    ("tokens", b"12 3", "1 23", False),
    ("close", b"0.3333333333 yes", "0.333333333 yes", True),
    ("close", b"0.34", "0.33", False),
    ("close", b"nan", "1", False),
    ("close", b"1_0", "10", False),
    ("close", b"inf", "1e9999", False),
    ("close", b"\xff", "1", False),
    ("close", b"9" * 100_000, "9" * 99_999 + "8", False),
    ("tokens", "é".encode(), "é", True),
]


@pytest.mark.parametrize(("mode", "actual", "expected", "right"), VALUES)
def test_values(mode, actual, expected, right):
    assert Comparison(mode).values(([], {}), actual, expected) is right


@pytest.mark.parametrize(("mode", "actual", "expected", "right"), OUTPUTS)
def test_outputs(mode, actual, expected, right):
    assert Comparison(mode).outputs("", actual, expected) is right


@pytest.mark.parametrize("mode", ["equal", "exact", "close", "unordered", "truthy", "falsy"])
def test_objects_of_made_up_classes_are_never_right(mode):
    assert Comparison(mode).values(([], {}), Opaque("int"), 3) is False
    if mode not in ("truthy", "falsy"):
        assert Comparison(mode).values(([], {}), [Opaque("int")], [3]) is False


@register_checker("test-any-divisor")
def any_divisor(given, actual, expected):
    return isinstance(actual, int) and 1 < actual < given[0][0] and given[0][0] % actual == 0


def test_checker():
    comparison = Comparison("checker", checker="test-any-divisor")
    assert comparison.values(([12], {}), 4, None)
    assert not comparison.values(([12], {}), 5, None)
    assert Comparison.from_dict(comparison.to_dict()) == comparison


def test_mistakes_are_told():
    with pytest.raises(ConfigError, match="mode is one of"):
        Comparison("fuzzy")
    with pytest.raises(UnknownNameError, match="no checker named"):
        Comparison("checker", checker="nope").values(([], {}), 1, 1)
    with pytest.raises(ConfigError, match="compares outputs"):
        Comparison("tokens").values(([], {}), 1, 1)
    with pytest.raises(ConfigError, match="compares values"):
        Comparison("unordered").outputs("", b"", "")
