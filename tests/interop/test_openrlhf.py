"""The reward server for OpenRLHF: a real uvicorn server and a real client."""

import json
import socket
import threading
import time

import pytest

import rlvr_gym
from rlvr_gym.errors import ConfigError, DataError
from rlvr_gym.interop.openrlhf import completion_of, reward_app, to_rows

LIMIT = 200_000


class Server:
    """A uvicorn server in a thread."""

    def __init__(self, app):
        import uvicorn

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="warning")
        )
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        until = time.monotonic() + 60
        while not self.server.started and time.monotonic() < until:
            time.sleep(0.05)
        assert self.server.started

    def post(self, body, **options):
        import requests

        data = body if isinstance(body, bytes) else json.dumps(body)
        return requests.post(f"http://127.0.0.1:{self.port}/get_reward", data=data, timeout=120, **options)

    def close(self):
        self.server.should_exit = True
        self.thread.join(30)


@pytest.fixture(scope="module")
def server():
    pytest.importorskip("uvicorn")
    app = reward_app("Countdown", reward={"correct": 1.0, "format_strict": 0.5}, executor="inline", max_body_bytes=LIMIT,
                     max_items=64, difficulty=2)  # fmt: skip
    running = Server(app)
    yield running
    running.close()


@pytest.fixture(scope="module")
def rows():
    return to_rows("Countdown", 6, seed=1, reward={"correct": 1.0, "format_strict": 0.5}, difficulty=2)


def template(messages) -> str:
    spoken = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)
    return spoken + "<|im_start|>assistant\n"


def test_rewards_over_http_are_the_environments(server, rows):
    prompts = [template(row["messages"]) for row in rows]
    tasks = [json.loads(row["label"])["task"] for row in rows]
    problem = rlvr_gym.load_problem("Countdown", difficulty=2)
    source = problem.source(1)
    texts = [
        f"<answer>{problem.answer_text(source[i])}</answer>" if i % 2 else "<answer>1</answer>"
        for i in range(6)
    ]
    body = {
        "query": [p + t + "<|im_end|>" + "<pad>" * (i % 3) for i, (p, t) in enumerate(zip(prompts, texts, strict=True))],
        "prompts": prompts,
        "labels": [row["label"] for row in rows],
    }  # fmt: skip
    reply = server.post(body)
    assert reply.status_code == 200, reply.text
    env = rlvr_gym.make("Countdown", reward={"correct": 1.0, "format_strict": 0.5}, difficulty=2)
    expected = []
    for i, text in enumerate(texts):
        env.reset(seed=1, options={"index": i})
        assert env.unwrapped.task.id == tasks[i]["id"]
        expected.append(env.step(text)[1])
    answer = reply.json()
    assert answer["rewards"] == expected
    assert answer["scores"] == [float(i % 2) for i in range(6)]
    assert answer["extra_logs"] == {"correct": [float(i % 2) for i in range(6)], "valid": [1.0] * 6}


def test_many_clients_at_once_lose_nothing(server, rows):
    prompt = template(rows[0]["messages"])
    body = {"query": [prompt + "<answer>1</answer>"], "prompts": [prompt], "labels": [rows[0]["label"]]}
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(server.post(body))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.status_code for reply in replies] == [200] * 12


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"[" * 100_000, 422),
        (b"\xff\xfe", 422),
        ({}, 422),
        ([], 422),
        ({"query": ["a"], "prompts": ["a"], "labels": []}, 422),
        ({"query": ["a"], "prompts": ["b"], "labels": ["x"]}, 422),
        ({"query": [1], "prompts": ["b"], "labels": ["x"]}, 422),
        ({"query": "a", "prompts": "a", "labels": "a"}, 422),
        ({"query": ["a"] * 65, "prompts": ["a"] * 65, "labels": ["a"] * 65}, 413),
        (b" " * (LIMIT + 1), 413),
    ],
    ids=range(11),
)
def test_hostile_requests_get_a_sentence(server, body, status):
    reply = server.post(body)
    assert reply.status_code == status
    assert reply.json()["error"].endswith(".")


def test_a_body_without_a_told_length_is_bounded(server):
    def endless():
        for _ in range(1000):
            yield b" " * 1000

    import requests

    try:
        reply = requests.post(f"http://127.0.0.1:{server.port}/get_reward", data=endless(), timeout=60)
        assert reply.status_code == 413
    except requests.ConnectionError:  # the server may hang up while the client is still writing
        pass
    assert requests.get(f"http://127.0.0.1:{server.port}/health", timeout=60).json()["status"] == "ok"


def test_labels_choose_neither_environment_nor_reward(server, rows):
    other = to_rows("Arithmetic", 1)[0]["label"]
    dearer = rows[0]["label"].replace('"correct", "weight": 1.0', '"correct", "weight": 100.0')
    easier = rows[0]["label"].replace('"difficulty": 2', '"difficulty": 1', 1)
    for label in (other, dearer, easier):
        assert label != rows[0]["label"]
        reply = server.post({"query": ["ab"], "prompts": ["a"], "labels": [label]})
        assert reply.status_code == 422
        assert "judges" in reply.json()["error"]


def test_a_failed_verification_asks_the_trainer_to_ask_again(rows, monkeypatch):
    row = to_rows("Countdown", 1, difficulty=3)[0]
    verifier = type(rlvr_gym.load_problem("Countdown").make_verifier())
    monkeypatch.setattr(verifier, "judge", lambda *_: 1 / 0)
    body = {"query": ["ab"], "prompts": ["a"], "labels": [row["label"]]}
    for settings, status in (({}, 503), ({"invalid_score": 0.25}, 200)):
        running = Server(reward_app("Countdown", executor="inline", difficulty=3, **settings))
        try:
            reply = running.post(body)
            assert reply.status_code == status
            if status == 200:
                assert reply.json()["rewards"] == [0.25]
                assert reply.json()["extra_logs"]["valid"] == [0.0]
        finally:
            running.close()


def test_the_completion_is_what_follows_the_prompt():
    assert completion_of("pab", "p") == "ab"
    assert completion_of("p<answer>1</answer><|im_end|>\n<|endoftext|> <pad>", "p") == "<answer>1</answer>"
    assert completion_of("pp", "p") == "p"
    assert completion_of("p", "p") == ""
    with pytest.raises(DataError, match="begins with its prompt"):
        completion_of("xp", "p")
    assert completion_of("p" + "</s> " * 400_000, "p") == ""


def test_what_cannot_be_served_is_told():
    with pytest.raises(ConfigError, match="several turns"):
        reward_app("GuessTheNumber")
