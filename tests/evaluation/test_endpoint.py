"""Endpoints that fail in every way: what is tried again, what is told at once, and what is never a wrong answer."""

import asyncio
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from email.utils import format_datetime

import numpy as np
import pytest

from rlvr_gym.episode import Episode
from rlvr_gym.errors import ConfigError
from rlvr_gym.evaluation import ModelSettings, Query, Usage, evaluate, load_model, summarise
from rlvr_gym.evaluation.endpoint import Endpoint, read_answer
from rlvr_gym.evaluation.retrying import Backoff, Window, retry_after
from rlvr_gym.prompts import get_template
from rlvr_gym.registration import load_problem

PLAIN = get_template("plain")
FAST = Backoff(base=0.002, most=0.02)


def open_endpoint(server, **settings):
    url, _, model = server.address.removeprefix("openai:").partition("#")
    return Endpoint(url, model, ModelSettings(**{"timeout": 60.0, **settings}), FAST)


def attempt(server, count, env="Arithmetic", system_prompt="plain", samples=1, **settings):
    problem = load_problem(env)
    source = problem.source(0)
    waves = evaluate(
        problem,
        open_endpoint(server, **settings),
        [(i, source[i]) for i in range(count)],
        samples=samples,
        system_prompt=system_prompt,
    )
    return [sample for wave in waves for sample in wave]


def test_an_endpoint_gets_the_conversation_and_the_settings(serve, says):
    server = serve(lambda *_: says("<answer>1</answer>", "length"))
    settings = {
        "temperature": 0.5,
        "max_tokens": 9,
        "concurrency": 3,
        "top_p": 0.9,
        "extra": {"effort": "low"},
    }
    samples = attempt(server, 12, system_prompt="boxed", **settings)
    assert [s.rollout.num_tokens for s in samples] == [7] * 12
    assert all(s.truncated and not s.rollout.finished for s in samples)
    assert {s.usage for s in samples} == {Usage(5, 7)}
    body = server.requests[0]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("tiny", 0.5, 9)
    assert (body["top_p"], body["effort"]) == (0.9, "low")
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    assert len({request["seed"] for request in server.requests}) == 12


def test_as_many_requests_at_once_as_are_allowed_and_no_more(serve, says):
    together = threading.Barrier(4, timeout=60)

    def behave(number, _):
        if 1 <= number <= 8:
            together.wait()
        return says("<answer>1</answer>")

    server = serve(behave)
    attempt(server, 21, concurrency=4)
    assert server.most_busy == 4


def test_a_server_that_queues_for_too_long_gets_fewer_requests_at_a_time(serve, says, caplog):
    queue = threading.Lock()

    def one_by_one(*_):
        with queue:
            time.sleep(0.3)
        return says("<answer>1</answer>")

    samples = attempt(serve(one_by_one), 16, concurrency=8, timeout=1.0, retries=9)
    assert all(s.rollout.verdict.valid for s in samples)
    narrowed = [record.args[0] for record in caplog.records if record.name == "rlvr_gym.evaluation.endpoint"]
    assert narrowed[:1] == [8]
    assert narrowed in ([8], [8, 4], [8, 4, 2])  # once for all that ran out of time together


