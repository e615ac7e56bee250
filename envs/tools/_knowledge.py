"""Knowledge bases about a world that is made up anew for every task: entities, relations, passages, questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np

from rlvr_gym.envs._authoring import integer, pick, shuffled

__all__ = [
    "BARE",
    "COMPACT",
    "FULL",
    "TINY",
    "Fact",
    "Knowledge",
    "Style",
    "draw_chain",
    "draw_knowledge",
    "passage",
]

_ONSETS = (
    "b",
    "br",
    "d",
    "dr",
    "f",
    "g",
    "gl",
    "h",
    "k",
    "kr",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "r",
    "s",
    "st",
    "t",
    "tr",
    "v",
    "z",
)
_VOWELS = ("a", "e", "i", "o", "u", "ae", "ia", "ou")
_CODAS = ("", "", "l", "m", "n", "r", "s", "th", "x", "nd", "rk")  # fmt: skip
_SHORT_ONSETS, _SHORT_VOWELS, _SHORT_CODAS = "bdfgklmnprstvz", "aeiou", "bdgklmnprstx"


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation that every entity of one kind has to exactly one other.

    Attributes:
        source: the kind of the entities that have it.
        target: the kind of what they have it to; ``"year"`` for a number.
        phrase: how a question speaks of the target, over ``{s}``, the source.
        sentences: how passages tell it, over ``{s}`` and ``{o}``, the target.
    """

    source: str
    target: str
    phrase: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Style:
    """A kind of world.

    Attributes:
        relations: all there are.
        shares: kind -> its share of the entities.
        separator: between the sentences of a passage.
        by_fact: whether each fact is a passage of its own, found by the question for it.
    """

    relations: tuple[Relation, ...]
    shares: dict[str, int]
    separator: str
    by_fact: bool = False


