"""Scheduling under constraints: any timetable that obeys all of them, or the statement that there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np

from rlvr_gym.envs.logic._explain import ASSUMPTION_EFFORT, explain
from rlvr_gym.envs.logic._solver import AllDifferent, Constraint, Model, Relation, Table
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verifier import register_verifier
from rlvr_gym.verifiers.grids import RuleVerifier, parse_assignment

__all__ = ["ZebraScheduling"]

LEVELS = {
    1: (3, 1, 4, 2), 2: (4, 2, 2, 3), 3: (4, 2, 3, 4), 4: (5, 2, 3, 5), 5: (6, 2, 4, 6), 6: (7, 2, 4, 7), 7: (7, 3, 3, 9),
    8: (8, 3, 3, 10), 9: (9, 3, 4, 12), 10: (10, 3, 4, 14),
}  # fmt: skip
"""Difficulty: talks, days, slots a day, and constraints (at least, where there is to be no timetable)."""
IMPOSSIBLE_SHARE = 0.25
DAYS = ("Mon", "Tue", "Wed")
TALKS = [
    "Algebra",
    "Botany",
    "Chemistry",
    "Drama",
    "Ecology",
    "French",
    "Geology",
    "History",
    "Italian",
    "Jazz",
]

Rule = list[str | int]
"""``[kind, talk, talk or slot or day]``; everything counts from 0, talks are names."""

KINDS: dict[str, tuple[Callable[[int, int, int], bool], str]] = {
    # What holds between the two slots (or a slot and a day), with the number of slots a day; and in words.
    "before": (lambda a, b, day: a < b, "{0} is before {1} (on the same day or an earlier one)."),
    "next": (
        lambda a, b, day: a + 1 == b and a // day == b // day,
        "{1} is in the slot directly after {0}, on the same day.",
    ),
    "same_day": (lambda a, b, day: a // day == b // day, "{0} and {1} are on the same day."),
    "other_day": (lambda a, b, day: a // day != b // day, "{0} and {1} are on different days."),
    "same_time": (
        lambda a, b, day: a % day == b % day,
        "{0} and {1} are at the same slot number of different days.",
    ),
    "not_at": (lambda a, slot, day: a != slot, "{0} is not in {1}."),
    "on_day": (lambda a, chosen, day: a // day == chosen, "{0} is on {1}."),
    "not_on_day": (lambda a, chosen, day: a // day != chosen, "{0} is not on {1}."),
}
ONE_TALK = ("not_at", "on_day", "not_on_day")
FEWEST_DAYS = {"same_day": 2, "other_day": 2, "same_time": 2, "on_day": 2, "not_on_day": 3}
"""Days below which a kind says nothing, or the same as another."""


@register_verifier("scheduling")
class SchedulingVerifier(RuleVerifier[dict[str, int]]):
    """Any timetable in which all talks have different slots and every constraint holds."""

    impossible = "impossible"

    def read(self, answer: str, task: Task) -> dict[str, int] | None:
        """The slot of every talk."""
        slots = {
            name.lower(): i for i, name in enumerate(_slots(task.answer["days"], task.answer["day_length"]))
        }
        said = parse_assignment(answer, task.answer["talks"])
        if said is None or not slots.keys() >= set(said.values()):
            return None
        return {talk: slots[slot] for talk, slot in said.items()}

    def fault(self, value: dict[str, int], task: Task) -> str | None:
        """Two talks in one slot, or a constraint that does not hold."""
        if len(set(value.values())) < len(value):
            return "two talks are in the same slot"
        for number, (kind, talk, other) in enumerate(task.answer["rules"], 1):
            second = other if isinstance(other, int) else value[other]
            if not KINDS[kind][0](value[talk], second, task.answer["day_length"]):
                return f"constraint {number} does not hold"
        return None


@register("rlvr/ZebraScheduling-v0", family="logic")
@dataclass(frozen=True, kw_only=True)
class ZebraScheduling(Problem):
    """Give talks to slots of several days under constraints, or say that it cannot be done; every timetable counts.

    Difficulty 1 has 3 talks and 4 slots, 5 has 6 and 8, 10 has 10 and 12. A quarter of the tasks have no timetable,
    which is proved by search. Hardness is the number of places (a talk in a slot) and of constraints,
    plus four for every place ruled out by trying it.
    """

    verifier: ClassVar[str] = "scheduling"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Draws constraints that a hidden timetable obeys, or any constraints until none does."""
        count, days, length, size = LEVELS[difficulty]
        talks = sorted(rng.permutation(TALKS)[:count].tolist())
        rules = _draw_rules(rng, talks, days, length, size, possible=bool(rng.random() >= IMPOSSIBLE_SHARE))
        slots = _slots(days, length)
        told = explain(
            _model(rules, talks, days, length), lambda var, slot: f"{talks[var]} is in {slots[slot]}"
        )
        reference = None
        if told.solution is not None:
            reference = "\n".join(
                f"{talk} = {slots[slot]}" for talk, slot in zip(talks, told.solution, strict=True)
            )
        listed = "\n".join(f"{i}. {_rule_text(rule, days, length)}" for i, rule in enumerate(rules, 1))
        prompt = (
            f"A timetable has the slots {', '.join(slots)}, in this order; a slot's number counts within its day. Each of the "
            f"talks {', '.join(talks)} gets one slot, and no slot has two talks. Constraints:\n{listed}\n\nGive a timetable "
            f"that obeys all constraints in <answer> tags, one line for each talk, for example\n<answer>\nZoology = Sun1\n"
            f"Yoga = Sun2\n</answer>\nIf there is none, answer with the word impossible."
        )
        return Task(
            prompt=prompt,
            answer={
                "talks": talks,
                "days": days,
                "day_length": length,
                "rules": rules,
                "reference": reference,
            },
            metadata={
                "talks": count,
                "constraints": len(rules),
                "possible": reference is not None,
                "assumptions": told.assumptions,
                "hardness": count * len(slots) + len(rules) + ASSUMPTION_EFFORT * told.assumptions,
            },
            solution="\n".join([*told.lines, "So:", reference or SchedulingVerifier.impossible]),
        )

    def answer_text(self, task: Task) -> str:
        """A timetable, or the word for there being none."""
        return task.answer["reference"] or SchedulingVerifier.impossible