def test_a_window_that_narrows_lets_nobody_in_before_enough_have_left():
    async def run():
        window, inside, most_after, narrowed = Window(6), 0, 0, False

        async def request():
            nonlocal inside, most_after
            async with window.place():
                inside += 1
                most_after = max(most_after, inside) if narrowed else 0
                await asyncio.sleep(0.001)
                inside -= 1

        requests = [asyncio.create_task(request()) for _ in range(40)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (window.narrow(6), window.narrow(6), window.size) == (True, False, 3)
        narrowed = True
        await asyncio.wait_for(asyncio.gather(*requests), 60)
        return most_after, window.narrow(3), window.size, window.narrow(1)

    assert asyncio.run(run()) == (3, True, 1, False)


@pytest.mark.parametrize(
    "fault",
    [
        (429, {"error": {"message": "busy"}}),
        (500, {"error": "broken"}),
        (503, b"<html>gateway</html>"),
        (408, b""),
        (200, b'{"choices": [{"message": {"content": "<ans'),
        (200, b"\xff\xfe garbage"),
        (200, {"choices": []}),
        (200, {"choices": [{"message": {"content": 5}}]}),
        (200, b"[" * 100_000),
        "half",
        "hangup",
        "hang",
        "drip",
    ],
    ids=str,
)
def test_an_endpoint_that_stumbles_is_asked_again(fault, serve, says):
    failures = Counter()
    lock = threading.Lock()

    def stumble(_, body):
        with lock:
            failures[body["seed"]] += 1
            return fault if failures[body["seed"]] < 3 else says("<answer>1</answer>")

    slow = fault in ("hang", "drip")
    samples = attempt(serve(stumble, patience=4.0), 3, timeout=1.0 if slow else 60.0, retries=9)
    assert all(s.rollout.verdict.valid for s in samples)
    if slow:  # on a busy machine a good answer may come too late as well
        assert min(failures.values()) >= 3
    else:
        assert set(failures.values()) == {3}


@pytest.mark.parametrize(
    "fault", [(429, {}), "hangup", (200, b"{}"), (400, {"error": {"message": "too long"}})], ids=str
)
def test_a_request_that_fails_for_good_is_invalid_and_not_wrong(fault, serve, says):
    server = serve(lambda number, _: says("<answer>1</answer>") if number == 0 else fault)
    samples = attempt(server, 5, retries=2)
    summary = summarise(samples)
    assert (summary.samples, summary.invalid) == (5, 4)
    assert summary.reasons["infrastructure_error"] == 4
    assert summary.finish_reasons == {"stop": 1}
    assert len(server.requests) == 1 + 4 * (1 if fault[0] == 400 else 3)


def test_retry_after_is_never_undercut_by_any_request(serve, says):
    asked = threading.Event()
    told_at = []

    def behave(number, _):
        if number == 3 and not asked.is_set():
            asked.set()
            told_at.append(time.monotonic())
            return 429, {}, {"retry-after": "1.2"}
        return says("<answer>1</answer>")

    server = serve(behave)
    samples = attempt(server, 30, concurrency=1)
    assert all(s.rollout.verdict.valid for s in samples)
    later = [at - told_at[0] for at in server.times if at > told_at[0]]
    assert min(later) >= 1.2


def test_who_is_told_to_come_back_tomorrow_gives_up_at_once(serve, says):
    server = serve(lambda n, _: says("x") if n == 0 else (429, {}, {"retry-after": "86400"}))
    samples = attempt(server, 2)
    assert "86,400 s" in samples[1].rollout.verdict.details["error"]
    assert len(server.requests) == 2


def test_retry_after_is_read_in_each_form():
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after-ms": "250", "retry-after": "7"}) == 0.25
    at = datetime(2030, 1, 1, 0, 0, 30, tzinfo=UTC)
    assert retry_after({"retry-after": format_datetime(at, usegmt=True)}, at.timestamp() - 30) == 30
    assert retry_after({"retry-after": format_datetime(at, usegmt=True)}, at.timestamp() + 30) == 0
    for nothing in (
        {},
        {"retry-after": ""},
        {"retry-after": "soon"},
        {"retry-after": "-3"},
        {"retry-after": "nan"},
    ):
        assert retry_after(nothing) is None


def test_waits_double_up_to_a_limit_and_are_spread():
    rng = np.random.default_rng(0)
    backoff = Backoff(base=1.0, most=10.0)
    waits = np.array([[backoff.wait(n, rng) for n in range(1, 8)] for _ in range(500)])
    longest = np.minimum(10.0, 2.0 ** np.arange(7))
    assert (waits <= longest).all()
    assert (waits >= longest / 2).all()
    assert (waits.std(axis=0) > longest / 10).all()
    assert min(backoff.wait(1, rng, asked=5.0) for _ in range(100)) >= 5.0
    assert backoff.wait(10**6, rng) <= 10.0


def test_a_filtered_answer_is_judged_and_shown_apart(serve, says):
    summary = summarise(attempt(serve(lambda *_: says("", "content_filter")), 4))
    assert (summary.filtered, summary.invalid, summary.truncated) == (4, 0, 0)
    assert summary.reasons == {"no_answer": 4}


def test_what_is_cut_off_may_still_be_right(serve, says):
    def solve(_, body):
        expression = body["messages"][-1]["content"]
        task = next(t for t in tasks if t.prompt == expression)
        return says(f"<answer>{task.answer}</answer> and then", "length")

    source = load_problem("Arithmetic").source(0)
    tasks = [source[i] for i in range(3)]
    summary = summarise(attempt(serve(solve), 3))
    assert (summary.truncated, summary.truncated_correct, summary.pass_at_1.mean) == (3, 3, 1.0)


def test_a_newer_endpoint_gets_the_limit_under_its_new_name(serve, says):
    def picky(_, body):
        if "max_tokens" in body:
            return 400, {"error": {"message": "Use 'max_completion_tokens' instead."}}
        return says(f"<answer>{body['max_completion_tokens']}</answer>")

    server = serve(picky)
    samples = attempt(server, 3, max_tokens=11)
    assert {s.rollout.verdict.extracted for s in samples} == {"11"}
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("status", "fragment", "requests"),
    [
        (401, "OPENAI_API_KEY", 1),
        (403, "OPENAI_API_KEY", 1),
        (404, "knows no model", 1),
        (400, "nonsense", 3),
    ],
)
def test_an_endpoint_that_refuses_is_told_at_once(status, fragment, requests, serve):
    server = serve(lambda *_: (status, {"error": {"message": "nonsense"}}))
    with pytest.raises(ConfigError, match=fragment):
        attempt(server, 30)
    assert len(server.requests) == requests


