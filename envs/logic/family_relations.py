"""Family relations: what is one person to another, out of facts about children, siblings and marriages?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from rlvr_gym.envs._authoring import shuffled
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier, normalized

__all__ = ["FamilyRelations"]

LEVELS = {
    1: (2, 1, (1, 1)), 2: (3, 1, (1, 2)), 3: (3, 1, (2, 2)), 4: (3, 1, (2, 3)), 5: (3, 2, (2, 3)), 6: (3, 2, (3, 4)),
    7: (4, 1, (3, 6)), 8: (3, 3, (3, 4)), 9: (4, 2, (3, 5)), 10: (4, 2, (4, 6)),
}  # fmt: skip
"""Difficulty: generations, children of a couple (one more for the first), fewest and most steps between the people."""
Words = tuple[str, str]
"""Her word and his."""
BLOOD: dict[tuple[int, int], Words] = {
    # Generations from the second person up to the common ancestor, and down to the first: her name, his name.
    (1, 0): ("mother", "father"),
    (2, 0): ("grandmother", "grandfather"),
    (3, 0): ("great-grandmother", "great-grandfather"),
    (0, 1): ("daughter", "son"),
    (0, 2): ("granddaughter", "grandson"),
    (0, 3): ("great-granddaughter", "great-grandson"),
    (1, 1): ("sister", "brother"),
    (2, 1): ("aunt", "uncle"),
    (1, 2): ("niece", "nephew"),
    (3, 1): ("great-aunt", "great-uncle"),
    (1, 3): ("great-niece", "great-nephew"),
    (2, 2): ("cousin", "cousin"),
    (3, 2): ("cousin once removed", "cousin once removed"),
    (2, 3): ("cousin once removed", "cousin once removed"),
    (3, 3): ("second cousin", "second cousin"),
}
MARRIED = ("wife", "husband")
IN_LAW = {
    (1, 0): ("mother-in-law", "father-in-law"),
    (0, 1): ("daughter-in-law", "son-in-law"),
    (1, 1): ("sister-in-law", "brother-in-law"),
}
WORDS = sorted({word for pair in (*BLOOD.values(), MARRIED, *IN_LAW.values()) for word in pair})
_SPOKEN = {normalized(word): word for word in WORDS}
NAMES = (
    [
        "Ada",
        "Bea",
        "Cora",
        "Dora",
        "Edith",
        "Flora",
        "Greta",
        "Hilda",
        "Ida",
        "Jane",
        "Kate",
        "Lena",
        "Mary",
        "Nora",
        "Olga",
        "Paula",
        "Rosa",
        "Sara",
        "Tina",
        "Ursula",
        "Vera",
        "Wilma",
    ],
    [
        "Adam",
        "Bert",
        "Carl",
        "Dirk",
        "Emil",
        "Fred",
        "Georg",
        "Hugo",
        "Ivan",
        "Jack",
        "Kurt",
        "Leo",
        "Max",
        "Nils",
        "Otto",
        "Paul",
        "Ralph",
        "Sam",
        "Tom",
        "Uwe",
        "Victor",
        "Walter",
    ],
)

Family = dict[str, dict[str, Any]]
"""Name: ``sex`` (0 female, 1 male), ``parents`` (two names or none), ``spouse`` (a name or None)."""


@register_verifier("family_relation")
class FamilyRelationVerifier(RuleVerifier[str]):
    """Any word of the list that is true of the two people, which are all in ``task.answer["words"]``."""

    def read(self, answer: str, task: Task) -> str | None:
        """A word of the list, hyphens or not."""
        said = normalized(answer).removeprefix("the ").removeprefix("first ")
        return _SPOKEN.get(said)

    def fault(self, value: str, task: Task) -> str | None:
        """Whether the relation holds."""
        return None if value in task.answer["words"] else "they are not so related"


@register("rlvr/FamilyRelations-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class FamilyRelations(Problem):
    """Say what one person is to another in a family told by single facts.

    Difficulty 1 has two generations and one step between the people, 5 has three and two or three steps, 10 has four
    and four to six steps. Hardness is the number of facts, plus three for each step.
    """

    verifier: ClassVar[str] = "family_relation"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Grows a family, and draws two people so many steps apart."""
        generations, children, steps = LEVELS[difficulty]
        found = None
        while found is None:
            family = _grow(rng, generations, children)
            found = _draw_pair(family, _related(generations, children, steps), rng)
        first, second, word, links = found
        facts = _facts(family, rng)
        kin = Kinship(family)
        prompt = (
            f"{' '.join(facts)}\n\nBrothers and sisters share both parents, and the children of one of a married couple are "
            f"children of both.\n\nWhat is {first} to {second}? Give the word for the relation in <answer> tags (with great-, "
            f"-in-law, second or once removed where it belongs), for example <answer>stepmother</answer>"
        )
        return Task(
            prompt=prompt,
            answer={
                "family": family,
                "pair": [first, second],
                "words": sorted(kin.words(first, second)),
                "reference": word,
            },
            metadata={"people": len(family), "steps": links, "hardness": len(facts) + 3 * links},
            solution="\n".join([*kin.reasons(first, second), f"So {first} is the {word} of {second}."]),
        )

    def answer_text(self, task: Task) -> str:
        """The word."""
        return str(task.answer["reference"])


