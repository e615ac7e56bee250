"""An environment as an MCP server over standard input and output, with the official ``mcp`` package.

The environment's own tools are MCP tools; ``start_task`` begins an episode and ``submit_answer`` ends one, with its reward.
An environment without tools, such as a game, has the two alone, and takes its moves as answers.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any

from rlvr_gym.env import EnvSettings
from rlvr_gym.envs.tools._dialogue import ToolDialogue
from rlvr_gym.errors import MissingExtraError, describe
from rlvr_gym.serve.config import ServeConfig
from rlvr_gym.serve.conversation import Conversation
from rlvr_gym.serve.messages import Action, Outcome, ResetData, read
from rlvr_gym.serve.refusals import Code, Refusal
from rlvr_gym.serve.settings import session_settings
from rlvr_gym.tools import Tool

__all__ = ["McpEnvironment", "serve_mcp"]

logger = logging.getLogger(__name__)

START, SUBMIT = "start_task", "submit_answer"
_KINDS = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
}
_HOW = f"Use the tools of this server in place of tags, and {SUBMIT} for what belongs into <answer> tags."


@dataclass(frozen=True, slots=True)
class ToolForm:
    """A tool as MCP describes it.

    Attributes:
        name: as it is called.
        description: one sentence.
        schema: the JSON Schema of its arguments.
    """

    name: str
    description: str
    schema: dict[str, Any]


class McpEnvironment:
    """What the tools do, without MCP: names and arguments in, texts out. For one call at a time."""

    def __init__(self, settings: EnvSettings) -> None:
        problem = settings.problem
        source = problem.source(0)
        self._conversation = Conversation(settings, source.length, ServeConfig().episode_bytes)
        self._problem = problem
        tools: Sequence[Tool] = ()
        if isinstance(problem, ToolDialogue):  # they work on a world; their forms are the same in every one
            tools = problem.tools(problem.open(source[0]))
        self._tools = {tool.name: tool for tool in tools}

    def forms(self) -> list[ToolForm]:
        """All tools."""
        word = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
        return [
            ToolForm(
                START, "Begins a task, and tells it; the next one, or the one that is asked for.",
                _schema({"seed": word, "index": word}, needed=[]),
            ),
            ToolForm(
                SUBMIT, "Gives the answer (or a game's move), without tags.", _schema({"answer": {"type": "string"}})
            ),
            *(ToolForm(tool.name, tool.summary, _schema(_properties(tool))) for tool in self._tools.values()),
        ]  # fmt: skip

    def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Carries out a call.

        Raises:
            Refusal: if it cannot be carried out.
        """
        if name == START:
            return f"{self._conversation.reset(read(ResetData, dict(arguments))).observation.text}\n\n{_HOW}"
        if name == SUBMIT:
            message = f"<answer>{_exactly(arguments, ['answer'])['answer']}</answer>"
        elif name in self._tools and isinstance(self._problem, ToolDialogue):
            message = self._problem.call(name, _exactly(arguments, self._tools[name].parameters))
        else:
            known = ", ".join([START, SUBMIT, *self._tools])
            raise Refusal(Code.UNKNOWN_TYPE, f"There is no tool {name[:80]!r}; there are {known}.")
        return _told(self._conversation.step(Action(message=message)))


def _properties(tool: Tool) -> dict[str, dict[str, Any]]:
    return {name: {"type": _KINDS[kind]} for name, kind in tool.parameters.items()}


def _schema(properties: dict[str, dict[str, Any]], needed: Sequence[str] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if needed is None else list(needed),
        "additionalProperties": False,
    }


def _exactly(arguments: Mapping[str, Any], names: Sequence[str] | Mapping[str, type]) -> dict[str, Any]:
    if arguments.keys() != set(names):
        raise Refusal(Code.VALIDATION_ERROR, f"The arguments are: {', '.join(names) or 'none'}.")
    return dict(arguments)


def _told(outcome: Outcome) -> str:
    """What the environment says, and at the end the reward."""
    observation = outcome.observation
    if observation.verdict is None:
        return observation.text
    ending = {"done": outcome.done, "reward": outcome.reward, **observation.verdict.model_dump()}
    return "\n\n".join(filter(None, [observation.text, json.dumps(ending)]))


def serve_mcp(env: str, **options: Any) -> None:
    """Serves one client over standard input and output, until it goes away.

    Args:
        env: the environment's id.
        **options: as of :func:`rlvr_gym.serve.serve`.

    Raises:
        MissingExtraError: if ``mcp`` is not installed.
        ConfigError, UnknownNameError: if a setting is wrong.
    """
    try:
        anyio, types = import_module("anyio"), import_module("mcp.types")
        stdio, server_of = import_module("mcp.server.stdio").stdio_server, import_module("mcp.server").Server
    except ImportError as error:
        raise MissingExtraError("mcp", "mcp", "rlvr-gym serve --mcp") from error
    opened = session_settings(env, **options)
    environment, turn = McpEnvironment(opened), anyio.Lock()

    async def list_tools(context: Any, params: Any) -> Any:
        forms = environment.forms()
        return types.ListToolsResult(
            tools=[types.Tool(name=f.name, description=f.description, input_schema=f.schema) for f in forms]
        )

    async def call_tool(context: Any, params: Any) -> Any:
        async with turn:
            told, failed = await anyio.to_thread.run_sync(_carry_out, environment, params)
        return types.CallToolResult(content=[types.TextContent(type="text", text=told)], is_error=failed)

    server = server_of(
        f"rlvr-gym {env}",
        version=version("rlvr-gym"),
        instructions=f"{START} tells a task. {_HOW}",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )

    async def run() -> None:
        async with stdio() as (read_stream, write_stream):
            await server.run(read_stream, write_stream, server.create_initialization_options())

    try:
        anyio.run(run)
    finally:
        opened.close()


def _carry_out(environment: McpEnvironment, params: Any) -> tuple[str, bool]:
    """The text of a call's result, and whether it is an error; what raises says nothing, for it may quote the answer."""
    try:
        return environment.call(params.name, params.arguments or {}), False
    except Refusal as refusal:
        return str(refusal), True
    except Exception as error:
        logger.error("%s raised %s", params.name, describe(error))
        return f"The environment failed, which is a defect on our side; {START} begins anew.", True
