"""Re-scoring: what would another reward have said about the rollouts that a run has saved?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

from rlvr_gym.errors import DataError
from rlvr_gym.report.run_data import read_rows
from rlvr_gym.rewards import RewardDesign
from rlvr_gym.rollout import Rollout

__all__ = ["Rescored", "Rescoring", "read_rollouts", "rescore"]

_EQUAL = 1e-9


@dataclass(frozen=True, slots=True)
class Rescored:
    """A saved rollout and its rewards; nan where there was none, or is none."""

    step: int
    task_id: str
    attempt: int
    rollout: Rollout
    old: float
    new: float
    terms: dict[str, float] = field(default_factory=dict)

    @property
    def change(self) -> float:
        """New less old."""
        return self.new - self.old

    @property
    def sign_flips(self) -> bool:
        """Whether the reward goes from above 0 to below, or the other way."""
        return self.old * self.new < 0

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready row; null for nan."""
        numbers = {"old": self.old, "new": self.new, "change": self.change}
        return {
            "step": self.step,
            "task_id": self.task_id,
            "attempt": self.attempt,
            "correct": self.rollout.verdict.correct,
            **{key: None if math.isnan(value) else value for key, value in numbers.items()},
            "sign_flips": self.sign_flips,
            "terms": {key: None if math.isnan(v) else v for key, v in self.terms.items()},
        }


@dataclass(frozen=True, slots=True)
class Rescoring:
    """Saved rollouts under another design.

    Attributes:
        design: the other design.
        groups: the rollouts of each prompt of each step.
        unreadable: saved rows that hold no rollout.
    """

    design: RewardDesign
    groups: tuple[tuple[Rescored, ...], ...]
    unreadable: int = 0

    @property
    def rows(self) -> list[Rescored]:
        """All rollouts, in their order."""
        return [row for group in self.groups for row in group]

    def summary(self) -> dict[str, Any]:
        """What changes on the whole.

        ``pairs`` are two rollouts of one prompt that both designs tell apart; in ``order_flips`` of them the better
        one becomes the worse. Pairs that only one of the designs tells apart are ``pairs_lost`` and ``pairs_gained``;
        ``groups_lost`` and ``groups_gained`` are groups that teach nothing any more, or now do.
        """
        judged = [row for row in self.rows if not math.isnan(row.change)]
        counts = dict.fromkeys(("pairs", "order_flips", "pairs_lost", "pairs_gained"), 0)
        for group in self.groups:
            for kind in _pairs(group):
                counts[kind] += 1
        spread = [(_differs([r.old for r in g]), _differs([r.new for r in g])) for g in self.groups]
        return {
            "design": self.design.name,
            "rollouts": len(self.rows),
            "unreadable": self.unreadable,
            "without_reward": sum(math.isnan(row.new) for row in self.rows),
            "groups": len(self.groups),
            "largest_group": max(map(len, self.groups), default=0),
            "changed": sum(abs(row.change) > _EQUAL for row in judged),
            "mean_old": fmean(row.old for row in judged) if judged else None,
            "mean_new": fmean(row.new for row in judged) if judged else None,
            "mean_change": fmean(row.change for row in judged) if judged else None,
            "sign_flips": sum(row.sign_flips for row in judged),
            **counts,
            "groups_lost": sum(old and not new for old, new in spread),
            "groups_gained": sum(new and not old for old, new in spread),
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything, JSON-ready."""
        rows = [row.to_dict() for row in self.rows]
        return {"summary": self.summary(), "reward": self.design.to_dict(), "rollouts": rows}


def _pairs(group: Sequence[Rescored]) -> Iterator[str]:
    """What becomes of each pair of a group that at least one design tells apart."""
    known = [row for row in group if not math.isnan(row.change)]
    for a, b in combinations(known, 2):
        old, new = _sign(a.old - b.old), _sign(a.new - b.new)
        if old and new:
            yield "pairs"
        if old * new < 0:
            yield "order_flips"
        elif old and not new:
            yield "pairs_lost"
        elif new and not old:
            yield "pairs_gained"


def _sign(value: float) -> int:
    return 0 if abs(value) <= _EQUAL else 1 if value > 0 else -1


def _differs(values: Sequence[float]) -> bool:
    known = [value for value in values if not math.isnan(value)]
    return bool(known) and max(known) - min(known) > _EQUAL


def rescore(rows: Iterable[Mapping[str, Any]], design: RewardDesign) -> Rescoring:
    """The rewards of saved rollouts under ``design``; their verdicts stand as they are.

    Rows of one task and step are a group. Schedules follow the step that a row was saved at.

    Args:
        rows: of ``rollouts.jsonl``, or of ``rlvr-gym eval --rollouts``.
        design: the other reward.

    Raises:
        DataError: if no row holds a rollout.
    """
    grouped: dict[tuple[int, str], list[tuple[Mapping[str, Any], Rollout]]] = {}
    unreadable: list[DataError] = []
    for row in rows:
        try:
            rollout = Rollout.from_row(row)
        except DataError as error:
            unreadable.append(error)
            continue
        grouped.setdefault((int(row.get("step") or 0), rollout.task.id), []).append((row, rollout))
    if not grouped:
        raise DataError(str(unreadable[0]) if unreadable else "There is no saved rollout to score.")
    groups = tuple(_rescore_group(step, members, design) for (step, _), members in grouped.items())
    return Rescoring(design, groups, len(unreadable))


def _rescore_group(
    step: int, members: Sequence[tuple[Mapping[str, Any], Rollout]], design: RewardDesign
) -> tuple[Rescored, ...]:
    rewards = design([rollout for _, rollout in members], step)
    return tuple(
        Rescored(
            step,
            rollout.task.id,
            int(row.get("attempt", row.get("sample", number))),
            rollout,
            _number(row.get("reward")),
            reward.total,
            reward.terms,
        )
        for number, ((row, rollout), reward) in enumerate(zip(members, rewards, strict=True))
    )


def _number(value: Any) -> float:
    """A saved reward; nan for null, as a failed verification is saved."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def read_rollouts(path: Path) -> list[dict[str, Any]]:
    """The saved rollouts of a run's folder, or of a ``.jsonl`` file; a last line that was cut off is left out.

    Raises:
        DataError: if there are none, or a line is broken.
    """
    file = path / "rollouts.jsonl" if path.is_dir() else path
    if not file.is_file():
        what = (
            "has no rollouts.jsonl; was it trained with logging.rollouts=0?"
            if path.is_dir()
            else "is not there."
        )
        raise DataError(f"{path} {what} Give the folder of a training run, or a .jsonl file of rollouts.")
    rows = list(read_rows(file))
    if not rows:
        raise DataError(f"{file} is empty: there is no saved rollout to score.")
    return rows
