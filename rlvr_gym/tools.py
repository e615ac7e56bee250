"""The tool protocol of all environments with tools: calls as tagged JSON, results in tags of their own.

A policy calls a tool by writing

    <tool_call>{"name": "python", "arguments": {"code": "print(2 ** 100)"}}</tool_call>

and the environment's next message, whose role is ``"tool"`` (so that no trainer takes a loss on it), is

    <tool_result>1267650600228229401496703205376</tool_result>

Calls that stand in the thinking do not count, and neither do calls inside of results that the policy writes itself:
what is in ``<tool_result>`` in an action is never believed or looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rlvr_gym.extraction import strip_thinking
from rlvr_gym.problem import Reply

__all__ = [
    "Tool",
    "ToolCall",
    "ToolError",
    "describe_tools",
    "parse_tool_calls",
    "render_result",
    "use_tools",
]

MAX_CALLS = 8
"""Calls in one action; further ones are told to be too many."""
MAX_CALL_CHARS = 100_000
MAX_RESULT_CHARS = 8_000

_TAG = re.compile(r"<(/?)tool_(call|result)\s{0,4}>", re.IGNORECASE)
_RESULT_TAG = re.compile(r"<(/?)(?=tool_(?:result|call)\b)", re.IGNORECASE)


class ToolError(Exception):
    """A call that cannot be carried out; its message is shown to the policy and should say how to mend it."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call as the policy wrote it.

    Attributes:
        name: the tool; empty if the call cannot be read.
        arguments: by name.
        problem: why the call cannot be read, else empty.
    """

    name: str = ""
    arguments: Mapping[str, Any] | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that an environment offers.

    Attributes:
        name: as it is called.
        summary: one line for the prompt.
        parameters: name of each argument -> its type, ``str``, ``int``, ``float``, ``bool``, ``list`` or ``dict``;
            all are needed.
        run: gets the arguments, gives the result's text; raises :class:`ToolError`, and nothing else, for what the
            policy can mend.
    """

    name: str
    summary: str
    parameters: Mapping[str, type]
    run: Callable[..., str]

    def call(self, arguments: Mapping[str, Any]) -> str:
        """The result of one call.

        Raises:
            ToolError: if arguments are missing, unknown or of another type, or the tool refuses.
        """
        form = ", ".join(f"{name} ({kind.__name__})" for name, kind in self.parameters.items()) or "none"
        if arguments.keys() != self.parameters.keys():
            raise ToolError(
                f"The arguments of {self.name} are: {form}; got {', '.join(sorted(arguments)) or 'none'}."
            )
        for name, kind in self.parameters.items():
            value = arguments[name]
            fits = isinstance(value, int | float) if kind is float else isinstance(value, kind)
            if not fits or (isinstance(value, bool) and kind is not bool):
                raise ToolError(
                    f"The arguments of {self.name} are: {form}; {name} is {type(value).__name__}."
                )
        return self.run(**arguments)


def describe_tools(tools: Sequence[Tool]) -> str:
    """What a prompt says about the tools and the form of a call."""
    lines = []
    for tool in tools:
        arguments = ", ".join(f'"{name}": <{kind.__name__}>' for name, kind in tool.parameters.items())
        lines.append(
            f'<tool_call>{{"name": "{tool.name}", "arguments": {{{arguments}}}}}</tool_call>: {tool.summary}'
        )
    return "You may call tools, by JSON in tags:\n" + "\n".join(lines)


def parse_tool_calls(action: str) -> tuple[ToolCall, ...]:
    """The calls of an action in their order; total on any text, and linear in its length.

    A call whose tag is never closed is not one: it was cut off.
    """
    calls: list[ToolCall] = []
    for body in _call_bodies(strip_thinking(action)):
        if len(calls) >= MAX_CALLS:
            calls.append(ToolCall(problem=f"An action may have {MAX_CALLS} calls; the rest is ignored."))
            break
        calls.append(_read_call(body))
    return tuple(calls)


def _call_bodies(text: str) -> Iterator[str]:
    """What stands in ``<tool_call>`` tags outside of ``<tool_result>`` tags."""
    opened, start = "", 0
    for tag in _TAG.finditer(text):
        closing, kind = bool(tag[1]), tag[2].lower()
        if not opened and not closing:
            opened, start = kind, tag.end()
        elif closing and kind == opened:
            if kind == "call":
                yield text[start : tag.start()]
            opened = ""


def _read_call(body: str) -> ToolCall:
    if len(body) > MAX_CALL_CHARS:
        return ToolCall(problem=f"A call may have {MAX_CALL_CHARS:,} characters.")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        told = f"{error}" if isinstance(error, ValueError) else "nested too deeply"
        return ToolCall(problem=f"This call is no JSON ({told[:200]}).")
    if not isinstance(data, dict) or not isinstance(data.get("name"), str):
        return ToolCall(problem='A call is a JSON object with "name" and "arguments".')
    arguments = data.get("arguments", {})
    if not isinstance(arguments, dict):
        return ToolCall(problem='The "arguments" of a call are a JSON object.')
    return ToolCall(data["name"], arguments)


def render_result(text: str) -> str:
    """A result's message; nothing in ``text`` can end the tag or look like another call."""
    if len(text) > MAX_RESULT_CHARS:
        text = f"{text[:MAX_RESULT_CHARS]}\n... ({len(text) - MAX_RESULT_CHARS} more characters)"
    harmless = _RESULT_TAG.sub(r"&lt;\1", text)
    return f"<tool_result>{harmless}</tool_result>"


def use_tools(action: str, tools: Sequence[Tool]) -> Reply | None:
    """Carries out the calls of an action.

    Returns:
        the message with one result for each call, and the metrics ``tool_calls`` and ``tool_errors``; None if the
        action calls nothing.
    """
    calls = parse_tool_calls(action)
    if not calls:
        return None
    known = {tool.name: tool for tool in tools}
    results, errors = [], 0
    for call in calls:
        try:
            results.append(_use(call, known))
        except ToolError as error:
            errors += 1
            results.append(f"Error: {error}")
    return Reply(
        text="\n".join(map(render_result, results)),
        role="tool",
        metrics={"tool_calls": float(len(calls)), "tool_errors": float(errors)},
    )


def _use(call: ToolCall, known: Mapping[str, Tool]) -> str:
    if call.problem:
        raise ToolError(call.problem)
    if call.name not in known:
        raise ToolError(f"There is no tool {call.name[:80]!r}; there are: {', '.join(sorted(known))}.")
    return known[call.name].call(call.arguments or {})
