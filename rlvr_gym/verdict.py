"""What a verifier says: a score, whether it is to be trusted, and a reason that a person can act on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

__all__ = ["Reason", "Verdict"]


class Reason(StrEnum):
    """Why a verdict is as it is."""

    CORRECT = "correct"
    WRONG = "wrong"
    """Read and understood, and not right."""
    PARTIAL = "partial"
    """A graded task: valid, but below full score."""
    NO_ANSWER = "no_answer"
    """Nothing is offered as an answer outside the thinking."""
    AMBIGUOUS = "ambiguous"
    """Several different answers are offered at once."""
    UNPARSEABLE = "unparseable"
    """There is an answer, but it cannot be read."""
    TOO_COMPLEX = "too_complex"
    """The answer is beyond the verifier's stated budgets (length, nesting, size of numbers)."""
    RULE_BROKEN = "rule_broken"
    """Readable, but it breaks a rule that the task states."""
    BAD_FORMAT = "bad_format"
    """The completion does not have the required form."""
    MAX_TURNS = "max_turns"
    """The conversation ran out of turns before an answer came."""

    PASSED = "passed"
    WRONG_ANSWER = "wrong_answer"
    RUNTIME_ERROR = "runtime_error"
    SYNTAX_ERROR = "syntax_error"
    MEMORY = "memory"
    OUTPUT_LIMIT = "output_limit"

    TIMEOUT = "timeout"
    """Verification ran over its time (with ``valid=False``), or the judged program did (with ``valid=True``)."""
    WORKER_CRASHED = "worker_crashed"
    VERIFIER_ERROR = "verifier_error"
    """A defect of the verifier: it raised."""
    INFRASTRUCTURE_ERROR = "infrastructure_error"


@dataclass(frozen=True, slots=True, init=False)
class Verdict:
    """The judgement of one completion.

    Attributes:
        score: in [0, 1].
        correct: whether the task counts as solved.
        reason: a short code.
        valid: False if verification itself failed; such a sample has no reward and leaves statistics and loss.
        extracted: the answer that was judged, as text; None if none was found.
        details: JSON facts for people and logs.
    """

    score: float
    correct: bool
    reason: Reason
    valid: bool = True
    extracted: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def __init__(
        self,
        score: float,
        correct: bool,
        reason: Reason,
        valid: bool = True,
        extracted: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        if not 0.0 <= score <= 1.0:  # also refuses nan
            raise ValueError(f"A score lies in [0, 1]; got {score!r}.")
        # by the slots themselves: in half the time of object.__setattr__, the way of a frozen dataclass
        _set_score(self, score)
        _set_correct(self, correct)
        _set_reason(self, reason)
        _set_valid(self, valid)
        _set_extracted(self, extracted)
        _set_details(self, {} if details is None else details)

    @classmethod
    def right(cls, extracted: str | None = None, reason: Reason = Reason.CORRECT, **details: Any) -> Verdict:
        """Full score."""
        return cls(1.0, True, reason, True, extracted, details)

    @classmethod
    def wrong(cls, reason: Reason = Reason.WRONG, extracted: str | None = None, **details: Any) -> Verdict:
        """Score 0, and ``reason`` why."""
        return cls(0.0, False, reason, True, extracted, details)

    @classmethod
    def graded(cls, score: float, extracted: str | None = None, **details: Any) -> Verdict:
        """A score between 0 and 1; correct at 1."""
        if score >= 1.0:
            return cls.right(extracted, **details)
        return cls(score, False, Reason.PARTIAL if score > 0 else Reason.WRONG, True, extracted, details)

    @classmethod
    def failed(cls, reason: Reason, extracted: str | None = None, **details: Any) -> Verdict:
        """Verification itself failed: not a wrong answer, and never a reward."""
        return cls(0.0, False, reason, False, extracted, details)

    def to_dict(self) -> dict[str, Any]:
        """The verdict as a JSON-ready dict."""
        return {
            "score": self.score,
            "correct": self.correct,
            "valid": self.valid,
            "reason": str(self.reason),
            "extracted": self.extracted,
            "details": dict(self.details),
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Verdict:
        """The inverse of :meth:`to_dict`."""
        return cls(**{**row, "reason": Reason(row["reason"])})


_set_score, _set_correct, _set_reason, _set_valid, _set_extracted, _set_details = (
    getattr(Verdict, each.name).__set__ for each in fields(Verdict)
)
