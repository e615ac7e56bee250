"""Real servers: a process of their own each, reached over the network."""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

SECONDS = 120
STRANGE = str(Path(__file__).with_name("strange_server.py"))


class Served:
    """A server process and ways to talk to it."""

    def __init__(self, command, **environment):
        self.process = subprocess.Popen(
            [sys.executable, *command], stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
        )
        self.log = []
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._listening.wait(SECONDS), self.log
        assert self.port, self.log

    port = 0

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line)
            if not self.port and (found := re.search(r"http://127\.0\.0\.1:(\d+)", line)):
                self.port = int(found[1])
                self._listening.set()
        self._listening.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def client(self, key=None):
        from openenv.core import GenericEnvClient

        at = f"key:{key}@" if key else ""
        return GenericEnvClient(f"ws://{at}127.0.0.1:{self.port}")

    def socket(self, **options):
        from websockets.sync.client import connect

        return connect(f"ws://127.0.0.1:{self.port}/ws", **options)

    def get(self, path, **options):
        import httpx

        return httpx.get(self.url + path, timeout=SECONDS, trust_env=False, **options)

    def post(self, path, body=None, **options):
        import httpx

        if body is not None:
            options["content"] = body if isinstance(body, bytes) else json.dumps(body)
        return httpx.post(self.url + path, timeout=SECONDS, trust_env=False, **options)

    def metric(self, name):
        """A metric's value; 0 while nobody has counted."""
        found = re.search(rf"^rlvr_gym_{re.escape(name)} (\S+)$", self.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def wait_for(self, name, value, seconds=SECONDS):
        until = time.monotonic() + seconds
        while self.metric(name) != value:
            assert time.monotonic() < until, (name, value, self.metric(name))
            time.sleep(0.05)

    def ended(self):
        """Waits for the end; gives the exit code."""
        code = self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        return code

    def kill(self):
        self.process.kill()
        self.process.wait(SECONDS)


@pytest.fixture(scope="session")
def cli():
    """Starts ``rlvr-gym serve`` with these options; every server is killed in the end."""
    with contextlib.ExitStack() as stack:

        def start(*options, **environment):
            server = Served(["-m", "rlvr_gym", "serve", *options, "--port", "0"], **environment)
            stack.callback(server.kill)
            return server

        yield start


@pytest.fixture(scope="session")
def strange():
    """Starts ``strange_server.py`` with these options; every server is killed in the end."""
    with contextlib.ExitStack() as stack:

        def start(**options):
            server = Served([STRANGE, json.dumps(options)])
            stack.callback(server.kill)
            return server

        yield start


@pytest.fixture(scope="session")
def countdown(cli):
    return cli("Countdown", "--max-sessions", "40")
