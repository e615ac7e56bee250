"""Length terms at their edges, worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr_gym import ConfigError, RewardDesign, Rollout, Task, Verdict
from rlvr_gym.rewards import make_term


def rollout(tokens: int, *, correct: bool = True, **metadata: int) -> Rollout:
    task = Task("?", "5", metadata=metadata)
    return Rollout(task, "5", Verdict.right() if correct else Verdict.wrong(), tokens)


@pytest.mark.parametrize(
    ("tokens", "correct", "expected"),
    [(100, True, 1.0), (0, True, 0.9), (150, True, 0.95), (100, False, 0.0), (2000, False, -1.9)],
)
def test_lcpo_exact(tokens: int, correct: bool, expected: float) -> None:
    term = make_term("lcpo_exact", alpha=0.001, target=100)
    assert term.evaluate([rollout(tokens, correct=correct)]) == [pytest.approx(expected)]


@pytest.mark.parametrize(
    ("tokens", "correct", "expected"),
    [
        (100, True, 0.5),  # at the target, delta is left
        (0, True, 0.6),
        (600, True, 0.0),
        (5000, True, 0.0),
        (100, False, 0.0),
    ],
)
def test_lcpo_max(tokens: int, correct: bool, expected: float) -> None:
    term = make_term("lcpo_max", alpha=0.001, delta=0.5, target=100)
    assert term.evaluate([rollout(tokens, correct=correct)]) == [pytest.approx(expected)]


def test_lcpo_max_is_at_most_one() -> None:
    assert make_term("lcpo_max", alpha=0.01, target=1000).evaluate([rollout(0)]) == [1.0]


@pytest.mark.parametrize("name", ["lcpo_exact", "lcpo_max"])
def test_the_tasks_own_target_wins(name: str) -> None:
    own = make_term(name, alpha=0.001, target=7).evaluate([rollout(30, target_length=40)])
    assert own == make_term(name, alpha=0.001, target=40).evaluate([rollout(30)])


@pytest.mark.parametrize(
    ("tokens", "expected"), [(0, 0.0), (80, 0.0), (81, -0.05), (90, -0.5), (100, -1.0), (500, -1.0)]
)
def test_soft_overlong(tokens: int, expected: float) -> None:
    term = make_term("soft_overlong", limit=100, buffer=20)
    assert term.evaluate([rollout(tokens)]) == [pytest.approx(expected)]


@pytest.mark.parametrize("parameters", [{"limit": 10, "buffer": 0}, {"limit": 10, "buffer": 11}])
def test_a_buffer_fits_into_its_limit(parameters: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="buffer <= limit"):
        make_term("soft_overlong", **parameters)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**5))
def test_longer_is_never_better_beyond_the_target(a: int, b: int, target: int) -> None:
    short, long = sorted((a, b))
    for name in ("lcpo_exact", "lcpo_max"):
        term = make_term(name, target=target)
        one, other = term.evaluate([rollout(max(short, target)), rollout(max(long, target))])
        assert one >= other


def test_they_round_trip() -> None:
    for spec in (
        {"term": "lcpo_exact", "alpha": 0.001},
        {"term": "lcpo_max", "delta": 0.25, "target": 9},
        {"term": "soft_overlong", "limit": 50, "buffer": 5},
    ):
        design = RewardDesign.parse(spec)
        assert RewardDesign.parse(design.to_dict()) == design
