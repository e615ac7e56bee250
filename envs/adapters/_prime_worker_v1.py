"""What runs in the worker process for ``verifiers`` 0.4: task sets whose tasks need no more than a model's reply.

A reply is judged as a record of a rollout is: the task's own rewards, metrics and judges, without a machine to look at.
"""

from __future__ import annotations

import inspect
import itertools
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

__all__ = ["load", "rows", "score"]

ENDLESS_TASKS = 1000
"""Of a task set without an end."""


@lru_cache(maxsize=4)
def load(spec: tuple[str, str]) -> Any:
    """The task set of this id, with its arguments as JSON.

    Raises:
        TypeError: if its tasks need more than a reply.
    """
    vf: Any = import_module("verifiers.v1")
    name, arguments = spec
    taskset = vf.load_taskset(vf.taskset_config_type(name)(id=name, **json.loads(arguments)))
    needs = "; ".join(_needs(vf, name, taskset))
    if needs:
        raise TypeError(f"{name} needs more than a reply of the model: {needs}")
    return taskset


def _needs(vf: Any, name: str, taskset: Any) -> Iterator[str]:
    kind = type(taskset).task_type()
    if vf.environment_class(name) is not vf.SingleAgentEnv:
        yield "an environment of its own plays it"
    if vf.default_harness_id(name) == name:
        yield "it brings a program of its own for the agent"
    if kind.NEEDS_CONTAINER:
        yield "a container"
    if taskset.toolsets(taskset.config) or kind.toolsets(taskset.config.task):
        yield "tools"
    changed = [hook for hook in ("setup", "finalize") if getattr(kind, hook) is not getattr(vf.Task, hook)]
    if changed:
        yield f"a machine that its {' and '.join(changed)} prepares"
    task = kind(data=None, config=taskset.config.task)
    scored = [*task.hooks("reward"), *task.hooks("metric"), *(judge.score for judge in task.plugged_judges())]
    runs = [function.__name__ for function in scored if _needs_runtime(function)]
    if runs:
        yield f"the machine that the agent worked on, for {', '.join(runs)}"


def _needs_runtime(function: Any) -> bool:
    parameter = inspect.signature(function).parameters.get("runtime")
    return parameter is not None and parameter.default is inspect.Parameter.empty


def rows(spec: tuple[str, str], split: str) -> list[dict[str, Any]]:
    """The tasks, as JSON: ``prompt``, ``answer`` (None if there is no field of that name) and all their ``data``."""
    if split != "train":
        raise ValueError("task sets have no splits in this version of verifiers: leave split at 'train'")
    taskset = load(spec)
    tasks = taskset if taskset.bounded else itertools.islice(taskset, ENDLESS_TASKS)
    return [_row(task.data.model_dump(mode="json")) for task in tasks]


def _row(data: dict[str, Any]) -> dict[str, Any]:
    prompt = data["prompt"]
    if prompt is None:
        raise TypeError("a user opens the conversation, which a single reply cannot answer")
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    if data["system_prompt"] is not None:
        messages = [{"role": "system", "content": data["system_prompt"]}, *messages]
    return {"prompt": messages, "answer": data.get("answer"), "data": data}


async def score(spec: tuple[str, str], row: Mapping[str, Any], completion: str) -> dict[str, Any]:
    """The sum of the task's rewards for a reply, and its metrics."""
    vf: Any = import_module("verifiers.v1")
    taskset = load(spec)
    kind = type(taskset).task_type()
    data = kind.data_type().model_validate(row["data"])
    task = kind(data, taskset.config.task)
    told = [vf.UserMessage(content=data.prompt)] if isinstance(data.prompt, str) else list(data.prompt)
    if data.system_prompt is not None:
        told.insert(0, vf.SystemMessage(content=data.system_prompt))
    nodes = [vf.MessageNode(parent=i - 1 if i else None, message=message) for i, message in enumerate(told)]
    reply = vf.MessageNode(
        parent=len(told) - 1, message=vf.AssistantMessage(content=completion), sampled=True
    )
    record = vf.Trace(
        task=vf.TraceTask(type=kind.__name__, data=data, key=task.key, hash=task.hash),
        agent=vf.AgentInfo(config=vf.AgentConfig()),
        state=_state(kind),
        nodes=[*nodes, reply],
        is_completed=True,
    )
    await task.score(record)
    return {"reward": float(record.reward), "metrics": _metrics(record), "errors": []}


def _state(kind: Any) -> Any:
    return import_module("verifiers.v1.state").state_cls(kind)()


def _metrics(record: Any) -> dict[str, float]:
    """Metrics, and each reward by its name."""
    rewards = {name: reward.score for name, reward in record.rewards.items() if reward is not None}
    return {
        str(name): float(value) for name, value in {**rewards, **record.metrics}.items() if value is not None
    }
