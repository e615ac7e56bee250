"""EditDistance: the fewest edits from one word to another, as a script that is applied."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, pick
from rlvr_gym.envs.algorithmic._reading import scan
from rlvr_gym.envs.algorithmic._words import ALPHABET, invented_word
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["EditDistance", "EditScriptVerifier"]

_EDIT = re.compile(
    r"insert\s{1,3}['\"`]?(?P<new>[a-z])['\"`]?\s{1,3}at\s{1,3}(?:position\s{1,3})?(?P<insert>\d{1,3})\b"
    r"|delete\s{1,3}(?:at\s{1,3})?(?:position\s{1,3})?(?P<delete>\d{1,3})\b"
    r"|replace\s{1,3}(?:at\s{1,3})?(?:position\s{1,3})?(?P<replace>\d{1,3})\s{1,3}(?:with|by)\s{1,3}['\"`]?(?P<by>[a-z])\b",
    re.ASCII | re.IGNORECASE,
)


class Edit(NamedTuple):
    """One edit at a place counted from 1; ``letter`` is empty for a deletion."""

    kind: str
    place: int
    letter: str = ""

    def __str__(self) -> str:
        if self.kind == "insert":
            return f"insert {self.letter} at {self.place}"
        return f"delete {self.place}" if self.kind == "delete" else f"replace {self.place} with {self.letter}"


def _apply(word: str, edit: Edit) -> str | None:
    """The word after the edit; None if there is no such place."""
    if not 1 <= edit.place <= len(word) + (edit.kind == "insert"):
        return None
    return word[: edit.place - 1] + edit.letter + word[edit.place - (edit.kind == "insert") :]


@register_verifier("edit_script")
class EditScriptVerifier(RuleVerifier[list[Edit]]):
    """Any script of the least length that turns one word into the other."""

    def read(self, answer: str, task: Task) -> list[Edit] | None:
        """Edits in order."""
        edits = []
        for match in scan(answer, _EDIT) or []:
            kind = str(match.lastgroup) if match["replace"] is None else "replace"
            edits.append(Edit(kind, int(match[kind]), (match["new"] or match["by"] or "").lower()))
        return edits or None

    def fault(self, value: list[Edit], task: Task) -> str | None:
        """The first rule that is broken."""
        word: str | None = task.answer["first"]
        for edit in value:
            word = _apply(word or "", edit)
            if word is None:
                return f"there is no place {edit.place}"
        if word != task.answer["second"]:
            return f"it leads to {word}"
        return None if len(value) == task.answer["distance"] else "fewer edits are enough"


@register("rlvr/EditDistance-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class EditDistance(Problem):
    """Turn one word into another by the fewest insertions, deletions and replacements; every shortest script counts.

    Difficulty 1 has words of about 4 letters and 10 of about 13, up to half of them changed. The hardness is the
    edit distance times the length of the first word.
    """

    verifier: ClassVar[str] = "edit_script"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Edits an invented word at random."""
        length, changes = level(difficulty, 4, 13), level(difficulty, 1, 7)
        second = first = invented_word(rng, length)
        while second == first:
            second = first
            for _ in range(changes):
                kind = pick(rng, ("insert", "delete", "replace"))
                place = integer(rng, 1, len(second) + (kind == "insert"))
                edit = Edit(kind, place, "" if kind == "delete" else pick(rng, ALPHABET))
                second = _apply(second, edit) or second
        table = _table(first, second)
        edits = _script(first, second, table)
        lines = [f"{' ' * 3}{' '.join(f'{letter:>2}' for letter in ' ' + second)}"]
        lines += [
            f"{x} {' '.join(f'{n:>2}' for n in row)}" for x, row in zip(" " + first, table, strict=True)
        ]
        word: str = first
        for edit in edits:
            word = _apply(word, edit) or word
            lines.append(f"{edit}: {word}")
        reference = "; ".join(map(str, edits))
        return Task(
            prompt=ask(
                f"Turn the word {first} into {second} by as few edits as possible. An edit inserts a letter, deletes "
                f"one, or replaces one. Edits are made one after the other; places count from 1 in the word as it is "
                f"then, and an inserted letter stands at the named place afterwards.",
                "the edits in order",
                f"insert a at {length + 9}; delete {length + 9}; replace {length + 8} with e",
            ),
            answer={"first": first, "second": second, "distance": len(edits), "reference": reference},
            metadata={"distance": len(edits), "hardness": len(edits) * len(first)},
            solution="\n".join([*lines, f"So: {reference}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The script that goes from right to left."""
        return str(task.answer["reference"])


def _table(first: str, second: str) -> list[list[int]]:
    """Row i, column j: the distance of the first i letters from the first j of the other word."""
    rows = [list(range(len(second) + 1))]
    for i, x in enumerate(first, 1):
        above, row = rows[-1], [i]
        for j, y in enumerate(second, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (x != y)))
        rows.append(row)
    return rows


def _script(first: str, second: str, table: list[list[int]]) -> list[Edit]:
    """Back through the table from the end, so that places to the left stay as they are."""
    i, j = len(first), len(second)
    edits: list[Edit] = []
    while i or j:
        if i and j and table[i][j] == table[i - 1][j - 1] + (first[i - 1] != second[j - 1]):
            if first[i - 1] != second[j - 1]:
                edits.append(Edit("replace", i, second[j - 1]))
            i, j = i - 1, j - 1
        elif i and table[i][j] == table[i - 1][j] + 1:
            edits.append(Edit("delete", i))
            i -= 1
        else:
            edits.append(Edit("insert", i + 1, second[j - 1]))
            j -= 1
    return edits
