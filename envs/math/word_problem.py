"""Word problems put together from relations, events and questions, with statements that do not matter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import ask, integer, level, pick, shuffled
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["WordProblem"]

_NAMES = (
    "Ada", "Ben", "Chloe", "David", "Emil", "Fatima", "Grace", "Hugo", "Ines", "Jonas", "Kira", "Liam",
    "Mina", "Noah", "Olga", "Pavel", "Quinn", "Rosa", "Sven", "Tara",
)  # fmt: skip
_ITEMS = (
    "apples",
    "marbles",
    "stamps",
    "shells",
    "pencils",
    "stickers",
    "coins",
    "cards",
    "buttons",
    "beads",
)
_NUMBERS = {2: "twice", 3: "three times", 4: "four times", 5: "five times"}
MAX_COUNT = 2000


@dataclass
class _Story:
    """What has been told so far: who has how many of what."""

    rng: np.random.Generator
    item: str
    size: int
    names: list[str]
    counts: dict[str, int] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)

    def newcomer(self) -> str:
        return self.names.pop()

    def tell(self, name: str, count: int, step: str) -> None:
        self.counts[name] = count
        self.steps.append(step)


@register("rlvr/WordProblem-v0", family="math")
@dataclass(frozen=True, kw_only=True)
class WordProblem(Problem):
    """Solve a word problem of several steps.

    A chain of relations (more, fewer, times, a share, together) leads from one given count to the people that the
    question is about; then things are given away, lost, packed or paid for. Difficulty d gives 2 to 9 relations
    and events and 0 to 5 distractors; from 6 on the relations are not told in the order of solution.
    """

    verifier: ClassVar[str] = "integer"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Every relation starts from the newest person, so that each of them is needed."""
        names = shuffled(rng, _NAMES)
        items = shuffled(rng, _ITEMS)
        story = _Story(rng, items[0], 8 + 4 * difficulty, names)
        told = [_begin(story)]
        told += [_relate(story) for _ in range(level(difficulty, 1, 6))]
        for line in _distract(rng, story, items[1], level(difficulty, 0, 5)):
            told.insert(integer(rng, 1, len(told)), line)
        if difficulty >= 6:
            told = shuffled(rng, told)
        events = [_happen(story) for _ in range(level(difficulty, 0, 3))]
        question, value = pick(rng, (_ask_two, _ask_price, _ask_bags))(story)
        text = " ".join([*told, *events, question])
        return Task(
            prompt=ask(text, "the number", "17", "19", answer=str(value)),
            answer=str(value),
            metadata={"steps": len(story.steps), "hardness": len(story.steps) * 10 + len(text.split()) / 5},
            solution="\n".join(story.steps),
        )


def _begin(story: _Story) -> str:
    name, count = story.newcomer(), integer(story.rng, 5, story.size)
    story.tell(name, count, f"{name} has {count}.")
    return pick(
        story.rng,
        (f"{name} has {count} {story.item}.", f"In a box of {name} there are {count} {story.item}."),
    )


def _relate(story: _Story) -> str:
    """A new person, by a relation to the newest one."""
    rng, item = story.rng, story.item
    known, name = list(story.counts), story.newcomer()
    last, count = known[-1], story.counts[known[-1]]
    amount = integer(rng, 2, story.size)
    options: list[Callable[[], str]] = [lambda: _more(story, name, last, amount)]
    if count - amount >= 2:
        options.append(lambda: _fewer(story, name, last, amount))
    factor = integer(rng, 2, 5)
    if count * factor <= MAX_COUNT:
        options.append(lambda: _times(story, name, last, factor))
    if count % factor == 0 and count // factor >= 2:
        options.append(lambda: _share(story, name, last, factor))
    if len(known) > 1:
        other = pick(rng, known[:-1])
        options.append(lambda: _together(story, name, last, other))
    return pick(rng, options)().replace(" ITEM", f" {item}")


def _more(story: _Story, name: str, last: str, amount: int) -> str:
    total = story.counts[last] + amount
    story.tell(name, total, f"{name} has {story.counts[last]} + {amount} = {total}.")
    return pick(
        story.rng,
        (
            f"{name} has {amount} more ITEM than {last}.",
            f"If {name} gave away {amount} ITEM, {name} would have as many as {last}.",
            f"{last} has {amount} fewer ITEM than {name}.",
        ),
    )


