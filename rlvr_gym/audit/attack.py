"""What an attack is, and what it is aimed at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rlvr_gym.task import Task

__all__ = ["Attack", "Luck", "Target", "is_prose", "normalised"]


class Luck(StrEnum):
    """What an accepted attack means."""

    NONE = "none"
    """No right answer looks like that: it is a hole, each time."""
    CHANCE = "chance"
    """It may be right by luck: it is a hole if it is accepted more often than the luck bound allows."""
    NEAR = "near"
    """A small change of a right answer. In tasks with several right answers it is often right; the rate is told."""
    SURVIVE = "survive"
    """It may well be right: what is asked is a verdict in time."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One text thrown at a verifier.

    Attributes:
        family: the group it is counted in, such as ``"hedge"``.
        name: what it is, such as ``"two answers joined by 'or'"``.
        text: the completion.
        luck: what it means if it is accepted.
        keep: what a minimal example still has to hold; without it, the attack would be another one.
        pair: attacks of one task with the same ``pair`` are a hole only if all of them are accepted. It tells a
            verifier that takes any of several answers from one that takes, say, the last one.
    """

    family: str
    name: str
    text: str
    luck: Luck = Luck.NONE
    keep: tuple[str, ...] = ()
    pair: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A task and what an attacker can know about it.

    Attributes:
        task: the task.
        reference: its reference answer as a model would write it; empty if there is none.
        others: reference answers of other tasks that differ from it.
        wrong: an answer that the verifier is known to refuse for this task; empty if none is known.
    """

    task: Task
    reference: str
    others: Sequence[str] = field(default=())
    wrong: str = ""

    @property
    def prose(self) -> bool:
        """Whether the answer is a text to be written, in which a joint of two answers may be one answer again."""
        return is_prose(self.reference)


_SENTENCE = re.compile(r"[^\W\d_]{2}[.!?][\"')\]]?(?:\s|\Z)")
_WORD = re.compile(r"[^\W\d_]+")
_SMALL = frozenset(
    ["a", "an", "and", "are", "as", "at", "by", "for", "from", "in", "is", "it", "of", "on", "or", "that", "the", "to", "was",
     "with"]
)  # fmt: skip


def is_prose(text: str) -> bool:
    """Whether a text is English prose: sentences of at least eight words, every tenth of them one of the commonest."""
    if _SENTENCE.search(text[:4000]) is None:
        return False
    words = [word.casefold() for word in _WORD.findall(text[:4000])]
    return len(words) >= 8 and sum(word in _SMALL for word in words) * 10 >= len(words)


def normalised(text: str) -> str:
    """A text without what is presentation in nearly every task: case, white space, quotes and end marks."""
    return re.sub(r"[\s\"'`*$.]+", "", text).casefold()
