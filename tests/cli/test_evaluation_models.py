"""Evaluation: baselines, resampling, invalid samples, endpoints that fail in every way, and a real one."""

import json
import math
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rlvr_gym.cli.main import run
from rlvr_gym.episode import Episode
from rlvr_gym.errors import ConfigError
from rlvr_gym.evaluation import Completion, Model, ModelSettings, Query, evaluate, load_model, summarise
from rlvr_gym.prompts import get_template
from rlvr_gym.registration import load_problem

PLAIN = get_template("plain")


def tasks_of(problem, count):
    source = problem.source(0)
    return [(i, source[i]) for i in range(count)]


def attempt(problem, model, count=20, **options):
    return [
        sample for wave in evaluate(problem, model, tasks_of(problem, count), **options) for sample in wave
    ]


@pytest.mark.parametrize("name", ["Arithmetic", "Countdown", "KnightsAndKnaves", "GuessTheNumber"])
@pytest.mark.parametrize("template", ["plain", "r1", "boxed"])
def test_the_oracle_is_always_right(name, template):
    problem = load_problem(name)
    model = load_model("oracle", problem, get_template(template), ModelSettings())
    assert all(s.rollout.verdict.correct for s in attempt(problem, model, system_prompt=template))


def test_guesses_are_seldom_right_and_the_same_in_any_wave():
    problem = load_problem("Countdown")
    model = load_model("random", problem, PLAIN, ModelSettings())
    together = attempt(problem, model, samples=3)
    assert summarise(together).pass_at_1.mean < 0.2
    assert len({sample.rollout.completion for sample in together}) > 50
    model.wave = 1
    assert [s.rollout.completion for s in attempt(problem, model, samples=3)] == [
        s.rollout.completion for s in together
    ]


class Scripted(Model):
    """Right, wrong, or broken, by the number of the attempt."""

    def complete(self, queries):
        return [self._one(query) for query in queries]

    def _one(self, query):
        kind = query.address[2] % 3
        if kind == 2:
            return Completion(error="the line went dead")
        text = query.episode.task.answer if kind == 0 else "banana"
        return Completion(f"<answer>{text}</answer>", length=10 * (kind + 1), finished=kind == 0)


def test_a_summary_leaves_out_what_was_not_judged():
    summary = summarise(attempt(load_problem("Arithmetic"), Scripted(), count=50, samples=3))
    assert (summary.tasks, summary.samples, summary.invalid) == (50, 150, 50)
    assert summary.pass_at_1.mean == pytest.approx(0.5)
    assert summary.pass_at_k == {1: pytest.approx(0.5), 2: pytest.approx(1.0)}
    assert summary.mean_length == pytest.approx(15)
    assert summary.clipped == pytest.approx(0.5)
    assert summary.reasons == {"correct": 50, "unparseable": 50, "infrastructure_error": 50}


def test_a_summary_of_nothing_has_no_rates():
    summary = summarise([])
    assert math.isnan(summary.pass_at_1.mean)
    assert summary.pass_at_k == {}


def test_eval_prints_and_writes_its_numbers(tmp_path, capsys):
    numbers, rollouts = tmp_path / "n.json", tmp_path / "r.jsonl"
    line = ["eval", "Arithmetic", "-m", "oracle", "-n", "7", "-k", "2", "--workers", "1"]
    assert run([*line, "--json", str(numbers), "--rollouts", str(rollouts)]) == 0
    shown = capsys.readouterr().out
    assert "pass@1" in shown
    assert "95 % interval" in shown
    assert "pass@2" in shown
    result = json.loads(numbers.read_text())
    assert (result["pass@1"], result["pass@2"], result["tasks"], result["samples"]) == (1.0, 1.0, 7, 14)
    assert result["high"] == 1.0
    assert 0.6 < result["low"] < 0.7
    rows = [json.loads(row) for row in rollouts.read_text().splitlines()]
    assert [(row["index"], row["sample"]) for row in rows] == [(i, n) for i in range(7) for n in range(2)]
    assert all(row["verdict"]["correct"] for row in rows)


