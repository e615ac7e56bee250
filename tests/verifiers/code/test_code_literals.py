"""Plain values over the wall: round trips, and texts that were never written by an honest program."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, defaultdict
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr_gym.sandbox import read_record
from rlvr_gym.sandbox.guest.literals import LiteralError, Opaque, decode, dumps, encode, loads

_hashable = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)
plain = st.recursive(
    _hashable | st.complex_numbers(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner)
        | st.dictionaries(_hashable, inner, max_size=4)
        | st.sets(_hashable, max_size=4)
    ),
    max_leaves=12,
)


def same(a: object, b: object) -> bool:
    """Equal, and of equal types all the way down."""
    return type(a) is type(b) and dumps_sorted(a) == dumps_sorted(b)


def dumps_sorted(value: object) -> str:
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}{sorted(map(dumps_sorted, value))}"
    if isinstance(value, dict):
        return str(sorted((dumps_sorted(k), dumps_sorted(v)) for k, v in value.items()))
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}{[dumps_sorted(item) for item in value]}"
    return f"int {value:x}" if type(value) is int else f"{type(value).__name__} {value!r}"


@given(plain)
def test_round_trip_keeps_values_and_types(value):
    text = dumps(value)
    assert text.isascii()
    assert "\n" not in text
    assert same(loads(text), value)


@pytest.mark.parametrize(
    "value",
    [1 << 40_000, -(2**53), 2**53 - 1, float("inf"), -0.0, "\ud800\x00", b"\x00\xff"],
    ids=lambda v: type(v).__name__,
)
def test_extreme_scalars(value):
    assert same(loads(dumps(value)), value)


def test_nan_stays_nan():
    value = loads(dumps(float("nan")))
    assert value != value


@pytest.mark.parametrize(
    ("value", "expected"),
    [(OrderedDict(a=1), {"a": 1}), (Counter("aab"), {"a": 2, "b": 1}), (defaultdict(int, x=1), {"x": 1})],
)
def test_standard_mappings_become_dicts(value, expected):
    assert same(loads(dumps(value)), expected)


class _Yes(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


@pytest.mark.parametrize(
    "value", [_Yes(3), object(), Fraction(1, 2), range(3), iter([]), dumps, type("int", (), {})()]
)
def test_other_objects_equal_nothing(value):
    read = loads(dumps([value]))[0]
    assert isinstance(read, Opaque)
    assert (read == value, read == read, read == 3) == (False, False, False)
    with pytest.raises(TypeError):
        bool(read)


def test_too_deep_is_refused():
    value: list = []
    for _ in range(5000):
        value = [value]
    with pytest.raises(LiteralError):
        encode(value)


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "[]", '["l"', "1.5", "NaN", "Infinity", "9007199254740993", '["q", 1]', '["f"]', '["f", 1]',
        '["f", "zz"]', '["i", "9"*9]', '["s", ["l"]]', '["d", 1]', '["d", ["l"], 1]', '["c", "0x1p0"]', '["b", "0"]',
        '{"l": 1}', "[" * 100_000, "[" * 500 + "]" * 500, '["l",' * 200 + "1" + "]" * 200, "1" * 5000, "\x00",
        '["i", "0x1", "0x2"]', '[["l"], 1]', '["o", 3]', '["f", "0x1p999999"]',
    ],
)  # fmt: skip
def test_made_up_text_is_refused(text):
    with pytest.raises(LiteralError):
        loads(text)


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_reading_is_total(text):
    record = read_record(text)
    assert record.raised or record.value is None or read_record('{"value":null}').value is None


def test_colliding_hashes_cost_no_more_than_a_moment():
    members = ",".join(f'["i","{hex((2**61 - 1) * k + 1)}"]' for k in range(1, 40_000))
    start = time.monotonic()
    with pytest.raises(LiteralError, match="members"):
        loads(f'["s",{members}]')
    assert time.monotonic() - start < 5


def test_decode_takes_json_only():
    with pytest.raises(LiteralError):
        decode((1, 2))
