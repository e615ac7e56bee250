"""Clients that mean no good, beside one that plays on: it loses nothing, and the server stays as it was."""

import base64
import contextlib
import json
import os
import socket as sockets
import struct
import threading
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

LIMIT = 50_000
SLOTS = 6


@pytest.fixture(scope="module")
def server(strange):
    return strange(
        max_sessions=SLOTS, max_bytes=LIMIT, send_timeout=3.0, session_timeout=60.0, max_episode_bytes=120_000,
        settings={"prompt_chars": 200_000, "executor": "inline"},
    )  # fmt: skip


class Good(threading.Thread):
    """Plays episodes until it is told to stop, and looks at every answer."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.over, self.rounds, self.failure = server, threading.Event(), 0, None

    def run(self):
        try:
            with self.server.client() as client:
                while not self.over.is_set():
                    first = client.reset(seed=self.rounds).observation
                    assert first["task_id"].endswith(f"-{self.rounds}-0")
                    assert (
                        client.step({"message": f"round-{self.rounds}"}).observation["text"]
                        == f"round-{self.rounds}? y"
                    )
                    last = client.step({"message": "answer right"})
                    assert (last.reward, last.done) == (1.0, True)
                    self.rounds += 1
        except BaseException as error:
            self.failure = error


@pytest.fixture(autouse=True)
def good(server):
    """In every test of this file; it must get on while and after the others do their worst."""
    client = Good(server)
    client.start()
    until = time.monotonic() + 60
    while not client.rounds and not client.failure and time.monotonic() < until:
        time.sleep(0.01)
    yield client
    before = client.rounds
    while client.rounds < before + 2 and not client.failure and time.monotonic() < until + 120:
        time.sleep(0.01)
    client.over.set()
    client.join(60)
    assert client.failure is None
    assert client.rounds >= before + 2
    server.wait_for("sessions", 0)


def ask(socket, message):
    socket.send(message if isinstance(message, str | bytes) else json.dumps(message))
    answer = json.loads(socket.recv())
    assert answer["type"] == "error", answer
    return answer["data"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("", "INVALID_JSON"),
        ("{", "INVALID_JSON"),
        ("[" * 20_000, "INVALID_JSON"),
        ('{"type": "reset", "data": ' + '{"a":' * 8_000 + "1" + "}" * 8_001, "INVALID_JSON"),
        (b"\xff\xfe\x00", "INVALID_JSON"),
        ('{"type": "step", "data": {"message": "\\ud800"}}', "INVALID_JSON"),
        ("[]", "VALIDATION_ERROR"),
        ("null", "VALIDATION_ERROR"),
        ({"type": 1}, "VALIDATION_ERROR"),
        ({"data": {}}, "VALIDATION_ERROR"),
        ({"type": "reset", "data": [], "more": 1}, "VALIDATION_ERROR"),
        ({"type": "reset", "data": {"seed": -1}}, "VALIDATION_ERROR"),
        ({"type": "reset", "data": {"seed": 2**32}}, "VALIDATION_ERROR"),
        ({"type": "reset", "data": {"seed": "1"}}, "VALIDATION_ERROR"),
        ({"type": "reset", "data": {"seed": 1.5}}, "VALIDATION_ERROR"),
        ({"type": "reset", "data": {"seed": True}}, "VALIDATION_ERROR"),
        ('{"type": "reset", "data": {"seed": 1' + "0" * 5000 + "}}", "INVALID_JSON"),
        ('{"type": "reset", "data": {"seed": NaN}}', "VALIDATION_ERROR"),
        ({"type": "reset", "data": {"sed": 1}}, "VALIDATION_ERROR"),
        ({"type": "reset", "data": {"index": -1}}, "VALIDATION_ERROR"),
        ({"type": "reset", "data": {"episode_id": "x" * 256}}, "VALIDATION_ERROR"),
        ({"type": "step", "data": {}}, "VALIDATION_ERROR"),
        ({"type": "step", "data": {"message": None}}, "VALIDATION_ERROR"),
        ({"type": "step", "data": {"message": ["x"]}}, "VALIDATION_ERROR"),
        ({"type": "step", "data": {"message": "x", "retry": True}}, "VALIDATION_ERROR"),
        ({"type": "step", "data": {"message": "x"}}, "NOT_RESET"),
        ({"type": "__import__"}, "UNKNOWN_TYPE"),
    ],
    ids=range(27),
)
def test_what_is_no_message_gets_a_sentence_and_the_connection_goes_on(server, message, code):
    with server.socket() as socket:
        error = ask(socket, message)
        assert error["code"] == code
        assert error["message"].endswith(".")
        assert error["hint"].endswith(".")
        assert len(json.dumps(error)) < 1000
        socket.send('{"type": "state"}')
        assert json.loads(socket.recv())["data"]["step_count"] == 0


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/reset", b"{", 400),
        ("/reset", b"\xff", 400),
        ("/reset", b"[" * 40_000, 400),
        ("/reset", {"seed": "x"}, 422),
        ("/reset", {"session_id": "guessed"}, 404),
        ("/step", {"action": {"message": "x"}}, 422),
        ("/step", {"action": "x", "session_id": "y"}, 422),
        ("/step", {"action": {"message": "x"}, "session_id": "guessed"}, 404),
        ("/close", {"session_id": "guessed"}, 404),
        ("/close", {}, 422),
        ("/nothing", {}, 404),
        ("/health", {}, 405),
        ("/reset", b" " * (LIMIT + 1), 413),
        ("/step", b" " * (20 * LIMIT), 413),
    ],
    ids=range(14),
)
def test_what_is_no_request_gets_a_sentence(server, path, body, status):
    answer = server.post(path, body)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["message"].endswith(".")
    assert error["hint"].endswith(".")


def test_a_body_without_an_end_is_bounded(server):
    def endless():
        while True:
            yield b" " * 10_000

    with contextlib.suppress(httpx.TransportError):  # the server may hang up while the client still writes
        assert (
            httpx.post(f"{server.url}/reset", content=endless(), timeout=60, trust_env=False).status_code
            == 413
        )
    assert server.get("/health").status_code == 200


def test_a_message_that_is_too_large_closes_its_connection(server):
    for parts in ("x" * 2_000_000, ["x" * 10_000] * 200):
        with server.socket() as socket:
            with contextlib.suppress(ConnectionClosed):
                socket.send(parts)
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv()
        assert closed.value.rcvd is None or closed.value.rcvd.code == 1009


def test_an_episode_cannot_grow_without_end(server):
    with server.client() as client:
        client.reset()
        for _ in range(2):
            client.step({"message": "x" * 40_000})
        client.step({"message": "x" * 30_000})
        with pytest.raises(RuntimeError, match="EPISODE_TOO_LARGE"):
            client.step({"message": "x" * 20_000})
        assert client.step({"message": "x" * 10_000}).observation["turn"] == 4
        client.reset()
        assert client.step({"message": "fresh"}).observation["turn"] == 1


def test_sessions_beyond_the_limit_are_refused_and_places_come_back(server):
    taken = []
    for i in range(SLOTS - 1):  # the good client has one
        if i % 2:
            taken.append(server.socket())
            taken[-1].send('{"type": "reset"}')
            assert json.loads(taken[-1].recv())["type"] == "observation"
        else:
            answer = server.post("/reset")
            taken.append(answer.json()["observation"]["session_id"])
    for _ in range(20):
        assert server.post("/reset").json()["error"]["code"] == "CAPACITY_REACHED"
        with server.client() as client, pytest.raises(RuntimeError, match="CAPACITY_REACHED"):
            client.reset()
    with server.client() as client:
        with pytest.raises(RuntimeError, match="All 6 sessions"):
            client.reset()
        for place in taken:
            if isinstance(place, str):
                server.post("/close", {"session_id": place})
            else:
                place.socket.close()  # gone without a word
        server.wait_for("sessions", 1)
        assert client.reset().observation["turn"] == 0  # the same connection may try again


def handshake(server, buffer=None):
    """A bare socket after the WebSocket handshake."""
    raw = sockets.socket()
    if buffer:
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, buffer)
    raw.settimeout(60)
    raw.connect(("127.0.0.1", server.port))
    key = base64.b64encode(os.urandom(16)).decode()
    raw.sendall(
        f"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )  # fmt: skip
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += raw.recv(1)
    assert b" 101 " in answer
    return raw


def frame(opcode, payload=b"", fin=True):
    head = bytes([opcode | (0x80 if fin else 0)])
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack("!H", len(payload))
    return head + size + bytes(4) + payload  # masked with zeros


def flood(raw, data, seconds=60.0):
    """Sends until the other side hangs up; never reads."""
    until = time.monotonic() + seconds
    raw.settimeout(1)
    while time.monotonic() < until:
        try:
            raw.sendall(data)
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def cut_off(server, reason, act):
    name = f'connections_cut_off_total{{reason="{reason}"}}'
    before = server.metric(name)
    act()
    until = time.monotonic() + 60
    while server.metric(name) <= before:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_client_that_never_reads_is_cut_off(server):
    raw = handshake(server, buffer=4096)
    cut_off(server, "does_not_read", lambda: flood(raw, frame(1, b'{"type": "reset"}') * 50))
    raw.close()


def test_a_client_that_never_reads_is_cut_off_over_http(server):
    raw = sockets.create_connection(("127.0.0.1", server.port))
    cut_off(server, "does_not_read", lambda: flood(raw, b"GET /schema HTTP/1.1\r\nHost: x\r\n\r\n" * 500))
    raw.close()


def test_pings_that_are_never_read_fill_no_memory(server):
    raw = handshake(server, buffer=4096)
    cut_off(server, "does_not_read", lambda: flood(raw, frame(9, b"p" * 125) * 500))
    raw.close()


def test_fragments_of_nothing_fill_no_memory(server):
    raw = handshake(server)
    raw.sendall(frame(1, fin=False))
    cut_off(server, "fragments", lambda: flood(raw, frame(0, fin=False) * 1000))
    raw.close()


def test_half_a_request_does_not_stay(server):
    def trickle():
        raws = [sockets.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
        for raw in raws[:10]:
            raw.sendall(b"POST /reset HTTP/1.1\r\nHost: x\r\nX-")
        for _ in range(40):
            for raw in raws[:10]:
                with contextlib.suppress(OSError):
                    raw.sendall(b"a")
            time.sleep(0.1)
        for raw in raws:
            raw.settimeout(60)
            with contextlib.suppress(ConnectionResetError):
                assert raw.recv(1) == b""
            raw.close()

    cut_off(server, "half_a_request", trickle)


def test_half_a_body_does_not_stay(server):
    raw = sockets.create_connection(("127.0.0.1", server.port))
    raw.settimeout(60)
    raw.sendall(b"POST /reset HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    assert raw.recv(1000).startswith(b"HTTP/1.1 408")
    raw.close()


def test_who_leaves_in_the_middle_of_a_request_is_no_defect(server):
    for i in range(50):
        raw = sockets.create_connection(("127.0.0.1", server.port))
        raw.sendall(b"POST /step HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"[: 10 + 2 * i])
        raw.close()
    until = time.monotonic() + 60
    while server.metric('refusals_total{code="INVALID_JSON"}') < 1 and time.monotonic() < until:
        time.sleep(0.05)
    assert server.metric('refusals_total{code="EXECUTION_ERROR"}') == 0


def test_garbage_is_no_http(server):
    for garbage in (
        b"\x16\x03\x01" + os.urandom(200),
        b"GET / HTTP/9\r\n\r\n",
        b"\r\n" * 10_000,
        b"A" * 200_000,
    ):
        raw = sockets.create_connection(("127.0.0.1", server.port))
        raw.settimeout(60)
        with contextlib.suppress(OSError):
            raw.sendall(garbage)
            while raw.recv(1000):
                pass
        raw.close()
    assert server.get("/health").status_code == 200


def test_more_connections_than_there_may_be_are_cut_off(server):
    raws = []
    with contextlib.suppress(OSError):
        for _ in range(300):
            raws.append(sockets.create_connection(("127.0.0.1", server.port)))
    for raw in raws:
        raw.close()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(httpx.TransportError):
            if server.metric('connections_cut_off_total{reason="too_many"}') > 0:
                return
        time.sleep(0.1)
    raise AssertionError("nobody was cut off")


def test_nothing_of_all_this_is_in_the_log(server):
    """A disk that clients can fill, or a pipe that nobody reads, would stop the server. The last test of this server."""
    assert len(server.log) == 1, server.log[1][:1000]


def test_steps_that_hang_hold_nobody_else_up(strange, tmp_path):
    """With its own server, because a place whose environment hangs does not come back."""
    small = strange(max_sessions=3, step_timeout=2.0, settings={"executor": "inline"})
    with small.client() as good:
        good.reset(seed=0)
        with small.client() as hangs:
            hangs.reset()
            with pytest.raises(RuntimeError, match="STEP_TIMEOUT"):
                hangs.step({"message": "stop"})
            with pytest.raises(ConnectionClosed):
                hangs.step({"message": "x"})
        name = small.post("/reset").json()["observation"]["session_id"]
        late = small.post("/step", {"action": {"message": f"wait {tmp_path}/there"}, "session_id": name})
        assert (late.status_code, late.json()["error"]["code"]) == (504, "STEP_TIMEOUT")
        assert small.post("/step", {"action": {"message": "x"}, "session_id": name}).status_code == 404
        (tmp_path / "there").touch()
        for i in range(20):
            assert good.step({"message": f"{i}"}).observation["text"] == f"{i}? y"
        small.wait_for("sessions", 2)  # what only was late has left, what hangs has not
        assert small.metric("running") == 1
