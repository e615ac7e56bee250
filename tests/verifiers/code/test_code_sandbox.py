"""The sandbox itself, on every backend: what a program sees, what it may use, what comes back."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from rlvr_gym.errors import ConfigError
from rlvr_gym.sandbox import (
    BackendUnavailableError,
    Job,
    Limits,
    Sandbox,
    SandboxError,
    SandboxLostError,
    Status,
    make_sandbox,
    read_record,
    sandbox_status,
)
from rlvr_gym.sandbox.backends.base import Availability, Backend
from rlvr_gym.sandbox.backends.plain import SubprocessBackend
from rlvr_gym.sandbox.worker import Worker

FAST = Limits(cpu_seconds=0.5, wall_seconds=1.5, memory_mb=128)

ENDS = [
    ("print(input() * 2)", Status.EXITED, ""),
    ("import sys; sys.exit(0)", Status.EXITED, ""),
    ("import sys; sys.exit(3)", Status.RUNTIME_ERROR, ""),
    ("import sys; sys.exit('no')", Status.RUNTIME_ERROR, ""),
    ("1 / 0", Status.RUNTIME_ERROR, "ZeroDivisionError"),
    ("def f(:", Status.SYNTAX_ERROR, "SyntaxError"),
    ("x = '\x00'", Status.SYNTAX_ERROR, ""),
    ("while True: pass", Status.TIMEOUT, ""),
    ("import time; time.sleep(60)", Status.TIMEOUT, ""),
    ("x = bytearray(10**9)", Status.MEMORY, "MemoryError"),
    ("print('x' * 3_000_000)", Status.OUTPUT_LIMIT, ""),
    ("import os; os.kill(os.getpid(), 11)", Status.RUNTIME_ERROR, ""),
    ("import os; os.abort()", Status.RUNTIME_ERROR, ""),
    ("", Status.EXITED, ""),
]


@pytest.mark.parametrize(("program", "status", "error"), ENDS)
def test_how_programs_end(sandbox, program, status, error):
    result = sandbox.run(program, "ab", FAST)
    assert result.status is status, result
    assert error in result.error


def test_input_and_output_are_bytes(sandbox):
    data = bytes(range(256)) * 2000
    result = sandbox.run("import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())", data)
    assert (result.status, result.stdout) == (Status.EXITED, data)
    result = sandbox.run("print(input())", "é\udcff")
    assert result.stdout == "é\udcff\n".encode("utf-8", "surrogateescape")


def test_programs_are_deterministic(sandbox):
    program = """
import locale, os, random, sys, time
print(list({str(i) for i in range(30)}), hash("x"), random.random(), random.sample(range(100), 5))
print(time.tzname, sys.stdout.encoding, sorted(os.environ), os.listdir("."), len(sys.argv))
"""
    results = {sandbox.run(program).stdout for _ in range(4)}
    assert len(results) == 1
    (output,) = results
    assert b"'UTC'" in output
    assert b"utf-8" in output


def test_the_interpreter_is_whole(sandbox):
    program = """
import bisect, collections, datetime, decimal, fractions, functools, hashlib, heapq, itertools, json, math
import re, sqlite3, statistics, string, subprocess, threading, typing, zlib, asyncio, concurrent.futures
import __main__
from dataclasses import dataclass

@dataclass
class Point:
    x: int

async def main():
    return Point(3)

sys_main = __main__.Point
out = []
thread = threading.Thread(target=lambda: out.append(asyncio.run(main())))
thread.start()
if __name__ == "__main__":
    threading.Thread(target=lambda: (thread.join(), print(out))).start()
"""
    result = sandbox.run(program, limits=Limits(processes=16))
    assert (result.stdout, result.stderr) == (b"[Point(x=3)]\n", b"")


def test_nothing_carries_over(sandbox):
    write = "import builtins, random, sys\nopen('x', 'w').write('x')\nbuiltins.left = 1\nsys.modules['left'] = sys"
    look = (
        "import os, sys, builtins\nprint(os.listdir('.'), hasattr(builtins, 'left'), 'left' in sys.modules)"
    )
    for _ in range(3):
        sandbox.run(write)
        assert sandbox.run(look).stdout == b"[] False False\n"


def test_calls(sandbox):
    program = "class Solution:\n    def twice(self, x, *, y=0):\n        print('noise')\n        return {x: (x * 2, y)}\n"
    result = sandbox.call(program, "Solution.twice", [(1,), ("a",), (None,), (2**80,)])
    records = [read_record(line) for line in result.records]
    assert [r.value for r in records] == [{1: (2, 0)}, {"a": ("aa", 0)}, None, {2**80: (2**81, 0)}]
    assert [r.raised for r in records] == ["", "", "TypeError", ""]
    assert result.stdout == b"noise\n" * 4


def test_jobs_are_retried_when_their_sandbox_dies(sandbox):
    """The sandboxes are killed from outside, by the host, in the middle of their work."""
    stop = threading.Event()

    def kill_now_and_then() -> None:
        while not stop.wait(0.15):
            with sandbox._condition:
                victims = list(sandbox._idle)
            for worker in victims[:1]:
                worker._channel.close()  # the guest sees its host leave, and ends

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    try:
        jobs = [Job("print(int(input()) ** 2)", stdin=str(i).encode()) for i in range(120)]
        results = sandbox.run_many(jobs)
    finally:
        stop.set()
        killer.join()
    assert [r.stdout for r in results if not isinstance(r, SandboxError)] == [
        b"%d\n" % (i * i) for i in range(120)
    ]


def test_a_starved_timeout_is_run_again_alone(any_sandbox, monkeypatch):
    """The machine's load is real for one run only: the second, alone, decides."""
    ran = []
    execute = Worker.run

    def first_starved(worker: Worker, job: Job):
        result = execute(worker, job)
        ran.append(result)
        if len(ran) == 1:
            return type(result)(Status.TIMEOUT, wall_seconds=1.0, delay_seconds=0.9)
        return result

    monkeypatch.setattr(Worker, "run", first_starved)
    assert any_sandbox.run("print(1)").stdout == b"1\n"
    assert len(ran) == 2


