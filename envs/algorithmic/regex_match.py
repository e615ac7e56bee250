"""RegexMatch: a string of a given length that matches a pattern, or the statement that there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, pick, shuffled
from rlvr_gym.envs.algorithmic._reading import plain_text
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier

__all__ = ["RegexMatch", "RegexMatchVerifier"]

IMPOSSIBLE_SHARE = 0.2
LETTERS = "abcd"
REPEATS = {"": (1, 1), "?": (0, 1), "*": (0, None), "+": (1, None), "{2}": (2, 2), "{2,3}": (2, 3)}


class _Piece(NamedTuple):
    """Alternatives, of which some are taken one after the other."""

    options: tuple[str, ...]
    repeat: str

    def __str__(self) -> str:
        if all(len(option) == 1 for option in self.options):
            body = self.options[0] if len(self.options) == 1 else f"[{''.join(self.options)}]"
        else:
            body = f"({'|'.join(self.options)})"
        return body + self.repeat


def _ends(piece: _Piece, text: str, starts: set[int]) -> set[int]:
    """Where the piece can end in ``text``; sets of places, so that no text takes more than quadratic time."""
    least, most = REPEATS[piece.repeat]
    ends = set(starts) if least == 0 else set()
    current, seen, count = set(starts), set(starts), 0
    while current and (most is None or count < most):
        current = {at + len(o) for at in current for o in piece.options if text.startswith(o, at)}
        count += 1
        if count >= least:
            ends |= current
        if most is None and count >= least:
            current -= seen
            seen |= current
    return ends


@register_verifier("regex_match")
class RegexMatchVerifier(RuleVerifier[str]):
    """Any string of the right length that the whole pattern matches; "impossible" only if there is none."""

    impossible = "impossible"

    def read(self, answer: str, task: Task) -> str | None:
        """Letters, perhaps in quotes."""
        text = plain_text(answer).lower()
        return text if text and len(text) < 100 and set(text) <= set(LETTERS) else None

    def fault(self, value: str, task: Task) -> str | None:
        """The first rule that is broken."""
        if len(value) != task.answer["length"]:
            return f"it has {len(value)} letters"
        places = {0}
        for options, repeat in task.answer["pieces"]:
            places = _ends(_Piece(tuple(options), repeat), value, places)
        return None if len(value) in places else "it does not match"


@register("rlvr/RegexMatch-v0", family="algorithmic")
@dataclass(frozen=True, kw_only=True)
class RegexMatch(Problem):
    """Find a string of a given length that matches a regular expression; every such string counts.

    Difficulty 1 has patterns of 2 pieces and 10 of 11; in one task of five no match has the length. The hardness is
    the number of pieces plus the length.
    """

    verifier: ClassVar[str] = "regex_match"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws patterns until lengths of both kinds exist, and one of them."""
        count = level(difficulty, 2, 11)
        wanted = rng.random() >= IMPOSSIBLE_SHARE
        while True:
            pieces = [_draw(rng) for _ in range(count)]
            tables = _lengths(pieces, 4 * count)
            least = min(tables[-1])
            possible = [n for n in range(max(2, least - 2), least + count + 3) if (n in tables[-1]) == wanted]
            if possible and any(len(piece.options) > 1 for piece in pieces):
                break
        length = pick(rng, possible)
        pattern = "".join(map(str, pieces))
        reference, lines = _build(pieces, tables, length) if wanted else (None, [])
        shown = [str(n) for n in sorted(tables[-1]) if n <= length + 3]
        lines.append(f"Lengths of matches: {', '.join(shown) or f'{least} or more'}; {length} is wanted.")
        return Task(
            prompt=ask(
                f"Find a string of exactly {length} letters that the whole of this regular expression matches:\n\n"
                f"{pattern}\n\nHere [ab] is one of the letters, (ab|c) one of the alternatives, ? means at most once, * any "
                f"number of times, + at least once, {{2}} twice, {{2,3}} two or three times.",
                "the string, or the word impossible if there is none,",
                "xyzzy",
            ),
            answer={
                "pieces": [[list(piece.options), piece.repeat] for piece in pieces],
                "length": length,
                "reference": reference,
            },
            metadata={"pieces": count, "length": length, "hardness": count + length},
            solution="\n".join([*lines, f"So: {reference or RegexMatchVerifier.impossible}"]),
        )

    def answer_text(self, task: Task) -> str:
        """The string that was built."""
        return task.answer["reference"] or RegexMatchVerifier.impossible


def _draw(rng: np.random.Generator) -> _Piece:
    letters = shuffled(rng, LETTERS)
    kind = integer(rng, 0, 3)
    options: tuple[str, ...]
    if kind == 0:
        options = (letters[0],)
    elif kind == 1:
        options = tuple(sorted(letters[: integer(rng, 2, 3)]))
    else:
        options = (letters[0] + pick(rng, LETTERS), letters[1] + (pick(rng, LETTERS) if kind == 2 else ""))
    return _Piece(options, pick(rng, ["", *REPEATS]))


def _step(piece: _Piece, lengths: set[int], limit: int) -> set[int]:
    """The lengths after a piece, if these are the ones before it."""
    least, most = REPEATS[piece.repeat]
    sizes = {len(option) for option in piece.options}
    found: set[int] = set()
    current = lengths
    for count in range((limit if most is None else most) + 1):
        if count >= least:
            if current <= found:
                break
            found |= current
        current = {n + size for n in current for size in sizes if n + size <= limit}
    return found


def _lengths(pieces: Sequence[_Piece], limit: int) -> list[set[int]]:
    """The possible lengths of matches of the first pieces, for each number of pieces, as far as ``limit``."""
    tables = [{0}]
    for piece in pieces:
        tables.append(_step(piece, tables[-1], limit))
    return tables


def _build(pieces: Sequence[_Piece], tables: Sequence[set[int]], length: int) -> tuple[str, list[str]]:
    """A match of the length: from the last piece to the first, each as short as possible."""
    text, left = "", length
    lines = []
    for piece, before in zip(reversed(pieces), reversed(tables[:-1]), strict=True):
        part = next(part for part in _parts(piece, left) if left - len(part) in before)
        lines.append(f"{piece} matches {part or 'nothing'}.")
        text, left = part + text, left - len(part)
    return text, lines[::-1]


def _parts(piece: _Piece, limit: int) -> list[str]:
    """One match of the piece for every length up to ``limit``, the shortest first."""
    least, most = REPEATS[piece.repeat]
    found: dict[int, str] = {}
    current = {0: ""}
    for count in range((limit + 1 if most is None else most) + 1):
        if count >= least:
            found = {**current, **found}
        current = {
            n + len(option): part + option
            for n, part in current.items()
            for option in reversed(piece.options)
            if n + len(option) <= limit
        }
    return [found[n] for n in sorted(found)]
