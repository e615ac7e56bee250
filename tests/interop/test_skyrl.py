"""SkyRL-Gym: our environments made by its own registry."""

import json

import pytest

import rlvr_gym
from rlvr_gym.errors import ConfigError
from rlvr_gym.interop.skyrl import ENV_CLASS, to_rows


@pytest.fixture(scope="module")
def gym(require):
    require("skyrl_gym", "pip install 'rlvr-gym[skyrl]'")
    import skyrl_gym

    skyrl_gym.register(id=ENV_CLASS, entry_point="rlvr_gym.interop.skyrl_env:SkyRLEnv")
    yield skyrl_gym
    skyrl_gym.envs.deregister(ENV_CLASS)


def make(gym, row, **config):
    """As SkyRL's generator makes environments: the row's other fields are the extras."""
    return gym.make(
        row["env_class"], env_config=config, extras={k: v for k, v in row.items() if k != "prompt"}
    )


def test_a_single_turn_is_rewarded_as_the_environment_does(gym):
    design = {"correct": 2.0, "repetition": 0.5}
    row = json.loads(json.dumps(to_rows("Countdown", 1, seed=3, reward=design)[0]))
    ours = rlvr_gym.make("Countdown", reward=design)
    prompt, _ = ours.reset(seed=3)
    right = f"<answer>{ours.unwrapped.problem.answer_text(ours.unwrapped.task)}</answer>"
    for text in (right, "<answer>1</answer>", "so so so so so so", ""):
        env = make(gym, row)
        first, _ = env.init(row["prompt"])
        assert first == [{"role": "user", "content": prompt}]
        given = env.step(text)
        ours.reset(seed=3)
        _, reward, _, _, info = ours.step(text)
        assert given["reward"] == reward
        assert given["done"]
        assert given["observations"] == []
        assert given["metadata"]["correct"] == info["correct"]
        assert env.get_metrics() == {"correct": float(info["correct"])}
        env.close()


def test_a_conversation_of_several_turns_is_the_environments(gym):
    row = to_rows("GuessTheNumber", 1, seed=5, difficulty=3)[0]
    env = make(gym, row)
    env.init(row["prompt"])
    ours = rlvr_gym.make("GuessTheNumber", difficulty=3, observation="chat")
    ours.reset(seed=5)
    problem, task = ours.unwrapped.problem, ours.unwrapped.task
    state, done, turns = problem.start(task), False, 0
    while not done:
        action = "what?" if turns == 1 else problem.oracle(task, state)
        problem.reply(task, state, action)
        given = env.step(action)
        chat, reward, terminated, truncated, _ = ours.step(action)
        done = given["done"]
        turns += 1
        assert (given["reward"], done, env.turns) == (reward, terminated or truncated, turns)
        if not done:
            assert [m["content"] for m in given["observations"]] == [json.loads(chat)[-1]["content"]]
    assert given["reward"] == 1.0
    assert env.get_metrics() == {"illegal_guesses": 1.0, "correct": 1.0}
    assert env.max_turns == problem.turn_limit(task)


def test_metrics_are_averaged_by_skyrl(gym):
    from skyrl_gym.metrics import aggregate_for_environment

    assert aggregate_for_environment(ENV_CLASS, [{"correct": 1.0}, {"correct": 0.0}]) == {"correct": 0.5}


def test_a_failed_verification_is_no_wrong_answer(gym, monkeypatch):
    from rlvr_gym.interop import VerificationFailedError

    row = to_rows("Countdown", 1, difficulty=8)[0]
    verifier = type(rlvr_gym.load_problem("Countdown").make_verifier())
    monkeypatch.setattr(verifier, "judge", lambda *_: 1 / 0)
    with pytest.raises(VerificationFailedError, match="invalid_score"):
        make(gym, row).step("<answer>1</answer>")
    assert make(gym, row, invalid_score=0.5).step("<answer>1</answer>")["reward"] == 0.5


def test_errors_say_what_to_do(gym):
    with pytest.raises(ConfigError, match="export"):
        make(gym, {"env_class": ENV_CLASS})
    with pytest.raises(ConfigError, match="compares"):
        to_rows("Countdown", 1, reward={"solve_rate": 1.0})
