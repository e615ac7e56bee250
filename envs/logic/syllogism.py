"""Syllogisms over made-up kinds: which conclusions follow from statements with all, no and some?"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import ClassVar

import numpy as np

from rlvr_gym.envs._authoring import integer, shuffled
from rlvr_gym.envs.logic._selection import SELECTION_FORMAT, SelectionProblem
from rlvr_gym.registration import register
from rlvr_gym.task import Task

__all__ = ["Syllogism"]

LEVELS = {
    1: (3, 2, 3), 2: (3, 2, 4), 3: (4, 3, 4), 4: (4, 3, 5), 5: (5, 4, 5), 6: (5, 4, 6), 7: (6, 5, 6), 8: (6, 6, 7),
    9: (7, 7, 7), 10: (8, 8, 8),
}  # fmt: skip
"""Difficulty: kinds, premises, conclusions."""
SENTENCES = {
    "all": "All {0} are {1}.",
    "no": "No {0} are {1}.",
    "some": "Some {0} are {1}.",
    "some_not": "Some {0} are not {1}.",
}
SYMMETRIC = ("no", "some")
BOUNDS = (0.5, 0.7, 0.9)
"""Below these a draw from 0 to 1 gives the first, the second and the third kind of sentence."""
FOLLOWS_SHARE, NONE_SHARE = 0.45, 0.2
"""How likely each conclusion follows, and how often it is allowed that none does."""
NOUNS = [
    "blorps", "wimbles", "trindles", "garfs", "plonks", "quims", "yorgs", "snibbles", "dracks", "fendles",
    "mops", "gleeks", "hurbs", "zillies", "tovars", "crents", "vups", "jinnets", "lomps", "kraddles",
]  # fmt: skip

Statement = tuple[str, int, int]


@register("rlvr/Syllogism-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class Syllogism(SelectionProblem):
    """Pick the conclusions that follow from categorical premises about made-up kinds.

    Difficulty 1 has 3 kinds and 2 premises, 5 has 5 and 4, 10 has 8 and 8. Every kind has members. Hardness is the
    number of premises, plus the number that each conclusion needs (one, where it does not follow).
    """

    verifier: ClassVar[str] = "selection"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws premises that can be true together, and conclusions of both sorts."""
        count, size, asked = LEVELS[difficulty]
        nouns = shuffled(rng, NOUNS)[:count]
        conclusions: list[Statement] = []
        while not conclusions:
            premises = _draw_premises(rng, count, size)
            conclusions = _draw_conclusions(rng, premises, count, asked)
        lines, chosen, effort = [], [], size
        for number, conclusion in enumerate(conclusions, 1):
            needed = _needed(conclusion, premises, count)
            if needed:
                chosen.append(number)
                lines.append(f"{number} follows from {_listed(needed)}.")
            else:
                lines.append(f"{number} does not follow: {_doubt(conclusion, premises, nouns)}")
            effort += len(needed) or 1
        prompt = (
            f"Assume that there is at least one of each kind of thing named here, and that these statements are true:\n\n"
            f"{_numbered(premises, nouns, 'S')}\n\nWhich of these conclusions must be true, too?\n\n"
            f"{_numbered(conclusions, nouns)}\n\n{SELECTION_FORMAT}"
        )
        return self.selection_task(prompt, chosen, asked, lines, effort, kinds=count, premises=size)


def _numbered(statements: Sequence[Statement], nouns: Sequence[str], mark: str = "") -> str:
    told = (SENTENCES[kind].format(nouns[a], nouns[b]) for kind, a, b in statements)
    return "\n".join(f"{mark}{number}. {text}" for number, text in enumerate(told, 1))


def _listed(needed: Sequence[int]) -> str:
    names = [f"S{number}" for number in needed]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


@cache
def _members(count: int) -> list[int]:
    """For each kind the sorts of individuals that belong to it: a sort is a set of kinds, a bit of an int."""
    return [sum(1 << sort for sort in range(1 << count) if sort >> kind & 1) for kind in range(count)]


@cache
def _region(statement: Statement, count: int) -> int:
    """The sorts that a statement is about: those it forbids (all, no), or one of which exists (some, some_not)."""
    kind, a, b = statement
    members = _members(count)
    return members[a] & ~members[b] if kind in ("all", "some_not") else members[a] & members[b]


def _world(premises: Sequence[Statement], count: int) -> tuple[int, list[int]]:
    """The sorts that may exist, and the sets of these of which one must exist."""
    return _world_of(tuple(premises), count)


@cache
def _statements(count: int) -> list[Statement]:
    """All statements about different kinds, once each: ``no`` and ``some`` say the same both ways."""
    return [
        (kind, a, b)
        for kind in SENTENCES
        for a in range(count)
        for b in range(count)
        if a < b or (a != b and kind not in SYMMETRIC)
    ]


