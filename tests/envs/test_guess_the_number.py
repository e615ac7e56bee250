"""Guess the number: turns, illegal guesses, and an oracle that always wins."""

import itertools

import pytest

from rlvr_gym import ConfigError, load_problem, make, make_vec
from rlvr_gym.testing import play_oracle


@pytest.mark.parametrize("largest", [2, 3, 7, 8, 100])
def test_binary_search_wins_without_spare_turns_whatever_the_secret(largest):
    problem = load_problem("GuessTheNumber", largest=largest, spare=0)
    secrets = set()
    for task in itertools.islice(problem.source(0), 40 * largest):
        if task.answer not in secrets:
            secrets.add(task.answer)
            episode = play_oracle(problem, task)
            assert episode.verdict.correct
            assert episode.turns == task.metadata["hardness"] <= problem.turn_limit(task)
    assert len(secrets) > 0.9 * largest


def test_replies_and_illegal_guesses():
    env = make("GuessTheNumber", largest=100, spare=2)
    env.reset(seed=0)
    secret = int(env.unwrapped.task.answer)
    for action, expected in [
        ("hello", "That is no guess"),
        ("<answer>101</answer>", "That is no guess"),
        ("<answer>1.5</answer>", "That is no guess"),
        ("<answer>3</answer> <answer>4</answer>", "That is no guess"),
        (f"<answer>{secret - 1}</answer>", f"My number is higher than {secret - 1}."),
        (f"\\boxed{{{secret + 1}}}", f"My number is lower than {secret + 1}."),
    ]:
        observation, reward, terminated, truncated, info = env.step(action)
        assert observation.rpartition("\n")[2].startswith(expected)
        assert (reward, terminated, truncated, set(info)) == (0.0, False, False, {"task_id"})
    observation, reward, terminated, truncated, info = env.step(f"I say <answer>{secret}</answer>")
    assert (reward, terminated, truncated) == (1.0, True, False)
    assert info["metrics"] == {"illegal_guesses": 4.0}


def test_the_turns_run_out():
    env = make("GuessTheNumber", largest=7, spare=1)
    env.reset(seed=0)
    for turn in range(4):
        _, reward, terminated, truncated, info = env.step("banana")
        assert truncated == (turn == 3)
    assert (reward, terminated, str(info["verdict"].reason)) == (0.0, False, "max_turns")


def test_max_turns_of_the_environment_wins():
    env = make("GuessTheNumber", max_turns=1)
    env.reset(seed=0)
    assert env.step("<answer>0</answer>")[3]


def test_every_task_of_a_mixed_batch_has_its_own_turn_limit():
    envs = make_vec("GuessTheNumber", num_envs=16, difficulty=(1, 10))
    observations, _ = envs.reset(seed=0)
    limits = [int(text.partition("at most ")[2].partition(" ")[0]) for text in observations]
    assert len(set(limits)) > 3
    for turn in range(1, min(limits) + 1):
        truncations = envs.step(["banana"] * 16)[3]
        assert truncations.tolist() == [turn == limit for limit in limits]


@pytest.mark.parametrize("wrong", [{"largest": 1}, {"largest": 10**10}, {"spare": -1}])
def test_settings(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        load_problem("GuessTheNumber", **wrong)
