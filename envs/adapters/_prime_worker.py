"""What runs in the worker process: environments of the package ``verifiers``, their data sets and rubrics."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

__all__ = ["load", "rows", "score"]

Spec = tuple[str, str]
"""The environment's id, and its arguments as JSON."""


@lru_cache(maxsize=4)
def _open(spec: Spec) -> Any:
    vf = import_module("verifiers")
    name, arguments = spec
    env = vf.load_environment(name, **json.loads(arguments))
    if not isinstance(env, vf.SingleTurnEnv):
        raise TypeError(f"{name} is a {type(env).__name__}; only environments of a single turn are adapted")
    if env.rubric.has_group_rewards:
        raise TypeError(f"{name} rewards attempts by comparing them; only single ones are judged here")
    return env


def load(spec: Spec) -> bool:
    """Imports the environment; at once where it is there already."""
    return _open(spec) is not None


def rows(job: tuple[Spec, str]) -> list[dict[str, Any]]:
    """The rows of its data set ``"train"`` or ``"eval"``, as JSON."""
    spec, split = job
    env = _open(spec)
    data = env.get_eval_dataset() if split == "eval" else env.get_dataset()
    return [json.loads(json.dumps(row, default=str)) for row in data]


class _Errors(logging.Handler):
    """Rubrics log what their functions raise, and go on with a reward of 0: here it is found out."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def score(job: tuple[Spec, Mapping[str, Any], str]) -> dict[str, Any]:
    """The rubric's reward for a completion of a row, its metrics, and what was raised on the way."""
    spec, row, completion = job
    return asyncio.run(_score(_open(spec), row, completion))


async def _score(env: Any, row: Mapping[str, Any], completion: str) -> dict[str, Any]:
    vf = import_module("verifiers")
    # nobody is asked: the client is only kept in the state
    state = await env.init_state(dict(row), vf.ClientConfig(api_base_url="http://127.0.0.1:9/v1"), "none")
    state["completion"] = [vf.AssistantMessage(content=completion)]
    state["is_completed"] = True
    errors, logger = _Errors(), logging.getLogger("verifiers")
    logger.addHandler(errors)
    try:
        await env.rubric.score_rollout(state)
    finally:
        logger.removeHandler(errors)
    metrics = {str(name): float(value) for name, value in (state["metrics"] or {}).items()}
    return {"reward": float(state["reward"]), "metrics": metrics, "errors": errors.messages}