def test_an_account_without_credit_is_told_at_once_in_the_middle_of_a_run(serve, says):
    quota = (429, {"error": {"message": "pay", "code": "insufficient_quota"}})
    server = serve(lambda number, _: says("x") if number < 5 else quota)
    with pytest.raises(ConfigError, match="no credit"):
        attempt(server, 100, concurrency=2)
    assert len(server.requests) <= 5 + 4


def test_nobody_at_the_address_is_told_soon():
    model = load_model("openai:http://127.0.0.1:9/v1#m", PLAIN, ModelSettings())
    problem = load_problem("Arithmetic")
    begin = time.monotonic()
    with pytest.raises(ConfigError, match="does not answer"):
        list(evaluate(problem, model, [(0, problem.source(0)[0])]))
    assert time.monotonic() - begin < 60


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_server_that_goes_away_for_good_ends_the_run(concurrency, serve, says):
    server = serve(lambda number, _: says("x") if number < 5 else "hangup")
    with pytest.raises(ConfigError, match="has gone away"):
        attempt(server, 500, concurrency=concurrency, retries=1)
    if concurrency == 1:
        assert len(server.requests) == 5 + 2 * 20  # one retry each, and 20 failures in a row are enough
    else:
        # how many fail beside an answer that is still on its way is a matter of scheduling
        assert 5 + 2 * 20 <= len(server.requests) < 500


def test_a_key_that_cannot_be_one_is_told_without_its_text(serve, says, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "geheim\x07")
    with pytest.raises(ConfigError, match="OPENAI_API_KEY") as told:
        attempt(serve(lambda *_: says("x")), 2)
    assert "geheim" not in str(told.value)


def test_a_reader_that_goes_away_stops_the_requests(serve, says):
    server = serve(lambda *_: says("x"))
    problem = load_problem("Arithmetic")
    tasks = ((i, problem.source(0)[i]) for i in range(100_000))
    waves = evaluate(problem, open_endpoint(server, concurrency=2), tasks)
    next(waves)
    waves.close()
    time.sleep(1)  # what was on its way may still arrive
    count = len(server.requests)
    time.sleep(0.5)
    assert len(server.requests) == count < 1000


def test_it_works_inside_a_running_event_loop(serve, says):
    import asyncio

    async def notebook():
        return attempt(serve(lambda *_: says("<answer>1</answer>")), 2)

    assert len(asyncio.run(notebook())) == 2


def test_a_tool_message_goes_out_as_the_user(serve, says):
    server = serve(lambda *_: says("x"))
    problem = load_problem("Arithmetic")
    episode = Episode(problem, problem.source(0)[0], PLAIN, 1)
    episode.messages.append({"role": "tool", "content": "42"})
    open_endpoint(server).complete([Query(episode.messages, (0, 0, 0, 0), episode)])
    assert [m["role"] for m in server.requests[0]["messages"]] == ["user", "user"]


def test_a_conversation_is_played_at_its_own_pace(serve, says):
    def bisect(_, body):
        texts = [m["content"] for m in body["messages"] if m["role"] == "user"]
        low, high = 1, int(texts[0].partition("from 1 to ")[2].partition(".")[0])
        for said in texts[1:]:
            bound = int(said.rstrip(".").split()[-1])
            low, high = (bound + 1, high) if "higher" in said else (low, bound - 1)
        return says(f"<answer>{(low + high) // 2}</answer>")

    samples = attempt(serve(bisect), 6, env="GuessTheNumber", samples=2, concurrency=4)
    assert all(s.rollout.verdict.correct for s in samples)
    assert {(s.index, s.sample) for s in samples} == {(i, n) for i in range(6) for n in range(2)}
    assert all(s.usage == Usage(5 * s.rollout.turns, 7 * s.rollout.turns) for s in samples)
    assert any(s.rollout.turns > 1 for s in samples)
    said = [[m for m in s.messages if m["role"] == "assistant"] for s in samples]
    assert [len(turns) for turns in said] == [s.rollout.turns for s in samples]


def test_an_answer_without_usage_is_counted_as_one_nobody_metered():
    body = b'{"choices": [{"finish_reason": null, "message": {"content": "two words"}}]}'
    completion = read_answer(body)
    assert (completion.length, completion.usage, completion.finish_reason) == (2, None, "unknown")
    assert completion.finished
    assert read_answer(body.replace(b"null", b'"max_tokens"')).finish_reason == "length"