class Kinship:
    """Who is what to whom in a family.

    Args:
        family: the people.
    """

    def __init__(self, family: Family) -> None:
        self.family = family
        self._ancestors: dict[str, dict[str, int]] = {}

    def ancestors(self, person: str) -> dict[str, int]:
        """Generations up to the person itself and to each ancestor."""
        if person in self._ancestors:
            return self._ancestors[person]
        found, level, depth = {person: 0}, [person], 0
        while level:
            depth += 1
            level = [parent for name in level for parent in self.family[name]["parents"]]
            for parent in level:
                found.setdefault(parent, depth)
        self._ancestors[person] = found
        return found

    def nearest(self, first: str, second: str) -> str | None:
        """The nearest common ancestor, one of the two included."""
        down, up = self.ancestors(first), self.ancestors(second)
        common = [(up[name] + far, name) for name, far in down.items() if name in up]
        return min(common)[1] if common else None

    def blood(self, first: str | None, second: str | None) -> tuple[int, int] | None:
        """Generations from ``second`` up to the nearest common ancestor, and down to ``first``."""
        if first is None or second is None:
            return None
        common = self.nearest(first, second)
        return None if common is None else (self.ancestors(second)[common], self.ancestors(first)[common])

    def words(self, first: str, second: str) -> dict[str, int]:
        """All words for what ``first`` is to ``second``, with the number of links, a marriage being one."""
        sex = self.family[first]["sex"]
        return {words[sex]: links for words, links in self.relations(first, second).items()}

    def relations(self, first: str, second: str) -> dict[Words, int]:
        """What ``first`` is to ``second``, as her and as his word, with the number of links."""
        own, other = self.family[first]["spouse"], self.family[second]["spouse"]
        found: dict[Words, int] = {}
        blood = self.blood(first, second)
        if blood in BLOOD:
            found[BLOOD[blood]] = sum(blood)
        if own == second:
            found[MARRIED] = 1
        # A spouse's parent or sibling; a child's or sibling's spouse. A spouse's child is one's own.
        for through, kinds in (
            (self.blood(first, other), ((1, 0), (1, 1))),
            (self.blood(own, second), ((0, 1), (1, 1))),
        ):
            if through in kinds:
                found[IN_LAW[through]] = 1 + sum(through)
        return found

    def reasons(self, first: str, second: str) -> list[str]:
        """The way from one person to the other, link by link."""
        lines: list[str] = []
        ends = [first, second]
        if self.blood(first, second) is None:
            index = 1 if self.blood(self.family[first]["spouse"], second) is None else 0
            spouse = self.family[ends[index]]["spouse"]
            lines.append(f"{ends[index]} is married to {spouse}.")
            ends[index] = spouse
        common = self.nearest(*ends)
        for person in ends:
            while person != common:
                parents = self.family[person]["parents"]
                lines.append(f"{person} is a child of {parents[0]} and {parents[1]}.")
                person = next(parent for parent in parents if common in self.ancestors(parent))
        return lines


@cache
def _related(generations: int, children: int, steps: tuple[int, int]) -> list[tuple[int, int, Words, int]]:
    """The pairs of people of a grown family so many steps apart, as places, with their words and the steps.

    Names and sexes are drawn, but who is a child and who the spouse of whom is the same in all families of a size.
    """
    kin = Kinship(_grow(np.random.default_rng(0), generations, children))
    return [
        (i, j, words, links)
        for i, first in enumerate(kin.family)
        for j, second in enumerate(kin.family)
        if first != second
        for words, links in kin.relations(first, second).items()
        if steps[0] <= links <= steps[1]
    ]


def _draw_pair(
    family: Family, related: Sequence[tuple[int, int, Words, int]], rng: np.random.Generator
) -> tuple[str, str, str, int] | None:
    """Two people, the word for what the first is to the second, and the steps; None if there are none.

    The word is drawn first: else most answers would be the most common words.
    """
    names = list(family)
    sexes = [person["sex"] for person in family.values()]
    found: dict[str, list[tuple[int, int, int]]] = {}
    for i, j, words, links in related:
        found.setdefault(words[sexes[i]], []).append((i, j, links))
    if not found:
        return None
    word = sorted(found)[int(rng.integers(len(found)))]
    i, j, links = found[word][int(rng.integers(len(found[word])))]
    return names[i], names[j], word, links


def _grow(rng: np.random.Generator, generations: int, children: int) -> Family:
    """A couple and its descendants; everyone but the youngest is married."""
    pools = [shuffled(rng, names) for names in NAMES]
    family: Family = {}

    def add(sex: int, parents: Sequence[str]) -> str:
        name = pools[sex].pop()
        family[name] = {"sex": sex, "parents": list(parents), "spouse": None}
        return name

    def marry(name: str) -> tuple[str, str]:
        partner = add(1 - family[name]["sex"], ())
        family[name]["spouse"], family[partner]["spouse"] = partner, name
        return name, partner

    couples = [marry(add(int(rng.integers(2)), ()))]
    for generation in range(1, generations):
        born = [
            add(int(rng.integers(2)), sorted(couple))
            for couple in couples
            for _ in range(children + (generation == 1 and generations > 2))
        ]
        couples = [marry(name) for name in born] if generation < generations - 1 else []
    return family


def _facts(family: Family, rng: np.random.Generator) -> list[str]:
    """Sentences that determine the family, each person's sex included, in random order."""
    facts: list[str] = []
    eldest: dict[tuple[str, ...], str] = {}
    for name, person in family.items():
        sex, parents, spouse = person["sex"], tuple(person["parents"]), person["spouse"]
        if parents:
            sibling = eldest.setdefault(parents, name)
            if sibling != name and rng.random() < 0.5:
                facts.append(f"{name} is the {BLOOD[1, 1][sex]} of {sibling}.")
            else:
                facts.append(f"{name} is the {BLOOD[0, 1][sex]} of {parents[int(rng.integers(2))]}.")
        if spouse is not None and name < spouse:
            told, other = (name, spouse) if rng.random() < 0.5 else (spouse, name)
            facts.append(f"{told} is the {MARRIED[family[told]['sex']]} of {other}.")
    return shuffled(rng, facts)
