"""BracketCompletion: gaps filled with brackets so that all are balanced, or the statement that they cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, level
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["BracketCompletion", "BracketCompletionVerifier"]

IMPOSSIBLE_SHARE = 0.2
CLOSING = {"(": ")", "[": "]", "{": "}"}
GAP = "_"


@register_verifier("bracket_completion")
class BracketCompletionVerifier(RuleVerifier[str]):
    """Any balanced row of brackets that agrees with the given one; "impossible" only if there is none."""

    impossible = "impossible"

    def read(self, answer: str, task: Task) -> str | None:
        """Brackets, with or without white space."""
        text = "".join(answer.replace("`", "").replace("\\", "").split())
        return text if text and set(text) <= set("()[]{}") else None

    def fault(self, value: str, task: Task) -> str | None:
        """The first rule that is broken."""
        given = task.answer["pattern"]
        if len(value) != len(given) or any(g not in (GAP, v) for g, v in zip(given, value, strict=True)):
            return "it does not agree with what is given"
        stack: list[str] = []
        for bracket in value:
            if bracket in CLOSING:
                stack.append(CLOSING[bracket])
            elif not stack or stack.pop() != bracket:
                return "it is not balanced"
        return "it is not balanced" if stack else None


@register("rlvr/BracketCompletion-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class BracketCompletion(Problem):
    """Fill the gaps in a row of brackets so that they are balanced; every way counts.

    Difficulty 1 has 6 places and 10 has 42, two of five of them gaps; one task of five cannot be filled. The hardness
    is the number of places plus the number of gaps.
    """

    verifier: ClassVar[str] = "bracket_completion"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Makes gaps in a balanced row; for no way, changes brackets until none is left."""
        half = level(difficulty, 3, 21)
        wanted = rng.random() >= IMPOSSIBLE_SHARE
        row = _balanced(rng, half)
        while True:
            hidden = rng.permutation(2 * half)[: max(2, half * 4 // 5)].tolist()
            pattern = list(row)
            for place in hidden:
                pattern[place] = GAP
            if not wanted:
                places, kinds = rng.integers(2 * half, size=2).tolist(), rng.integers(6, size=2).tolist()
                for place, kind in zip(places, kinds, strict=True):
                    pattern[place] = "()[]{}"[kind]
            ends = _stretches(pattern)
            if (ends[0] >> 2 * half & 1) == wanted:
                break
        given = "".join(pattern)
        reference, lines = _fill(given, ends) if wanted else (None, _refute(ends))
        return Task(
            prompt=ask(
                f"Replace every _ by one of the brackets ( ) [ ] {{ }} so that all brackets are balanced:\n\n{given}\n",
                "the whole row of brackets, or the word impossible if it cannot be done,",
                "([" + "])" * half,
            ),
            answer={"pattern": given, "reference": reference},
            metadata={"places": 2 * half, "hardness": 2 * half + given.count(GAP)},
            solution="\n".join([*lines, f"So: {reference or BracketCompletionVerifier.impossible}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The way that pairs every bracket with the nearest possible one."""
        return task.answer["reference"] or BracketCompletionVerifier.impossible


def _balanced(rng: np.random.Generator, pairs: int) -> list[str]:
    row: list[str] = []
    stack: list[str] = []
    draws = rng.random((2 * pairs, 2)).tolist()
    for place, (kind, opens) in enumerate(draws):
        left = 2 * pairs - place
        if stack and (len(stack) == left or opens < 0.5):
            row.append(stack.pop())
        else:
            row.append("([{"[int(kind * 3)])
            stack.append(CLOSING[row[-1]])
    return row


def _fits(opening: str, closing: str) -> bool:
    if opening == GAP:
        return closing not in CLOSING
    return opening in CLOSING and closing in (GAP, CLOSING[opening])


def _stretches(pattern: list[str]) -> list[int]:
    """For each place, the places before which a balanced stretch from there can end, as bits of an int."""
    size = len(pattern)
    ends = [0] * size + [1 << size]
    for start in range(size - 1, -1, -1):
        ends[start] = 1 << start
        for partner in range(start + 1, size, 2):
            if ends[start + 1] >> partner & 1 and _fits(pattern[start], pattern[partner]):
                ends[start] |= ends[partner + 1]
    return ends


def _fill(pattern: str, ends: list[int]) -> tuple[str, list[str]]:
    row = list(pattern)
    lines: list[str] = []
    open_stretches = [(0, len(row))]
    while open_stretches:
        start, end = open_stretches.pop()
        if start == end:
            continue
        partner = next(
            p
            for p in range(start + 1, end, 2)
            if ends[start + 1] >> p & 1 and _fits(row[start], row[p]) and ends[p + 1] >> end & 1
        )
        closing = dict(zip(CLOSING.values(), CLOSING, strict=True)).get(row[partner], "(")
        row[start] = closing if row[start] == GAP else row[start]
        row[partner] = CLOSING[row[start]]
        lines.append(f"Place {start + 1} pairs with {partner + 1}: {row[start]}{row[partner]}.")
        open_stretches += [(partner + 1, end), (start + 1, partner)]
    return "".join(row), lines


def _refute(ends: list[int]) -> list[str]:
    lines = []
    for start in range(len(ends) - 2, -1, -1):
        found = [str(end) for end in range(start + 2, len(ends)) if ends[start] >> end & 1]
        if found:
            lines.append(f"A balanced stretch from place {start + 1} can end at {', '.join(found)}.")
    return [*lines, f"None goes from place 1 to {len(ends) - 1}."]
