"""The tool protocol of all environments with tools: calls as tagged JSON, results in tags of their own.

A policy calls a tool by writing

    <tool_call>{"name": "python", "arguments": {"code": "print(2 ** 100)"}}</tool_call>

and the environment's next message, whose role is ``"tool"`` (so that no trainer takes a loss on it), is

    <tool_result>1267650600228229401496703205376</tool_result>

Calls that stand in the thinking do not count, and neither do calls inside of results that the policy writes itself:
what is in ``<tool_result>`` in an action is never believed or looked at.

An environment with one tool of one text argument may offer a shorter form (:func:`use_tag`), in which the tag names the
tool and holds the argument: ``<search>query</search>``, answered by ``<result>...</result>``, as in R1-Searcher
(2503.05592), ReSearch (2503.19470) and Search-R1 (2503.09516). The same rules hold for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
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
    "tag_texts",
    "use_tag",
    "use_tools",
]

MAX_CALLS = 8
"""Calls in one action; further ones are told to be too many."""
_TOO_MANY = f"An action may have {MAX_CALLS} calls; the rest is ignored."
MAX_CALL_CHARS = 100_000
MAX_RESULT_CHARS = 8_000


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


@dataclass(frozen=True, slots=True)
class _Tags:
    """The names of the tags of calls and of results."""

    call: str
    result: str

    def pattern(self) -> re.Pattern[str]:
        """Finds the tags; group 1 is the slash of a closing one, group 2 the name."""
        return re.compile(rf"<(/?)({self.call}|{self.result})\s{{0,4}}>", re.IGNORECASE)

    def bodies(self, text: str) -> Iterator[str]:
        """What stands in tags of calls outside of tags of results."""
        opened, start = "", 0
        for tag in self.pattern().finditer(text):
            closing, kind = bool(tag[1]), tag[2].lower()
            if not opened and not closing:
                opened, start = kind, tag.end()
            elif closing and kind == opened:
                if kind == self.call:
                    yield text[start : tag.start()]
                opened = ""

    def render(self, text: str) -> str:
        """A result in its tags; see :func:`render_result`."""
        if len(text) > MAX_RESULT_CHARS:
            text = f"{text[:MAX_RESULT_CHARS]}\n... ({len(text) - MAX_RESULT_CHARS} more characters)"
        # half of a surrogate pair is no text: it could not be stored
        whole = text.encode("utf-8", "replace").decode()
        harmless = re.sub(rf"<(/?)(?=(?:{self.call}|{self.result})\b)", r"&lt;\1", whole, flags=re.IGNORECASE)
        return f"<{self.result}>{harmless}</{self.result}>"

    def answer(self, calls: Sequence[Callable[[], str]]) -> Reply | None:
        """One result for each call, errors included; None if there is no call."""
        if not calls:
            return None
        results, errors = [], 0
        for call in calls:
            try:
                results.append(call())
            except ToolError as error:
                errors += 1
                results.append(f"Error: {error}")
        return Reply(
            text="\n".join(map(self.render, results)),
            role="tool",
            metrics={"tool_calls": float(len(calls)), "tool_errors": float(errors)},
        )


_JSON_TAGS = _Tags("tool_call", "tool_result")


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
    for body in _JSON_TAGS.bodies(strip_thinking(action)):
        if len(calls) >= MAX_CALLS:
            calls.append(ToolCall(problem=_TOO_MANY))
            break
        calls.append(_read_call(body))
    return tuple(calls)


def _read_call(body: str) -> ToolCall:
    if len(body) > MAX_CALL_CHARS:
        return ToolCall(problem=f"A call may have {MAX_CALL_CHARS:,} characters.")
    try:
        data = json.loads(body)
        json.dumps(data, ensure_ascii=False).encode()  # half of a surrogate pair ("\\ud800") is no text
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
    """A result's message: valid Unicode, not too long, and nothing in ``text`` can end the tag or look like a call."""
    return _JSON_TAGS.render(text)


def tag_texts(call: str = "tool_call", result: str = "tool_result") -> tuple[str, ...]:
    """The tags of calls and of results as they are written, opening and closing."""
    return tuple(f"<{slash}{name}>" for name in (call, result) for slash in ("", "/"))


def use_tools(action: str, tools: Sequence[Tool]) -> Reply | None:
    """Carries out the calls of an action.

    Returns:
        the message with one result for each call, and the metrics ``tool_calls`` and ``tool_errors``; None if the
        action calls nothing.
    """
    known = {tool.name: tool for tool in tools}
    return _JSON_TAGS.answer([partial(_use, call, known) for call in parse_tool_calls(action)])


def use_tag(action: str, tool: Tool, *, call: str, result: str) -> Reply | None:
    """Carries out calls in the short form: the text in ``<call>`` tags is the only argument of ``tool``.

    Args:
        action: what the policy wrote.
        tool: it has one parameter, a ``str``.
        call: the name of the tag of a call, such as ``"search"``.
        result: the name of the tag of a result, such as ``"result"``.

    Returns:
        the same as :func:`use_tools`.
    """
    (parameter,) = tool.parameters
    tags = _Tags(call, result)
    bodies = list(islice(tags.bodies(strip_thinking(action)), MAX_CALLS + 1))
    calls: list[Callable[[], str]] = [
        partial(_use_text, tool, parameter, body.strip()) for body in bodies[:MAX_CALLS]
    ]
    if len(bodies) > MAX_CALLS:
        calls.append(partial(_use, ToolCall(problem=_TOO_MANY), {}))
    return tags.answer(calls)


def _use_text(tool: Tool, parameter: str, text: str) -> str:
    if len(text) > MAX_CALL_CHARS:
        raise ToolError(f"A call may have {MAX_CALL_CHARS:,} characters.")
    return tool.call({parameter: text})


def _use(call: ToolCall, known: Mapping[str, Tool]) -> str:
    if call.problem:
        raise ToolError(call.problem)
    if call.name not in known:
        raise ToolError(f"There is no tool {call.name[:80]!r}; there are: {', '.join(sorted(known))}.")
    return known[call.name].call(call.arguments or {})
