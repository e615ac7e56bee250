"""The MCP server, spoken to by the official client over standard input and output."""

import json
import sys

import pytest

import rlvr_gym
from rlvr_gym.env import TextEnv
from rlvr_gym.errors import ConfigError
from rlvr_gym.serve.mcp import McpEnvironment
from rlvr_gym.serve.refusals import Refusal


def talk(env, conversation):
    """Starts a server, and has the coroutine ``conversation`` talk to it."""
    anyio = pytest.importorskip("anyio")
    from mcp import ClientSession, StdioServerParameters, stdio_client

    async def main():
        server = StdioServerParameters(
            command=sys.executable, args=["-m", "rlvr_gym", "serve", env, "--mcp", "--executor", "inline"]
        )
        async with stdio_client(server) as streams, ClientSession(*streams) as session:
            await session.initialize()
            return await conversation(session)

    return anyio.run(main)


async def call(session, name, **arguments):
    result = await session.call_tool(name, arguments)
    return result.content[0].text, result.is_error


def test_a_task_with_tools_is_solved_by_the_official_client():
    pytest.importorskip("mcp")
    task = rlvr_gym.load_problem("Calculator").source(3)[0]

    async def conversation(session):
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        assert set(tools) == {"start_task", "submit_answer", "calculate", "divide"}
        assert tools["divide"].input_schema["properties"]["divisor"] == {"type": "integer"}
        assert (await call(session, "divide", dividend=7, divisor=2))[1]  # nothing is begun yet
        told, failed = await call(session, "start_task", seed=3)
        assert told.startswith(task.prompt)
        assert not failed
        said = [told]
        for calls in task.metadata["plan"]:
            for name, arguments in calls:
                told, failed = await call(session, name, **arguments)
                assert not failed
                said.append(told)
        assert str(task.answer) in said[-1]
        told, failed = await call(session, "submit_answer", answer=task.answer)
        assert json.loads(told) == {
            "done": True, "reward": 1.0, "valid": True, "correct": True, "score": 1.0, "reason": "correct"
        }  # fmt: skip
        told, failed = await call(session, "submit_answer", answer=task.answer)
        assert (told, failed) == ("This episode is over.", True)
        told, failed = await call(session, "divide", dividend=7)
        assert (told, failed) == ("The arguments are: dividend, divisor.", True)
        told, failed = await call(session, "no_tool")
        assert "There is no tool 'no_tool'" in told

    talk("Calculator", conversation)


@pytest.mark.parametrize(
    "name", ["Calculator", "Search", "SQLAgent", "EmailAPI", "CalendarAPI", "FileSystem"]
)
def test_the_oracles_calls_solve_every_environment_with_tools(name):
    env = TextEnv(name)
    environment = McpEnvironment(env.settings)
    task = env.problem.source(1)[2]
    environment.call("start_task", {"seed": 1, "index": 2})
    for calls in task.metadata["plan"]:
        for tool, arguments in calls:
            assert environment.call(tool, arguments)
    answer = env.problem.last_words(task).partition("<answer>")[2].partition("</answer>")[0]
    assert '"reward": 1.0' in environment.call("submit_answer", {"answer": answer})


def test_a_game_takes_its_moves_as_answers():
    env = TextEnv("GuessTheNumber", difficulty=1)
    environment = McpEnvironment(env.settings)
    assert [form.name for form in environment.forms()] == ["start_task", "submit_answer"]
    environment.call("start_task", {"seed": 0})
    env.reset(seed=0)
    told = ""
    for guess in range(1, 200):
        told = environment.call("submit_answer", {"answer": str(guess)})
        if '"done": true' in told:
            break
    assert '"reason"' in told


def test_what_is_asked_wrongly_is_told():
    environment = McpEnvironment(TextEnv("Calculator").settings)
    for name, arguments in (
        ("start_task", {"seed": -1}),
        ("start_task", {"sed": 1}),
        ("submit_answer", {}),
        ("submit_answer", {"answer": "1"}),
        ("calculate", {"expression": "1"}),
    ):
        with pytest.raises(Refusal):
            environment.call(name, arguments)


def test_settings_that_cannot_be_are_told():
    from rlvr_gym.serve.mcp import serve_mcp

    pytest.importorskip("mcp")
    with pytest.raises(ConfigError):
        serve_mcp("Calculator", difficulty=99)
