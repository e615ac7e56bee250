"""TextEnv as a Gymnasium environment: one turn and several, text and chat, wrappers and specs."""

import json
import math
import subprocess
import sys
from dataclasses import dataclass
from typing import ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import RecordEpisodeStatistics, TimeLimit, TransformReward

import rlvr_gym
from rlvr_gym import (
    ConfigError,
    Dialogue,
    Problem,
    Reason,
    Reply,
    Task,
    TextEnv,
    UnicodeText,
    UnknownNameError,
    Verdict,
    Verifier,
)

ID = "rlvr/Arithmetic-v0"


@dataclass(frozen=True, kw_only=True)
class Guess(Dialogue):
    """Guess a number from hints; "submit x" hands x to the verifier, "quit" ends with half the score."""

    verifier: ClassVar[str] = "rational"
    max_turns: ClassVar[int] = 4

    def generate(self, rng, difficulty):
        return Task("Guess.", str(rng.integers(100)))

    def start(self, task):
        return {"tries": 0}

    def reply(self, task, state, action):
        state["tries"] += 1
        if action == "quit":
            return Reply(verdict=Verdict.graded(0.5), metrics={"quits": 1})
        if action.startswith("submit "):
            return Reply(answer=action.removeprefix("submit "))
        if not action.isdigit():
            return Reply("Say a number.", metrics={"illegal": 1})
        hint = "higher" if int(task.answer) > int(action) else "lower"
        return Reply(f"try {state['tries']}: {hint}", role="tool")

    def oracle(self, task, state):
        return f"submit {task.answer}"


class Flaky(Verifier):
    def judge(self, completion, task):
        raise OSError("gone")


@dataclass(frozen=True, kw_only=True)
class Unjudgeable(Problem):
    def generate(self, rng, difficulty):
        return Task("?", "!")

    def make_verifier(self):
        return Flaky()


# -- one turn -------------------------------------------------------------------------------------------------------


def test_a_fresh_interpreter_finds_the_environments():
    script = (
        "import gymnasium\n"
        f"env = gymnasium.make('rlvr_gym:{ID}', difficulty=2, reward='r1')\n"
        "prompt, info = env.reset(seed=1)\n"
        "_, reward, terminated, truncated, info = env.step('<think>x</think>' + env.unwrapped.task.answer)\n"
        "print(reward, terminated, truncated, info['correct'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["2.0", "True", "False", "True"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"observation": "chat", "system_prompt": "r1", "reward": {"correct": 1, "length": -0.001}},
        {"difficulty": (1, 10), "render_mode": "ansi"},
    ],
)
def test_gymnasium_has_nothing_to_complain_about(settings, recwarn):
    check_env(gymnasium.make(ID, **settings).unwrapped)
    check_env(TextEnv(Guess()), skip_render_check=True)
    assert [str(w.message) for w in recwarn] == []


def test_one_step_and_its_info():
    env = TextEnv(ID, difficulty=1)
    prompt, info = env.reset(seed=4)
    assert prompt == env.task.prompt
    assert info == {"task_id": env.task.id}
    answer = env.task.answer
    observation, reward, terminated, truncated, info = env.step(f"<answer>{answer}</answer>")
    assert (reward, terminated, truncated) == (1.0, True, False)
    assert observation == f"[user]\n{prompt}\n\n[assistant]\n<answer>{answer}</answer>"
    assert info == {
        "task_id": env.task.id,
        "verdict": Verdict.right(answer),
        "reward_terms": {"correct": 1.0, "length": 1.0},
        "correct": True,
    }


def test_answers_are_in_no_observation():
    env = TextEnv(ID, difficulty=6)
    for seed in range(20):
        prompt, info = env.reset(seed=seed)
        if len(env.task.answer) > 2:
            assert env.task.answer not in prompt.replace("-42", "")
        assert env.task.answer not in json.dumps(info)


def test_seeds_indices_and_the_order_of_tasks():
    env = TextEnv(ID)
    source = env.problem.source(9)
    assert env.reset(seed=9)[0] == source[0].prompt
    assert env.reset()[0] == source[1].prompt
    assert env.reset(options={"index": 7})[0] == source[7].prompt
    assert env.reset()[0] == source[8].prompt
    assert env.reset(seed=9, options={"index": 2})[0] == source[2].prompt
    assert env.reset(seed=9)[0] == source[0].prompt
    for index in (-1, 1.5, "0", None):
        with pytest.raises(ConfigError, match=r"options\['index'\]"):
            env.reset(options={"index": index})


def test_a_finite_source_starts_again(tmp_path):
    @dataclass(frozen=True, kw_only=True)
    class Three(Problem):
        verifier: ClassVar[str] = "rational"

        def generate(self, rng, difficulty):
            raise NotImplementedError

        def source(self, seed):
            return rlvr_gym.ListSource([Task(str(n), n) for n in range(3)])

    env = TextEnv(Three())
    assert [env.reset(seed=0)[0]] + [env.reset()[0] for _ in range(4)] == ["0", "1", "2", "0", "1"]
    with pytest.raises(ConfigError, match="from 0 to 2"):
        env.reset(options={"index": 3})


