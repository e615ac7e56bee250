"""Axes and curves of the report's charts."""

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr_gym.report.svg import Chart, Line, nice_ticks, short, smooth, thin

NUMBERS = st.floats(-1e9, 1e9, allow_nan=False)


@given(NUMBERS, st.floats(1e-6, 1e9), st.integers(2, 10))
def test_ticks_enclose_the_range_and_are_few(low, size, count):
    ticks = nice_ticks(low, low + size, count)
    slack = 1e-6 * max(abs(low), size, 1e-6)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + size - slack
    assert 2 <= len(ticks) <= 2 * count + 3


def test_ticks_are_round():
    assert nice_ticks(0, 1, 4) == [0, 0.25, 0.5, 0.75, 1.0]
    assert nice_ticks(3, 117, 4) == [0, 50, 100, 150]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=1500))
def test_thinning_keeps_the_ends(points):
    kept = thin(points)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert len(kept) <= 402


def test_smoothing_is_a_centred_mean():
    line = [(float(x), 2.0 * x) for x in range(30)]
    assert [y for _, y in smooth(line, 7)][3:-3] == pytest.approx([y for _, y in line][3:-3])
    assert smooth(line, 7)[0] == (0.0, 3.0)
    assert smooth(line, 1) == line
    spike = [(float(x), float(x == 5)) for x in range(11)]
    assert [y for _, y in smooth(spike, 5)][3:8] == pytest.approx([0.2] * 5)


@given(st.lists(NUMBERS, min_size=1, max_size=40))
def test_any_curve_becomes_a_picture_within_its_frame(values):
    line = Line(
        "a < b & c", [(float(i), y) for i, y in enumerate(values)], band=[(0.0, values[0], values[0])]
    )
    root = ET.fromstring(Chart([line], 'a "label"').svg())
    for dot in root.iter("{http://www.w3.org/2000/svg}circle"):
        assert 0 <= float(dot.get("cy")) <= 186
    for path in root.iter("{http://www.w3.org/2000/svg}path"):
        numbers = [float(n) for n in path.get("d").replace("M", "").replace("L", "").replace("Z", "").split()]
        assert all(0 <= n <= 340 and math.isfinite(n) for n in numbers)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.25, "0.25"), (1200, "1200"), (21000, "21k"), (3.2e6, "3.2M"), (1e-5, "1e-05")],
)
def test_numbers_are_short(value, text):
    assert short(value) == text
