"""TextVectorEnv gives what Gymnasium's own vector environments give, infos included."""

import threading
from dataclasses import dataclass
from typing import ClassVar

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

import rlvr_gym
from rlvr_gym import ConfigError, Dialogue, Reply, Task, TextEnv, TextVectorEnv, Verdict
from rlvr_gym.episode import Episode, act_all
from rlvr_gym.infos import batch_infos
from rlvr_gym.rewards import GroupTerm, register_term

ID = "rlvr/Arithmetic-v0"
N = 5


@dataclass(frozen=True, kw_only=True)
class Count(Dialogue):
    """Needs as many turns as the task says; episodes of a batch end at different times, in different ways."""

    verifier: ClassVar[str] = "rational"
    max_turns: ClassVar[int] = 3

    def generate(self, rng, difficulty):
        return Task("Count.", int(rng.integers(1, 5)))

    def start(self, task):
        return [0]

    def reply(self, task, state, action):
        state[0] += 1
        if state[0] < task.answer:
            return Reply("more", metrics={"asked": 1} if action == "why?" else None)
        if action == "done":
            return Reply(verdict=Verdict.graded(0.5))
        return Reply(answer=action)

    def oracle(self, task, state):
        return str(task.answer)


@dataclass(frozen=True, kw_only=True)
class Together(Count):
    """Answers three episodes when all three have asked, and no sooner."""

    barrier: ClassVar[threading.Barrier] = threading.Barrier(3)

    @property
    def side_by_side(self):
        return 3

    def reply(self, task, state, action):
        self.barrier.wait(60)
        return super().reply(task, state, action)


@register_term("test_group_size")
@dataclass(frozen=True)
class GroupSize(GroupTerm):
    def evaluate(self, group):
        return [float(len(group))] * len(group)


def actions(step: int) -> list[str]:
    kinds = ["1", "<answer>2</answer>", "why?", "done", "2 or 3", "\\boxed{4}", ""]
    return [kinds[(step * 3 + i) % len(kinds)] for i in range(N)]


def run(envs: VectorEnv, steps: int = 12, masked: bool = False) -> list:
    """Everything that the environments say; under DISABLED, finished ones are reset by a mask."""
    outputs = [envs.reset(seed=11)]
    for step in range(steps):
        outputs.append(envs.step(actions(step)))
        over = outputs[-1][2] | outputs[-1][3]
        if masked and over.any():
            outputs.append(envs.reset(options={"reset_mask": over}))
    outputs.append(envs.reset(seed=[3, None, 5, None, 7]))
    outputs.append(envs.reset(options={"index": 4}))
    envs.close()
    return outputs


CASES = {
    "single turn": (ID, {}),
    "chat": (ID, {"observation": "chat", "system_prompt": "r1", "reward": "r1"}),
    "conversation": (Count(), {}),
    "conversation, group term": (Count(), {"reward": {"correct": 1, "test_group_size": 0.5}}),
    "one turn of a conversation": (Count(), {"max_turns": 1}),
}


@pytest.mark.parametrize("mode", ["SameStep", "Disabled"])
@pytest.mark.parametrize("name", CASES)
def test_same_as_sync_vector_env(name, mode):
    problem, settings = CASES[name]
    ours = run(TextVectorEnv(problem, num_envs=N, autoreset_mode=mode, **settings), masked=mode == "Disabled")
    sync = SyncVectorEnv([lambda: TextEnv(problem, **settings)] * N, autoreset_mode=AutoresetMode(mode))
    assert_same(ours, run(sync, masked=mode == "Disabled"))


