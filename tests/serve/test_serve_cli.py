"""What ``rlvr-gym serve`` says when it cannot start: one sentence each."""

import os
import socket
import subprocess
import sys

import pytest


def run(*command, **environment):
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["Countdown", "--host", "0.0.0.0"], "needs an API key: set RLVR_GYM_API_KEY"),
        (["Countdown", "--api-key", "short"], "at least 16 printable ASCII characters"),
        (["Countdown", "--settings", "[1]"], "--settings takes a JSON object"),
        (["Countdown", "--settings", '{"difficulty": 99}'], "difficulty goes from 1 to 10"),
        (["Countdown", "--reward", "nothing"], "There is no reward design named 'nothing'"),
        (["Countdown", "--reward", "kimi"], "compares the attempts at one task"),
        (["Countdown", "--reward", "kimi", "--mcp"], "compares the attempts at one task"),
        (
            ["Countdown", "--host", "no.such.host.invalid", "--api-key", "0123456789abcdef"],
            "There is no address 'no.such.host.invalid' to listen on",
        ),
        (["Countdown", "--verify-timeout", "0"], "verify_timeout is a positive number of seconds; got 0.0"),
        (["NoSuch"], "There is no environment named 'NoSuch'"),
        (["Countdown", "--session-timeout", "nan"], "session_timeout is a positive number"),
        (["Countdown", "--port", "TAKEN"], "cannot be opened (address already in use); choose another one"),
    ],
    ids=range(12),
)
def test_what_cannot_be_served_is_one_sentence(options, told):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("-m", "rlvr_gym", "serve", *[port if option == "TAKEN" else option for option in options])
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "short" not in done.stderr


@pytest.mark.parametrize(
    ("package", "call", "extra"),
    [
        ("fastapi", "serve('Countdown')", "serve"),
        ("uvicorn", "serve('Countdown')", "serve"),
        ("websockets", "serve('Countdown')", "serve"),
        ("prometheus_client", "serve('Countdown')", "serve"),
        ("mcp", "serve_mcp('Calculator')", "mcp"),
    ],
)
def test_what_is_not_installed_is_told_with_the_command(package, call, extra):
    script = (
        f"import sys; sys.modules[{package!r}] = None; from rlvr_gym.serve import *; from rlvr_gym.serve.mcp import serve_mcp\n"
        f"from rlvr_gym.errors import MissingExtraError\ntry: {call}\nexcept MissingExtraError as error: print(error)"
    )
    done = run("-c", script)
    assert done.stdout.strip().endswith(
        f"needs the package {package.replace('_', '-')}: pip install 'rlvr-gym[{extra}]'."
    )


def test_the_package_itself_is_light():
    done = run("-c", "import sys, rlvr_gym.serve; print(*sorted({'fastapi', 'uvicorn', 'mcp', 'prometheus_client'} & set(sys.modules)))")  # fmt: skip
    assert done.stdout.split() == [], done.stderr


def test_the_key_is_not_in_the_help():
    done = run(
        "-m", "rlvr_gym", "serve", "--help", RLVR_GYM_API_KEY="a-key-of-0123456789-characters", COLUMNS="200"
    )
    assert "RLVR_GYM_API_KEY" in done.stdout
    assert "a-key-of" not in done.stdout
