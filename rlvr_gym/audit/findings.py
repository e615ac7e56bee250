"""What an audit finds: findings, the rates of an environment, and both as JSON."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from rlvr_gym.stats import Interval, clopper_pearson

__all__ = ["EnvReport", "Finding", "Kind", "Rate"]

MAX_TEXT = 2_000


class Kind(StrEnum):
    """What kind of defect a finding is."""

    ACCEPTED = "accepted"
    """A text that is no solution was paid for."""
    LUCK = "luck"
    """Texts that may be right by luck are accepted more often than luck allows."""
    UNIVERSAL = "universal answer"
    """The search found one text that is paid for on many tasks."""
    REFUSED = "refused"
    """A right answer, in a form that has to be accepted, was not."""
    EXCEPTION = "exception"
    """An exception, or a verdict that says that verification failed."""
    INCONSISTENT = "inconsistent"
    """A verdict that contradicts itself."""
    CRASH = "crash"
    """The process of the verifier died."""
    HANG = "hang"
    """A call ran over its time and was killed."""
    EXECUTES = "executes answers"
    """Code in an answer ran."""
    BROKEN = "broken"
    """No tasks can be made."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect, with the smallest example that was found.

    Attributes:
        kind: what kind of defect.
        family: the group of the attack.
        attack: its name.
        why: what happened, in one sentence.
        task_id: the task.
        text: the completion, or the actions, in JSON; cut after 2,000 characters.
        chars: how long it is.
        score: what was paid.
        count: how many findings of this kind and family there were in all.
        names: the attacks that they were of, the first twenty.
    """

    kind: Kind
    family: str
    attack: str
    why: str
    task_id: str = ""
    text: str = ""
    chars: int = 0
    score: float = 0.0
    count: int = 1
    names: tuple[str, ...] = ()


@dataclass(slots=True)
class Rate:
    """So many of so many."""

    hits: int = 0
    trials: int = 0

    def add(self, hit: bool) -> None:
        """Counts a trial."""
        self.hits += hit
        self.trials += 1

    @property
    def interval(self) -> Interval:
        """With the exact interval at 95 %."""
        return clopper_pearson(self.hits, self.trials)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; the bounds of nothing are null."""
        rate, low, high = (None if math.isnan(x) else round(x, 6) for x in self.interval)
        return {"hits": self.hits, "trials": self.trials, "rate": rate, "low": low, "high": high}


@dataclass(slots=True)
class EnvReport:
    """What the audit of one environment found.

    Attributes:
        env: its id.
        family: the group it is listed in.
        settings: with which it was audited.
        trusted: whether its verdicts are ours.
        tasks: how many tasks were attacked.
        calls: texts judged and episodes played.
        wrong: false positives: attacks that are never right, and were paid for.
        refused: false negatives: required forms of the right answer that were not accepted.
        luck: attacks that may be right by luck, by family: how many were accepted.
        near: small changes of the right answer that were accepted; told, and no finding.
        optional: forms that need not be accepted, by name: how many were.
        slowest: seconds of the slowest call.
        slowest_attack: and what it was.
        seconds: of the whole audit.
        findings: the defects.
        notes: what was left out, and why.
        skipped: why the environment was not audited at all; empty if it was.
    """

    env: str
    family: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    trusted: bool = True
    tasks: int = 0
    calls: int = 0
    wrong: Rate = field(default_factory=Rate)
    refused: Rate = field(default_factory=Rate)
    luck: dict[str, Rate] = field(default_factory=dict)
    near: Rate = field(default_factory=Rate)
    optional: dict[str, Rate] = field(default_factory=dict)
    slowest: float = 0.0
    slowest_attack: str = ""
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    skipped: str = ""

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def verdict(self) -> str:
        """One word or a few for tables."""
        if self.skipped:
            return "skipped"
        kinds = Counter(str(finding.kind) for finding in self.findings)
        return ", ".join(sorted(kinds)) or "clean"

    def count(self, kind: Kind) -> int:
        """How many findings of a kind there were, those that are not shown included."""
        return sum(finding.count for finding in self.findings if finding.kind is kind)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "env": self.env,
            "family": self.family,
            "settings": self.settings,
            "trusted": self.trusted,
            "verdict": self.verdict,
            "tasks": self.tasks,
            "calls": self.calls,
            "false_positives": self.wrong.to_dict(),
            "false_negatives": self.refused.to_dict(),
            "luck": {name: rate.to_dict() for name, rate in self.luck.items()},
            "near_misses": self.near.to_dict(),
            "optional_forms": {name: rate.to_dict() for name, rate in self.optional.items()},
            "slowest_seconds": round(self.slowest, 4),
            "slowest_attack": self.slowest_attack,
            "seconds": round(self.seconds, 2),
            "findings": [{**asdict(finding), "names": list(finding.names)} for finding in self.findings],
            "notes": self.notes,
            "skipped": self.skipped,
        }
