"""What the environments with tools share: calls are answered, everything else is the end or a reminder."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from rlvr_gym.errors import ConfigError
from rlvr_gym.extraction import extract_answer
from rlvr_gym.problem import Dialogue, Reply
from rlvr_gym.task import Task
from rlvr_gym.tools import Tool, describe_tools, tag_texts, use_tools
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import Verifier, register_verifier

__all__ = [
    "AnswerDialogue",
    "Calls",
    "FinalStateVerifier",
    "Session",
    "StateDialogue",
    "ToolDialogue",
    "turns_for",
]

MAX_TURNS = 100
DONE = "done"

Calls = list[list[Any]]
"""The calls of one action: ``[tool, arguments]`` each."""


def turns_for(plan: Sequence[Calls]) -> int:
    """The turns of a task: those of the plan and the end, and half as many again to look around and to err."""
    return len(plan) + 1 + max(3, (len(plan) + 1) // 2)


@dataclass(slots=True)
class Session:
    """An episode's state.

    Attributes:
        world: what the tools work on.
        step: actions with calls so far.
    """

    world: Any
    step: int = 0


@dataclass(frozen=True, kw_only=True)
class ToolDialogue(Dialogue):
    """An action with calls gets their results; one without them ends the episode, or is told what is missing.

    ``task.metadata`` holds ``turns``, the turn limit, and ``plan``, the calls of each of the oracle's actions. The
    metrics are ``tool_calls``, ``tool_errors`` (calls that could not be carried out) and ``tool_result_chars``.

    Attributes:
        turns: actions in an episode, 1 to 100; 0 leaves it to the task.
    """

    turns: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.turns <= MAX_TURNS:
            raise ConfigError(
                f"turns goes from 1 to {MAX_TURNS}, or is 0 for the task's own; got {self.turns!r}."
            )

    @property
    def tags(self) -> tuple[str, ...]:
        """Those of calls and results."""
        return tag_texts()

    @abstractmethod
    def open(self, task: Task) -> Any:
        """A new world for the tools to work on."""

    @abstractmethod
    def tools(self, world: Any) -> Sequence[Tool]:
        """The tools that work on ``world``."""

    @abstractmethod
    def finish(self, task: Task, world: Any, action: str) -> Reply:
        """The reply to an action without calls."""

    @abstractmethod
    def last_words(self, task: Task) -> str:
        """The oracle's last action."""

    def turn_limit(self, task: Task) -> int:
        """The configured turns, else the task's own."""
        return self.turns or int(task.metadata["turns"])

    def start(self, task: Task) -> Session:
        """A new world."""
        return Session(self.open(task))

    def use(self, session: Session, action: str) -> Reply | None:
        """The results of the calls of an action; None if there are none."""
        return use_tools(action, self.tools(session.world))

    def call(self, name: str, arguments: dict[str, Any]) -> str:
        """A call as a policy writes it."""
        return (
            f"<tool_call>{json.dumps({'name': name, 'arguments': arguments}, ensure_ascii=False)}</tool_call>"
        )

    def reply(self, task: Task, state: Any, action: str) -> Reply:
        """Calls come first; whatever else stands in such an action is not looked at."""
        reply = self.use(state, action)
        if reply is None:
            return self.finish(task, state.world, action)
        state.step += 1
        return replace(reply, metrics={**(reply.metrics or {}), "tool_result_chars": float(len(reply.text))})

    def oracle(self, task: Task, state: Any) -> str:
        """The next calls of the plan, then the end."""
        plan = task.metadata["plan"]
        if state.step >= len(plan):
            return self.last_words(task)
        return "\n".join(self.call(name, arguments) for name, arguments in plan[state.step])

    def rules(self, tools: Sequence[Tool], turns: int) -> str:
        """What a prompt says about tools and turns."""
        return (
            f"{describe_tools(tools)}\n\nWrite one or more calls, and then wait: the results come in the next "
            f"message. You have {self.turns or turns} turns."
        )


class AnswerDialogue(ToolDialogue):
    """The episode ends with an answer in tags (or a box), which the problem's verifier judges."""

    form: ClassVar[str]
    """What the answer looks like, as in ``give <form> in <answer> tags``."""

    def finish(self, task: Task, world: Any, action: str) -> Reply:
        """An answer goes to the verifier."""
        if extract_answer(action).marked:
            return Reply(answer=action)
        return Reply(text=f"Call a tool, or give {self.form} in <answer> tags.")

    def last_words(self, task: Task) -> str:
        """The answer."""
        return f"Now I know it. <answer>{self.answer_text(task)}</answer>"


@dataclass(frozen=True, kw_only=True)
class StateDialogue(ToolDialogue):
    """The episode ends with ``<answer>done</answer>``, and the state of the world is judged, however it came about.

    ``task.answer`` is the list of all facts that have to hold in the end, and no others.
    """

    verifier: ClassVar[str] = "final_state"

    @abstractmethod
    def facts(self, world: Any) -> list[str]:
        """Everything that matters in ``world``, one line each, the order of no meaning."""

    def finish(self, task: Task, world: Any, action: str) -> Reply:
        """The end hands the state to the verifier."""
        found = extract_answer(action)
        if found.marked and [candidate.strip(" .!").lower() for candidate in found.candidates] == [DONE]:
            return Reply(answer=json.dumps(self.facts(world)))
        return Reply(
            text=f"Call a tool, or write <answer>{DONE}</answer> when everything is as it should be."
        )

    def last_words(self, task: Task) -> str:
        """Done."""
        return f"Everything is as it should be. <answer>{DONE}</answer>"

    def rules(self, tools: Sequence[Tool], turns: int) -> str:
        """Also how the episode ends."""
        return (
            f"{super().rules(tools, turns)} When everything is as it should be, and nothing else is changed, write "
            f"<answer>{DONE}</answer>, without a call: only the state that is there then counts."
        )


@register_verifier("final_state")
class FinalStateVerifier(Verifier):
    """The facts that hold in the end, which the *environment* states as a JSON list, are exactly ``task.answer``.

    The completion is never a policy's text: :class:`StateDialogue` writes it.
    """

    def judge(self, completion: str, task: Task) -> Verdict:
        """Compares as multisets; the details say how many facts are missing and how many should not be there."""
        try:
            facts = json.loads(completion)
        except (ValueError, RecursionError):
            return Verdict.wrong(Reason.UNPARSEABLE)
        if not isinstance(facts, list) or not all(isinstance(fact, str) for fact in facts):
            return Verdict.wrong(Reason.UNPARSEABLE)
        wanted, found = Counter(task.answer), Counter(facts)
        missing, surplus = (wanted - found).total(), (found - wanted).total()
        return Verdict.wrong(missing=missing, surplus=surplus) if missing or surplus else Verdict.right()
