"""RayVectorEnv says what TextVectorEnv says, wherever its environments live, and whatever becomes of their actors."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from rlvr_gym import ConfigError, Dialogue, Reply, Task, TextVectorEnv, Verdict
from rlvr_gym.executor import make_executor

ray = pytest.importorskip("ray", reason="NO RAY: pip install 'rlvr-gym[ray]'")
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # actors cannot import this file

from rlvr_gym.vector_ray import RayVectorEnv  # noqa: E402

ID = "rlvr/Arithmetic-v0"
N = 5


@dataclass(frozen=True, kw_only=True)
class Count(Dialogue):
    """Needs as many turns as the task says; episodes of a batch end at different times, in different ways."""

    verifier: ClassVar[str] = "rational"
    max_turns: ClassVar[int] = 4

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        return Task("Count.", int(rng.integers(1, 6)))

    def start(self, task: Task) -> list[str]:
        return []

    def reply(self, task: Task, state: Any, action: str) -> Reply:
        state.append(action)
        if len(state) < task.answer:
            return Reply(f"more than {state}", metrics={"asked": 1} if action == "why?" else None)
        return Reply(verdict=Verdict.graded(0.5)) if action == "done" else Reply(answer=action)

    def oracle(self, task: Task, state: Any) -> str:
        return str(task.answer)


def actions(step: int) -> list[str]:
    kinds = ["1", "<answer>2</answer>", "why?", "done", "2 or 3", "\\boxed{4}", ""]
    return [kinds[(step * 3 + i) % len(kinds)] for i in range(N)]


def run(envs: Any, before_step: Any = lambda step: None) -> list[Any]:
    """Everything that the environments say; under DISABLED, finished ones are reset by a mask."""
    outputs = [envs.reset(seed=11)]
    masked = envs.autoreset_mode.value == "Disabled"
    for step in range(10):
        before_step(step)
        outputs.append(envs.step(actions(step)))
        over = outputs[-1][2] | outputs[-1][3]
        if masked and over.any():
            outputs.append(envs.reset(options={"reset_mask": over}))
    outputs.append(envs.reset(seed=[3, None, 5, None, 7]))
    outputs.append(envs.reset(options={"index": 4}))
    before_step(10)
    outputs.append(envs.step(actions(10)))
    outputs.append(envs.render())
    envs.close()
    return outputs


def assert_same(ours: list[Any], theirs: list[Any]) -> None:
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_equal(a, b)
        assert [getattr(x, "dtype", None) for x in a or ()] == [getattr(x, "dtype", None) for x in b or ()]


def remote(problem: Any, **settings: Any) -> RayVectorEnv:
    return RayVectorEnv(problem, num_envs=N, actors=2, cpus=0.5, **settings)


CASES = {
    "single turn": (ID, {"render_mode": "ansi", "autoreset_mode": "Disabled"}),
    "chat": (ID, {"observation": "chat", "system_prompt": "r1", "reward": "r1", "difficulty": 2}),
    "conversation": (Count(), {"reward": {"correct": 1.0, "length": 0.1}}),
    "conversation, disabled": (Count(), {"autoreset_mode": "Disabled"}),
}


@pytest.mark.usefixtures("two_nodes")
@pytest.mark.parametrize("name", CASES)
def test_same_bytes_as_text_vector_env(name: str) -> None:
    problem, settings = CASES[name]
    here, there = TextVectorEnv(problem, num_envs=N, **settings), remote(problem, **settings)
    assert there.observation_space == here.observation_space
    assert there.action_space == here.action_space
    assert there.metadata == here.metadata
    assert_same(run(there), run(here))


@pytest.mark.usefixtures("two_nodes")
def test_streams_without_a_seed_are_those_of_the_vector_env() -> None:
    with_generator = []
    for envs in (TextVectorEnv(ID, num_envs=N), remote(ID)):
        envs.np_random = np.random.default_rng(5)
        with_generator.append((envs.reset(), envs.reset(), envs.np_random.random()))
        envs.close()
    np.testing.assert_equal(*with_generator)


def pids(envs: RayVectorEnv) -> list[int]:
    """Of the actors' processes."""
    return [ray.get(actor._handle.__ray_call__.remote(lambda self: os.getpid())) for actor in envs._actors]


@pytest.mark.usefixtures("two_nodes")
@pytest.mark.parametrize("mode", ["SameStep", "Disabled"])
def test_an_actor_that_dies_is_played_again(mode: str) -> None:
    envs = remote(Count(), autoreset_mode=mode)

    def kill(step: int) -> None:
        if step in (3, 10):
            os.kill(pids(envs)[step % 2], signal.SIGKILL)

    expected = run(TextVectorEnv(Count(), num_envs=N, autoreset_mode=mode))
    assert_same(run(envs, kill), expected)


def test_a_node_that_dies_is_played_again(two_nodes: Any) -> None:
    envs = RayVectorEnv(Count(), num_envs=N, actors=2)  # one on each node
    assert len({_node(actor) for actor in envs._actors}) == 2
    expected = run(TextVectorEnv(Count(), num_envs=N))
    assert_same(run(envs, lambda step: two_nodes.kill_second() if step == 4 else None), expected)


def _node(actor: Any) -> str:
    return ray.get(actor._handle.__ray_call__.remote(lambda self: ray.get_runtime_context().get_node_id()))


@pytest.mark.usefixtures("two_nodes")
def test_misuse_is_told_as_ever() -> None:
    envs = remote(ID, autoreset_mode="Disabled")
    with pytest.raises(ConfigError, match=r"reset\(\) first"):
        envs.step(["a"] * N)
    envs.reset(seed=0)
    with pytest.raises(ConfigError, match="one action for each"):
        envs.step(["a"])
    envs.step(["a"] * N)
    with pytest.raises(ConfigError, match=r"episodes \[0, 1, 2, 3, 4\] are over"):
        envs.step(["a"] * N)
    with pytest.raises(ConfigError, match="index"):
        envs.reset(options={"index": -1})
    envs.close()
    with pytest.raises(ConfigError, match="executor of its own"), make_executor("inline") as executor:
        RayVectorEnv(ID, executor=executor)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="actors is at least 1"):
        RayVectorEnv(ID, actors=0)


@pytest.mark.usefixtures("two_nodes")
def test_no_room_in_the_cluster_is_said() -> None:
    envs = RayVectorEnv(ID, num_envs=1, cpus=64, patience=1.0)
    with pytest.raises(ConfigError, match="No node of the cluster had room"):
        envs.reset(seed=0)
    envs.close()