def test_eval_takes_every_row_of_a_data_file(tmp_path, capsys):
    data = tmp_path / "data.jsonl"
    data.write_text(
        "".join(json.dumps({"question": f"{i}+1?", "answer": f"#### {i + 1}"}) + "\n" for i in range(137))
    )
    assert run(["eval", "GSM8K", "--data", str(data), "-m", "oracle", "--json", "-"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["tasks"], result["pass@1"]) == (137, 1.0)


class Server(ThreadingHTTPServer):
    """Speaks enough of OpenAI's interface to fail like a real one; answers with what ``behave`` says."""

    def __init__(self, behave):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave, self.requests, self.lock, self.busy, self.most_busy = behave, [], threading.Lock(), 0, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"openai:http://127.0.0.1:{self.server_port}/v1#tiny"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.busy += 1
            self.server.most_busy = max(self.server.most_busy, self.server.busy)
            number = len(self.server.requests)
            self.server.requests.append(body)
        status, payload = self.server.behave(number, body)
        with self.server.lock:
            self.server.busy -= 1
        data = json.dumps(payload).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("retry-after-ms", "1")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def says(text, reason="stop"):
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    return 200, {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": "tiny",
        "choices": [choice],
        "usage": usage,
    }


@pytest.fixture
def serve():
    servers = []

    def start(behave):
        servers.append(Server(behave))
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def open_endpoint(server, **settings):
    return load_model(server.address, load_problem("Arithmetic"), PLAIN, ModelSettings(**settings))


def test_an_endpoint_gets_the_conversation_and_the_settings(serve):
    server = serve(lambda *_: says("<answer>1</answer>", "length"))
    model = open_endpoint(server, temperature=0.5, max_tokens=9, concurrency=3)
    samples = attempt(load_problem("Arithmetic"), model, count=12, system_prompt="boxed")
    assert [s.rollout.num_tokens for s in samples] == [7] * 12
    assert not any(s.rollout.finished for s in samples)
    body = server.requests[0]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("tiny", 0.5, 9)
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    assert len({request["seed"] for request in server.requests}) == 12
    assert server.most_busy <= 3


def test_an_endpoint_that_stumbles_is_asked_again(serve):
    failures = Counter()

    def stumble(_, body):
        failures[body["seed"]] += 1
        return (
            (429 if failures[body["seed"]] == 1 else 503, {"error": {"message": "busy"}})
            if failures[body["seed"]] < 3
            else says("<answer>1</answer>")
        )

    samples = attempt(load_problem("Arithmetic"), open_endpoint(serve(stumble)), count=4)
    assert all(s.rollout.verdict.valid for s in samples)
    assert set(failures.values()) == {3}


def test_a_request_that_fails_for_good_is_invalid_and_not_wrong(serve):
    server = serve(
        lambda n, _: says("<answer>1</answer>") if n == 0 else (400, {"error": {"message": "too long"}})
    )
    summary = summarise(attempt(load_problem("Arithmetic"), open_endpoint(server), count=5))
    assert (summary.samples, summary.invalid) == (5, 4)
    assert summary.reasons["infrastructure_error"] == 4


def test_a_newer_endpoint_gets_the_limit_under_its_new_name(serve):
    def picky(_, body):
        if "max_tokens" in body:
            return 400, {"error": {"message": "Use 'max_completion_tokens' instead."}}
        return says(f"<answer>{body['max_completion_tokens']}</answer>")

    server = serve(picky)
    samples = attempt(load_problem("Arithmetic"), open_endpoint(server, max_tokens=11), count=3)
    assert {s.rollout.verdict.extracted for s in samples} == {"11"}
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("status", "fragment"),
    [(401, "OPENAI_API_KEY"), (403, "OPENAI_API_KEY"), (404, "knows no model"), (400, "nonsense")],
)
def test_an_endpoint_that_refuses_is_told_at_once(status, fragment, serve):
    server = serve(lambda *_: (status, {"error": {"message": "nonsense"}}))
    with pytest.raises(ConfigError, match=fragment):
        attempt(load_problem("Arithmetic"), open_endpoint(server), count=30)
    assert len(server.requests) == 1


def test_a_tool_message_goes_out_as_the_user(serve):
    server = serve(lambda *_: says("x"))
    problem = load_problem("Arithmetic")
    episode = Episode(problem, problem.source(0)[0], PLAIN, 1)
    episode.messages.append({"role": "tool", "content": "42"})
    open_endpoint(server).complete([Query(episode.messages, (0, 0, 0, 0), episode)])
    assert [m["role"] for m in server.requests[0]["messages"]] == ["user", "user"]