def _fewer(story: _Story, name: str, last: str, amount: int) -> str:
    rest = story.counts[last] - amount
    story.tell(name, rest, f"{name} has {story.counts[last]} - {amount} = {rest}.")
    return pick(
        story.rng,
        (
            f"{name} has {amount} fewer ITEM than {last}.",
            f"{name} would need {amount} more ITEM to have as many as {last}.",
            f"{last} has {amount} more ITEM than {name}.",
        ),
    )


def _times(story: _Story, name: str, last: str, factor: int) -> str:
    total = story.counts[last] * factor
    story.tell(name, total, f"{name} has {factor} * {story.counts[last]} = {total}.")
    return pick(
        story.rng,
        (
            f"{name} has {_NUMBERS[factor]} as many ITEM as {last}.",
            f"For every one that {last} has, {name} has {factor} ITEM.",
        ),
    )


def _share(story: _Story, name: str, last: str, factor: int) -> str:
    part = story.counts[last] // factor
    story.tell(name, part, f"{name} has {story.counts[last]} / {factor} = {part}.")
    return f"{last} has {_NUMBERS[factor]} as many ITEM as {name}."


def _together(story: _Story, name: str, last: str, other: str) -> str:
    a, b = story.counts[last], story.counts[other]
    story.tell(name, a + b, f"{name} has {a} + {b} = {a + b}.")
    return f"{name} has as many ITEM as {last} and {other} together."


def _distract(rng: np.random.Generator, story: _Story, item: str, count: int) -> list[str]:
    """True statements that nothing depends on."""
    lines = []
    for _ in range(count):
        someone, number = pick(rng, list(story.counts)), integer(rng, 2, 60)
        lines.append(
            pick(
                rng,
                (
                    f"{someone} also has {number} {item}.",
                    f"{someone} lives at number {number} of the street.",
                    f"{story.names[-1]}, who has {number} {item}, only looks on.",
                    f"{someone} is {number % 40 + 8} years old.",
                ),
            )
        )
    return list(dict.fromkeys(lines))


def _happen(story: _Story) -> str:
    """The newest person, whom the question is about, gives, gets or loses something."""
    rng, people = story.rng, list(story.counts)
    name, other = people[-1], pick(rng, people[:-1])
    have = story.counts[name]
    if have > 4 and rng.random() < 0.5:
        amount = integer(rng, 1, min(have // 2, story.size))
        story.counts[other] += amount
        story.counts[name] -= amount
        story.steps.append(
            f"{name} now has {have} - {amount} = {have - amount}, and {other} {story.counts[other]}."
        )
        return f"Then {name} gives {amount} {story.item} to {other}."
    packs, each = integer(rng, 2, 6), integer(rng, 2, 9)
    story.counts[name] += packs * each
    story.steps.append(f"{name} now has {have} + {packs} * {each} = {story.counts[name]}.")
    return f"Then {name} buys {packs} packs of {each} {story.item}."


def _ask_two(story: _Story) -> tuple[str, int]:
    people = list(story.counts)
    name, other = people[-1], pick(story.rng, people[:-1])
    a, b = story.counts[name], story.counts[other]
    story.steps.append(f"{a} + {b} = {a + b}")
    return f"How many {story.item} do {name} and {other} have together now?", a + b


def _ask_price(story: _Story) -> tuple[str, int]:
    name, price = list(story.counts)[-1], integer(story.rng, 2, 9)
    have = story.counts[name]
    story.steps.append(f"{have} * {price} = {have * price}")
    return f"{name} sells all of them for {price} cents each. How many cents is that?", have * price


def _ask_bags(story: _Story) -> tuple[str, int]:
    name = list(story.counts)[-1]
    have = story.counts[name]
    if have < 5:  # a single bag would do
        return _ask_price(story)
    size = integer(story.rng, 2, min(9, have - 2))
    bags = -(-have // size)
    story.steps.append(f"{have} / {size} rounded up = {bags}")
    return f"{name} packs all of them into bags that hold {size} each. How many bags are needed?", bags
