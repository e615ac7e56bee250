"""A real local HTTP server that speaks OpenAI's interface, and misbehaves as it is told."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Server(ThreadingHTTPServer):
    """Answers with what ``behave(number, body)`` says: ``(status, payload, headers)``, or the name of a fault.

    The payload is JSON, or bytes that go out as they are. The faults: ``"hang"`` says nothing for ``patience``
    seconds, ``"drip"`` sends a byte now and then for as long, ``"half"`` hangs up in the middle of the answer, and
    ``"hangup"`` before it.
    """

    daemon_threads = True

    def __init__(self, behave, patience):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave, self.patience = behave, patience
        self.requests, self.times, self.lock, self.busy, self.most_busy = [], [], threading.Lock(), 0, 0
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def address(self):
        return f"openai:http://127.0.0.1:{self.server_port}/v1#tiny"

    def handle_error(self, *_):
        """The client may have gone away: that is what is tested."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        server = self.server
        with server.lock:
            server.busy += 1
            server.most_busy = max(server.most_busy, server.busy)
            number = len(server.requests)
            server.requests.append(body)
            server.times.append(time.monotonic())
        try:
            told = server.behave(number, body)
        finally:
            with server.lock:
                server.busy -= 1
        if isinstance(told, str):
            self._fail(told)
        else:
            self._answer(*told)

    def _answer(self, status, payload, headers=None):
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in ({"retry-after-ms": "1"} if headers is None else headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _fail(self, fault):
        self.close_connection = True
        if fault == "hang":
            time.sleep(self.server.patience)
        if fault in ("half", "drip"):
            self.send_response(200)
            self.send_header("content-length", "500")
            self.end_headers()
            self.wfile.write(b'{"choices": [{"mess')
        if fault == "drip":
            until = time.monotonic() + self.server.patience
            while time.monotonic() < until:
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.05)

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    servers = []

    def start(behave, patience=5.0):
        servers.append(Server(behave, patience))
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def says():
    """``says(text, reason)``: a proper answer."""

    def answer(text, reason="stop"):
        choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
        return 200, {
            "id": "x",
            "object": "chat.completion",
            "model": "tiny",
            "choices": [choice],
            "usage": usage,
        }

    return answer
