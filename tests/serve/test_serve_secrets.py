"""Nothing that leaves the server holds an answer or the key: every byte of every response is searched."""

import json

import httpx
import pytest
from websockets.exceptions import InvalidStatus

import rlvr_gym
from rlvr_gym.errors import ConfigError
from rlvr_gym.serve import ServeConfig, serve

KEY = "a-key-of-0123456789-characters"
SECRET = "the-secret-of-the-task"


def everything(server, messages, key=None, resets=({},)):
    """All bytes of all responses: all routes, right and wrong requests, over HTTP and WebSocket."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    seen = []

    def note(answer):
        seen.append(repr(answer.headers.raw).encode() + answer.content)
        return answer

    with httpx.Client(base_url=server.url, headers=headers, timeout=120, trust_env=False) as http:
        for path in ("/health", "/metadata", "/schema", "/state", "/nothing", "/openapi.json", "/docs"):
            note(http.get(path))
        for data in resets:
            name = note(http.post("/reset", json=data)).json()["observation"]["session_id"]
            for message in messages:
                note(
                    http.post(
                        "/step", json={"action": {"message": message}, "session_id": name, "request_id": "r"}
                    )
                )
                note(http.post("/step", json={"action": {"message": message}, "session_id": name}))
                note(http.get("/state", params={"session_id": name}))
            note(http.post("/step", json={"action": {"retry": True}, "session_id": name}))
            note(http.post("/step", content=b"{"))
            note(http.post("/close", json={"session_id": name}))
        with server.socket(additional_headers=headers) as socket:
            for data in resets:
                asked = [{"type": "reset", "data": data}]
                asked += [{"type": "step", "data": {"message": message}} for message in messages]
                asked += [
                    {"type": "step", "data": {"retry": True}},
                    {"type": "state"},
                    {"type": "step"},
                    {"type": "x"},
                ]
                for message in asked:
                    socket.send(json.dumps(message))
                    seen.append(socket.recv().encode())
        note(http.get("/metrics"))
    return b"\n".join(seen)


def test_answers_stay_where_they_are_however_the_environment_fails(strange, tmp_path):
    server = strange(api_key=KEY, settings={"verify_timeout": 5.0})
    orders = ["x", "raise", "x", "answer wrong", "answer right", f"answer fail {tmp_path}/none"]
    seen = b"".join(everything(server, [*orders[i:], *orders[:i]], KEY) for i in range(len(orders)))
    for word in (
        "EXECUTION_ERROR",
        '"valid":false',
        '"correct":true',
        '"correct":false',
        "retriable",
        "sessions_opened",
    ):
        assert word.encode() in seen, word  # the orders were carried out
    assert SECRET.encode() not in seen
    assert KEY.encode() not in seen
    assert any(SECRET in line for line in server.log)  # it was there to be told


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("Calculator", ["hm", '<tool_call>{"name": "divide", "arguments": {"dividend": 1, "divisor": 0}}</tool_call>', "<answer>1</answer>"]),
        ("Mastermind", ["<answer>hm</answer>"] * 30),
        ("SQLAgent", ["hm", "<answer>0</answer>"]),
        ("Zebra", ["<answer>hm</answer>"]),
    ],
)  # fmt: skip
def test_answers_of_real_environments_stay_where_they_are(cli, name, messages):
    try:
        source = rlvr_gym.load_problem(name).source(5)
    except rlvr_gym.errors.UnknownNameError:
        pytest.fail(f"{name} is gone; name another environment")
    server = cli(name)
    seen = everything(server, messages, resets=[{"seed": 5, "index": i} for i in range(3)]).decode()
    for index in range(3):
        task = source[index]
        secrets = {json.dumps(task.answer, separators=(",", ":")), json.dumps(task.answer), str(task.answer)}
        secrets |= {task.solution} - {None}
        for secret in secrets:
            if len(secret) > 3 and secret not in task.prompt:
                assert secret not in seen
    assert '"metadata":' not in seen.replace('"metadata":{"additionalProperties"', "")


@pytest.fixture(scope="module")
def locked(cli):
    return cli("Countdown", RLVR_GYM_API_KEY=KEY)


@pytest.mark.parametrize(
    "path", ["/reset", "/step", "/close", "/state", "/schema", "/metadata", "/metrics", "/nothing"]
)
def test_without_the_key_nothing_is_told(locked, path):
    method = locked.post if path in ("/reset", "/step", "/close") else locked.get
    for headers in (
        {},
        {"authorization": "Bearer"},
        {"authorization": f"Bearer {KEY[:-1]}"},
        {"authorization": f"Bearer {KEY}x"},
        {"authorization": f"Digest {KEY}"},
        {"authorization": "Basic ==="},
        {"authorization": "Basic a2V5Og=="},
        {"x-api-key": KEY.upper()},
    ):
        answer = method(path, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")
        assert set(answer.json()) == {"error"}
    assert method(f"{path}?api_key={KEY}").status_code == 401  # addresses end up in logs


def test_with_the_key_everything_works(locked):
    assert locked.get("/health").status_code == 200  # without it, too
    for headers in (
        {"authorization": f"Bearer {KEY}"},
        {"x-api-key": KEY},
        {"authorization": f"bearer  {KEY}"},
    ):
        assert locked.get("/schema", headers=headers).status_code == 200
    with locked.client(KEY) as client:
        assert client.reset(seed=1).observation["turn"] == 0
    other = locked.client("another-key-of-some-characters")
    with pytest.raises(ConnectionError, match="401"):
        other.connect()


def test_sockets_without_the_key_are_refused_before_they_open(locked):
    with pytest.raises(InvalidStatus) as refused:
        locked.socket()
    assert refused.value.response.status_code == 401


def test_web_pages_are_kept_out(countdown):
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{countdown.port}"):
        answer = countdown.post("/reset", headers={"origin": origin})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN_ORIGIN")
        with pytest.raises(InvalidStatus) as refused:
            countdown.socket(origin=origin)
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "example.org", "0"])
def test_other_machines_need_a_key(host):
    with pytest.raises(ConfigError, match="needs an API key: set RLVR_GYM_API_KEY"):
        ServeConfig(host=host)
    ServeConfig(host=host, api_key=KEY)


def test_this_machine_needs_none():
    for host in ("127.0.0.1", "::1", "localhost", "127.3.2.1"):
        assert ServeConfig(host=host).local


@pytest.mark.parametrize(
    "settings",
    [
        {"api_key": ""}, {"api_key": "short"}, {"api_key": "with a space in the key"}, {"api_key": "é" * 20},
        {"max_sessions": 0}, {"max_bytes": 0}, {"port": 2**16}, {"session_timeout": 0}, {"step_timeout": float("nan")},
        {"grace": -1.0}, {"send_timeout": float("inf")}, {"max_episode_bytes": 0},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_told(settings):
    with pytest.raises(ConfigError):
        ServeConfig(**settings)


def test_the_key_is_in_no_repr():
    assert KEY not in repr(ServeConfig(api_key=KEY))


def test_designs_that_compare_are_refused():
    with pytest.raises(ConfigError, match="compares"):
        serve("Countdown", reward="kimi", executor="inline")
