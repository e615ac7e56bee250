"""What runs in the worker process of conversations: each is played by a child, a fork of the worker.

The worker has imported the environment once; a child costs a fork, holds the state of one conversation, and is killed
when it runs over its time, without harm to others. In the child their own loop runs to its end, and asks a model that
hands the question on and waits for the answer. Both talk in JSON, so that nothing of theirs is unpickled.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from multiprocessing.connection import Connection, Pipe
from typing import Any

import numpy as np

from rlvr_gym.envs.adapters._prime_worker import Spec, load_dialogue, rubric_errors
from rlvr_gym.errors import describe
from rlvr_gym.executor.worker import die_with
from rlvr_gym.tools import parse_tool_calls

__all__ = ["Begin", "act", "begin", "load"]

_OF_THE_POLICY = ("ToolParseError", "ToolCallError")
"""Errors of theirs that say something about the actions: the rubric's reward stands."""


@dataclass(frozen=True)
class Begin:
    """A conversation that is to begin.

    Attributes:
        key: its name from now on.
        spec: the environment.
        row: what it is about.
        turns: most actions.
        seconds: for its first word.
        over: names of conversations that nobody goes on with.
    """

    key: str
    spec: Spec
    row: Mapping[str, Any]
    turns: int
    seconds: float
    over: tuple[str, ...] = ()


@dataclass
class _Child:
    """The process that plays a conversation."""

    pid: int
    connection: Connection = field(repr=False)

    def listen(self, seconds: float) -> dict[str, Any]:
        """What it says next, or how it failed."""
        try:
            if not self.connection.poll(seconds):
                return {"failure": "timeout", "error": f"It took more than {seconds:g} s."}
            said: dict[str, Any] = json.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            return {"failure": "crashed", "error": "The process that played the conversation died."}
        return said

    def end(self) -> None:
        """Kills it, if it still lives."""
        with contextlib.suppress(ProcessLookupError, ChildProcessError):  # where theirs has SIGCHLD ignored
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.connection.close()


_children: dict[str, _Child] = {}


def load(spec: Spec) -> bool:
    """Imports the environment; at once where it is there already."""
    return load_dialogue(spec) is not None


def begin(job: Begin) -> dict[str, Any]:
    """The first messages; see :func:`act` for what else it can be."""
    for key in job.over:
        if key in _children:
            _children.pop(key).end()
    env = load_dialogue(job.spec)
    ours, theirs = Pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _child(parent, theirs, env, job)
    theirs.close()
    _children[job.key] = _Child(pid, ours)
    return _listen(job.key, job.seconds)


def act(job: tuple[str, str, float]) -> dict[str, Any]:
    """What follows on an action: name of the conversation, action, seconds.

    Returns:
        ``{"say": [messages]}``; or ``{"reward", "metrics", "errors"}`` at the end; or ``{"failure", "error"}``.
    """
    key, action, seconds = job
    if key not in _children:
        return {"failure": "crashed", "error": "The process that played the conversation is gone."}
    with contextlib.suppress(OSError):  # it is dead, as listening will tell
        _children[key].connection.send_bytes(json.dumps(action).encode())
    return _listen(key, seconds)


def _listen(key: str, seconds: float) -> dict[str, Any]:
    said = _children[key].listen(seconds)
    if "say" not in said:
        _children.pop(key).end()
    return said


def _child(parent: int, connection: Connection, env: Any, job: Begin) -> None:
    """Plays the conversation; never returns."""
    try:
        die_with(parent)
        # the same randomness for all attempts at a row, and another one for each row
        seed = json.dumps(job.row, sort_keys=True)
        random.seed(seed)
        np.random.seed(random.randrange(2**32))
        said = asyncio.run(_play(env, job, connection))
    except BaseException as error:
        said = {"failure": "raised", "error": describe(error)}
    try:
        connection.send_bytes(json.dumps(said).encode())
    finally:
        os._exit(0)  # nothing of the worker's, such as its handlers of exits, is to be run here


async def _play(env: Any, job: Begin, connection: Connection) -> dict[str, Any]:
    env.max_turns = min(env.max_turns, job.turns) if env.max_turns > 0 else job.turns
    env.timeout_seconds = None  # of the clock, which runs while the policy thinks, too: each step has its own
    row = {key: value for key, value in job.row.items() if key != "tools"}
    with rubric_errors() as errors:
        output = await env.run_rollout(row, _policy_class()(connection), "policy", {})
    told = output.get("error")
    if told and told["error"] not in _OF_THE_POLICY:
        return {"failure": "raised", "error": str(told["error_chain_repr"])[:500]}
    metrics = {str(name): float(value) for name, value in (output["metrics"] or {}).items()}
    return {"reward": float(output["reward"]), "metrics": metrics, "errors": errors}


@lru_cache(maxsize=1)
def _policy_class() -> Any:
    """A client of theirs that asks the other end of a connection."""
    vf: Any = import_module("verifiers")
    types: Any = import_module("verifiers.types")

    class Policy(vf.Client):  # type: ignore[misc]
        asked = False

        def _news(self, prompt: Iterable[Any]) -> list[dict[str, str]]:
            """The messages since the last action: at first all of them."""
            told: list[dict[str, str]] = []
            for message in prompt:
                if message.role == "assistant" and self.asked:
                    told = []
                else:
                    told.append({"role": str(message.role), "content": _text(message.content)})
            self.asked = True
            return told

        def setup_client(self, config: Any) -> Any:
            return config

        async def to_native_tool(self, tool: Any) -> Any:
            return tool

        async def to_native_prompt(self, messages: Any) -> tuple[Any, dict[str, Any]]:
            return messages, {}

        async def get_native_response(
            self, prompt: Any, model: str, sampling_args: Any, tools: Any = None, **_: Any
        ) -> tuple[str, bool]:
            self._client.send_bytes(json.dumps({"say": self._news(prompt)}).encode())
            try:
                return json.loads(await asyncio.to_thread(self._client.recv_bytes)), bool(tools)
            except (EOFError, OSError):
                os._exit(0)  # nobody goes on with it

        async def raise_from_native_response(self, response: Any) -> None:
            pass

        async def from_native_response(self, response: tuple[str, bool]) -> Any:
            action, has_tools = response
            read = [call for call in parse_tool_calls(action) if not call.problem] if has_tools else []
            calls = [
                types.ToolCall(id=f"call_{i}", name=call.name, arguments=json.dumps(call.arguments))
                for i, call in enumerate(read)
            ]
            message = types.ResponseMessage(
                content=action,
                tool_calls=calls or None,
                finish_reason="tool_calls" if calls else "stop",
                is_truncated=False,
            )
            return types.Response(id="policy", created=int(time.time()), model="policy", message=message)

        async def close(self) -> None:
            pass

    return Policy


def _text(content: Any) -> str:
    if isinstance(content, str) or content is None:
        return content or ""
    return "".join(getattr(part, "text", "") for part in content)
