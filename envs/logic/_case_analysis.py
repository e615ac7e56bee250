"""Claims about knights and knaves: truth tables as bit sets, wording, and the case analysis that solves a puzzle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from rlvr_gym.verifiers.knights import Claim

__all__ = ["Analysis", "CaseAnalysis", "phrase", "solutions", "truth_table", "world_sets"]


@lru_cache(maxsize=16)
def world_sets(people: int) -> tuple[int, tuple[int, ...]]:
    """All assignments ("worlds") as a bit set of ``2**people`` bits, and those in which each person is a knight.

    World ``w`` is bit ``w``; person ``i`` is a knight in it if bit ``i`` of the number ``w`` is set.
    """
    worlds = range(2**people)
    return (1 << 2**people) - 1, tuple(sum(1 << w for w in worlds if w >> i & 1) for i in range(people))


def truth_table(claim: Claim, people: int) -> int:
    """The worlds in which a claim is true, as a bit set."""
    everything, knights = world_sets(people)
    kind = claim[0]
    if kind == "knight":
        return knights[claim[1]]
    if kind == "knave":
        return everything ^ knights[claim[1]]
    first = truth_table(claim[1], people)
    if kind == "not":
        return everything ^ first
    second = truth_table(claim[2], people)
    if kind == "and":
        return first & second
    if kind == "or":
        return first | second
    if kind == "implies":
        return (everything ^ first) | second
    return everything ^ first ^ second  # iff


def solutions(tables: Sequence[int]) -> int:
    """The worlds in which everybody's claim is true exactly if its speaker is a knight; ``tables[i]`` is claim i."""
    everything, knights = world_sets(len(tables))
    fitting = everything
    for table, knight in zip(tables, knights, strict=True):
        fitting &= everything ^ table ^ knight
    return fitting


def phrase(claim: Claim, names: Sequence[str], speaker: int | None = None, nested: bool = False) -> str:
    """A claim in words; compound parts are bracketed, and the speaker says "I"."""
    kind = claim[0]
    if kind in ("knight", "knave"):
        return f"{'I am' if claim[1] == speaker else f'{names[claim[1]]} is'} a {kind}"
    parts = [phrase(part, names, speaker, nested=True) for part in claim[1:]]
    text = {
        "not": "it is not the case that {0}",
        "and": "{0} and {1}",
        "or": "{0} or {1}",
        "implies": "if {0}, then {1}",
        "iff": "{0} if and only if {1}",
    }[kind].format(*parts)
    return f"({text})" if nested else text


@dataclass(frozen=True, slots=True)
class Analysis:
    """A worked solution.

    Attributes:
        text: the reasoning, ending in the solution.
        steps: its number of sentences: cases opened and closed, claims used.
    """

    text: str
    steps: int


@dataclass(slots=True)
class _Case:
    """What holds under the suppositions made so far."""

    worlds: int
    known: dict[int, bool] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)

    def suppose(self, person: int, knight: bool, worlds: int) -> _Case:
        return _Case(self.worlds & worlds, {**self.known, person: knight}, set(self.used))


class CaseAnalysis:
    """Solves a puzzle as a person would: suppose, draw conclusions from what known people say, give up or go on."""

    def __init__(self, names: Sequence[str], claims: Sequence[Claim]) -> None:
        self._names = names
        self._claims = claims
        self._everything, self._knights = world_sets(len(names))
        self._tables = [truth_table(claim, len(names)) for claim in claims]
        self._sentences: list[str] = []
        self._steps = 0

    def shortest(self) -> Analysis:
        """The analysis with the fewest steps over the choices of whom to begin with."""
        return min(
            (self._from(person) for person in range(len(self._names))), key=lambda a: (a.steps, len(a.text))
        )

    def _from(self, first: int) -> Analysis:
        self._sentences, self._steps = [], 0
        order = [first, *(p for p in range(len(self._names)) if p != first)]
        found = self._explore(_Case(self._everything), order)
        if found is None:
            raise ValueError("The puzzle has no solution.")
        self._say(f"Everything fits: {self._roles(sorted(found.items()))}.")
        return Analysis(" ".join(self._sentences), self._steps)

    def _explore(self, case: _Case, order: list[int]) -> dict[int, bool] | None:
        """Everybody's role in the first world that fits, or None if the case is impossible."""
        while True:
            if not self._conclude(case):
                return None
            unknown = next((person for person in order if person not in case.known), None)
            if unknown is None:
                return case.known
            name, knights = self._names[unknown], self._knights[unknown]
            self._say(f"Suppose {name} is a knight.")
            found = self._explore(case.suppose(unknown, True, knights), order)
            if found is not None:
                return found
            self._say(f"So {name} is a knave.")
            case.known[unknown] = False
            case.worlds &= self._everything ^ knights

    def _conclude(self, case: _Case) -> bool:
        """Uses the claims of all known people, and of those who become known by that; False at a contradiction."""
        while (speaker := next((p for p in case.known if p not in case.used), None)) is not None:
            case.used.add(speaker)
            knight, table = case.known[speaker], self._tables[speaker]
            case.worlds &= table if knight else self._everything ^ table
            step = (
                f"{self._names[speaker]} is a {'knight, so it is true' if knight else 'knave, so it is false'} that "
                f"{phrase(self._claims[speaker], self._names)}"
            )
            if not case.worlds:
                self._say(f"{step}: a contradiction.")
                return False
            news = self._forced(case)
            case.known.update(news)
            self._say(f"{step}. So {self._roles(news)}." if news else f"{step}.")
        return True

    def _forced(self, case: _Case) -> list[tuple[int, bool]]:
        """The people who are the same in all worlds that are left, and were not known."""
        news = []
        for person, knights in enumerate(self._knights):
            if person not in case.known:
                as_knight = case.worlds & knights
                if as_knight in (0, case.worlds):
                    news.append((person, bool(as_knight)))
        return news

    def _roles(self, pairs: Iterable[tuple[int, bool]]) -> str:
        return ", ".join(
            f"{self._names[person]} is a {'knight' if knight else 'knave'}" for person, knight in pairs
        )

    def _say(self, sentence: str) -> None:
        self._sentences.append(sentence)
        self._steps += 1
