"""The fork server: the sandbox's first process. One job at a time, each in a process forked for it.

Frames, both ways: length (4 bytes, big endian), the job's id (16 bytes), JSON. The id is drawn by the host for each
job and the server's end of the channel is in no job's reach: its descriptors are closed in the child, and the
server is not dumpable, so that no process of its user can open or trace it.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import importlib
import json
import os
import random
import select
import signal
import sys
import time
from typing import Any

from rlvr_gym.sandbox.guest import files, jail, processes, program

__all__ = ["PRIVATE_UIDS", "main"]

PRIVATE_UIDS = 200_000
"""Users from here on are made up by the host for one sandbox each: all their processes are the server's to kill."""

_ID_BYTES = 16
_MAX_FILES = 50_000
_STDERR_KEPT = 16_000
_TICK_S, _SCAN_S = 0.01, 0.05
_PRELOADED = """
bisect collections collections.abc contextlib copy dataclasses datetime enum functools heapq io itertools json linecache
math operator os random re string struct sys threading time traceback typing rlvr_gym.sandbox.guest.lint
"""


class Channel:
    """Frames over a pair of descriptors; the peer's leaving ends the server."""

    def __init__(self, source: int, sink: int) -> None:
        self.source, self._sink = source, sink

    def _read(self, size: int) -> bytes:
        parts = []
        while size:
            part = os.read(self.source, min(size, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def receive(self) -> tuple[bytes, dict[str, Any]]:
        """The next frame."""
        size = int.from_bytes(self._read(4), "big")
        return self._read(_ID_BYTES), json.loads(self._read(size))

    def send(self, job_id: bytes, message: dict[str, Any]) -> None:
        """Sends a frame."""
        body = json.dumps(message, separators=(",", ":")).encode()
        view = memoryview(len(body).to_bytes(4, "big") + job_id + body)
        while view:
            view = view[os.write(self._sink, view) :]


def _file(name: str, content: bytes) -> int:
    """A descriptor of a file in memory that reads from the beginning."""
    fd = os.memfd_create(name)
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


class Job:
    """One running job: the child, its pipes, its clocks."""

    def __init__(self, server: Server, job_id: bytes, request: dict[str, Any]) -> None:
        self.server, self.id, self.request = server, job_id, request
        self.limits = request["limits"]
        self.interactive = request.get("calls") is None and request["mode"] in ("calls", "tests")
        self.output = bytearray()
        self.errors = bytearray()
        self.records = bytearray()
        self._error_bytes = 0
        self._record_count = 0
        self._sent = len(request.get("calls") or ())
        self._unsent = bytearray()
        self._verdict = ""
        self._delay = 0.0
        self._start()

    def _start(self) -> None:
        given = _file("stdin", base64.b64decode(self.request.get("stdin", "")))
        (self._out, out), (self._err, err), (self._rec, rec) = os.pipe(), os.pipe(), os.pipe()
        if self.interactive:
            requests, self._ask = os.pipe()
        else:
            lines = "".join(line + "\n" for line in self.request.get("calls") or ())
            requests, self._ask = _file("requests", lines.encode("ascii")), -1
        self.pid = jail.fork()
        if self.pid == 0:
            server = self.server
            program.run_child(
                self.request,
                (given, out, err, rec, requests),
                server.workdir,
                server.filter,
                server.base_processes,
                server.base_size,
            )
        for fd in (given, out, err, rec, requests):
            os.close(fd)
        for fd in (self._out, self._err, self._rec, *([self._ask] if self.interactive else [])):
            os.set_blocking(fd, False)
        self._pidfd = os.pidfd_open(self.pid)
        self._began = self._case_began = time.monotonic()
        self._case_cpu = 0.0

    def run(self) -> dict[str, Any]:
        """Waits for the end, enforces the limits, cleans up; the result's message."""
        poller = select.poll()
        for fd in (self._out, self._err, self._rec, self._pidfd, self.server.channel.source):
            poller.register(fd, select.POLLIN)
        next_scan = self._began + _SCAN_S
        while not self._verdict:
            for fd, _ in poller.poll(_TICK_S * 1000):
                if fd == self._pidfd:
                    return self._finish()
                if fd == self.server.channel.source:
                    self._take_message()
                elif not self._drain(fd):
                    poller.unregister(fd)
            self._flush_requests()
            now = time.monotonic()
            self._check_time(now)
            if now >= next_scan:
                next_scan = now + _SCAN_S
                if self.server.processes.memory() > self.limits["memory"] * 1.25:
                    self._verdict = "memory"
        return self._finish()

    def _take_message(self) -> None:
        job_id, message = self.server.channel.receive()
        if job_id != self.id or not self.interactive:
            raise ValueError("a frame out of turn")
        if "end" in message:
            self._verdict = "ended"
            return
        self._sent += 1
        self._unsent += message["line"].encode("ascii") + b"\n"
        self._case_began, self._case_cpu = time.monotonic(), self._cpu()

    def _flush_requests(self) -> None:
        """Writes what fits into the pipe: a child that does not read must not stop the server."""
        if self._unsent:
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                del self._unsent[: os.write(self._ask, self._unsent)]

    def _cpu(self) -> float:
        """CPU seconds of the child's threads so far."""
        try:
            # the id of another process's clock is made from its number: clock_getcpuclockid(3)
            return time.clock_gettime((~self.pid << 3) | 2)
        except OSError:
            return self._case_cpu

    def _check_time(self, now: float) -> None:
        late = now - self._began > self.limits["session"]
        # in the host's turn, the clock of a case stands still
        if not late and not (self.interactive and self._is_idle()):
            cpu = self._cpu() - self._case_cpu
            late = cpu > self.limits["cpu"] or now - self._case_began > self.limits["wall"]
        if late:
            self._verdict = "timeout"
            self._delay = processes.run_delay(self.pid)

    def _is_idle(self) -> bool:
        return self.request["mode"] == "calls" and 0 < self._sent <= self._record_count

    def _drain(self, fd: int) -> bool:
        """Reads what is there; False at the end of the stream."""
        with contextlib.suppress(BlockingIOError):
            while not self._verdict:
                data = os.read(fd, 1 << 16)
                if not data:
                    return False
                self._keep(fd, data)
        return True

    def _keep(self, fd: int, data: bytes) -> None:
        if fd == self._out:
            self.output += data
        elif fd == self._err:
            self._error_bytes += len(data)
            self.errors += data[: max(0, _STDERR_KEPT - len(self.errors))]
        else:
            self._keep_records(data)
        if max(len(self.output), self._error_bytes, len(self.records)) > self.limits["output"]:
            self._verdict = "output_limit"

    def _keep_records(self, data: bytes) -> None:
        lines = data.count(b"\n")
        self._record_count += lines
        if lines and self._record_count <= self._sent:  # further lines are made up, and buy no time
            self._case_began, self._case_cpu = time.monotonic(), self._cpu()
        self.records += data
        if not self.interactive:
            return
        complete, newline, rest = bytes(self.records).rpartition(b"\n")
        if newline:
            for line in complete.split(b"\n"):
                self.server.channel.send(self.id, {"line": line.decode("latin-1")})
            self.records[:] = rest

    def _finish(self) -> dict[str, Any]:
        cpu = max(self._cpu(), self._case_cpu)
        wall = time.monotonic() - self._began
        code = self.server.processes.kill_all(self.pid)
        for fd in (self._out, self._err, self._rec):
            if not self._verdict:
                self._drain(fd)  # every writer is dead: what is in the pipes is the rest
            os.close(fd)
        os.close(self._pidfd)
        if self._ask >= 0:
            os.close(self._ask)
        return {
            "status": self._verdict or "exited",
            "code": code,
            "out": base64.b64encode(self.output[: int(self.limits["output"])]).decode(),
            "err": base64.b64encode(self.errors).decode(),
            "records": bytes(self.records[: int(self.limits["output"])]).decode("latin-1"),
            "cpu": cpu,
            "wall": wall,
            "delay": self._delay,
            "clean": files.empty(self.server.workdir, _MAX_FILES),
        }


class Server:
    """Receives jobs and answers each with a result, until the host leaves."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.workdir: str = config["workdir"]
        source, sink = os.dup(0), os.dup(1)
        quiet = os.open("/dev/null", os.O_RDWR)
        os.dup2(quiet, 0)
        os.dup2(quiet, 1)
        self.channel = Channel(source, sink)
        for number in (signal.SIGINT, signal.SIGTERM):
            # without a handler, the first process of a PID namespace cannot be signalled from inside at all
            signal.signal(number, signal.SIG_DFL)
        jail.set_dumpable(False)
        jail.become_subreaper()
        # all processes that the server may signal are jobs: it is the first of its namespace, or has a user of its own
        alone = os.getpid() == 1 or os.getuid() >= PRIVATE_UIDS
        self.processes = processes.Processes(alone)
        self.base_processes = 1 if alone else processes.of_user() + 64
        self.filter = jail.make_filter([os.getpid(), *config["protected"]]) if config["filter"] else None
        sys.path[:] = [path for path in sys.path if path]
        sys.path += config.get("paths", [])
        for name in [*_PRELOADED.split(), *config.get("modules", [])]:
            importlib.import_module(name)
        jail.share_code_pages()
        self.base_size = jail.address_space()
        random.seed(0)  # each job starts from this state, and so runs the same every time
        gc.collect()
        gc.freeze()  # forked children then share the pages of what is here
        gc.disable()

    def serve(self) -> None:
        """Answers jobs until the channel ends."""
        hello = {"python": sys.version.split()[0], "filter": self.filter is not None, "uid": os.getuid()}
        self.channel.send(bytes(_ID_BYTES), hello)
        while True:
            job_id, request = self.channel.receive()
            if "mode" not in request:  # for a job that ended by itself in the meantime
                continue
            self.channel.send(job_id, Job(self, job_id, request).run())


def main(config: dict[str, Any]) -> None:
    """Serves until the host leaves, and takes everything along at the end."""
    server = Server(config)
    with contextlib.suppress(EOFError, OSError, ValueError):
        server.serve()
    with contextlib.suppress(OSError):
        server.processes.kill_all(0)
        files.empty(server.workdir)
        os.rmdir(server.workdir)  # where it is a mount, it goes with the sandbox
    os._exit(0)
