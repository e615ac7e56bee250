"""Knights and knaves among spies, who may say anything, and waverers, who do not keep to one side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import pick, shuffled
from rlvr_gym.envs.logic._spies import SpyAnalysis, Worlds, claim_text
from rlvr_gym.envs.logic.knights_and_knaves import NAMES
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifiers.knights import Claim

__all__ = ["KnightsKnavesSpies"]

LEVELS = {
    1: (3, 1, 0, 1), 2: (3, 1, 0, 2), 3: (4, 1, 0, 1), 4: (4, 1, 1, 2), 5: (5, 1, 0, 1), 6: (5, 1, 1, 2),
    7: (5, 2, 1, 2), 8: (6, 1, 1, 2), 9: (6, 2, 1, 2), 10: (7, 2, 1, 2),
}  # fmt: skip
"""Difficulty: people, spies, waverers, and how many statements everybody makes."""
MAX_PEOPLE = 8
SPIES_MANNERS = "spies may say anything, true or false"
WAVERERS_MANNERS = "of a waverer's two statements one is true and one is false, in any order"


@register("rlvr/KnightsKnavesSpies-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class KnightsKnavesSpies(Problem):
    """Find out who is a knight, a knave, a spy (may say anything) or a waverer (one thing true, one false).

    Every puzzle has exactly one solution, proved over all ways to give the roles. Difficulty 1 has 3 people, one of
    them a spy, and one statement each; 5 has 5 people; 10 has 7 people, two spies and a waverer, with two statements
    each. Hardness is the number of steps of the case analysis that is the worked solution.

    Attributes:
        people: 3 to 8; 0 leaves people, spies and waverers to the difficulty.
        spies: how many of them, at least one and fewer than half; only with ``people``.
        waverers: how many of them; spies and waverers are not more than half of all.
    """

    verifier: ClassVar[str] = "knights_and_spies"
    people: int = 0
    spies: int = 1
    waverers: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.people and not 3 <= self.people <= MAX_PEOPLE:
            raise ConfigError(f"people is 0 or goes from 3 to {MAX_PEOPLE}; got {self.people!r}.")
        if min(self.spies - 1, self.waverers) < 0 or 2 * (self.spies + self.waverers) > (self.people or 4):
            raise ConfigError(
                "There has to be a spy, and spies and waverers may be no more than half of all people; got "
                f"spies={self.spies!r}, waverers={self.waverers!r}, people={self.people!r}."
            )

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws statements until exactly one way to give the roles goes with them."""
        count, spies, waverers, said = LEVELS[difficulty]
        if self.people:
            count, spies, waverers = self.people, self.spies, self.waverers
            said = 2 if waverers or spies > 1 else said
        worlds = _worlds(count, spies, waverers)
        while True:
            statements = [_draw_statements(rng, person, worlds, said) for person in range(count)]
            fitting = worlds.fitting([[worlds.table(claim) for claim in claims] for claims in statements])
            if fitting.bit_count() == 1:
                break
        roles = worlds.worlds[fitting.bit_length() - 1]
        names = shuffled(rng, NAMES)[:count]
        analysis = SpyAnalysis(worlds, names, statements).shortest()
        counts = {"spy": spies} | ({"waverer": waverers} if waverers else {})
        return Task(
            prompt=_prompt(names, statements, counts),
            answer={"names": names, "statements": statements, "counts": counts, "roles": list(roles)},
            metadata={"people": count, "spies": spies, "waverers": waverers, "hardness": analysis.steps},
            solution=analysis.text,
        )

    def answer_text(self, task: Task) -> str:
        """One sentence for each person."""
        pairs = zip(task.answer["names"], task.answer["roles"], strict=True)
        return ", ".join(f"{name} is a {role}" for name, role in pairs)


@cache
def _worlds(people: int, spies: int, waverers: int) -> Worlds:
    return Worlds(people, spies, waverers)


def _draw_statements(rng: np.random.Generator, speaker: int, worlds: Worlds, count: int) -> list[Claim]:
    """Statements with different meanings, none of which is always true or always false."""
    claims: dict[int, Claim] = {}
    while len(claims) < count:
        claim = _draw_claim(rng, speaker, worlds)
        table = worlds.table(claim)
        if 0 < table < worlds.everything:
            claims.setdefault(table, claim)
    return list(claims.values())


def _draw_claim(rng: np.random.Generator, speaker: int, worlds: Worlds) -> Claim:
    """About one person, or (two times in five) about two."""
    people = shuffled(rng, range(worlds.people))
    if rng.random() < 0.6:
        return _about(rng, people[0], worlds)
    kind = pick(rng, ("and", "or", "implies", "iff"))
    return [kind, _about(rng, people[0], worlds), _about(rng, people[1], worlds)]


def _about(rng: np.random.Generator, person: int, worlds: Worlds) -> Claim:
    claim: Claim = [pick(rng, worlds.roles), person]
    return ["not", claim] if rng.random() < 0.3 else claim


def _prompt(names: list[str], statements: list[list[Claim]], counts: dict[str, int]) -> str:
    said = "\n".join(
        f'{name} says: "{claim_text(claim, names, person)}."'
        for person, name in enumerate(names)
        for claim in statements[person]
    )
    manners = [SPIES_MANNERS, *([WAVERERS_MANNERS] if "waverer" in counts else [])]
    plural = {"spy": "spies", "waverer": "waverers"}
    told = " and ".join(
        f"exactly {n} are {plural[role]}" if n > 1 else f"exactly 1 is a {role}" for role, n in counts.items()
    )
    example = ", ".join(
        f"{name} is a {role}"
        for name, role in zip(("Zoe", "Max", "Ivo", "Pia"), ["knight", "knave", *counts], strict=False)
    )
    return (
        f"On an island, knights only say what is true and knaves only what is false; {'; '.join(manners)}. "
        f'("Or" includes both; "if" only fails if the first part is true and the second false.) Among these '
        f"{len(names)} people, {told}; each of the others is a knight or a knave.\n\n{said}\n\n"
        f"Who is what? Think step by step, then say it of all {len(names)} people in <answer> tags, in this form: "
        f"<answer>{example}</answer>."
    )
