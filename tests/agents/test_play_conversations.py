"""Conversations with environments: as if read anew each turn, and not held up by replies that take their time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from rlvr_gym.agents.batch import pad_batch
from rlvr_gym.agents.play import play
from rlvr_gym.agents.policy import Policy, load_policy
from rlvr_gym.agents.rollout import RolloutEngine, in_turns
from rlvr_gym.agents.sampling import SamplingParams
from rlvr_gym.agents.scoring import score_batch
from rlvr_gym.episode import Episode
from rlvr_gym.evaluation.run import settings_for
from rlvr_gym.problem import Dialogue, Problem, Reply
from rlvr_gym.registration import load_problem
from rlvr_gym.task import ListSource, Task, TaskSource
from rlvr_gym.verifier import get_verifier

PARAMS = SamplingParams(max_tokens=12)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy("micro")


class TurnByTurn(RolloutEngine):
    """Reads each conversation from its beginning in every turn."""

    converse = in_turns


def test_conversations_are_those_that_are_read_anew_each_turn(policy: Policy) -> None:
    """Also what the trainer makes of them: it reads each as one sequence."""
    env = settings_for(load_problem("rlvr/GuessTheNumber-v0", largest=7), system_prompt="tags")
    tasks = [env.problem.source(0)[i] for i in range(6)]
    played = {
        engine: play(
            engine(policy, max_rows=7),
            [env.begin(task) for task in tasks for _ in range(4)],
            SamplingParams(max_tokens=9, temperature=0.8),
            env.verifier,
            seed=2,
            first_row=40,
        )
        for engine in (RolloutEngine, TurnByTurn)
    }
    found, expected = played[RolloutEngine], played[TurnByTurn]
    assert max(t.episode.turns for t in expected) > 3
    assert [(t.tokens, t.mask, t.finished) for t in found] == [
        (t.tokens, t.mask, t.finished) for t in expected
    ]
    assert [t.verdict for t in found] == [t.verdict for t in expected]
    batch = pad_batch(
        [t.tokens for t in found],
        [t.mask for t in found],
        [t.logprobs for t in found],
        [0.0] * len(found),
        policy.tokenizer.pad_id,
        policy.device,
    )
    torch.testing.assert_close(score_batch(policy, batch, 8, 0.8).logprobs, batch.old, atol=1e-4, rtol=0)


@dataclass(frozen=True, kw_only=True)
class Slow(Dialogue):
    """A server that does not answer conversation 0 before conversation 1 has said three things."""

    verifier = "exact_text"
    third: threading.Event = field(default_factory=threading.Event)

    @property
    def side_by_side(self) -> int:
        return 2

    def generate(self, rng: Any, difficulty: int) -> Task:
        raise NotImplementedError

    def source(self, seed: int) -> TaskSource:
        return ListSource([Task(prompt=str(i), answer=str(i)) for i in range(2)])

    def start(self, task: Task) -> list[str]:
        return []

    def oracle(self, task: Task, state: Any) -> str:
        return str(task.answer)

    def reply(self, task: Task, state: Any, action: str) -> Reply:
        assert threading.current_thread() is not threading.main_thread()
        state.append(action)
        if task.answer == "0":
            assert self.third.wait(60)
        elif len(state) == 3:
            self.third.set()
        return Reply(answer=action) if task.answer == "0" or len(state) == 3 else Reply(text="go on")


def begun(problem: Problem) -> list[Episode]:
    env = settings_for(problem, system_prompt="tags")
    return [env.begin(task) for task in problem.source(0)]


def test_others_go_on_while_a_reply_is_being_waited_for(policy: Policy) -> None:
    episodes = begun(Slow())
    played = play(RolloutEngine(policy), episodes, PARAMS, get_verifier("exact_text"), seed=0)
    assert [t.episode.turns for t in played] == [1, 3]
    assert all(t.episode.done for t in played)


class Defect(Slow):
    def reply(self, task: Task, state: Any, action: str) -> Reply:
        raise RuntimeError("a defect")


def test_what_a_reply_raises_in_its_thread_is_raised(policy: Policy) -> None:
    episodes = begun(Defect())
    with pytest.raises(RuntimeError, match="a defect"):
        play(RolloutEngine(policy), episodes, PARAMS, get_verifier("exact_text"), seed=0)