class _BrokenBackend(Backend):
    """Sandboxes that say the wrong thing: what a program that took over its sandbox could do."""

    name = "subprocess"

    def __init__(self, mischief: str) -> None:
        self.mischief, self.started = mischief, 0

    def check(self) -> Availability:
        return Availability(self.name, True, "")

    def start(self) -> Worker:
        self.started += 1
        worker = SubprocessBackend().start()
        channel = worker._channel
        receive = channel.receive

        def lie(job_id: bytes, seconds: float) -> dict:
            message = receive(job_id, seconds)
            match self.mischief:
                case "wrong id":
                    channel._buffer += (2).to_bytes(4, "big") + bytes(range(16)) + b"{}"
                    return receive(job_id, seconds)
                case "huge":
                    channel._buffer += b"\xff" * 40
                    return receive(job_id, seconds)
                case "not json":
                    channel._buffer += (2).to_bytes(4, "big") + job_id + b"]["
                    return receive(job_id, seconds)
                case "deep":
                    body = b"[" * 100_000
                    channel._buffer += len(body).to_bytes(4, "big") + job_id + body
                    return receive(job_id, seconds)
                case "wrong types":
                    return message | {"cpu": "1", "clean": 1}
                case "missing":
                    return {"status": "exited"}
                case "bad base64":
                    return message | {"out": "é"}
                case "unknown status":
                    return message | {"status": "passed"}
                case "extra":
                    channel._buffer += b"more"
                    return message
            raise AssertionError(self.mischief)

        channel.receive = lie  # type: ignore[method-assign]
        return worker


@pytest.mark.parametrize(
    "mischief",
    ["wrong id", "huge", "not json", "deep", "wrong types", "missing", "bad base64", "unknown status"],
)
def test_a_sandbox_that_breaks_the_protocol_is_not_believed(mischief):
    backend = _BrokenBackend(mischief)
    with Sandbox(backend, 1, retries=1) as sandbox, pytest.raises(SandboxLostError):
        sandbox.run("print(1)")
    assert backend.started == 2


def test_a_frame_out_of_turn_costs_the_sandbox_but_no_job():
    backend = _BrokenBackend("extra")
    with Sandbox(backend, 1) as sandbox:
        assert [sandbox.run(f"print({i})").stdout for i in range(3)] == [b"0\n", b"1\n", b"2\n"]
    assert backend.started == 3


class _AbsentBackend(Backend):
    name = "docker"

    def __init__(self) -> None:
        self.asked = 0

    def check(self) -> Availability:
        return Availability(self.name, False, "gone")

    def start(self) -> Worker:
        self.asked += 1
        raise BackendUnavailableError("No Docker engine answers.")


def test_a_backend_that_stays_away_is_waited_for_and_then_told_in_one_sentence():
    backend = _AbsentBackend()
    sandbox = Sandbox(backend, 1, patience=0.5)
    with pytest.raises(BackendUnavailableError, match="No Docker engine"):
        sandbox.run("print(1)")
    asked = backend.asked
    assert asked > 1
    # all callers together wait no longer than that: a batch of thousands must not wait for each
    results = sandbox.run_many([Job("print(1)")] * 50)
    assert all(isinstance(result, BackendUnavailableError) for result in results)
    assert backend.asked <= asked + 60


def test_fallback(any_sandbox):
    with Sandbox(
        _AbsentBackend(), 2, patience=0.0, fallback=make_sandbox(any_sandbox.backend.name, 2)
    ) as sandbox:
        assert [r.stdout for r in sandbox.run_many([Job(f"print({i})") for i in range(6)])] == [
            b"%d\n" % i for i in range(6)
        ]


def test_no_engine_is_one_clear_sentence(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    status = next(found for found in sandbox_status() if found.name == "docker")
    assert not status.ok
    assert status.why.startswith("No Docker engine answers")
    with make_sandbox("docker", 1, patience=0.0) as sandbox, pytest.raises(BackendUnavailableError) as caught:
        sandbox.run("print(1)")
    assert "\n" not in str(caught.value)
    assert "bubblewrap" in str(caught.value)


def test_closing_leaves_no_process(any_sandbox):
    before = _servers()
    with make_sandbox(any_sandbox.backend.name, 2) as sandbox:
        sandbox.warm_up()
        started = _servers() - before
    assert len(started) >= 2
    assert _gone(started)


def _gone(servers: set[int]) -> bool:
    deadline = time.monotonic() + 10
    while servers & _servers() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not servers & _servers()


def _servers() -> set[int]:
    """The sandboxes' servers on this machine."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"the host left" in command:
            found.add(int(folder.name))
    return found


def test_sandboxes_end_with_a_killed_host(any_sandbox):
    name = any_sandbox.backend.name
    before = _servers()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            child = make_sandbox(name, 1)
            child.warm_up()
            os.write(writer, b"x")
            time.sleep(60)
        finally:
            os._exit(1)
    os.read(reader, 1)
    started = _servers() - before
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert started
    assert _gone(started)


@pytest.mark.parametrize(
    "limits",
    [{"cpu_seconds": 0}, {"memory_mb": -1}, {"memory_mb": 10**5}, {"output_mb": 100}, {"wall_seconds": "1"}],
)
def test_limits_that_make_no_sense_are_refused(limits):
    with pytest.raises(ConfigError):
        Limits(**limits)
    with pytest.raises(ConfigError):
        Limits.from_dict({"cpus": 1})
