"""Knights and knaves: any wording of an assignment that fits what everybody says.

A claim is plain JSON over the indices of the people: ``["knight", 0]``, ``["knave", 1]``, ``["spy", 2]``,
``["waverer", 3]``, ``["not", claim]``, ``["and" | "or" | "implies" | "iff", claim, claim]``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier

__all__ = [
    "ROLES",
    "AssignmentError",
    "Claim",
    "KnightsVerifier",
    "RolesVerifier",
    "holds",
    "holds_among",
    "parse_assignment",
    "parse_roles",
    "speaks_as",
]

Claim = list[Any]

ROLES = ("knight", "knave", "spy", "waverer")
"""Who only says what is true, only what is false, anything, or one true and one false thing."""
_PLURALS = {"spy": "spies"}
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
    return {person: role == "knight" for person, role in parse_roles(text, names).items()}


def parse_roles(
    text: str, names: Sequence[str], roles: Sequence[str] = ("knight", "knave")
) -> dict[int, str]:
    """Who is what, by index, in any form that :func:`parse_assignment` reads.

    With more than two ``roles``, ``not a knight`` leaves open what somebody is, and is not read.

    Raises:
        AssignmentError: if something else is said, or two different things about one person.
    """
    words = _words(text, {name.casefold(): index for index, name in enumerate(names)}, roles)
    if not any(isinstance(word, str) for word in words):
        told = f"{', '.join(_PLURALS.get(role, role + 's') for role in roles)}"
        raise AssignmentError(Reason.UNPARSEABLE, f"none of these is mentioned: {told}")
    pairs = _grouped(words) if isinstance(words[0], str) else _listed(words, roles)
    assignment: dict[int, str] = {}
    for person, role in pairs:
        if assignment.setdefault(person, role) != role:
            raise AssignmentError(Reason.AMBIGUOUS, f"{names[person]} is said to be both")
    return assignment


def _words(text: str, people: dict[str, int], roles: Sequence[str]) -> list[int | str | None]:
    """What matters: an int for a person, a role, None for "not"."""
    spelled = {form: role for role in roles for form in (role, _PLURALS.get(role, role + "s"))}
    words: list[int | str | None] = []
    for token in _TOKEN.findall(_LATEX.sub(" ", unicodedata.normalize("NFC", text)).casefold()):
        if token in people:
            words.append(people[token])
        elif token in spelled:
            words.append(spelled[token])
        elif token == "not":
            words.append(None)
        elif token in _HEDGES:
            raise AssignmentError(Reason.AMBIGUOUS, f"{token!r} leaves it open")
        elif (
            token not in _FILLERS and token not in _PUNCTUATION and not (token.isascii() and token.isdigit())
        ):
            raise AssignmentError(Reason.UNPARSEABLE, f"{token[:40]!r} is neither a person nor a role")
    return words


def _listed(words: list[int | str | None], roles: Sequence[str]) -> list[tuple[int, str]]:
    """``person+ not? role``, repeated."""
    pairs: list[tuple[int, str]] = []
    waiting: list[int] = []
    negated = False
    for word in words:
        if isinstance(word, str):
            if not waiting:
                raise AssignmentError(Reason.AMBIGUOUS, "a role stands without a person of its own")
            if negated:
                word = roles[1 - roles.index(word)]
            pairs += [(person, word) for person in waiting]
            waiting, negated = [], False
        elif negated or (word is None and not waiting):
            raise AssignmentError(Reason.UNPARSEABLE, "'not' has to stand right before a role")
        elif word is None:
            if len(roles) > 2:
                raise AssignmentError(Reason.AMBIGUOUS, "'not' leaves open what somebody is")
            negated = True
        else:
            waiting.append(word)
    if waiting:
        raise AssignmentError(Reason.UNPARSEABLE, "a person is left without a role")
    return pairs


def _grouped(words: list[int | str | None]) -> list[tuple[int, str]]:
    """``role person*``, repeated; each role at most once, as a heading."""
    pairs: list[tuple[int, str]] = []
    headings = [word for word in words if isinstance(word, str)]
    if None in words or len(headings) != len(set(headings)):
        raise AssignmentError(Reason.UNPARSEABLE, "one heading for each role is expected")
    role = headings[0]
    for word in words:
        if isinstance(word, str):
            role = word
        elif word is not None:
            pairs.append((word, role))
    return pairs


def holds(claim: Claim, knights: Sequence[bool]) -> bool:
    """Whether a claim is true if ``knights[i]`` says who is a knight, and all others are knaves."""
    return holds_among(claim, ["knight" if knight else "knave" for knight in knights])


def holds_among(claim: Claim, roles: Sequence[str]) -> bool:
    """Whether a claim is true if ``roles[i]`` says what person ``i`` is."""
    kind = claim[0]
    if kind in ROLES:
        return bool(roles[claim[1]] == kind)
    first = holds_among(claim[1], roles)
    if kind == "not":
        return not first
    second = holds_among(claim[2], roles)
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


@register_verifier("knights_and_spies")
class RolesVerifier(AnswerVerifier):
    """Evaluates all statements under the answer, and counts the spies and waverers.

    ``task.answer`` is ``{"names": [str], "statements": [[claim]], "counts": {role: int}}``; person ``i`` makes
    ``statements[i]``, and ``counts`` holds the roles of which the number is known.
    """

    def check(self, answer: str, task: Task) -> Verdict:
        """Right if everybody is mentioned, the numbers are right, and everybody speaks as they do."""
        names, counts = task.answer["names"], task.answer["counts"]
        shown = answer[:500]
        try:
            found = parse_roles(answer, names, ["knight", "knave", *counts])
        except AssignmentError as error:
            return Verdict.wrong(error.reason, shown, message=str(error))
        missing = [name for index, name in enumerate(names) if index not in found]
        if missing:
            return Verdict.wrong(extracted=shown, missing=missing)
        roles = [found[index] for index in range(len(names))]
        if any(roles.count(role) != count for role, count in counts.items()):
            return Verdict.wrong(Reason.RULE_BROKEN, shown, message="the number of a role is another")
        broken = [
            name
            for name, role, claims in zip(names, roles, task.answer["statements"], strict=True)
            if not speaks_as(role, [holds_among(claim, roles) for claim in claims])
        ]
        return Verdict.wrong(extracted=shown, contradicted=broken) if broken else Verdict.right(shown)


def speaks_as(role: str, truths: Sequence[bool]) -> bool:
    """Whether somebody of this role makes statements with these truth values."""
    return {
        "knight": all(truths),
        "knave": not any(truths),
        "waverer": sum(truths) == 1,
        "spy": True,
    }[role]
