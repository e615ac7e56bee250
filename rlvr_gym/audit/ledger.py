"""Keeping the books of one environment: counts every call, and decides what is a finding."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from rlvr_gym.audit.asking import Asked
from rlvr_gym.audit.attack import Attack, Luck, Target
from rlvr_gym.audit.findings import MAX_TEXT, EnvReport, Finding, Kind, Rate
from rlvr_gym.audit.plays import Play
from rlvr_gym.audit.probe import Seen, Subject
from rlvr_gym.task import Task

__all__ = ["LUCK_BOUND", "Found", "Ledger"]

LUCK_BOUND = 0.25
"""Answers that may be right by luck may be accepted so often: the same bound as in the conformance suite."""
MAX_NAMES = 20
_BY_NAME = frozenset({"constant", "number edge", "prompt part", "repeated"})
"""Families whose attacks are each the same text, or rule, for all tasks: luck is counted for each alone."""
_LOST = {"timeout": Kind.HANG, "crashed": Kind.CRASH, "raised": Kind.EXCEPTION}
_FAILED = {"timeout": Kind.HANG, "worker_crashed": Kind.CRASH}


@dataclass(slots=True)
class Found:
    """An accepted attack, and how it is told."""

    attack: Attack | Play
    task: Task
    reference: str
    score: float
    why: str
    actions: tuple[str, ...] = ()
    text: str = field(default="")

    def __post_init__(self) -> None:
        if isinstance(self.attack, Attack):
            self.text = self.attack.text


@dataclass(slots=True)
class _Luck:
    """Attacks that may be right by luck. Those on one task are no independent trials, so tasks are counted."""

    tries: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    right: list[Found] = field(default_factory=list)

    def add(self, found: Found, correct: bool) -> None:
        """Counts one."""
        self.tries[found.task.id].append(correct)
        if correct:
            self.right.append(found)

    @property
    def rate(self) -> Rate:
        """The sum over tasks of the share that was right, rounded down, of so many tasks."""
        return Rate(
            int(sum(sum(tries) / len(tries) for tries in self.tries.values()) + 1e-9), len(self.tries)
        )


class Ledger:
    """The books of one report.

    Args:
        report: what is written into.
        seconds: the bound of one call.
    """

    def __init__(self, report: EnvReport, seconds: float) -> None:
        self.report, self.seconds = report, seconds
        self._accepted: dict[str, list[Found]] = defaultdict(list)
        self._pairs: dict[tuple[str, str], list[tuple[bool, Found]]] = defaultdict(list)
        self._lucky: dict[tuple[str, str], _Luck] = defaultdict(_Luck)
        self._seconds: list[float] = []
        self._other: dict[tuple[Kind, str, str], Finding] = {}

    @property
    def seconds_a_call(self) -> float:
        """The median time of a right answer's verification."""
        return median(self._seconds) if self._seconds else 0.0

    # --- what came in ---

    def form(self, name: str, subject: Subject, text: str, required: bool, asked: Asked[Any]) -> None:
        """A right answer in some form."""
        seen = self._usable(f"form: {name}", "oracle", subject.task, text, asked)
        self._seconds.append(seen.slowest if seen is not None else 0.0)
        right = seen is not None and seen.correct and seen.score == 1.0
        if not required:
            self.report.optional.setdefault(name, Rate()).add(right)
            return
        self.report.refused.add(not right)
        if not right and seen is not None:
            shown = text or json.dumps(seen.actions)
            why = f"the reference answer in the form '{name}' scores {seen.score:g} ({seen.reason})"
            self.found(Kind.REFUSED, "oracle", name, why, shown, subject.task, seen.score)

    def attack(self, target: Target, attack: Attack, asked: Asked[Any]) -> None:
        """A text thrown at a task."""
        seen = self._usable(attack.name, attack.family, target.task, attack.text, asked)
        if seen is None:
            return
        found = Found(attack, target.task, target.reference, seen.score, "")
        if attack.pair and attack.luck is Luck.NONE:
            self._pairs[target.task.id, attack.pair].append((seen.score > 0, found))
        else:
            self._judge(attack.family, attack.name, attack.luck, seen, found)

    def play(self, subject: Subject, play: Play, asked: Asked[Any]) -> None:
        """A script played against a task."""
        text = json.dumps(play.script.actions[:3])
        seen = self._usable(play.name, play.family, subject.task, text, asked)
        if seen is not None:
            found = Found(play, subject.task, "", seen.score, "", seen.actions)
            self._judge(play.family, play.name, play.luck, seen, found)

    def found(
        self, kind: Kind, family: str, name: str, why: str, text: str, task: Task | None = None, score: float = 0.0
    ) -> None:  # fmt: skip
        """A finding; of several of a kind, family and name, the shortest is shown."""
        key = (kind, family, name if kind in (Kind.REFUSED, Kind.EXECUTES) else "")
        new = Finding(
            kind, family, name, why, task.id if task else "", text[:MAX_TEXT], len(text), score, names=(name,)
        )
        old = self._other.get(key)
        if old is None:
            self._other[key] = new
        else:
            best = new if new.chars < old.chars else old
            names = (*old.names, *((name,) if name not in old.names and len(old.names) < MAX_NAMES else ()))
            self._other[key] = replace(best, count=old.count + 1, names=names)

    def _usable(self, name: str, family: str, task: Task, text: str, asked: Asked[Any]) -> Seen | None:
        """What was seen, if it says something about the text; else it is a finding."""
        seen = asked.seen
        if seen is None:
            why = f"{asked.message or asked.lost} (attack: {name})"
            self.found(_LOST.get(asked.lost, Kind.EXCEPTION), family, name, why, text, task)
            return None
        if seen.slowest > self.report.slowest:
            self.report.slowest, self.report.slowest_attack = seen.slowest, f"{family}: {name}"
        if seen.slowest > self.seconds:
            why = f"a call took {seen.slowest:.1f} s, more than {self.seconds:g} s (attack: {name})"
            self.found(Kind.HANG, family, name, why, text, task)
        if seen.fault and not seen.valid:
            self.found(_FAILED.get(seen.reason, Kind.EXCEPTION), family, name, seen.fault, text, task)
            return None
        if seen.fault:
            self.found(Kind.INCONSISTENT, family, name, seen.fault, text, task, seen.score)
        return seen

    def _judge(self, family: str, name: str, luck: Luck, seen: Seen, found: Found) -> None:
        if luck is Luck.NONE:
            self.report.wrong.add(seen.score > 0)
            if seen.score > 0:
                self._accepted[family].append(found)
        elif luck is Luck.NEAR:
            self.report.near.add(seen.correct)
        elif luck is Luck.CHANCE:
            self.report.luck.setdefault(family, Rate()).add(seen.correct)
            self._lucky[family, name if family in _BY_NAME else ""].add(found, seen.correct)

    # --- what comes out ---

    def examples(self) -> Iterable[Found]:
        """The accepted attack of each family that is to be made smaller; decides about pairs first."""
        by_place: dict[str, None] = {}
        for members in self._pairs.values():
            hole = all(accepted for accepted, _ in members)
            for _ in members:
                self.report.wrong.add(hole)
            if hole:
                self._accepted[members[0][1].attack.family].append(members[0][1])
            elif any(accepted for accepted, _ in members):
                by_place[members[0][1].attack.name.rpartition(" (")[0]] = None
        self._pairs.clear()
        if by_place:
            self.report.notes.append(f"Of several answers one counts, by its place: {', '.join(by_place)}.")
        shown = []
        for founds in self._accepted.values():
            founds.sort(key=lambda f: len(f.text) + sum(map(len, f.actions)))
            shown.append(founds[0])
        return shown

    def close(self) -> None:
        """Writes the findings into the report."""
        findings = self.report.findings
        for founds in self._accepted.values():
            findings.append(_finding(Kind.ACCEPTED, founds, len(founds), "is paid for, and is no solution"))
        findings.extend(self._beyond_luck())
        findings.extend(self._other.values())
        findings.sort(key=lambda f: (list(Kind).index(f.kind), f.family, f.attack))

    def _beyond_luck(self) -> Iterable[Finding]:
        """One finding for each family in which something is right more often than luck allows."""
        beyond: dict[str, list[_Luck]] = defaultdict(list)
        for (family, _), luck in self._lucky.items():
            if luck.rate.interval.low > LUCK_BOUND:
                beyond[family].append(luck)
        for members in beyond.values():
            best = max(members, key=lambda luck: luck.rate.interval.low)
            others = f"; so are {len(members) - 1} others of this family" if len(members) > 1 else ""
            why = (
                f"is right on {best.rate.hits} of {best.rate.trials} tasks: more than luck ({LUCK_BOUND:.0%}) can "
                f"explain (95 % interval from {best.rate.interval.low:.0%}){others}"
            )
            founds = [min(luck.right, key=lambda f: len(f.text)) for luck in (best, *members)]
            yield _finding(Kind.LUCK, founds, sum(len(luck.right) for luck in members), why)


def _finding(kind: Kind, founds: Sequence[Found], count: int, why: str) -> Finding:
    """The finding that is told by the first of these."""
    found = founds[0]
    text = json.dumps(found.actions, ensure_ascii=False) if found.actions else found.text
    return Finding(
        kind=kind,
        family=found.attack.family,
        attack=found.attack.name,
        why=f"{found.attack.name} {why}",
        task_id=found.task.id,
        text=text[:MAX_TEXT],
        chars=len(text),
        score=found.score,
        count=count,
        names=tuple(dict.fromkeys(f.attack.name for f in founds))[:MAX_NAMES],
    )