def _slots(days: int, length: int) -> list[str]:
    return [f"{day}{number}" for day in DAYS[:days] for number in range(1, length + 1)]


def _rule_text(rule: Rule, days: int, length: int) -> str:
    kind, talk, other = rule
    if isinstance(other, int):
        other = _slots(days, length)[other] if kind == "not_at" else DAYS[other]
    return KINDS[str(kind)][1].format(talk, other)


@cache
def _allowed(kind: str, place: int | None, slots: int, length: int) -> Relation:
    """The slots of one talk (with a place), or of two, that a kind of constraint allows."""
    holds = KINDS[kind][0]
    if place is not None:
        return Relation([slot] for slot in range(slots) if holds(slot, place, length))
    return Relation((a, b) for a in range(slots) for b in range(slots) if a != b and holds(a, b, length))


def _model(rules: Sequence[Rule], talks: Sequence[str], days: int, length: int) -> Model:
    """One variable for each talk: its slot."""
    slots = days * length
    tables: list[Constraint] = [AllDifferent(range(len(talks)), "one talk a slot")]
    for number, (kind, *subjects) in enumerate(rules, 1):
        place = next((s for s in subjects if isinstance(s, int)), None)
        scope = [talks.index(s) for s in subjects if isinstance(s, str)]
        tables.append(Table(scope, _allowed(str(kind), place, slots, length), f"constraint {number}"))
    return Model([(1 << slots) - 1] * len(talks), tables)


def _draw_rules(
    rng: np.random.Generator, talks: Sequence[str], days: int, length: int, size: int, *, possible: bool
) -> list[Rule]:
    """``size`` constraints that one hidden timetable obeys; then, if there is to be none, more until none is left."""
    hidden = dict(zip(talks, rng.permutation(days * length)[: len(talks)].tolist(), strict=True))
    kinds = [k for k in KINDS if days >= FEWEST_DAYS.get(k, 1)]
    pairs = [k for k in kinds if k not in ONE_TALK]
    true_ones = size if possible else size - 1
    rules: list[Rule] = []
    linked: set[frozenset[str]] = set()
    while len(rules) < true_ones or not (possible or _is_impossible(rules, talks, days, length)):
        if (
            len(linked) == len(talks) * (len(talks) - 1) // 2
        ):  # every pair is used, and there still is a timetable
            rules, linked = [], set()
        # what makes it impossible is never about one talk alone, which would be seen at a glance
        pool = kinds if len(rules) < true_ones else pairs
        kind = pool[int(rng.integers(len(pool)))]
        first, second = rng.permutation(talks)[:2].tolist()
        if kind in ONE_TALK:
            place = int(rng.integers(days * length if kind == "not_at" else days))
            rule, holds = [kind, first, place], KINDS[kind][0](hidden[first], place, length)
        else:
            rule, holds = [kind, first, second], KINDS[kind][0](hidden[first], hidden[second], length)
            if frozenset((first, second)) in linked:
                continue
        if rule not in rules and (holds or len(rules) >= true_ones):
            rules.append(rule)
            if kind not in ONE_TALK:
                linked.add(frozenset((first, second)))
    return [rules[i] for i in rng.permutation(len(rules)).tolist()]


def _is_impossible(rules: Sequence[Rule], talks: Sequence[str], days: int, length: int) -> bool:
    found = _model(rules, talks, days, length).search(limit=1)
    return found.complete and not found.solutions
