"""Runs that are killed, torn, locked, extended: no answer is asked for twice, and nothing is lost."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rlvr_gym.cli.main import run
from rlvr_gym.episode import Episode
from rlvr_gym.errors import ConfigError, DataError
from rlvr_gym.evaluation import Completion, Journal, Query, Usage
from rlvr_gym.evaluation.journal import query_key
from rlvr_gym.prompts import get_template
from rlvr_gym.registration import load_problem


def make_query(index=0, sample=0):
    problem = load_problem("Arithmetic")
    episode = Episode(problem, problem.source(0)[index], get_template("plain"), 1)
    return Query(episode.messages, (0, index, sample, 0), episode)


def rows_of(folder):
    return [json.loads(line) for line in (folder / "requests.jsonl").read_text().splitlines()]


def test_a_key_depends_on_all_that_an_answer_depends_on():
    query = make_query()
    keys = {
        query_key("m t=1", query),
        query_key("m t=0", query),
        query_key("m t=1", make_query(1)),
        query_key("m t=1", make_query(0, 1)),
        query_key(
            "m t=1", Query([*query.messages, {"role": "user", "content": "x"}], query.address, query.episode)
        ),
    }
    assert len(keys) == 5
    assert query_key("m t=1", make_query()) in keys


def test_a_journal_keeps_answers_and_not_failures(tmp_path):
    path = tmp_path / "j.jsonl"
    answer = Completion("\ud800 é \n", 3, "length", Usage(5, 7), tries=2)
    with Journal(path) as journal:
        journal.put([("a", make_query(), answer), ("b", make_query(1), Completion(error="gone", tries=6))])
    with Journal(path) as journal:
        assert journal.get("a") == answer
        assert journal.get("b") is None
        assert len(journal) == 1


def test_a_torn_last_line_is_cut_off_and_a_broken_one_told(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.put([(key, make_query(), Completion("x")) for key in "ab"])
    whole = path.read_bytes()
    for cut in (1, 20, len(whole.splitlines()[1])):
        path.write_bytes(whole[:-cut])
        with Journal(path) as journal:
            assert (len(journal), journal.get("b")) == (1, None)
            journal.put([("c", make_query(), Completion("y"))])
        with Journal(path) as journal:
            assert journal.get("c").text == "y"
    path.write_bytes(b"{}\n" + whole)
    with pytest.raises(DataError, match="line 1"):
        Journal(path)
    path.write_bytes(whole)
    Journal(path).__exit__(None, None, None)


def test_two_runs_at_once_in_one_folder_are_refused(tmp_path):
    with Journal(tmp_path / "j.jsonl"), pytest.raises(ConfigError, match="at this moment"):
        Journal(tmp_path / "j.jsonl")


def evaluate(server, folder, *options):
    line = ["eval", "quick", "-m", server.address, "-o", str(folder), "--retries", "0", *options]
    assert run(line) == 0
    return json.loads((folder / "summary.json").read_text())


def test_started_again_a_run_asks_for_nothing_and_says_the_same(serve, says, tmp_path, capsys):
    server = serve(lambda *_: says("<answer>1</answer>"))
    first = evaluate(server, tmp_path / "r", "--limit", "12")
    asked = len(server.requests)
    again = evaluate(server, tmp_path / "r", "--limit", "12")
    assert len(server.requests) == asked
    assert "are not asked for again" in capsys.readouterr().err
    assert again["requests"] == {"asked": 0, "reused": asked, "failed": 0, "retried": 0}
    assert {k: v for k, v in again.items() if k not in ("requests", "seconds")} == {
        k: v for k, v in first.items() if k not in ("requests", "seconds")
    }


def test_a_longer_run_pays_for_what_is_new_alone(serve, says, tmp_path):
    server = serve(lambda *_: says("<answer>1</answer>"))
    line = ["eval", "Arithmetic", "-m", server.address, "-o", str(tmp_path / "r")]
    for options, requests in (
        (["-n", "4"], 4),
        (["-n", "6"], 6),
        (["-n", "6", "-k", "3"], 18),
        (["-n", "2"], 18),
    ):
        assert run([*line, *options]) == 0
        assert len(server.requests) == requests
    assert len({body["seed"] for body in server.requests}) == 18


def test_failures_are_tried_again_and_only_they(serve, says, tmp_path):
    broken = {3, 5}
    server = serve(lambda number, _: (500, {}) if number in broken else says("<answer>1</answer>"))
    first = evaluate(server, tmp_path / "r", "--limit", "10")
    assert first["invalid"] == 2
    before = len(server.requests)
    again = evaluate(server, tmp_path / "r", "--limit", "10")
    assert again["invalid"] == 0
    assert again["requests"]["reused"] == before - 2
    assert again["tasks"] == first["tasks"]


def test_what_is_refused_for_good_does_not_keep_a_run_from_its_end(serve, says, tmp_path):
    server = serve(lambda number, _: says("x") if number else (400, {"error": "too long"}))
    assert evaluate(server, tmp_path / "r", "--limit", "10")["invalid"] == 1
    server.behave = lambda *_: (400, {"error": "too long"})
    assert evaluate(server, tmp_path / "r", "--limit", "10")["invalid"] == 1


def test_a_run_that_is_started_again_without_its_server_says_so(serve, says, tmp_path, capsys):
    server = serve(lambda number, _: says("x") if number < 4 else (500, {}))
    evaluate(server, tmp_path / "r", "--limit", "10")
    server.behave = lambda *_: "hangup"
    line = ["eval", "quick", "-m", server.address, "-o", str(tmp_path / "r"), "--limit", "10"]
    assert run(line) == 2
    assert "does not answer" in capsys.readouterr().err


def test_a_full_disk_ends_the_run_and_leaves_a_file_that_can_be_read(tmp_path, monkeypatch):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.put([("a", make_query(), Completion("x"))])

        def full(_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        for _ in range(2):
            with pytest.raises(ConfigError, match="make room"):
                journal.put([("b", make_query(), Completion("y"))])
        assert journal.get("b") is None
    monkeypatch.undo()
    with Journal(path) as journal:
        assert journal.get("a").text == "x"


def test_another_model_or_sampling_is_not_mixed_in(serve, says, tmp_path, capsys):
    server = serve(lambda *_: says("<answer>1</answer>"))
    evaluate(server, tmp_path / "r", "--limit", "10")
    for other in (["--temperature", "0"], ["--seed", "1"], ["--system-prompt", "r1"]):
        assert (
            run(["eval", "quick", "-m", server.address, "-o", str(tmp_path / "r"), "--limit", "10", *other])
            == 2
        )
        assert "holds another evaluation" in capsys.readouterr().err


def test_what_is_paid_for_is_kept_without_being_asked(serve, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    server = serve(lambda *_: says("<answer>1</answer>"))
    line = ["eval", "Arithmetic", "-n", "3", "-m"]
    assert run([*line, server.address]) == run([*line, server.address]) == 0
    assert len(server.requests) == 3
    assert run([*line, "oracle"]) == 0
    (kept,) = (tmp_path / "runs" / "eval" / "Arithmetic").iterdir()
    assert {file.name for file in kept.iterdir()} == {
        "requests.jsonl", "run.json", "rollouts.jsonl", "summary.json", "report.html",
    }  # fmt: skip


def test_an_interrupt_ends_a_run_that_waits_and_keeps_what_is_there(serve, says, tmp_path):
    server = serve(lambda number, _: says("<answer>1</answer>") if number < 3 else "hang", patience=120)
    folder = tmp_path / "r"
    command = [sys.executable, "-m", "rlvr_gym", "eval", "quick", "-m", server.address, "-o", str(folder)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # jobs in the background are born ignoring it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    journal, until = folder / "requests.jsonl", time.monotonic() + 100
    while time.monotonic() < until and not (journal.exists() and journal.read_bytes().count(b"\n") == 3):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.splitlines()[-1]) == (130, "Interrupted.")
    assert len(rows_of(folder)) == 3


class Counter(ThreadingHTTPServer):
    """A proxy in front of the real server that remembers every request."""

    daemon_threads = True

    def __init__(self, target):
        super().__init__(("127.0.0.1", 0), Proxy)
        self.target, self.seeds, self.lock = target, [], threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.server.lock:
            self.server.seeds.append(json.loads(body)["seed"])
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.target, timeout=300)
        upstream.request("POST", self.path, body, {"Content-Type": "application/json"})
        answer = upstream.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.mark.slow
def test_killed_in_the_middle_no_request_is_paid_twice(smollm2_server, tmp_path):
    port = int(smollm2_server.partition("127.0.0.1:")[2].partition("/")[0])
    proxy = Counter(port)
    folder, tasks, concurrency = tmp_path / "r", 12, 3
    command = [
        sys.executable, "-m", "rlvr_gym", "eval", "math", "--limit", str(tasks), "-o", str(folder), "-m",
        f"openai:http://127.0.0.1:{proxy.server_port}/v1#smollm2", "--max-tokens", "8", "--concurrency", str(concurrency),
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = folder / "requests.jsonl"
    until = time.monotonic() + 240
    while time.monotonic() < until and (not journal.exists() or journal.read_bytes().count(b"\n") < 5):
        assert process.poll() is None, "it ended by itself"
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    paid = {row["seed"] for row in rows_of(folder)}
    assert 5 <= len(paid) < tasks
    assert not (folder / "summary.json").exists()
    before = len(proxy.seeds)

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    assert not paid & set(proxy.seeds[before:])
    assert len(proxy.seeds) <= tasks + concurrency  # what was on its way at the kill never arrived
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["tasks"], summary["invalid"]) == (tasks, 0)
    assert summary["requests"]["reused"] == len(paid)
    assert summary["requests"]["asked"] == tasks - len(paid)
    assert len({row["seed"] for row in rows_of(folder)}) == len(rows_of(folder)) == tasks
    assert summary["tokens"]["output"] > 0
    assert Path(folder / "report.html").stat().st_size > 10_000
    proxy.shutdown()
    proxy.server_close()
