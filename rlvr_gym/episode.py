"""One episode of any problem, without Gymnasium: what TextEnv, TextVectorEnv and agents share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from rlvr_gym.errors import ConfigError
from rlvr_gym.problem import Dialogue, Problem
from rlvr_gym.prompts import PromptTemplate
from rlvr_gym.rollout import Rollout
from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict

__all__ = ["Episode", "Message", "ObservationMode", "act_all"]

Message = dict[str, str]
ObservationMode = Literal["text", "chat"]


class Episode:
    """A conversation about one task, from the first prompt to the verdict.

    :meth:`act` takes an action in. Where the action is to be judged by the problem's verifier it is left in
    :attr:`pending`, so that a caller can verify many episodes at once and hand the verdicts to :meth:`conclude`.

    Attributes:
        messages: the conversation so far, as ``{"role", "content"}``.
        pending: the completion that waits for a verdict, else None.
        verdict: the verdict, once there is one.
        truncated: whether it ended because the turns ran out.
        metrics: sums of what the environment counted.
        turn_metrics: what it counted in each turn, one dict a turn.
    """

    def __init__(self, problem: Problem, task: Task, template: PromptTemplate, max_turns: int) -> None:
        self.problem = problem = problem.owner(task)
        self.task = task
        self.max_turns = max_turns
        self.state = problem.start(task) if isinstance(problem, Dialogue) else None
        self.messages: list[Message] = []
        if template.system:
            self.messages.append({"role": "system", "content": template.system})
        self.messages.append({"role": "user", "content": task.prompt})
        self.turns = 0
        self.pending: str | None = None
        self.verdict: Verdict | None = None
        self.truncated = False
        self.metrics: dict[str, float] = {}
        self.turn_metrics: list[dict[str, float]] = []

    @property
    def done(self) -> bool:
        """Whether a verdict is there."""
        return self.verdict is not None

    @property
    def side_by_side(self) -> int:
        """How many episodes of its problem may act at once, in threads."""
        return self.problem.side_by_side if isinstance(self.problem, Dialogue) else 1

    def act(self, action: str) -> None:
        """Takes one action (a completion) in.

        Raises:
            ConfigError: if the action is no text, or the episode is over.
        """
        if not isinstance(action, str):
            raise ConfigError(f"An action is a str; got {type(action).__name__}.")
        if self.done or self.pending is not None:
            raise ConfigError("This episode is over; call reset() before the next step().")
        self.messages.append({"role": "assistant", "content": action})
        self.turns += 1
        if not isinstance(self.problem, Dialogue):
            self.pending = action
            self.turn_metrics.append({})
            return
        self._converse(self.problem, action)

    def _converse(self, problem: Dialogue, action: str) -> None:
        reply = problem.reply(self.task, self.state, action)
        self.turn_metrics.append(dict(reply.metrics or {}))
        for name, value in self.turn_metrics[-1].items():
            self.metrics[name] = self.metrics.get(name, 0.0) + value
        if reply.text:
            self.messages.append({"role": reply.role, "content": reply.text})
        if reply.answer is not None:
            self.pending = reply.answer
        elif reply.verdict is not None:
            self.verdict = reply.verdict
        elif self.turns >= self.max_turns:
            self.truncated = True
            self.verdict = Verdict.wrong(Reason.MAX_TURNS, turns=self.turns)

    def conclude(self, verdict: Verdict) -> None:
        """Takes the verdict on :attr:`pending` in; the episode is over."""
        self.pending = None
        self.verdict = verdict

    def observe(self, mode: ObservationMode) -> str:
        """The conversation as one text: plain, or JSON ``[{"role", "content"}, ...]``."""
        if mode == "chat":
            return json.dumps(self.messages, ensure_ascii=False)
        if self.turns == 0:
            return "\n\n".join(message["content"] for message in self.messages)
        return "\n\n".join(f"[{message['role']}]\n{message['content']}" for message in self.messages)

    def rollout(self, num_tokens: int | None = None, finished: bool = True) -> Rollout:
        """The finished episode as reward terms see it; ``num_tokens`` defaults to a count of words."""
        if self.verdict is None:
            raise ConfigError("The episode has no verdict yet.")
        completion = "\n".join(m["content"] for m in self.messages if m["role"] == "assistant")
        return Rollout(
            task=self.task,
            completion=completion,
            verdict=self.verdict,
            num_tokens=len(completion.split()) if num_tokens is None else num_tokens,
            finished=finished and not self.truncated,
            turns=self.turns,
            metrics=self.metrics,
        )

    def info(self, terms: dict[str, float] | None = None) -> dict[str, Any]:
        """Gymnasium's ``info``: always ``task_id``; after the end also ``verdict, reward_terms, correct``."""
        info: dict[str, Any] = {"task_id": self.task.id}
        if self.verdict is not None:
            info |= {
                "verdict": self.verdict,
                "reward_terms": dict(terms or {}),
                "correct": self.verdict.correct,
                **({"metrics": dict(self.metrics)} if self.metrics else {}),
            }
        return info


def act_all(episodes: Sequence[Episode], actions: Sequence[str]) -> None:
    """Hands each episode its action; where replies may be made side by side, they are.

    Raises:
        ConfigError: as :meth:`Episode.act` does.
    """
    apart: dict[int, list[tuple[Episode, str]]] = {}
    for episode, action in zip(episodes, actions, strict=True):
        if episode.side_by_side > 1:
            apart.setdefault(id(episode.problem), []).append((episode, action))
        else:
            episode.act(action)
    for pairs in apart.values():
        with ThreadPoolExecutor(pairs[0][0].side_by_side, thread_name_prefix="replies") as threads:
            list(threads.map(Episode.act, *zip(*pairs, strict=True)))