def test_without_a_seed_environments_differ():
    prompts = {TextEnv(ID, difficulty=10).reset()[0] for _ in range(5)}
    assert len(prompts) == 5


def test_a_lost_verification_has_no_reward():
    env = TextEnv(Unjudgeable())
    env.reset(seed=0)
    _, reward, terminated, _, info = env.step("x")
    assert math.isnan(reward)
    assert terminated
    assert not info["verdict"].valid
    assert info["reward_terms"] == {}


def test_misuse():
    env = TextEnv(ID)
    with pytest.raises(ConfigError, match=r"reset\(\) first"):
        env.step("x")
    env.reset(seed=0)
    with pytest.raises(ConfigError, match="An action is a str; got int"):
        env.step(5)
    env.step("x")
    with pytest.raises(ConfigError, match="is over"):
        env.step("x")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"observation": "json"}, "observation is one of text, chat; got 'json'"),
        ({"render_mode": "human"}, "render_mode is None or 'ansi'; got 'human'"),
        ({"max_turns": 0}, "max_turns is at least 1; got 0"),
        ({"verify_timeout": -1.0}, "verify_timeout is a positive number of seconds; got -1.0"),
        ({"difficulty": 11}, "difficulty goes from 1 to 10"),
        ({"difficulty": (5, 2)}, "difficulty goes from 1 to 10"),
        ({"difficulty": "hard"}, "difficulty is a whole number"),
        ({"difficulty": True}, "difficulty is a whole number"),
        ({"dificulty": 1}, "has no setting dificulty; it has difficulty"),
        ({"reward": "binry"}, "did you mean binary"),
        ({"system_prompt": "r2"}, "did you mean r1"),
        ({"executor": "proces"}, "did you mean process"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises((ConfigError, UnknownNameError), match=message):
        TextEnv(ID, **settings)
    with pytest.raises((ConfigError, UnknownNameError), match=message):
        rlvr_gym.make_vec(ID, num_envs=2, **settings)


def test_a_problem_and_settings_at_once():
    with pytest.raises(ConfigError, match="Problem or settings"):
        TextEnv(Guess(), difficulty=2)


# -- observations ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["r1", "boxed"])
def test_system_prompts(name):
    system = rlvr_gym.prompts.TEMPLATES[name].system
    env = TextEnv(ID, system_prompt=name)
    prompt, _ = env.reset(seed=0)
    assert prompt == f"{system}\n\n{env.task.prompt}"
    env = TextEnv(ID, system_prompt=name, observation="chat")
    chat, _ = env.reset(seed=0)
    assert json.loads(chat) == [
        {"role": "system", "content": system},
        {"role": "user", "content": env.task.prompt},
    ]


def test_a_system_prompt_of_ones_own():
    assert TextEnv(ID, system_prompt="Be brief.").reset(seed=0)[0].startswith("Be brief.\n\nWork out")


def test_the_plain_template_adds_nothing():
    chat, _ = TextEnv(ID, observation="chat").reset(seed=0)
    assert [message["role"] for message in json.loads(chat)] == ["user"]


def test_any_text_is_an_action():
    env = TextEnv(ID, observation="chat")
    for action in ("", "\x00\u202e\ud800", "9**9**9**9", "{}" * 1000, "__import__('os')"):
        env.reset(seed=0)
        observation, reward, terminated, _, _ = env.step(action)
        assert (reward, terminated) == (0.0, True)
        assert json.loads(observation)[-1] == {"role": "assistant", "content": action}


# -- several turns --------------------------------------------------------------------------------------------------


def play(*actions, **settings):
    env = TextEnv(Guess(), **settings)
    env.reset(seed=0)
    steps = [env.step(action) for action in actions]
    return env, steps


def test_the_conversation_grows_in_the_observation():
    env, steps = play("50", "what?", observation="chat", system_prompt="r1")
    hint = "higher" if int(env.task.answer) > 50 else "lower"
    assert json.loads(steps[-1][0])[1:] == [
        {"role": "user", "content": "Guess."},
        {"role": "assistant", "content": "50"},
        {"role": "tool", "content": f"try 1: {hint}"},
        {"role": "assistant", "content": "what?"},
        {"role": "user", "content": "Say a number."},
    ]
    assert [step[1:4] for step in steps] == [(0.0, False, False)] * 2
    assert steps[0][4] == {"task_id": env.task.id}


def test_an_answer_goes_to_the_verifier():
    env = TextEnv(Guess())
    env.reset(seed=0)
    env.step("1")
    _, reward, terminated, truncated, info = env.step(f"submit {env.task.answer}")
    assert (reward, terminated, truncated, info["verdict"].reason) == (1.0, True, False, Reason.CORRECT)


def test_a_reply_may_judge():
    _, steps = play("what?", "what?", "quit", reward="graded")
    _, reward, terminated, truncated, info = steps[-1]
    assert (reward, terminated, truncated) == (0.5, True, False)
    assert info["metrics"] == {"illegal": 2.0, "quits": 1.0}


@pytest.mark.parametrize(("settings", "turns"), [({}, 4), ({"max_turns": 2}, 2), ({"max_turns": 1}, 1)])
def test_running_out_of_turns_truncates(settings, turns):
    env, steps = play(*["50"] * turns, **settings)
    assert [step[2:4] for step in steps] == [(False, False)] * (turns - 1) + [(False, True)]
    info = steps[-1][4]
    assert (info["verdict"].reason, info["verdict"].valid, info["correct"]) == (Reason.MAX_TURNS, True, False)
    with pytest.raises(ConfigError, match="is over"):
        env.step("50")


def test_rollouts_of_conversations():
    env, _ = play("50", "what?", "quit")
    rollout = env._current().rollout()
    assert (rollout.completion, rollout.turns, rollout.finished) == ("50\nwhat?\nquit", 3, True)
    env, _ = play("50", max_turns=1)
    assert not env._current().rollout().finished


def test_a_reset_in_the_middle_starts_afresh():
    env, _ = play("50", "50")
    prompt, _ = env.reset()
    assert prompt == "Guess."
    assert env._current().state == {"tries": 0}


def test_rendering():
    env, _ = play("what?", render_mode="ansi")
    assert env.render() == "[user]\nGuess.\n\n[assistant]\nwhat?\n\n[user]\nSay a number."
    assert play("what?")[0].render() is None


# -- Gymnasium's tools ----------------------------------------------------------------------------------------------


def test_specs_go_through_json_with_the_reward_in_them():
    reward = {"op": "sum", "of": [{"term": "correct", "weight": 2.0}, {"term": "constant", "value": 0.5}]}
    env = gymnasium.make(ID, reward=reward, difficulty=[2, 4], observation="chat")
    again = gymnasium.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.spec == env.spec
    assert again.reset(seed=3)[0] == env.reset(seed=3)[0]
    action = again.unwrapped.task.answer
    assert again.step(action) == env.step(action)
    assert env.unwrapped.settings.design([env.unwrapped._current().rollout()])[0].total == 2.5


def test_usual_wrappers():
    env = RecordEpisodeStatistics(TransformReward(gymnasium.make(ID), lambda r: 10 * r))
    env.reset(seed=0)
    _, reward, _, _, info = env.step(env.unwrapped.task.answer)
    assert (reward, info["episode"]["r"], info["episode"]["l"]) == (10.0, 10.0, 1)

    env = TimeLimit(TextEnv(Guess()), max_episode_steps=2)
    env.reset(seed=0)
    env.step("1")
    assert env.step("1")[2:4] == (False, True)

    limited = gymnasium.make(ID, max_episode_steps=5)
    assert any(isinstance(wrapper, TimeLimit) for wrapper in _layers(limited))


def _layers(env):
    while isinstance(env, gymnasium.Wrapper):
        yield env
        env = env.env


def test_the_process_executor_gives_the_same_and_is_closed_with_the_environment():
    here, there = TextEnv(ID), TextEnv(ID, executor="process")
    for seed in range(3):
        assert here.reset(seed=seed) == there.reset(seed=seed)
        action = "<answer>5</answer>" if seed else here.task.answer
        assert here.step(action) == there.step(action)
    executor = there.settings.executor
    there.close()
    with pytest.raises(ConfigError, match="closed"):
        executor.map(str, [1])


def test_an_executor_that_is_handed_in_stays_open():
    with rlvr_gym.executor.make_executor("process", workers=1) as executor:
        TextEnv(ID, executor=executor).close()
        assert executor.map(str, [1])[0].value == "1"


# -- the space ------------------------------------------------------------------------------------------------------


def test_the_space_of_texts():
    space = UnicodeText(max_length=100)
    space.seed(1)
    samples = [space.sample() for _ in range(50)]
    space.seed(1)
    assert [space.sample() for _ in range(50)] == samples
    assert all(text in space and text.isprintable() for text in samples)
    assert "é\x00\ud800" in space
    assert "x" * 101 not in space
    assert 5 not in space
    assert np.str_("x") in space
    assert space == UnicodeText(100) != UnicodeText(99)
    assert hash(space) == hash(UnicodeText(100))
    assert space.from_jsonable(json.loads(json.dumps(space.to_jsonable(samples)))) == samples
    assert not space.is_np_flattenable
    assert all(len(text) <= 3 for text in (UnicodeText(3, seed=i).sample() for i in range(20)))