# the same premises are asked about many conclusions, and of few there are not many
@lru_cache(maxsize=1024)
def _world_of(premises: tuple[Statement, ...], count: int) -> tuple[int, list[int]]:
    allowed = (1 << (1 << count)) - 1
    for premise in premises:
        if premise[0] in ("all", "no"):
            allowed &= ~_region(premise, count)
    required = [_region(premise, count) for premise in premises if premise[0] in ("some", "some_not")]
    return allowed, [allowed & region for region in (*required, *_members(count))]


def follows(conclusion: Statement, premises: Sequence[Statement], count: int) -> bool:
    """Whether the conclusion holds in every world of the premises.

    Worlds are the sets of allowed sorts that meet every required set, and stay so when an allowed sort is added.
    So a universal conclusion follows iff no allowed sort goes against it, and an existential one iff some required
    set lies wholly inside its region: else one could choose each required individual outside.
    """
    return _holds(conclusion, _world(premises, count), count)


def _holds(conclusion: Statement, world: tuple[int, list[int]], count: int) -> bool:
    allowed, required = world
    region = _region(conclusion, count)
    if conclusion[0] in ("all", "no"):
        return not allowed & region
    outside = ~region
    return 0 in [needed & outside for needed in required]  # any(...) takes twice as long


@lru_cache(maxsize=1024)
def _consequences(premises: tuple[Statement, ...], count: int) -> frozenset[Statement]:
    """All statements that hold in every world of the premises."""
    world = _world_of(premises, count)
    return frozenset([statement for statement in _statements(count) if _holds(statement, world, count)])


def _needed(conclusion: Statement, premises: Sequence[Statement], count: int) -> list[int]:
    """The numbers of premises from which it follows, none of them spare; empty if it does not follow."""
    if not follows(conclusion, premises, count):
        return []
    kept = list(range(len(premises)))
    for index in range(len(premises)):
        fewer = [i for i in kept if i != index]
        if follows(conclusion, [premises[i] for i in fewer], count):
            kept = fewer
    return [i + 1 for i in kept]


def _draw_premises(rng: np.random.Generator, count: int, size: int) -> list[Statement]:
    """Premises that link all kinds and can be true together."""
    kinds = list(SENTENCES)
    while True:
        links = [(kind, integer(rng, 0, kind - 1)) for kind in range(1, count)]
        links += [tuple(rng.permutation(count)[:2].tolist()) for _ in range(size - len(links))]
        premises: list[Statement] = []
        for a, b in links:
            first, second = (a, b) if rng.random() < 0.5 else (b, a)
            premises.append((kinds[bisect(BOUNDS, rng.random())], first, second))
        premises = shuffled(rng, premises)
        if len(set(premises)) < size or not all(_world(premises, count)[1]):
            continue
        if not any(follows(p, [q for q in premises if q != p], count) for p in premises):
            return premises


def _draw_conclusions(
    rng: np.random.Generator, premises: Sequence[Statement], count: int, asked: int
) -> list[Statement]:
    """Statements that are no premises, those that follow and those that do not mixed; none if that fails.

    Seldom does none of them follow, so that it is no good guess.
    """
    known = {*premises, *((kind, b, a) for kind, a, b in premises if kind in SYMMETRIC)}
    pool = [statement for statement in _statements(count) if statement not in known]
    following = _consequences(tuple(premises), count)
    pool = shuffled(rng, pool)
    good = [statement for statement in pool if statement in following]
    bad = [statement for statement in pool if statement not in following]
    most = asked if rng.random() < NONE_SHARE else asked - 1
    wrong = min(int(rng.binomial(asked, 1 - FOLLOWS_SHARE)), most)
    wrong = max(wrong, asked - len(good))
    if wrong > min(most, len(bad)):
        return []
    chosen = [*bad[:wrong], *good[: asked - wrong]]
    return shuffled(rng, chosen)


def _doubt(conclusion: Statement, premises: Sequence[Statement], nouns: Sequence[str]) -> str:
    """Why it does not follow: an individual that may exist, or one that need not."""
    kind, a, b = conclusion
    allowed, _ = _world(premises, len(nouns))
    against = allowed & _region(conclusion, len(nouns))
    if kind not in ("all", "no"):
        joint = "and" if kind == "some" else "but not"
        return f"nothing requires something that belongs to the {nouns[a]} {joint} to the {nouns[b]}."
    sort = (against & -against).bit_length() - 1
    inside = [noun for i, noun in enumerate(nouns) if sort >> i & 1]
    return f"there may be something that belongs to the {' and the '.join(inside)} and to no other kind."
