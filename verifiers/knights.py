"""Knights and knaves: any wording of an assignment that fits what everybody says.

A claim is plain JSON over the indices of the people: ``["knight", 0]``, ``["knave", 1]``, ``["not", claim]``,
``["and" | "or" | "implies" | "iff", claim, claim]``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier

__all__ = ["AssignmentError", "Claim", "KnightsVerifier", "holds", "parse_assignment"]

Claim = list[Any]

_ROLES = {"knight": True, "knights": True, "knave": False, "knaves": False}
_FILLERS = frozenset(
    (
        "is",
        "are",
        "a",
        "an",
        "the",
        "and",
        "both",
        "all",
        "so",
        "thus",
        "hence",
        "therefore",
        "none",
        "nobody",
    )
)
_HEDGES = frozenset(
    ("or", "either", "maybe", "perhaps", "possibly", "probably", "might", "could", "may", "unknown")
)
_LATEX = re.compile(r"\\(?:text|mathrm|textbf|mathbf|mbox)\b|\\[,;:! \\{}]|\\(?:quad|newline)\b")
_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*|\d+|\S")
_PUNCTUATION = frozenset(",;:.=->()[]{}\"'`*_|&#\u2192\u2013\u2014\u2022\u21d2\u201c\u201d\u2018\u2019")


class AssignmentError(Exception):
    """The text does not say plainly who is what.

    Attributes:
        reason: ``unparseable``, or ``ambiguous`` if it says several things about somebody.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def parse_assignment(text: str, names: Sequence[str]) -> dict[int, bool]:
    """Who is a knight (True) or a knave (False), by index; people who are not mentioned are not in it.

    Reads sentences (``Ann is a knight, Bob is not a knight``), lists, tables and JSON (``Ann: knight``), and
    groups (``Knights: Ann. Knaves: Bob and Cid.``). Every word has to be understood: what may be a hedge is one.

    Raises:
        AssignmentError: if something else is said, or two different things about one person.
    """
    words = _words(text, {name.casefold(): index for index, name in enumerate(names)})
    if not any(isinstance(word, bool) for word in words):
        raise AssignmentError(Reason.UNPARSEABLE, "neither knights nor knaves are mentioned")
    pairs = _grouped(words) if isinstance(words[0], bool) else _listed(words)
    assignment: dict[int, bool] = {}
    for person, knight in pairs:
        if assignment.setdefault(person, knight) != knight:
            raise AssignmentError(Reason.AMBIGUOUS, f"{names[person]} is said to be both")
    return assignment


def _words(text: str, people: dict[str, int]) -> list[int | bool | None]:
    """What matters: an int for a person, a bool for a role, None for "not"."""
    words: list[int | bool | None] = []
    for token in _TOKEN.findall(_LATEX.sub(" ", unicodedata.normalize("NFC", text)).casefold()):
        if token in people:
            words.append(people[token])
        elif token in _ROLES:
            words.append(_ROLES[token])
        elif token == "not":
            words.append(None)
        elif token in _HEDGES:
            raise AssignmentError(Reason.AMBIGUOUS, f"{token!r} leaves it open")
        elif (
            token not in _FILLERS and token not in _PUNCTUATION and not (token.isascii() and token.isdigit())
        ):
            raise AssignmentError(Reason.UNPARSEABLE, f"{token[:40]!r} is neither a person nor a role")
    return words


def _listed(words: list[int | bool | None]) -> list[tuple[int, bool]]:
    """``person+ not? role``, repeated."""
    pairs: list[tuple[int, bool]] = []
    waiting: list[int] = []
    negated = False
    for word in words:
        if isinstance(word, bool):
            if not waiting:
                raise AssignmentError(Reason.AMBIGUOUS, "a role stands without a person of its own")
            pairs += [(person, word != negated) for person in waiting]
            waiting, negated = [], False
        elif negated or (word is None and not waiting):
            raise AssignmentError(Reason.UNPARSEABLE, "'not' has to stand right before a role")
        elif word is None:
            negated = True
        else:
            waiting.append(word)
    if waiting:
        raise AssignmentError(Reason.UNPARSEABLE, "a person is left without a role")
    return pairs


def _grouped(words: list[int | bool | None]) -> list[tuple[int, bool]]:
    """``role person*``, repeated; each role at most once, as a heading."""
    pairs: list[tuple[int, bool]] = []
    headings = [word for word in words if isinstance(word, bool)]
    if None in words or len(headings) != len(set(headings)):
        raise AssignmentError(Reason.UNPARSEABLE, "a heading for knights and one for knaves are expected")
    role = True
    for word in words:
        if isinstance(word, bool):
            role = word
        elif word is not None:
            pairs.append((word, role))
    return pairs


def holds(claim: Claim, knights: Sequence[bool]) -> bool:
    """Whether a claim is true if ``knights[i]`` says who is a knight."""
    kind = claim[0]
    if kind == "knight":
        return knights[claim[1]]
    if kind == "knave":
        return not knights[claim[1]]
    first = holds(claim[1], knights)
    if kind == "not":
        return not first
    second = holds(claim[2], knights)
    if kind == "and":
        return first and second
    if kind == "or":
        return first or second
    if kind == "implies":
        return not first or second
    if kind == "iff":
        return first == second
    raise ValueError(f"There is no kind of claim {kind!r}.")


@register_verifier("knights")
class KnightsVerifier(AnswerVerifier):
    """Evaluates every claim under the answer: it must be true for knights and false for knaves.

    ``task.answer`` is ``{"names": [str], "claims": [claim]}``; person ``i`` makes claim ``i``.
    """

    def check(self, answer: str, task: Task) -> Verdict:
        """Right if everybody is mentioned and every claim fits."""
        names, claims = task.answer["names"], task.answer["claims"]
        shown = answer[:500]
        try:
            assignment = parse_assignment(answer, names)
        except AssignmentError as error:
            return Verdict.wrong(error.reason, shown, message=str(error))
        missing = [name for index, name in enumerate(names) if index not in assignment]
        if missing:
            return Verdict.wrong(extracted=shown, missing=missing)
        knights = [assignment[index] for index in range(len(names))]
        broken = [
            n
            for n, knight, claim in zip(names, knights, claims, strict=True)
            if holds(claim, knights) != knight
        ]
        return Verdict.wrong(extracted=shown, contradicted=broken) if broken else Verdict.right(shown)
