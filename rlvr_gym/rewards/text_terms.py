"""Reward terms that read the completion: repetition, stated confidence, resemblance to a reference.

All are linear in its length. What is right is none of their business: that is the verifier's.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from rlvr_gym.data import words
from rlvr_gym.errors import ConfigError
from rlvr_gym.extraction import extract_text, strip_thinking
from rlvr_gym.rewards.term import RewardTerm, register_term
from rlvr_gym.rollout import Rollout
from rlvr_gym.task import Task

__all__ = ["Brier", "ExactMatch", "Repetition", "TokenF1", "offered_text", "reference_text"]


@register_term("repetition")
@dataclass(frozen=True)
class Repetition(RewardTerm):
    """``-most (1 - different n-grams / n-grams)`` of the words (2502.03373, appendix C.2, for whole completions).

    The paper puts the penalty on the tokens of each repeated n-gram; this is its scalar form, as in open-r1.

    Attributes:
        n: words in an n-gram.
        most: the penalty of a text that says one thing only.
    """

    n: int = 3
    most: float = 1.0

    def __post_init__(self) -> None:
        if self.n < 1 or self.most < 0:
            raise ConfigError(f"repetition needs n >= 1 and most >= 0; got n {self.n} and most {self.most}.")

    def __call__(self, rollout: Rollout) -> float:
        """In [-most, 0]; 0 for a text of fewer than n words."""
        said = rollout.completion.lower().split()
        count = len(said) - self.n + 1
        if count < 1:
            return 0.0
        different = len(set(zip(*(said[i:] for i in range(self.n)), strict=False)))
        return -self.most * (1 - different / count)


@register_term("brier")
@dataclass(frozen=True)
class Brier(RewardTerm):
    """``-(p - c)^2`` for the confidence p that the completion states, such as ``<confidence>0.8</confidence>``.

    A proper scoring rule: the best p is the true chance of being right (RLCR, 2507.16806, adds it to c). What is
    stated in the thinking does not count. Without a confidence from 0 to 1 (or ``80%``), or with several that
    differ, it is -1, the worst.

    Attributes:
        tag: the tag's name; the prompt has to ask for it.
    """

    tag: str = "confidence"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z]\w{0,30}", self.tag, re.ASCII):
            raise ConfigError(f"The tag of brier is a word of ASCII letters; got {self.tag!r}.")

    def __call__(self, rollout: Rollout) -> float:
        """In [-1, 0]."""
        stated = _confidence(strip_thinking(rollout.completion), self.tag)
        return -1.0 if stated is None else -((stated - float(rollout.verdict.correct)) ** 2)


_NUMBER = re.compile(
    r"\s{0,8}([01](?:\.\d{0,12})?|\.\d{1,12}|\d{1,3}(?:\.\d{0,12})?(?=\s?%))\s?(%?)\s{0,8}", re.ASCII
)


@lru_cache(maxsize=16)
def _tag(name: str) -> re.Pattern[str]:
    return re.compile(rf"<{name}>([^<>]{{1,40}})</{name}>", re.IGNORECASE)


def _confidence(text: str, tag: str) -> float | None:
    found = {_share(content) for content in _tag(tag).findall(text)}
    return found.pop() if len(found) == 1 else None


def _share(text: str) -> float | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    share = float(match[1]) / (100 if match[2] else 1)
    return share if share <= 1 else None


def reference_text(task: Task) -> str:
    """The reference answer of a task as text: ``metadata["reference"]``, else the answer.

    Raises:
        ConfigError: if the answer is neither text nor a number.
    """
    reference = task.metadata.get("reference", task.answer)
    if isinstance(reference, bool) or not isinstance(reference, str | int | float):
        raise ConfigError(
            f"Comparing with a reference needs tasks whose answer is a text or a number (or that have one in "
            f"metadata['reference']); the answer of {task.id!r} is a {type(reference).__name__}."
        )
    return str(reference)


def offered_text(completion: str) -> str | None:
    """The one text that a completion offers as its answer; None if there is none, or there are several."""
    candidates = extract_text(completion).candidates
    return candidates[0] if len(candidates) == 1 else None


@register_term("exact_match")
@dataclass(frozen=True)
class ExactMatch(RewardTerm):
    """1 if the answer has the reference's words, in order; case and punctuation do not count. A cheap soft score."""

    def __call__(self, rollout: Rollout) -> float:
        """The indicator; 0 if there is no answer, or several."""
        answer = offered_text(rollout.completion)
        return float(answer is not None and words(answer) == words(reference_text(rollout.task)))


@register_term("token_f1")
@dataclass(frozen=True)
class TokenF1(RewardTerm):
    """F1 of the words of answer and reference as multisets (SQuAD, 1606.05250); the answer reward of R1-Searcher."""

    def __call__(self, rollout: Rollout) -> float:
        """``2 common / (said + wanted)``, in [0, 1]; 0 if there is no answer, or several."""
        answer = offered_text(rollout.completion)
        said, wanted = words(answer or ""), words(reference_text(rollout.task))
        common = (Counter(said) & Counter(wanted)).total()
        return 2 * common / (len(said) + len(wanted)) if common else 0.0
