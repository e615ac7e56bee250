"""The library functions: :func:`parse` and :func:`equivalent`."""

from __future__ import annotations

from dataclasses import dataclass

from rlvr_gym.verdict import Reason
from rlvr_gym.verifiers.math.budgets import Fuel, TooComplex, Unreadable
from rlvr_gym.verifiers.math.compare import same_answer
from rlvr_gym.verifiers.math.nodes import Node
from rlvr_gym.verifiers.math.parser import parse_or_raise
from rlvr_gym.verifiers.math.policy import DEFAULT, Policy
from rlvr_gym.verifiers.math.symbolic import TimedOut

__all__ = ["ParseFailure", "equivalent", "parse"]


@dataclass(frozen=True, slots=True)
class ParseFailure:
    """Why a text could not be read.

    Attributes:
        reason: ``unparseable`` or ``too_complex``.
        message: about the place.
    """

    reason: Reason
    message: str


def parse(text: str) -> Node | ParseFailure:
    r"""The tree of an answer in LaTeX or plain text; never raises, for any text.

    >>> from rlvr_gym.verifiers.math import parse
    >>> parse(r"\frac12")
    Div(above=Num(value=Fraction(1, 1), places=None), below=Num(value=Fraction(2, 1), places=None))
    >>> parse("2 +").reason
    <Reason.UNPARSEABLE: 'unparseable'>
    """
    try:
        return parse_or_raise(text)
    except Unreadable as error:
        return ParseFailure(Reason.UNPARSEABLE, str(error))
    except TooComplex as error:
        return ParseFailure(Reason.TOO_COMPLEX, str(error))


def equivalent(a: str | Node, b: str | Node, policy: Policy = DEFAULT) -> bool | None:
    """Whether ``b`` is the same answer as the reference ``a``; None if one cannot be read or it cannot be told.

    >>> from rlvr_gym.verifiers.math import equivalent
    >>> equivalent("(x+1)^2", "x^2 + 2x + 1"), equivalent("1/3", "0.33"), equivalent("x > 2", "(2, infinity)")
    (True, False, True)
    """
    left = parse(a) if isinstance(a, str) else a
    right = parse(b) if isinstance(b, str) else b
    if isinstance(left, ParseFailure) or isinstance(right, ParseFailure):
        return None
    try:
        return same_answer(left, right, policy, Fuel())
    except (TooComplex, TimedOut):
        return None
