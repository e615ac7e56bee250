"""Judging plans: moves that are made one after the other, from a given position, by the rules of a puzzle.

A plan is judged by what it does and never by comparison with a reference. Reading is total, bounded and linear: it
forgives how moves are separated, numbered, quoted and fenced, and nothing that could be a move.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from rlvr_gym.task import Task
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = [
    "Illegal",
    "MoveRules",
    "PlanVerifier",
    "find_moves",
    "parse_cells",
    "parse_directions",
]

MAX_CHARS = 6_000
"""A longer plan is not read: the longest reference has a tenth of that."""

P = TypeVar("P")
"""A position: an immutable value that holds all there is to know, the goal included."""
M = TypeVar("M")
"""A move."""

_SEPARATORS = re.compile(r"(?:[\s,;|()\[\]{}\"'`*]|->|=>|\u2192|\bthen\b|\band\b)*", re.IGNORECASE)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[\w-]*[ \t]*$", re.MULTILINE)
_LABEL = re.compile(r"\s*(?:the )?(?:moves?|plan|solution|presses)\s?[:=]", re.IGNORECASE)
_NUMBERED = re.compile(r"\s*(?:(?:move|step)\s)?(\d{1,3})[.):]\s+(\S.*)", re.IGNORECASE)
_BULLET = re.compile(r"^[ \t]*[-*+\u2022][ \t]+", re.MULTILINE)
_STEP = re.compile(r"up|down|left|right|[udlr]{1,400}(?![a-z])", re.IGNORECASE)
_STEPS = {"up": "U", "down": "D", "left": "L", "right": "R"}
_ARROWS = {0x2190: " left ", 0x2191: " up ", 0x2192: " right ", 0x2193: " down "}
_LETTER = re.compile(r"[A-Za-z]")
_CELL = re.compile(
    r"[(\[]\s{0,3}(\d{1,2})\s{0,3},\s{0,3}(\d{1,2})\s{0,3}[)\]]|(?<![\d.-])(\d{1,2})\s{0,3},\s{0,3}(\d{1,2})(?![\d.])"
    r"|r(?:ow)?\s{0,3}(\d{1,2})\s{0,3},?\s{0,3}c(?:ol(?:umn)?)?\s{0,3}(\d{1,2})(?!\d)",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Illegal:
    """What becomes of a move that cannot be made.

    Attributes:
        why: a clause for people, such as "a wall is in the way".
    """

    why: str


class MoveRules(ABC, Generic[P, M]):
    """A puzzle for one player, without randomness."""

    @abstractmethod
    def position(self, board: Mapping[str, Any]) -> P:
        """The first position of a task, out of the JSON that describes it."""

    @abstractmethod
    def parse(self, text: str) -> list[M] | None:
        """The moves that a text of any kind names, in order; None if it is anything else than moves."""

    @abstractmethod
    def make(self, position: P, move: M) -> P | Illegal:
        """The position after a move."""

    @abstractmethod
    def solved(self, position: P) -> bool:
        """Whether the goal is reached."""

    def lost(self, position: P) -> bool:
        """Whether the game is over and not won."""
        return False


class PlanVerifier(RuleVerifier[list[M]]):
    """Any legal plan within the limit after whose last move the puzzle is solved.

    ``task.answer`` is what :meth:`MoveRules.position` reads, with ``"limit"``, the most moves that are allowed, and
    ``"reference"``.
    """

    rules: ClassVar[MoveRules[Any, Any]]

    def read(self, answer: str, task: Task) -> list[M] | None:
        """The moves in their order."""
        return self.rules.parse(answer)

    def fault(self, value: list[M], task: Task) -> str | None:
        """The first move that cannot be made, or what else is wrong."""
        if len(value) > task.answer["limit"]:
            return f"it has more than {task.answer['limit']} moves"
        position = self.rules.position(task.answer)
        for number, move in enumerate(value, 1):
            after = self.rules.make(position, move)
            if isinstance(after, Illegal):
                return f"move {number}: {after.why}"
            position = after
        return None if self.rules.solved(position) else "it does not reach the goal"


def find_moves(text: str, pattern: re.Pattern[str]) -> list[re.Match[str]] | None:
    """All matches in order, if there are any and nothing but separators stands around and between them.

    Args:
        text: moves with commas, arrows, brackets, quotes, bullets, in code fences, or as a numbered list.
        pattern: one move, or a run of moves; matches whose letters or digits touch are not read.
    """
    text = _body(text)
    found: list[re.Match[str]] = []
    position = 0
    for match in pattern.finditer(text):
        start = match.start()
        touching = start == position and start > 0 and (text[start - 1] + text[start]).isalnum()
        if touching or _separators_end(text, position) < start:
            return None
        found.append(match)
        position = match.end()
    return found if found and _separators_end(text, position) == len(text) else None


def _body(text: str) -> str:
    """The moves without what may stand around all of them; nothing, if the text is too long."""
    if len(text) > MAX_CHARS:
        return ""
    text = _BULLET.sub("", _FENCE.sub("", text))
    label = _LABEL.match(text)
    return _unnumbered(text[label.end() :] if label else text).rstrip().removesuffix(".")


def _separators_end(text: str, start: int) -> int:
    match = _SEPARATORS.match(text, start)
    return match.end() if match else start


def _unnumbered(text: str) -> str:
    """A list ``1. ...``, ``2. ...`` without its numbers, if they go up from 1 by ones."""
    lines = [line for line in text.splitlines() if line.strip()]
    items = [_NUMBERED.fullmatch(line) for line in lines]
    numbered = [item for item in items if item is not None and int(item[1]) <= len(lines)]
    if not lines or [int(item[1]) for item in numbered] != list(range(1, len(lines) + 1)):
        return text
    return "\n".join(item[2] for item in numbered)


def parse_directions(text: str) -> list[str] | None:
    """Steps as letters: ``RRD``, ``r, r, d``, ``right -> right -> down`` or arrows; or None."""
    text = _body(text)
    if not _LETTER.search(text):  # between letters, arrows are separators
        text = text.translate(_ARROWS)
    words = [match.group() for match in find_moves(text, _STEP) or []]
    return list("".join(_STEPS.get(word.lower(), word.upper()) for word in words)) or None


def parse_cells(text: str) -> list[tuple[int, int]] | None:
    """Cells (row, column), both from 0, of a text that counts from 1: ``(1, 2), (3, 1)``, ``r1c2``, ``1,2; 3,1``.

    None if anything else is said, or if pairs without brackets are separated as their numbers are.
    """
    found = find_moves(text, _CELL)
    cells = []
    for match in found or []:
        row, column = (int(part) - 1 for part in match.groups() if part is not None)
        cells.append((row, column))
    return cells or None
