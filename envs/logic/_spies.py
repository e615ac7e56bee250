"""Knights, knaves, spies and waverers: all worlds as bits, and the case analysis that solves a puzzle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from rlvr_gym.envs.logic._case_analysis import Analysis
from rlvr_gym.verifiers.knights import ROLES, Claim, speaks_as

__all__ = ["SpyAnalysis", "Worlds", "claim_text"]

_ARTICLE = {role: f"a {role}" for role in ROLES}


@dataclass(frozen=True)
class Worlds:
    """All ways to give roles to people, of which so many are spies and waverers.

    Attributes:
        people: how many there are.
        spies: how many of them.
        waverers: how many of them.
        worlds: the roles of each world; world ``w`` is bit ``w`` of every set.
        sets: for each person and role the worlds in which the person has it.
    """

    people: int
    spies: int
    waverers: int
    worlds: list[tuple[str, ...]] = field(init=False)
    sets: list[dict[str, int]] = field(init=False)

    def __post_init__(self) -> None:
        worlds = list(_role_rows(self.people, self.spies, self.waverers))
        sets = [
            {role: sum(1 << w for w, row in enumerate(worlds) if row[person] == role) for role in ROLES}
            for person in range(self.people)
        ]
        object.__setattr__(self, "worlds", worlds)
        object.__setattr__(self, "sets", sets)

    @property
    def everything(self) -> int:
        """All worlds."""
        return (1 << len(self.worlds)) - 1

    def table(self, claim: Claim) -> int:
        """The worlds in which a claim is true."""
        kind = claim[0]
        if kind in ROLES:
            return self.sets[claim[1]][kind]
        first = self.table(claim[1])
        if kind == "not":
            return self.everything ^ first
        second = self.table(claim[2])
        return {
            "and": first & second,
            "or": first | second,
            "implies": (self.everything ^ first) | second,
            "iff": self.everything ^ first ^ second,
        }[kind]

    def said_by(self, role: str, tables: Sequence[int]) -> int:
        """The worlds in which statements with these tables are such as somebody of this role makes."""
        fitting = 0
        for mask in range(1 << len(tables)):
            truths = [bool(mask >> i & 1) for i in range(len(tables))]
            if speaks_as(role, truths):
                world = self.everything
                for truth, table in zip(truths, tables, strict=True):
                    world &= table if truth else self.everything ^ table
                fitting |= world
        return fitting

    def fitting(self, tables: Sequence[Sequence[int]]) -> int:
        """The worlds in which everybody speaks as they do; ``tables[i]`` are those of person i's statements."""
        fits = self.everything
        for person, own in enumerate(tables):
            fits &= sum(self.sets[person][role] & self.said_by(role, own) for role in self.roles)
        return fits

    @property
    def roles(self) -> list[str]:
        """The roles that somebody may have."""
        return [role for role in ROLES if {"spy": self.spies, "waverer": self.waverers}.get(role, 1)]


@cache
def _role_rows(people: int, spies: int, waverers: int) -> list[tuple[str, ...]]:
    def rows(left: int, spies: int, waverers: int) -> Iterator[tuple[str, ...]]:
        if spies + waverers > left or min(spies, waverers) < 0:
            return
        if not left:
            yield ()
            return
        for role in ROLES:
            rest = rows(left - 1, spies - (role == "spy"), waverers - (role == "waverer"))
            yield from ((role, *row) for row in rest)

    return list(rows(people, spies, waverers))


def claim_text(claim: Claim, names: Sequence[str], speaker: int | None = None, nested: bool = False) -> str:
    """A claim in words; compound parts are bracketed, and the speaker says "I"."""
    kind = claim[0]
    if kind in ROLES:
        return f"{'I am' if claim[1] == speaker else f'{names[claim[1]]} is'} {_ARTICLE[kind]}"
    if kind == "not" and claim[1][0] in ROLES:
        role, person = claim[1]
        return f"{'I am' if person == speaker else f'{names[person]} is'} not {_ARTICLE[role]}"
    parts = [claim_text(part, names, speaker, nested=True) for part in claim[1:]]
    text = {
        "and": "{0} and {1}",
        "or": "{0} or {1}",
        "implies": "if {0}, then {1}",
        "iff": "{0} if and only if {1}",
    }[kind].format(*parts)
    return f"({text})" if nested else text


class SpyAnalysis:
    """Solves a puzzle as a person would: supposes what somebody is, looks at what follows, gives up or goes on.

    Args:
        worlds: the worlds.
        names: the people.
        statements: what each of them says; there must be a solution.
    """

    def __init__(self, worlds: Worlds, names: Sequence[str], statements: Sequence[Sequence[Claim]]) -> None:
        self._worlds, self._names = worlds, names
        tables = [[worlds.table(claim) for claim in claims] for claims in statements]
        self._speaking = [
            {role: worlds.sets[person][role] & worlds.said_by(role, own) for role in worlds.roles}
            for person, own in enumerate(tables)
        ]
        self._lines: list[str] = []

    def shortest(self) -> Analysis:
        """The analysis with the fewest steps over the choices of whom to begin with."""
        return min(
            (self._from(person) for person in range(len(self._names))), key=lambda a: (a.steps, a.text)
        )

    def _from(self, first: int) -> Analysis:
        self._lines = []
        order = [first, *(p for p in range(len(self._names)) if p != first)]
        world = self._explore(self._worlds.everything, frozenset(), order)
        if world is None:
            raise ValueError("The puzzle has no solution.")
        told = ", ".join(
            f"{name} is {_ARTICLE[role]}"
            for name, role in zip(self._names, self._worlds.worlds[world], strict=True)
        )
        return Analysis("\n".join([*self._lines, f"Everything fits: {told}."]), len(self._lines) + 1)

    def _explore(self, left: int, known: frozenset[int], order: Sequence[int]) -> int | None:
        """The number of the first world that fits, or None if there is none among those left."""
        unknown = next((person for person in order if person not in known), None)
        if unknown is None:
            return left.bit_length() - 1
        name, depth = self._names[unknown], "  " * len(known)
        possible = [role for role in self._worlds.roles if left & self._worlds.sets[unknown][role]]
        for role in possible:
            after = left & self._speaking[unknown][role]
            begin = f"Suppose {name} is" if len(possible) > 1 else f"{name} has to be"
            line = f"{depth}{begin} {_ARTICLE[role]}"
            if not after:
                self._lines.append(f"{line}: that does not go with what {name} says, so it is not so.")
                continue
            forced = self._forced(after, known | {unknown})
            self._lines.append(line + (f": then {forced}." if forced else "."))
            found = self._explore(after, known | {unknown}, order)
            if found is not None:
                return found
            self._lines.append(f"{depth}So {name} is not {_ARTICLE[role]}.")
        return None

    def _forced(self, left: int, known: frozenset[int]) -> str:
        """What the others have to be, as far as it is certain, though nobody has looked at what they say."""
        told = [
            f"{self._names[person]} is {_ARTICLE[role]}"
            for person, sets in enumerate(self._worlds.sets)
            if person not in known
            for role in self._worlds.roles
            if left & sets[role] == left
        ]
        return ", ".join(told)
