"""Comparing a predicted piece of text with what the text says: exactly, from its beginning, or by words in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier
from rlvr_gym.verifiers.instruction_text import words_of

__all__ = ["FLOOR", "SCORES", "SegmentVerifier", "exact", "prefix", "token_f1"]

FLOOR = 0.5
"""Below this a resemblance pays nothing: any two sentences have small words in common."""
MAX_CHARS = 4_000


def exact(predicted: Sequence[str], truth: Sequence[str]) -> float:
    """1 if the words are the same, in order."""
    return float(list(predicted) == list(truth))


def prefix(predicted: Sequence[str], truth: Sequence[str]) -> float:
    """The words that are right from the beginning on, over the words of the longer of the two."""
    same = 0
    for a, b in zip(predicted, truth, strict=False):
        if a != b:
            break
        same += 1
    return same / max(len(predicted), len(truth), 1)


def token_f1(predicted: Sequence[str], truth: Sequence[str]) -> float:
    """F1 of the words as multisets, as for SQuAD (Rajpurkar et al. 2016, arXiv 1606.05250), articles included."""
    common = (Counter(predicted) & Counter(truth)).total()
    return 2 * common / (len(predicted) + len(truth)) if common else 0.0


SCORES: dict[str, Callable[[Sequence[str], Sequence[str]], float]] = {
    "exact": exact,
    "prefix": prefix,
    "token_f1": token_f1,
}
"""Name -> measure of two lists of words, in [0, 1]."""


@register_verifier("segment_prediction")
class SegmentVerifier(AnswerVerifier):
    """Case, punctuation and white space do not matter.

    ``task.answer`` is ``{"segment": text, "score": a name of SCORES, "threshold": number}``. The score is the measure,
    0 below a half; the task counts as solved from the threshold on.
    """

    def check(self, answer: str, task: Task) -> Verdict:
        """Measures the answer against the segment."""
        if len(answer) > MAX_CHARS:
            return Verdict.wrong(Reason.TOO_COMPLEX, answer[:200])
        predicted, truth = words_of(answer), words_of(task.answer["segment"])
        measures: dict[str, Any] = {
            name: round(measure(predicted, truth), 6) for name, measure in SCORES.items()
        }
        value = SCORES[task.answer["score"]](predicted, truth)
        shown = answer[:200]
        if value < FLOOR:
            return Verdict.wrong(Reason.WRONG, shown, **measures)
        correct = value >= task.answer["threshold"]
        return Verdict(value, correct, Reason.CORRECT if correct else Reason.PARTIAL, True, shown, measures)
