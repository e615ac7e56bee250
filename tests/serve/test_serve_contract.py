"""OpenEnv's contract, spoken by OpenEnv's own client and held against OpenEnv's own types."""

import json
import threading

import gymnasium
import pytest
from openenv.core.env_server import types

import rlvr_gym
from rlvr_gym.problem import Dialogue


@pytest.fixture(scope="module")
def tictactoe(cli):
    return cli("TicTacToe")


@pytest.fixture(scope="module")
def mastermind(cli):
    return cli(
        "Mastermind", "--settings", '{"difficulty": 2}', "--reward", '{"correct": 1.0, "length": 0.001}'
    )


def test_a_single_turn_is_the_same_as_in_gymnasium(countdown):
    env = gymnasium.make("rlvr_gym:rlvr/Countdown-v0")
    with countdown.client() as client:
        for seed, message in ((3, "<answer>1</answer>"), (2**32 - 1, None), (None, ""), (None, "no")):
            expected, info = env.reset(seed=seed)
            first = client.reset(**({} if seed is None else {"seed": seed}))
            assert first.observation["text"] == expected
            assert first.observation["task_id"] == info["task_id"]
            assert (first.reward, first.done) == (None, False)
            if message is None:
                message = f"<answer>{env.unwrapped.problem.answer_text(env.unwrapped.task)}</answer>"
            result = client.step({"message": message})
            _, reward, terminated, truncated, info = env.step(message)
            assert (result.reward, result.done) == (reward, terminated or truncated)
            assert result.observation["verdict"] == {
                "valid": True,
                "correct": info["correct"],
                "score": info["verdict"].score,
                "reason": str(info["verdict"].reason),
            }
            assert result.observation["reward_terms"] == info["reward_terms"]
    assert reward == 0.0


def test_an_index_chooses_the_task(countdown):
    env = gymnasium.make("rlvr_gym:rlvr/Countdown-v0")
    with countdown.client() as client:
        for index in (17, 0):
            expected, _ = env.reset(seed=5, options={"index": index})
            assert client.reset(seed=5, index=index).observation["text"] == expected
        assert client.reset().observation["text"] == env.reset()[0]


def play(client, name, seed, **settings):
    """An episode in both places with the same messages, the oracle's; gives the last result."""
    env = rlvr_gym.make(name, **settings)
    env.reset(seed=seed)
    result = client.reset(seed=seed, episode_id=f"episode {seed}")
    episode = env.unwrapped._episode
    assert isinstance(env.unwrapped.problem, Dialogue)
    turns = 0
    while not result.done:
        message = env.unwrapped.problem.oracle(env.unwrapped.task, episode.state)
        before = len(episode.messages) + 1
        result = client.step({"message": message})
        _, reward, terminated, truncated, info = env.step(message)
        turns += 1
        assert result.observation["messages"] == episode.messages[before:]
        assert (result.reward, result.done) == (reward, terminated or truncated)
        assert result.observation["turn"] == turns
        state = client.state()
        assert (state["episode_id"], state["step_count"]) == (f"episode {seed}", turns)
        assert state["done"] is result.done
    assert result.observation["verdict"]["correct"] is True
    assert result.observation["metrics"] == info.get("metrics", {})
    return turns


def test_games_are_the_same_as_in_gymnasium(tictactoe, mastermind):
    with tictactoe.client() as client:
        assert max(play(client, "TicTacToe", seed) for seed in range(4)) > 1
    with mastermind.client() as client:
        design = {"correct": 1.0, "length": 0.001}
        assert max(play(client, "Mastermind", seed, difficulty=2, reward=design) for seed in range(4)) > 1


def test_a_game_that_runs_out_of_turns_is_truncated(mastermind):
    with mastermind.client() as client:
        result = client.reset(seed=0)
        while not result.done:
            result = client.step({"message": "I do not know."})
            assert result.reward == 0.0 or result.done
        assert result.observation["truncated"]
        assert result.observation["verdict"]["reason"] == "max_turns"


def test_many_sessions_at_once_do_not_cross(mastermind):
    failures, turns = [], []

    def one(seed):
        try:
            with mastermind.client() as client:
                turns.append(
                    play(client, "Mastermind", seed, difficulty=2, reward={"correct": 1.0, "length": 0.001})
                )
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=one, args=(seed,)) for seed in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    assert len(turns) == 24


