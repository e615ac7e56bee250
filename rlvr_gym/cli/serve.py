"""``rlvr-gym serve``: an environment over the network."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated, Any

import typer

from rlvr_gym.cli.console import plain, stderr
from rlvr_gym.cli.options import (
    DataOption,
    DifficultyOption,
    EnvArgument,
    SetOption,
    SystemPromptOption,
    open_env,
)
from rlvr_gym.errors import ConfigError

__all__ = ["serve"]


def serve(
    env: EnvArgument,
    host: Annotated[
        str, typer.Option(help="Where to listen; another machine's way in needs an API key.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 for any that is free.", min=0, max=65535)] = 8000,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="RLVR_GYM_API_KEY",
            show_envvar=True,
            help="Clients have to show it. Better set by the environment variable: options are seen in lists of processes.",
        ),
    ] = None,
    reward: Annotated[str, typer.Option(help="A reward design: a name, its JSON, or a file.")] = "binary",
    system_prompt: SystemPromptOption = "plain",
    difficulty: DifficultyOption = None,
    data: DataOption = None,
    settings: SetOption = None,
    settings_json: Annotated[
        str | None,
        typer.Option("--settings", metavar="JSON", help="Settings of the environment as one JSON object."),
    ] = None,
    max_turns: Annotated[int | None, typer.Option(help="Most actions in an episode.", min=1)] = None,
    max_sessions: Annotated[int, typer.Option(help="Sessions at the same time.", min=1)] = 64,
    session_timeout: Annotated[
        float, typer.Option(help="Seconds until an unused session is closed.")
    ] = 600.0,
    max_bytes: Annotated[int, typer.Option(help="Most bytes of a request or message.", min=1)] = 2**20,
    step_timeout: Annotated[float, typer.Option(help="Seconds for a step; then its session is lost.")] = 60.0,
    verify_timeout: Annotated[
        float, typer.Option(help="Seconds for a verification; then it is killed.")
    ] = 10.0,
    executor: Annotated[str, typer.Option(help="Where verification runs: process or inline.")] = "process",
    mcp: Annotated[
        bool, typer.Option("--mcp", help="Speak MCP over standard input and output, for one client.")
    ] = False,
) -> None:
    """Serve an environment to OpenEnv's clients (HTTP and WebSocket), or to an MCP client."""
    from rlvr_gym.rewards.files import read_design

    opened = open_env(env, difficulty, [*_pairs(settings_json), *(settings or [])], data)
    options: dict[str, Any] = {
        "reward": read_design(reward),
        "system_prompt": system_prompt,
        "max_turns": max_turns,
        "verify_timeout": verify_timeout,
        "executor": executor,
        **opened.settings,
    }
    if mcp:
        from rlvr_gym.serve.mcp import serve_mcp

        serve_mcp(opened.entry.id, **options)
        return
    from rlvr_gym.serve import ServeConfig
    from rlvr_gym.serve import serve as run

    config = ServeConfig(
        host=host,
        port=port,
        api_key=api_key,
        max_sessions=max_sessions,
        session_timeout=session_timeout,
        max_bytes=max_bytes,
        step_timeout=step_timeout,
    )
    name = f"[{host}]" if ":" in host else host
    told = f"{opened.entry.id} is served at http://{name}:%d, for OpenEnv clients and HTTP. Ctrl-C or SIGTERM ends it."
    if not run(
        opened.entry.id, config, on_start=lambda bound: stderr().print(plain(told % bound)), **options
    ):
        stderr().print("An environment did not come to an end in time; it is left behind.")
        sys.stderr.flush()
        os._exit(1)  # python would wait for its thread, for ever


def _pairs(text: str | None) -> list[str]:
    """A JSON object as the pairs of ``--set``."""
    if text is None:
        return []
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict):
        raise ConfigError(
            f"--settings takes a JSON object, such as '{{\"difficulty\": 3}}'; got {text[:80]!r}."
        )
    return [f"{key}={json.dumps(value)}" for key, value in settings.items()]
