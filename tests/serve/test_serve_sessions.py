"""Sessions: busy ones, idle ones, verification that fails, steps beside each other, and the end."""

import json
import signal
import threading

import httpx
import pytest
from websockets.exceptions import ConnectionClosed


@pytest.fixture(scope="module")
def server(strange):
    return strange(max_sessions=8, settings={"verify_timeout": 1.0})


@pytest.fixture
def there(tmp_path):
    """A file that is not there yet: steps ``wait`` for it."""
    return tmp_path / "there"


def test_a_session_does_one_thing_at_a_time(server, there):
    name = server.post("/reset").json()["observation"]["session_id"]
    answers = []

    def slow():
        answers.append(server.post("/step", {"action": {"message": f"wait {there}"}, "session_id": name}))

    thread = threading.Thread(target=slow)
    thread.start()
    server.wait_for("running", 1)
    for answer in (
        server.post("/step", {"action": {"message": "x"}, "session_id": name}),
        server.post("/reset", {"session_id": name}),
        server.get("/state", params={"session_id": name}),
    ):
        assert answer.status_code == 409
        error = answer.json()["error"]
        assert (error["code"], error["retriable"]) == ("SESSION_BUSY", True)
    there.touch()
    thread.join()
    assert answers[0].json()["observation"]["turn"] == 1
    assert server.get("/state", params={"session_id": name}).json()["step_count"] == 1
    server.post("/close", {"session_id": name})


def test_a_slow_step_does_not_stop_the_others(server, there):
    with server.client() as slow, server.client() as quick:
        slow.reset()
        quick.reset()
        ended = []

        def wait():
            ended.append(slow.step({"message": f"wait {there}"}))

        thread = threading.Thread(target=wait)
        thread.start()
        server.wait_for("running", 1)
        for i in range(30):
            assert quick.step({"message": f"{i}"}).observation["turn"] == i + 1
        assert not ended
        assert server.get("/health").status_code == 200
        there.touch()
        thread.join()
        assert ended[0].observation["turn"] == 1


def test_a_verification_that_hangs_is_killed_and_is_no_reward(server):
    with server.client() as client, server.client() as other:
        client.reset()
        other.reset()
        result = client.step({"message": "answer hang"})
        assert (result.reward, result.done) == (None, True)
        assert result.observation["verdict"] == {
            "valid": False,
            "correct": None,
            "score": None,
            "reason": "timeout",
        }
        assert result.observation["retriable"] is True
        assert other.step({"message": "answer right"}).reward == 1.0


def test_a_verification_that_failed_can_be_tried_again(server, there):
    with server.client() as client:
        client.reset()
        with pytest.raises(RuntimeError, match="NOTHING_TO_RETRY"):
            client.step({"retry": True})
        for action in ({"message": f"answer fail {there}"}, {"retry": True}):
            result = client.step(action)
            assert (result.reward, result.done) == (None, True)
            assert result.observation["verdict"]["reason"] == "verifier_error"
        with pytest.raises(RuntimeError, match="EPISODE_OVER"):
            client.step({"message": "answer right"})  # another answer is no second try
        there.touch()
        result = client.step({"retry": True})
        assert (result.reward, result.done) == (1.0, True)
        assert result.observation["verdict"]["valid"] is True
        assert result.observation["retriable"] is False
        assert client.state()["step_count"] == 1
        with pytest.raises(RuntimeError, match="NOTHING_TO_RETRY"):
            client.step({"retry": True})
    assert server.metric('episodes_total{outcome="invalid"}') >= 2


@pytest.mark.parametrize("order", ["raise", "exit"])
def test_an_environment_that_raises_ends_its_episode_only(server, order):
    with server.client() as client:
        client.reset()
        with pytest.raises(RuntimeError, match="EXECUTION_ERROR"):
            client.step({"message": order})
        with pytest.raises(RuntimeError, match="NOT_RESET"):
            client.step({"message": "x"})
        client.reset()
        assert client.step({"message": "x"}).observation["turn"] == 1


def test_sessions_that_nobody_uses_end(strange):
    server = strange(session_timeout=2.0, max_sessions=2)
    name = server.post("/reset").json()["observation"]["session_id"]
    with server.socket() as socket:
        socket.send('{"type": "reset"}')
        socket.recv()
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=60)
        assert closed.value.rcvd.code == 4408
    server.wait_for("sessions", 0)
    assert server.metric('sessions_closed_total{reason="idle"}') == 2
    assert server.post("/step", {"action": {"message": "x"}, "session_id": name}).status_code == 404


def test_a_websockets_session_is_not_open_to_http(server):
    with server.socket() as socket:
        socket.send('{"type": "reset", "data": {"episode_id": "e"}}')
        assert json.loads(socket.recv())["data"]["observation"]["session_id"] is None
        assert server.post("/step", {"action": {"message": "x"}, "session_id": "e"}).status_code == 404


def test_sigterm_lets_steps_end_and_closes_sessions_with_a_code(strange, there):
    server = strange(max_sessions=4)
    with server.socket() as idle, server.client() as busy:
        idle.send('{"type": "reset"}')
        idle.recv()
        busy.reset()
        name = server.post("/reset").json()["observation"]["session_id"]
        order, results = {"message": f"wait {there}"}, {}

        def over_http():
            results["http"] = server.post("/step", {"action": order, "session_id": name}).json()[
                "observation"
            ]

        def over_websocket():
            results["websocket"] = busy.step(order).observation

        threads = [threading.Thread(target=act) for act in (over_http, over_websocket)]
        for thread in threads:
            thread.start()
        server.wait_for("running", 2)
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:  # who waits for nothing is told at once
            idle.recv(timeout=60)
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "The server is shutting down.")
        with pytest.raises(httpx.ConnectError):  # and nobody new comes in
            server.get("/health")
        assert server.process.poll() is None
        assert not results
        there.touch()
        for thread in threads:
            thread.join(60)
        assert {kind: seen["turn"] for kind, seen in results.items()} == {"http": 1, "websocket": 1}
        with pytest.raises(ConnectionClosed) as closed:
            busy._ws.recv(timeout=60)
        assert closed.value.rcvd.code == 1001
    assert server.ended() == 0
    assert server.log[-1] == "ended\n"


def test_what_does_not_end_does_not_keep_the_server_alive(strange):
    server = strange(grace=1.0)
    with server.client() as client:
        client.reset()
        client._send({"type": "step", "data": {"message": "stop"}})
        server.wait_for("running", 1)
        server.process.send_signal(signal.SIGTERM)
        assert server.ended() == 1
    assert server.log[-1] == "something is left\n"
