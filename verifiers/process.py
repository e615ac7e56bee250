"""Checking worked steps: the equations that a text states, without knowing where it is going.

``12 + 5 = 17`` is checked exactly, on an own parser; nothing untrusted is evaluated. Linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from rlvr_gym.verifiers.expression import Expression, ExpressionError, parse_expression

__all__ = ["MAX_EQUATIONS", "StepCount", "check_steps", "equations"]

MAX_EQUATIONS = 500
"""Further ones are not looked at."""
_MAX_SIDES = 8

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))", re.ASCII)
_ITEM = re.compile(r"^[ \t]{0,16}(?:[-+*\u2022]|\d{1,3}[.)])[ \t]+", re.MULTILINE)
_RUN = re.compile(r"[-+*/xX()=.\d\u00d7\u00f7\u00b7\u2212\u22c5 \t]{3,400}", re.ASCII)
# "7. 10 * 2 = 20", "3+4=7 7-2=5" and "3-8=-5 -5+1=-4" are two statements each
_BREAK = re.compile(r"[.](?=\s|$)|(?<=[\d)])[ \t]+(?=[-\u2212]?\d)", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,20}\.(\d{1,20})", re.ASCII)
_NUMBER = re.compile(r"\d{1,20}(?:\.\d{1,20})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class StepCount:
    """What came of the different equations of a text.

    Attributes:
        right: those that hold, on numbers that were there.
        wrong: those that do not hold.
        loose: those that hold on numbers out of nowhere.
    """

    right: int = 0
    wrong: int = 0
    loose: int = 0

    @property
    def share(self) -> float:
        """Right ones among all; 0 if there is none."""
        total = self.right + self.wrong + self.loose
        return self.right / total if total else 0.0


def check_steps(text: str, prompt: str | None = None) -> StepCount:
    """Counts the different equations of a text with at least one operation, such as ``3*4=12`` or ``2 + 3 = 4 + 1``.

    A decimal after the last ``=`` may be rounded: ``10/3 = 3.33`` holds. A text cannot gain by saying the same again,
    nor, with a prompt, by ``1+1=2``: operands have to be numbers of the prompt or results of steps before.

    Args:
        text: any text.
        prompt: the task's prompt; None to let any numbers do.
    """
    known = None if prompt is None else {Fraction(n) for n in _NUMBER.findall(_THOUSANDS.sub("", prompt))}
    seen: set[tuple[str, ...]] = set()
    right = wrong = loose = 0
    for sides in equations(text):
        read = [_read(side) for side in sides]
        expressions = [expression for expression in read if expression is not None]
        if len(expressions) < len(read) or not any(e.operations for e in expressions) or sides in seen:
            continue
        seen.add(sides)
        if not _holds(sides, expressions):
            wrong += 1
            continue
        operands = {abs(n) for e in expressions if e.operations for n in e.numbers}
        if known is not None and not operands <= known:
            loose += 1
            continue
        right += 1
        if known is not None:
            known |= {abs(e.value) for e in expressions if e.value is not None}
    return StepCount(right, wrong, loose)


def equations(text: str) -> Iterator[tuple[str, ...]]:
    """The sides of each equation of numbers in a text, spaces removed, in order; at most ``MAX_EQUATIONS``."""
    count = 0
    for run in _RUN.findall(_ITEM.sub("", _THOUSANDS.sub("", text))):
        if "=" not in run:
            continue
        for statement in _BREAK.split(run):
            sides = tuple("".join(side.split()) for side in statement.split("="))
            if 2 <= len(sides) <= _MAX_SIDES and all(sides):
                yield sides
                count += 1
                if count == MAX_EQUATIONS:
                    return


def _read(side: str) -> Expression | None:
    try:
        return parse_expression(side)
    except ExpressionError:
        return None


def _holds(sides: tuple[str, ...], expressions: list[Expression]) -> bool:
    """Whether all sides are the same number, the last one up to its rounding."""
    first, last = expressions[0].value, expressions[-1].value
    if first is None or last is None or any(e.value != first for e in expressions[:-1]):
        return False
    decimal = _DECIMAL.fullmatch(sides[-1])
    slack = Fraction(1, 2 * 10 ** len(decimal[1])) if decimal else Fraction(0)
    return abs(first - last) <= slack