def assert_same(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_equal(a, b)
        assert [getattr(x, "dtype", None) for x in a] == [getattr(x, "dtype", None) for x in b]
        assert dtypes(a[-1]) == dtypes(b[-1])


def dtypes(info):
    return {key: dtypes(value) if isinstance(value, dict) else value.dtype for key, value in info.items()}


def test_same_as_async_vector_env():
    ours = run(TextVectorEnv(ID, num_envs=N, difficulty=2), steps=4)
    envs = AsyncVectorEnv(
        [lambda: TextEnv(ID, difficulty=2)] * N, shared_memory=False, autoreset_mode=AutoresetMode.SAME_STEP
    )
    assert_same(ours, run(envs, steps=4))


def test_the_comparison_has_eyes():
    """Guards the tests above: other seeds must not compare as equal."""
    ours, theirs = run(TextVectorEnv(ID, num_envs=N)), run(TextVectorEnv(ID, num_envs=N))
    assert_same(ours, theirs)
    theirs[1][-1]["final_info"]["reward_terms"]["length"][0] += 1
    with pytest.raises(AssertionError):
        assert_same(ours, theirs)


def test_the_process_executor_gives_the_same_and_is_closed_too():
    envs = TextVectorEnv(ID, num_envs=N, executor="process")
    executor = envs.settings.executor
    assert_same(run(TextVectorEnv(ID, num_envs=N)), run(envs))
    with pytest.raises(ConfigError, match="closed"):
        executor.map(str, [1])


def test_made_by_gymnasium():
    envs = gymnasium.make_vec(f"rlvr_gym:{ID}", num_envs=3, reward={"correct": 2.0}, difficulty=1)
    assert isinstance(envs, TextVectorEnv)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert envs.spec.id == ID
    prompts, infos = envs.reset(seed=0)
    assert prompts in envs.observation_space
    assert prompts == tuple(TextEnv(ID, difficulty=1).reset(seed=i)[0] for i in range(3))
    answers = [e.task.answer for e in envs._episodes]
    following, rewards, terminations, truncations, infos = envs.step(answers)
    assert rewards.tolist() == [2.0] * 3
    assert terminations.all()
    assert not truncations.any()
    assert following == tuple(
        TextEnv(ID, difficulty=1).reset(seed=i, options={"index": 1})[0] for i in range(3)
    )
    assert [verdict.correct for verdict in infos["final_info"]["verdict"]] == [True] * 3
    assert all(answer in text for answer, text in zip(answers, infos["final_obs"], strict=True))


def test_the_short_form():
    assert isinstance(rlvr_gym.make_vec("Arithmetic", num_envs=2, autoreset_mode="Disabled"), TextVectorEnv)


def test_max_episode_steps_is_the_limit_of_turns():
    envs = TextVectorEnv(Count(), num_envs=4, max_episode_steps=1, autoreset_mode="Disabled")
    envs.reset(seed=0)
    long = [episode.task.answer > 1 for episode in envs._episodes]
    assert any(long)
    assert envs.step(["1"] * 4)[3].tolist() == long


def test_rendering():
    envs = TextVectorEnv(ID, num_envs=2, render_mode="ansi")
    prompts, _ = envs.reset(seed=0)
    assert envs.render() == prompts
    assert TextVectorEnv(ID, num_envs=2).render() is None


@pytest.mark.parametrize("mode", ["NextStep", AutoresetMode.NEXT_STEP, "sometimes"])
def test_next_step_is_refused(mode):
    with pytest.raises(ConfigError, match="'SameStep' or 'Disabled'"):
        TextVectorEnv(ID, num_envs=2, autoreset_mode=mode)
    with pytest.raises(ConfigError, match="'SameStep' or 'Disabled'"):
        gymnasium.make_vec(ID, num_envs=2, autoreset_mode=mode)


def test_misuse():
    with pytest.raises(ConfigError, match="num_envs is at least 1"):
        TextVectorEnv(ID, num_envs=0)
    envs = TextVectorEnv(ID, num_envs=2, autoreset_mode="Disabled")
    with pytest.raises(ConfigError, match=r"reset\(\) first"):
        envs.step(["a", "b"])
    with pytest.raises(ConfigError, match="one seed for each of the 2"):
        envs.reset(seed=[1])
    envs.reset(seed=0)
    with pytest.raises(ConfigError, match="one action for each of the 2 environments; got 3"):
        envs.step(["a", "b", "c"])
    with pytest.raises(ConfigError, match="action 1 is int"):
        envs.step(["a", 5])
    assert [episode.turns for episode in envs._episodes] == [0, 0]
    envs.step(["a", "b"])
    with pytest.raises(ConfigError, match=r"episodes \[0, 1\] are over"):
        envs.step(["a", "b"])
    for mask in ([True, False], np.array([True]), np.array([1, 0]), np.array([False, False])):
        with pytest.raises(ConfigError, match="reset_mask"):
            envs.reset(options={"reset_mask": mask})
    options = {"reset_mask": np.array([True, False])}
    envs.reset(options=options)
    assert options.keys() == {"reset_mask"}
    assert [episode.done for episode in envs._episodes] == [False, True]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [(0, {"a": 1, "b": "x", "c": 1.5, "d": True}), (2, {"a": 2, "c": 2.5})],
        [(1, {"n": {"m": {"x": 1.0}, "y": np.float32(2)}}), (2, {"n": {"m": {}, "y": np.float32(3)}})],
        [(1, {"final_obs": "t", "final_info": {"k": 1}}), (1, {"k": 2}), (0, {"k": 3})],
        [(0, {"v": None, "w": [1, 2], "x": (1, 2)}), (1, {"v": Verdict.wrong(), "w": [], "x": ()})],
        [(0, {"big": 2**40, "negative": -1}), (2, {"big": 2**41, "negative": -2})],
    ],
)
def test_batched_infos_are_those_of_gymnasium(rows):
    envs = VectorEnv()
    envs.num_envs = 3
    expected: dict = {}
    for i, info in rows:
        expected = envs._add_info(expected, info, i)
    np.testing.assert_equal(batch_infos(rows, 3), expected)
    assert dtypes(batch_infos(rows, 3)) == dtypes(expected)


def test_replies_that_may_be_made_side_by_side_are():
    """And what comes out is what comes out one by one."""
    seen = {}
    for problem in (Count(), Together()):
        envs = TextVectorEnv(problem, num_envs=3)
        seen[type(problem)] = [envs.reset(seed=4)[0]]
        for _ in range(6):
            seen[type(problem)] += envs.step(["why?", "done", "2"])[:4]
    for one, other in zip(*seen.values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_replies_side_by_side_beside_others():
    problems = [Together(), Count(), Count()]
    settings = TextVectorEnv(problems[1]).settings
    episodes = [
        Episode(problem, problem.source(0)[i], settings.template, 3) for i in range(3) for problem in problems
    ]
    act_all(episodes, [str(i) for i in range(9)])
    assert [episode.turns for episode in episodes] == [1] * 9
    assert [episode.messages[1]["content"] for episode in episodes] == [str(i) for i in range(9)]
    with pytest.raises(ConfigError, match="An action is a str"):
        act_all(episodes[:1], [None])