FULL = Style(
    (
        Relation("person", "town", "the town where {s} was born", ("{s} was born in {o}.", "The birthplace of {s} is {o}.")),
        Relation("person", "company", "the company that {s} works for",
                 ("{s} works for {o}.", "For many years {s} has worked for {o}.")),
        Relation("person", "person", "the teacher of {s}", ("The teacher of {s} was {o}.", "{s} had {o} as a teacher.")),
        Relation("person", "book", "the favourite book of {s}",
                 ("The favourite book of {s} is {o}.", "{s} often calls {o} a favourite book.")),
        Relation("person", "year", "the year in which {s} was married", ("{s} was married in {o}.",)),
        Relation("town", "person", "the mayor of {s}", ("The mayor of {s} is {o}.", "{s} has {o} as its mayor.")),
        Relation("town", "company", "the company that runs the buses of {s}",
                 ("The buses of {s} are run by {o}.", "{o} runs the buses of {s}.")),
        Relation("town", "town", "the town that is the terminus of the railway from {s}",
                 ("The railway from {s} leads to {o}.", "From {s} a railway leads to {o}.")),
        Relation("town", "year", "the year in which {s} was flooded", ("{s} was flooded in {o}.",)),
        Relation("company", "person", "the founder of {s}", ("{s} was founded by {o}.", "The founder of {s} is {o}.")),
        Relation("company", "town", "the town where {s} has its seat",
                 ("{s} has its seat in {o}.", "The seat of {s} is in {o}.")),
        Relation("company", "year", "the year in which {s} was sold", ("{s} was sold in {o}.",)),
        Relation("book", "person", "the author of {s}", ("{s} was written by {o}.", "The author of {s} is {o}.")),
        Relation("book", "company", "the publisher of {s}", ("{s} was published by {o}.", "The publisher of {s} is {o}.")),
        Relation("book", "year", "the year in which {s} was filmed", ("{s} was filmed in {o}.",)),
    ),
    {"person": 5, "town": 3, "company": 2, "book": 2},
    " ",
)  # fmt: skip
COMPACT = Style(
    tuple(
        Relation("thing", "thing", f"the {word} of {{s}}", (f"{word} {{o}}",))
        for word in ("boss", "home", "pal")
    ),
    {"thing": 1},
    ", ",
)
"""Entities of three letters, and passages of three words and three names."""
TINY = Style(
    tuple(
        Relation("letter", "letter", f"{word} of {{s}}", (f"{word} {{o}}",))
        for word in ("boss", "home", "pal")
    ),
    {"letter": 1},
    ", ",
)
"""The same with entities of one letter."""
BARE = Style(
    tuple(Relation("letter", "letter", f"{sign}{{s}}", ("{o}",)) for sign in "123"),
    {"letter": 1},
    "",
    by_fact=True,
)
"""Entities of one letter, relations of one digit, and each fact by itself: ``2a: h``."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One step of a chain: ``relation`` leads from ``source`` to ``target``."""

    source: str
    relation: Relation
    target: str


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A made-up world.

    Attributes:
        entities: name -> kind.
        facts: name -> its facts, one for each relation of its kind.
    """

    entities: dict[str, str]
    facts: dict[str, list[Fact]]


def draw_knowledge(style: Style, count: int, rng: np.random.Generator) -> Knowledge:
    """A world of ``count`` entities, every kind at least twice."""
    entities = _draw_entities(style, count, rng)
    of_kind = {kind: [name for name, k in entities.items() if k == kind] for kind in style.shares}
    facts: dict[str, list[Fact]] = {}
    for name, kind in entities.items():
        others: set[str] = {name}
        facts[name] = []
        for relation in (r for r in style.relations if r.source == kind):
            if relation.target == "year":
                target = str(integer(rng, 1100, 1999))
            else:  # two relations to the same entity would let a wrong step lead to the right answer
                pool = [n for n in of_kind[relation.target] if n not in others] or of_kind[relation.target]
                target = pick(rng, pool)
            others.add(target)
            facts[name].append(Fact(name, relation, target))
    return Knowledge(entities, facts)


def _draw_entities(style: Style, count: int, rng: np.random.Generator) -> dict[str, str]:
    total = sum(style.shares.values())
    entities: dict[str, str] = {}
    words: set[str] = set()
    for kind, share in style.shares.items():
        number = max(2, round(count * share / total))
        if kind == "letter":
            names = shuffled(rng, ascii_lowercase)[:number]
        elif kind == "thing":
            names = _new_words(number, words, rng, short=True)
        elif kind == "person":
            names = _people(number, words, rng)
        else:
            extra = {"town": "", "company": " Works", "book": " Chronicle"}[kind]
            names = [f"{word.capitalize()}{extra}" for word in _new_words(number, words, rng)]
        entities |= dict.fromkeys(names, kind)
    order = shuffled(rng, list(entities))
    return {name: entities[name] for name in order}


def _people(count: int, words: set[str], rng: np.random.Generator) -> list[str]:
    """First and last names; many share one of the two, none both."""
    size = 2 + round(count**0.5)
    first, last = (_new_words(size, words, rng) for _ in range(2))
    chosen = rng.permutation(size * size)[:count]
    return [f"{first[int(i) // size].capitalize()} {last[int(i) % size].capitalize()}" for i in chosen]


def _new_words(count: int, words: set[str], rng: np.random.Generator, short: bool = False) -> list[str]:
    """Words that are not in ``words`` yet, and are then."""
    found: list[str] = []
    while len(found) < count:
        word = _short_word(rng) if short else _syllable(rng) + _syllable(rng)
        if word not in words:
            words.add(word)
            found.append(word)
    return found


def _syllable(rng: np.random.Generator) -> str:
    return pick(rng, _ONSETS) + pick(rng, _VOWELS) + pick(rng, _CODAS)


def _short_word(rng: np.random.Generator) -> str:
    """A word of three letters that no relation is called."""
    word = pick(rng, _SHORT_ONSETS) + pick(rng, _SHORT_VOWELS) + pick(rng, _SHORT_CODAS)
    return word if word != "pal" else _short_word(rng)


def draw_chain(knowledge: Knowledge, hops: int, rng: np.random.Generator) -> list[Fact] | None:
    """Facts that each begin where the one before ended; None if the walk got stuck.

    No entity comes twice, and no relation twice in a row.
    """
    name = pick(rng, list(knowledge.entities))
    seen, chain = {name}, list[Fact]()
    while len(chain) < hops:
        last = len(chain) == hops - 1
        options = [
            fact
            for fact in knowledge.facts[name]
            if fact.target not in seen
            and (last or fact.target in knowledge.entities)
            and not (chain and chain[-1].relation is fact.relation)
        ]
        if not options:
            return None
        chain.append(pick(rng, options))
        name = chain[-1].target
        seen.add(name)
    return chain


def passage(style: Style, facts: Sequence[Fact], rng: np.random.Generator) -> str:
    """The facts of an entity as text, in a random order and wording."""
    sentences = [pick(rng, fact.relation.sentences).format(s=fact.source, o=fact.target) for fact in facts]
    return style.separator.join(shuffled(rng, sentences))
