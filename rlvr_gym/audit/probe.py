"""What runs in the worker process of an audit: makes tasks, judges texts, plays episodes; nothing here decides."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rlvr_gym.episode import Episode
from rlvr_gym.errors import describe
from rlvr_gym.problem import Dialogue, Problem
from rlvr_gym.prompts import get_template
from rlvr_gym.task import Task
from rlvr_gym.verdict import Verdict
from rlvr_gym.verifier import AnswerVerifier, Verifier

__all__ = ["Given", "OracleGame", "Prober", "Script", "Seen", "Subject"]

MAX_SHOWN_ACTIONS = 40


@dataclass(frozen=True, slots=True)
class Subject:
    """A task as the audit sees it.

    Attributes:
        task: the task.
        reference: its reference answer; empty if there is none, or in a conversation.
        played: whether it is a conversation.
        extracts: whether its verifier promises the usual forms of an answer.
        moves: the oracle's actions, in a conversation.
    """

    task: Task
    reference: str
    played: bool
    extracts: bool
    moves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """The request for the tasks of a seed."""

    seed: int
    count: int


@dataclass(frozen=True, slots=True)
class Script:
    """Actions to be played one after another.

    Attributes:
        actions: what is said.
        restart: begin a new episode whenever one ends, until all of it has been said; else stop at the end.
        repeat: say it again and again until the episode ends.
    """

    actions: tuple[str, ...]
    restart: bool = False
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class OracleGame:
    """The oracle plays, and ``before`` is written before each of its actions, ``after`` after it."""

    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a text, or of the best of the episodes of a script.

    Attributes:
        score, correct, valid, reason: of the verdict; a score of 0 if no episode came to an end.
        fault: what is wrong with the verdict itself, or the exception that was raised; empty if all is well.
        slowest: seconds of the slowest call.
        actions: what was said in the episode.
    """

    score: float = 0.0
    correct: bool = False
    valid: bool = True
    reason: str = "wrong"
    fault: str = ""
    slowest: float = 0.0
    actions: tuple[str, ...] = ()


class Prober:
    """Answers the audit's requests about one problem; sent once to a worker process.

    Args:
        problem: the problem.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._verifier: Verifier | None = None

    def __getstate__(self) -> dict[str, Problem]:
        return {"problem": self.problem}

    def __setstate__(self, state: dict[str, Problem]) -> None:
        self.__init__(state["problem"])  # type: ignore[misc]

    @property
    def verifier(self) -> Verifier:
        """The problem's, made once."""
        if self._verifier is None:
            self._verifier = self.problem.make_verifier()
        return self._verifier

    def __call__(self, request: Given | tuple[Task, str | Script | OracleGame]) -> list[Subject] | Seen:
        """The tasks, or what came of a text, a script, or a game of the oracle."""
        if isinstance(request, Given):
            return self.subjects(request)
        task, what = request
        if isinstance(what, str):
            return self.judge(task, what)
        return self.play(task, what)

    def subjects(self, given: Given) -> list[Subject]:
        """The tasks, with all that the audit has to know about each."""
        source = self.problem.source(given.seed)
        count = given.count if source.length is None else min(given.count, source.length)
        return [self._subject(source[index]) for index in range(count)]

    def _subject(self, task: Task) -> Subject:
        owner = self.problem.owner(task)
        if isinstance(owner, Dialogue):
            episode = self._begin(task)
            while not episode.done and episode.turns < 1000:
                self._act(episode, owner.oracle(task, episode.state))
            return Subject(task, "", True, False, _said(episode))
        extracts = isinstance(owner.make_verifier(), AnswerVerifier)
        return Subject(task, owner.answer_text(task), False, extracts)

    def judge(self, task: Task, text: str) -> Seen:
        """The verdict on a text."""
        start = time.perf_counter()
        verdict = self.verifier.verify(text, task)
        return _seen(verdict, time.perf_counter() - start)

    def play(self, task: Task, what: Script | OracleGame) -> Seen:
        """The best of the episodes in which something is played; an exception ends it."""
        best, slowest = Seen(), 0.0
        player = self._player(task, what)
        episode = self._begin(task)
        spoken, wanted = 0, len(what.actions) if isinstance(what, Script) and not what.repeat else 10_000
        while spoken < wanted:
            action = player(episode, spoken)
            start = time.perf_counter()
            try:
                self._act(episode, action)
            except Exception as error:
                return Seen(valid=False, reason="raised", fault=f"{describe(error)} on {action[:200]!r}", actions=_said(episode))  # fmt: skip
            slowest = max(slowest, time.perf_counter() - start)
            spoken += 1
            if episode.verdict is None:
                continue
            seen = _seen(episode.verdict, 0.0, _said(episode))
            best = max(
                best, seen, key=lambda s: (bool(s.fault), not s.valid, s.correct, s.score, not s.actions)
            )
            if not (isinstance(what, Script) and what.restart):
                break
            episode = self._begin(task)
        return Seen(best.score, best.correct, best.valid, best.reason, best.fault, slowest, best.actions)

    def _player(self, task: Task, what: Script | OracleGame) -> Callable[[Episode, int], str]:
        if isinstance(what, Script):
            return lambda episode, turn: what.actions[turn % len(what.actions)]
        owner = self.problem.owner(task)
        assert isinstance(owner, Dialogue)
        return lambda episode, turn: f"{what.before}{owner.oracle(task, episode.state)}{what.after}"

    def _begin(self, task: Task) -> Episode:
        return Episode(self.problem, task, get_template("plain"), self.problem.turn_limit(task))

    def _act(self, episode: Episode, action: str) -> None:
        episode.act(action)
        if episode.pending is not None:
            episode.conclude(self.verifier.verify(episode.pending, episode.task))


def _said(episode: Episode) -> tuple[str, ...]:
    said = [m["content"] for m in episode.messages if m["role"] == "assistant"]
    return tuple(said[:MAX_SHOWN_ACTIONS])


_UNREAD = {"no_answer", "unparseable", "too_complex", "ambiguous", "bad_format", "max_turns"}


def _seen(verdict: Verdict, seconds: float, actions: Sequence[str] = ()) -> Seen:
    return Seen(
        score=float(verdict.score),
        correct=bool(verdict.correct),
        valid=bool(verdict.valid),
        reason=str(verdict.reason),
        fault=_fault(verdict),
        slowest=seconds,
        actions=tuple(actions),
    )


def _fault(verdict: Verdict) -> str:
    """What is wrong with a verdict, whatever it is about."""
    if not verdict.valid:
        return f"verification failed ({verdict.reason}): {dict(verdict.details)}"[:400]
    try:
        json.dumps(verdict.to_dict(), allow_nan=False)
    except (TypeError, ValueError) as error:
        return f"the verdict is no JSON: {describe(error, 200)}"
    if verdict.correct and verdict.score <= 0.0:
        return f"the verdict is correct, with a score of {verdict.score}"
    if verdict.score > 0.0 and str(verdict.reason) in _UNREAD:
        return f"the verdict scores {verdict.score}, with the reason {verdict.reason}"
    return ""
