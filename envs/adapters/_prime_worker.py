"""What runs in the worker process: environments of ``verifiers`` 0.1, their data sets and rubrics.

A later version is served by :mod:`rlvr_gym.envs.adapters._prime_worker_v1`, behind the same three functions.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from typing import Any

__all__ = ["Spec", "load", "load_dialogue", "rows", "rubric_errors", "score"]

Spec = tuple[str, str]
"""The environment's id, and its arguments as JSON."""


def _later_version() -> Any:
    """The module that does it for a version with the later interface, else None."""
    if hasattr(import_module("verifiers"), "load_environment"):
        return None
    return import_module("rlvr_gym.envs.adapters._prime_worker_v1")


@lru_cache(maxsize=4)
def _load(spec: Spec) -> Any:
    vf = import_module("verifiers")
    name, arguments = spec
    env = vf.load_environment(name, **json.loads(arguments))
    if env.rubric.has_group_rewards:
        raise TypeError(f"{name} rewards attempts by comparing them; only single ones are judged here")
    return env


def _open(spec: Spec) -> Any:
    env = _load(spec)
    if not isinstance(env, import_module("verifiers").SingleTurnEnv):
        raise TypeError(
            f"{spec[0]} is a {type(env).__name__}, and not of a single turn: rlvr/PrimeDialogue-v0 is for it"
        )
    return env


def load_dialogue(spec: Spec) -> Any:
    """An environment of any number of turns."""
    vf = import_module("verifiers")
    if _later_version():
        raise TypeError(
            "in this version of verifiers environments drive the agent; conversations need verifiers<0.2"
        )
    env = _load(spec)
    if not isinstance(env, vf.MultiTurnEnv):
        raise TypeError(f"{spec[0]} is a {type(env).__name__}, which has no turns")
    return env


def load(spec: Spec) -> bool:
    """Imports the environment; at once where it is there already."""
    later = _later_version()
    return (later.load if later else _open)(spec) is not None


def rows(job: tuple[Spec, str, bool]) -> list[dict[str, Any]]:
    """The rows of its data set ``"train"`` or ``"eval"``, as JSON.

    Those of a dialogue (the third of the job) have their tools in ``"tools"``: name, description, JSON schema.
    """
    spec, split, dialogue = job
    later = _later_version()
    if later and not dialogue:
        found: list[dict[str, Any]] = later.rows(spec, split)
        return found
    env = load_dialogue(spec) if dialogue else _open(spec)
    data = env.get_eval_dataset() if split == "eval" else env.get_dataset()
    rows = [json.loads(json.dumps(row, default=str)) for row in data]
    return [{**row, "tools": _tools(env, row)} for row in rows] if dialogue else rows


def _tools(env: Any, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    info = row.get("info")
    info = json.loads(info) if isinstance(info, str) and info else info
    tools = info["tool_defs"] if isinstance(info, Mapping) and "tool_defs" in info else env.tool_defs
    dumped = [tool if isinstance(tool, Mapping) else tool.model_dump() for tool in tools or []]
    return [{key: tool[key] for key in ("name", "description", "parameters")} for tool in dumped]


class _Errors(logging.Handler):
    """Rubrics log what their functions raise, and go on with a reward of 0: here it is found out."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def rubric_errors() -> Iterator[list[str]]:
    """What rubrics report meanwhile."""
    errors, logger = _Errors(), logging.getLogger("verifiers.rubrics")
    logger.addHandler(errors)
    try:
        yield errors.messages
    finally:
        logger.removeHandler(errors)


def score(job: tuple[Spec, Mapping[str, Any], str]) -> dict[str, Any]:
    """The rubric's reward for a completion of a row, its metrics, and what was raised on the way."""
    spec, row, completion = job
    later = _later_version()
    return asyncio.run(later.score(*job) if later else _score(_open(spec), row, completion))


async def _score(env: Any, row: Mapping[str, Any], completion: str) -> dict[str, Any]:
    vf = import_module("verifiers")
    # nobody is asked: the client is only kept in the state
    state = await env.init_state(dict(row), vf.ClientConfig(api_base_url="http://127.0.0.1:9/v1"), "none")
    state["completion"] = [vf.AssistantMessage(content=completion)]
    state["is_completed"] = True
    with rubric_errors() as errors:
        await env.rubric.score_rollout(state)
    metrics = {str(name): float(value) for name, value in (state["metrics"] or {}).items()}
    return {"reward": float(state["reward"]), "metrics": metrics, "errors": errors}
