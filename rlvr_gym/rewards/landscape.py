"""The landscape of a design: the reward over length, correctness and form, before any training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from rlvr_gym.errors import ConfigError
from rlvr_gym.rewards.design import RewardDesign
from rlvr_gym.rollout import Rollout
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict

__all__ = ["Curve", "Landscape", "landscape"]

_LENGTHS = ("target", "limit")
_DEFAULT_LIMIT = 1000
_TASK = Task("What is 2 + 3?", "5", "landscape")
_FORMED = "<think>The sum is easy to work out: 2 + 3 = {0}.</think>\n<answer>{0}</answer>"
_CONFIDENCE = "<confidence>0.8</confidence>"


@dataclass(frozen=True, slots=True)
class Curve:
    """The reward over the length of one kind of completion.

    Attributes:
        correct: whether it is right.
        formed: whether it has the form that was asked for.
        lengths: in tokens.
        rewards: at these lengths.
    """

    correct: bool
    formed: bool
    lengths: tuple[int, ...]
    rewards: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Landscape:
    """Four curves: right and wrong, in due form and not.

    Attributes:
        design: what gives the reward.
        step: the training step that it is given at.
        curves: the curves.
        group: of a design that compares, what each completion was compared with; else empty.
    """

    design: RewardDesign
    step: int
    curves: tuple[Curve, ...]
    group: tuple[Rollout, ...]


def landscape(design: RewardDesign, *, limit: int = 0, step: int = 0, points: int = 121) -> Landscape:
    """The rewards of made-up completions of a made-up task.

    A design that compares sees each of them beside four others: right and wrong ones of a quarter and of three
    quarters of the greatest length.

    Args:
        design: the design.
        limit: the greatest length; 0 for a quarter more than the longest target or limit in the design, or 1,000.
        step: of training.
        points: lengths on a curve.

    Raises:
        ConfigError: if a number is out of range.
    """
    if limit < 0 or step < 0 or points < 2:
        raise ConfigError(
            f"limit and step are at least 0 and points at least 2; got {limit}, {step} and {points}."
        )
    longest = limit or _natural_limit(design)
    lengths = tuple(dict.fromkeys(round(longest * i / (points - 1)) for i in range(points)))
    others = [_completion(c, True, round(longest * share)) for share in (0.25, 0.75) for c in (True, False)]
    group = tuple(others) if design.compares else ()
    curves = tuple(
        Curve(correct, formed, lengths, _rewards(design, correct, formed, lengths, group, step))
        for correct in (True, False)
        for formed in (True, False)
    )
    return Landscape(design, step, curves, group)


def _rewards(
    design: RewardDesign,
    correct: bool,
    formed: bool,
    lengths: Sequence[int],
    group: Sequence[Rollout],
    step: int,
) -> tuple[float, ...]:
    completions = [_completion(correct, formed, n) for n in lengths]
    return tuple(design([completion, *group], step)[0].total for completion in completions)


def _natural_limit(design: RewardDesign) -> int:
    """A quarter more than the longest target or limit that a term of the design has."""
    values = [
        getattr(term, field.name)
        for term in design.root.terms()
        for field in fields(term)
        if field.name in _LENGTHS
    ]
    known = [value for value in values if isinstance(value, int)]  # that of a language is no length
    return max(known) * 5 // 4 if known else _DEFAULT_LIMIT


def _completion(correct: bool, formed: bool, length: int) -> Rollout:
    """One that called a tool, wrote a program and said how sure it is, for the terms that look at such things."""
    answer = "5" if correct else "6"
    passed = 4 if correct else 2
    details = {
        "syntax": True,
        "runs": True,
        "total": 4,
        "passed": passed,
        "lint": [],
        "relative_time": 1.0,
        "code_lines": 8,
    }
    verdict = Verdict(
        float(correct), correct, Reason.CORRECT if correct else Reason.WRONG, True, answer, details
    )
    text = f"{_FORMED.format(answer)}\n{_CONFIDENCE}" if formed else f"The answer is {answer}"
    return Rollout(_TASK, text, verdict, length, metrics={"tool_calls": float(formed)})
