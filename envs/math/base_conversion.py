"""Whole numbers from one base into another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, pick
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.answers import ParsedVerifier, tidy

__all__ = ["BaseConversion", "NumeralVerifier", "numeral"]

DIGITS = "0123456789abcdef"
_PREFIXES = {2: "0b", 8: "0o", 16: "0x"}


def numeral(value: int, base: int) -> str:
    """A positive number in a base from 2 to 16, lower-case digits."""
    digits = ""
    while value:
        value, digit = divmod(value, base)
        digits = DIGITS[digit] + digits
    return digits or "0"


@register_verifier("numeral")
class NumeralVerifier(ParsedVerifier[str]):
    """``task.answer`` is ``{"digits", "base"}``; case, leading zeros, ``0x`` and a subscript base are free."""

    def read(self, answer: str, task: Task) -> str | None:
        """The digits."""
        base = int(task.answer["base"])
        text = re.sub(r"[ _]", "", (tidy(answer) or "").lower())
        text = re.sub(r"\{(\d+)\}$", r"\1", text) if text.endswith("}") else text
        digits = str(task.answer["digits"])
        text = text.removeprefix(_PREFIXES.get(base, ""))
        if "_" in answer and text.endswith(str(base)) and len(text) > len(digits):
            text = text.removesuffix(str(base))
        return text.lstrip("0") if text and set(text) <= set(DIGITS[:base]) else None

    def holds(self, value: str, task: Task) -> bool:
        """The same digits."""
        return value == str(task.answer["digits"])


@register("rlvr/BaseConversion-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class BaseConversion(Problem):
    """Write a whole number in another base.

    Difficulty d gives numbers of about 5 to 30 bits; one of the bases is ten up to difficulty 4.
    """

    verifier: ClassVar[str] = "numeral"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws two bases and a number above both, so that the digits have to change."""
        bits = level(difficulty, 5, 30)
        value = integer(rng, 2 ** (bits - 1) + 2, 2 ** (bits + 1))
        if difficulty <= 4:
            other = pick(rng, (2, 3, 5, 8, 16)[: 2 + difficulty])
            source, target = (10, other) if rng.random() < 0.5 else (other, 10)
        else:
            source = integer(rng, 2, 16)
            target = (source - 2 + integer(rng, 1, 14)) % 15 + 2
        given, wanted = numeral(value, source), numeral(value, target)
        return Task(
            prompt=ask(
                f"The numeral {given} is written in base {source}. Write the same number in base {target}"
                f"{' (digits above 9 are the letters a to f)' if target > 10 else ''}.",
                "only the digits",
                "1201" if target > 2 else "10",
                "2110",
                answer=wanted,
            ),
            answer={"digits": wanted, "base": target},
            metadata={"source": source, "target": target, "hardness": len(given) + len(wanted) + bits},
            solution="\n".join(_work(given, source, target, value)),
        )

    def answer_text(self, task: Task) -> str:
        """The digits."""
        digits: Any = task.answer["digits"]
        return str(digits)


def _work(given: str, source: int, target: int, value: int) -> list[str]:
    steps, total = [], 0
    if source != 10:
        for digit in given:
            before, total = total, total * source + int(digit, 16)
            steps.append(f"{before} * {source} + {int(digit, 16)} = {total}")
    if target != 10:
        rest = value
        while rest:
            steps.append(
                f"{rest} = {rest // target} * {target} + {rest % target}, digit {DIGITS[rest % target]}"
            )
            rest //= target
        steps.append(f"The digits from last to first: {numeral(value, target)}")
    return steps
