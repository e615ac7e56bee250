"""What games that are played against an environment share: reading a move, and saying that one is illegal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from rlvr_gym.extraction import extract_answer
from rlvr_gym.problem import Dialogue, Reply
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import Verifier, register_verifier
from rlvr_gym.verifiers.grids import normalized

__all__ = [
    "EpisodeVerifier",
    "Game",
    "illegal",
    "lost",
    "move_words",
    "offered",
    "read_move",
    "say_turns",
    "won",
]

MAX_MOVE_CHARS = 400
"""A longer move is not read: the longest legal one has some twenty characters."""

_SIGNED = re.compile(r"(?<![^\W_])[-+\u2212]\d")


@register_verifier("episode")
class EpisodeVerifier(Verifier):
    """For conversations that end with a verdict on their own state: one text alone never wins them."""

    def judge(self, completion: str, task: Task) -> Verdict:
        """Nothing is an answer."""
        return Verdict.wrong(Reason.NO_ANSWER)


@dataclass(frozen=True, kw_only=True)
class Game(Dialogue):
    """A game whose outcome is a matter of its state; ``task.metadata["turns"]`` is the turn limit."""

    verifier: ClassVar[str] = "episode"

    def turn_limit(self, task: Task) -> int:
        """As the prompt says."""
        return int(task.metadata["turns"])


def offered(action: str) -> str:
    """The one answer that an action offers; empty if there is none, or several different ones, or a very long one."""
    candidates = extract_answer(action).candidates
    return candidates[0] if len(candidates) == 1 and len(candidates[0]) <= MAX_MOVE_CHARS else ""


def move_words(text: str) -> str:
    """The words of a move: lower case, single spaces, no punctuation; empty if a number has a sign."""
    return "" if _SIGNED.search(text) else normalized(text)


def read_move(action: str) -> str:
    """The words of the move that an action offers; may be empty."""
    return move_words(offered(action))


def illegal(why: str) -> Reply:
    """The reply to something that is no legal move: it costs its turn and is counted in ``illegal_moves``."""
    return Reply(text=why, metrics={"illegal_moves": 1.0})


def won(text: str, **details: Any) -> Reply:
    """The end: the stated goal is reached."""
    return Reply(text=text, verdict=Verdict.right(**details))


def lost(text: str, **details: Any) -> Reply:
    """The end: the stated goal cannot be reached any more."""
    return Reply(text=text, verdict=Verdict.wrong(Reason.WRONG, **details))


def say_turns(turns: int) -> str:
    """What a prompt says about turns and illegal moves."""
    return f"You have {turns} turns; one without a legal move is lost, but changes nothing else."
