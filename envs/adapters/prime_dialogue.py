"""Conversations of Prime Intellect's ``verifiers`` (0.1) as ours: their loop, their tools, their rubric at the end."""

from __future__ import annotations

import itertools
import json
import os
import weakref
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from rlvr_gym.envs.adapters import _prime_episodes as episodes
from rlvr_gym.envs.adapters.prime import FAILURES, LOAD_SECONDS, PrimeTasks, call, graded, prompt_text
from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Dialogue, Reply
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.tools import render_result
from rlvr_gym.verdict import Reason, Verdict

__all__ = ["PrimeDialogue"]

_GRACE_SECONDS = 30.0
"""The worker itself kills a conversation that runs over its time; this is for when the worker is stuck."""
_numbers = itertools.count()
_left: deque[str] = deque()
"""Conversations that ended without their knowing: their processes are killed when the next one begins."""


@dataclass(eq=False)
class _Conversation:
    """What is known here of a conversation.

    Attributes:
        key: its name in the worker.
        verdict: if it is over.
    """

    key: str
    verdict: Verdict | None = None


@register("rlvr/PrimeDialogue-v0", family="adapters", needs=("environment",), trusted=False)
@dataclass(frozen=True, kw_only=True)
class PrimeDialogue(PrimeTasks, Dialogue):
    """Conversations of an installed ``verifiers`` environment (0.1): MultiTurnEnv, ToolEnv and what derives from them.

    Their own loop plays, in a process for each conversation, and asks us in the place of a model; their rubric judges
    at the end, and nothing is rewarded before. Where the environment has tools an action calls them in our form,
    ``<tool_call>`` with JSON in it, which becomes a call of theirs; a call that cannot be read is none, as behind an
    endpoint. What else they find in an endpoint's answer (token ids, log-probabilities, usage) is not there.

    What hangs, dies or raises is a failed verification, of that conversation alone. It is no sandbox, and the rubric's
    word is passed on as it is: ``trusted=False``. The attempts at a row see the same random numbers. The oracle knows
    no more than the row's reference answer. The hardness is the number of words of the prompt.

    Attributes:
        turns: most actions, where theirs are not fewer; then their rubric judges what there is.
    """

    turns: int = 20

    max_turns: ClassVar[int] = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.turns < 1:
            raise ConfigError(f"turns is at least 1; got {self.turns!r}.")

    def turn_limit(self, task: Task) -> int:
        """The configured turns, which their loop knows of: it ends by itself, and is judged."""
        return self.turns

    def prompt(self, row: Mapping[str, Any]) -> str:
        """Their prompt, and the tools with the form of a call."""
        told = prompt_text(row.get("prompt"))
        if not row["tools"]:
            return told
        tools = (
            f"- {tool['name']}: {tool['description']}\n  {json.dumps(tool['parameters'], ensure_ascii=False)}"
            for tool in row["tools"]
        )
        return (
            f"{told}\n\nYou may call tools, by JSON in tags: "
            '<tool_call>{"name": <its name>, "arguments": {<its arguments>}}</tool_call>. The results come in the next '
            "message. The tools, with the JSON schemas of their arguments:\n" + "\n".join(tools)
        )

    def start(self, task: Task) -> _Conversation:
        """Begins a conversation of theirs; one that cannot begin tells so at the first action."""
        state = _Conversation(f"{os.getpid()}-{next(_numbers)}")
        weakref.finalize(state, _left.append, state.key)
        loaded = call(episodes.load, self.spec, LOAD_SECONDS, "conversations")
        if loaded.failure is not None:
            state.verdict = Verdict.failed(FAILURES[loaded.failure], error=loaded.message[:500])
            return state
        over = tuple(_left.popleft() for _ in range(len(_left)))
        row = task.answer["row"]
        said = self._call(
            episodes.begin, episodes.Begin(state.key, self.spec, row, self.turns, self.timeout, over)
        )
        if "say" not in said:
            state.verdict = self._verdict(said)
        elif prompt_text(said["say"]) != prompt_text(row.get("prompt")):
            error = "its first words are not the prompt of the row, so that nobody has been shown them"
            state.verdict = Verdict.failed(Reason.VERIFIER_ERROR, error=error)
        return state

    def reply(self, task: Task, state: Any, action: str) -> Reply:
        """What they say to it."""
        if state.verdict is not None:
            return Reply(verdict=state.verdict)
        whole = action.encode("utf-8", "replace").decode()  # half of a surrogate pair is no text
        said = self._call(episodes.act, (state.key, whole, self.timeout))
        if "say" not in said:
            state.verdict = self._verdict(said)
            return Reply(verdict=state.verdict)
        messages = said["say"]
        results = [message["role"] == "tool" for message in messages]
        texts = [
            render_result(message["content"]) if result else message["content"]
            for message, result in zip(messages, results, strict=True)
        ]
        return Reply(text="\n".join(texts), role="tool" if results and all(results) else "user")

    def oracle(self, task: Task, state: Any) -> str:
        """The reference of the row: nobody here knows how theirs is played."""
        return self.answer_text(task)

    def _call(self, function: Any, job: Any) -> dict[str, Any]:
        outcome = call(function, job, self.timeout + _GRACE_SECONDS, "conversations")
        if outcome.failure is not None:
            return {"failure": outcome.failure, "error": outcome.message[:500]}
        said: dict[str, Any] = outcome.value
        return said

    def _verdict(self, said: Mapping[str, Any]) -> Verdict:
        if "failure" in said:
            return Verdict.failed(FAILURES[said["failure"]], error=said["error"])
        return graded(said, self.full_reward)