def test_http_has_sessions_too(mastermind):
    answers = [mastermind.post("/reset", {"seed": seed}) for seed in (0, 1)]
    ids = [answer.json()["observation"]["session_id"] for answer in answers]
    assert len(set(ids)) == 2
    for answer in answers:
        types.ResetResponse.model_validate(answer.json())
    for turn in (1, 2):
        for name in ids:
            answer = mastermind.post("/step", {"action": {"message": "hm"}, "session_id": name})
            types.StepResponse.model_validate(answer.json())
            assert answer.json()["observation"]["turn"] == turn
    state = mastermind.get("/state", params={"session_id": ids[0]}).json()
    assert types.State.model_validate(state).step_count == 2
    again = mastermind.post("/reset", {"session_id": ids[0]}).json()["observation"]
    assert (again["session_id"], again["turn"]) == (ids[0], 0)
    for name in ids:
        assert mastermind.post("/close", {"session_id": name}).status_code == 200
        gone = mastermind.post("/step", {"action": {"message": "x"}, "session_id": name})
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "SESSION_UNKNOWN")


def test_a_step_that_is_sent_again_is_not_taken_twice(mastermind):
    name = mastermind.post("/reset").json()["observation"]["session_id"]
    body = {"action": {"message": "hm"}, "session_id": name, "request_id": "a", "timeout_s": 5.0}
    first, second = (mastermind.post("/step", body).json() for _ in range(2))
    assert first == second
    assert first["observation"]["turn"] == 1
    third = mastermind.post("/step", {**body, "request_id": "b"}).json()
    assert third["observation"]["turn"] == 2
    mastermind.post("/close", {"session_id": name})


def test_what_is_told_about_the_environment_has_openenvs_form(countdown):
    about = types.EnvironmentMetadata.model_validate(countdown.get("/metadata").json())
    assert about.name == "rlvr/Countdown-v0"
    assert "target" in about.description
    schema = types.SchemaResponse.model_validate(countdown.get("/schema").json())
    assert {"message", "retry"} <= schema.action["properties"].keys()
    assert types.HealthResponse.model_validate(countdown.get("/health").json()).status == "healthy"
    assert types.State.model_validate(countdown.get("/state").json()).step_count == 0


def test_websocket_messages_have_openenvs_form(countdown):
    with countdown.socket() as socket:
        for message in (
            {"type": "reset", "data": {"seed": 1}},
            {"type": "step", "data": {"message": "1", "metadata": {}}},
        ):
            socket.send(json.dumps(message))
            answer = types.WSObservationResponse.model_validate_json(socket.recv())
            types.StepResponse.model_validate(answer.data)
        socket.send('{"type": "state"}')
        types.WSStateResponse.model_validate_json(socket.recv())
        socket.send('{"type": "jump"}')
        error = types.WSErrorResponse.model_validate_json(socket.recv())
        assert error.data["code"] == "UNKNOWN_TYPE"
        socket.send(b'{"type": "state"}')  # in binary it is the same
        assert json.loads(socket.recv())["type"] == "state"


def test_metrics_count_what_happened(cli):
    server = cli("Countdown")
    with server.client() as client:
        task = rlvr_gym.load_problem("Countdown").source(7)[0]
        answer = rlvr_gym.load_problem("Countdown").answer_text(task)
        for message in (f"<answer>{answer}</answer>", "no"):
            client.reset(seed=7)
            client.step({"message": message})
        assert server.metric("sessions") == 1
        with pytest.raises(RuntimeError, match="EPISODE_OVER"):
            client.step({"message": "once more"})
    server.wait_for("sessions", 0)
    assert server.metric('episodes_total{outcome="correct"}') == 1
    assert server.metric('episodes_total{outcome="wrong"}') == 1
    assert server.metric('sessions_opened_total{kind="websocket"}') == 1
    assert server.metric('sessions_closed_total{reason="client"}') == 1
    assert server.metric('refusals_total{code="EPISODE_OVER"}') == 1
    assert server.metric('seconds_count{call="reset"}') == 2
    assert server.metric('seconds_count{call="step"}') == 3
    assert server.metric("running") == 0
