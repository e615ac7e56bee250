"""Episodes played by a policy: single-turn and multi-turn, demonstrations, evaluation."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.decoder import Decoder
from rlvr_gym.agents.evaluate import evaluate, summarise
from rlvr_gym.agents.groups import Group, Sampler, reward_matrix, sample_metrics
from rlvr_gym.agents.play import Trajectory, play
from rlvr_gym.agents.policy import Policy, load_policy
from rlvr_gym.agents.rollout import Completion, RolloutEngine
from rlvr_gym.agents.sampling import SamplingParams
from rlvr_gym.agents.sft import demonstrate
from rlvr_gym.agents.tasks import TaskFeed, held_out_tasks
from rlvr_gym.env import EnvSettings
from rlvr_gym.errors import ConfigError
from rlvr_gym.executor.process import ProcessExecutor
from rlvr_gym.problem import Problem
from rlvr_gym.task import ListSource, Task, TaskSource
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verification import verify_all
from rlvr_gym.verifier import Verifier

PARAMS = SamplingParams(max_tokens=12)


class Scripted(RolloutEngine):
    """Says what it is told to, through the policy's tokenizer; everything after it is real."""

    def __init__(self, policy: Policy, say: Any) -> None:
        super().__init__(policy)
        self.say = say
        self.calls: list[tuple[list[int], int]] = []

    def generate(
        self,
        prompts: Any,
        params: Any,
        *,
        seed: int,
        rows: Any = None,
        turn: int = 0,
    ) -> list[Completion]:
        self.calls.append((list(rows), turn))
        completions = []
        for prompt, row in zip(prompts, rows, strict=True):
            tokens = self.policy.tokenizer.encode_completion(
                self.say(row, turn, self.policy.tokenizer.decode(prompt))
            )
            completions.append(
                Completion(tokens, [-0.5] * len(tokens), True, self.policy.tokenizer.decode(tokens))
            )
        return completions


class Broken(Verifier):
    def judge(self, completion: str, task: Task) -> Verdict:
        raise RuntimeError("a defect")


def settings(env: str = "rlvr/Arithmetic-v0", **problem: Any) -> EnvSettings:
    return EnvSettings(
        env,
        reward="binary",
        observation="text",
        system_prompt="tags",
        max_turns=None,
        executor="inline",
        verify_timeout=10.0,
        problem_settings=problem,
    )


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy("micro")


def test_single_turn(policy: Policy) -> None:
    env = settings(prompt="terse")
    tasks = [env.problem.source(0)[i] for i in range(3)]
    engine = Scripted(
        policy, lambda row, turn, prompt: f"<answer>{tasks[0].answer if row == 10 else 'no'}</answer>"
    )
    played = play(engine, [env.begin(task) for task in tasks], PARAMS, env.verifier, seed=0, first_row=10)
    assert [t.verdict.correct for t in played] == [True, False, False]
    assert engine.calls == [([10, 11, 12], 0)]
    for trajectory in played:
        first = trajectory.mask.index(True)
        assert trajectory.tokens[:first] == policy.tokenizer.encode_prompt(trajectory.episode.messages[:1])
        assert all(trajectory.mask[first:])
        assert trajectory.num_tokens == len(trajectory.tokens) - first
        assert trajectory.rollout().num_tokens == trajectory.num_tokens


def test_multi_turn_masks_what_the_environment_says(policy: Policy) -> None:
    env = settings("rlvr/GuessTheNumber-v0", largest=7)
    tasks = [env.problem.source(0)[i] for i in range(4)]
    guesses = [1, 7, 4, 2, 3, 5, 6]
    engine = Scripted(policy, lambda row, turn, prompt: f"<answer>{guesses[turn]}</answer>")
    played = play(engine, [env.begin(task) for task in tasks], PARAMS, env.verifier, seed=0)
    assert len({t.episode.turns for t in played}) > 1
    tokenizer = policy.tokenizer
    for trajectory, task in zip(played, tasks, strict=True):
        messages = trajectory.episode.messages
        own = [m["content"] for m in messages if m["role"] == "assistant"]
        spoken = [t for t, m in zip(trajectory.tokens, trajectory.mask, strict=True) if m]
        assert spoken == [token for text in own for token in tokenizer.encode_completion(text)]
        assert all(
            x == (-0.5 if m else 0.0) for x, m in zip(trajectory.logprobs, trajectory.mask, strict=True)
        )
        assert trajectory.verdict.correct == (int(task.answer) in guesses[: trajectory.episode.turns])
        # prompt, completion, reply, completion, ...: one text, nothing lost, nothing twice
        visible = messages if messages[-1]["role"] == "assistant" else messages[:-1]
        whole = tokenizer.encode_prompt(visible)
        assert trajectory.tokens == whole[: len(trajectory.tokens)]
    # each turn asks those that are still playing, each with its own row
    rows = [rows for rows, _ in engine.calls]
    assert rows[0] == [0, 1, 2, 3]
    assert all(set(later) <= set(earlier) for earlier, later in pairwise(rows))


def test_real_sampling_over_several_turns_is_reproducible(policy: Policy) -> None:
    env = settings("rlvr/GuessTheNumber-v0", largest=7)
    task = env.problem.source(0)[0]

    def once(rows: int) -> list[Trajectory]:
        return play(
            RolloutEngine(policy), [env.begin(task) for _ in range(rows)], PARAMS, env.verifier, seed=3
        )

    many, few = once(4), once(2)
    assert [t.tokens for t in many[:2]] == [t.tokens for t in few]
    assert len({tuple(t.tokens) for t in many}) == 4
    assert all(t.episode.done for t in many)


def test_a_conversation_that_outgrows_the_context_ends(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = settings("rlvr/GuessTheNumber-v0", largest=7)
    monkeypatch.setattr(policy, "max_context", 290)
    episode = env.begin(env.problem.source(0)[0])
    engine = Scripted(policy, lambda row, turn, prompt: "no idea")
    trajectory = play(engine, [episode], PARAMS, env.verifier, seed=0)[0]
    assert trajectory.verdict.reason == Reason.MAX_TURNS
    assert trajectory.episode.truncated
    assert trajectory.episode.turns < trajectory.episode.max_turns


def test_an_episode_that_has_begun_is_refused(policy: Policy) -> None:
    env = settings()
    episode = env.begin(env.problem.source(0)[0])
    episode.act("1")
    with pytest.raises(ConfigError, match="begun already"):
        play(RolloutEngine(policy), [episode], PARAMS, env.verifier, seed=0)


@pytest.mark.parametrize("env_id", ["rlvr/Arithmetic-v0", "rlvr/GuessTheNumber-v0"])
def test_demonstrations_are_right(policy: Policy, env_id: str) -> None:
    env = settings(env_id)
    for index in range(5):
        task = env.problem.source(0)[index]
        shown = demonstrate(env, task, policy.tokenizer)
        assert len(shown.tokens) == len(shown.mask)
        assert not shown.mask[0]
        # what the oracle says, said by a policy, is right and gives the very same sequence
        turns = [[]]  # type: list[list[int]]
        for token, own in zip(shown.tokens, shown.mask, strict=True):
            if own:
                turns[-1].append(token)
                if token == policy.tokenizer.eos_id:
                    turns.append([])
        texts = [policy.tokenizer.decode(turn) for turn in turns]
        engine = Scripted(policy, lambda row, turn, prompt, texts=texts: texts[turn])
        trajectory = play(engine, [env.begin(task)], PARAMS, env.verifier, seed=0)[0]
        assert trajectory.verdict.correct
        assert trajectory.tokens == shown.tokens
        assert trajectory.mask == shown.mask


def test_evaluation_counts(policy: Policy) -> None:
    env = settings(prompt="terse")
    tasks = held_out_tasks(env, 1, 10)
    # of two samples each: tasks 0-4 both right, 5 and 6 one, 7-9 none
    right = {**dict.fromkeys(range(10), True), 10: True, 12: True}
    engine = Scripted(policy, lambda row, turn, prompt: tasks[row // 2].answer if right.get(row) else "x")
    result = evaluate(engine, env, tasks, PARAMS, seed=0, samples=2)
    assert (result.tasks, result.samples, result.invalid) == (10, 2, 0)
    assert result.pass_at == pytest.approx({1: 0.6, 2: 0.7})
    assert 0 < result.low < 0.6 < result.high < 1
    row = result.to_dict()
    assert row["pass@1"] == pytest.approx(0.6)
    assert row["pass@2"] == pytest.approx(0.7)


def test_invalid_verdicts_are_in_no_statistic(policy: Policy) -> None:
    env = settings(prompt="terse")
    tasks = held_out_tasks(env, 1, 3)
    env.verifier = Broken()
    result = evaluate(RolloutEngine(policy), env, tasks, PARAMS, seed=0, samples=2)
    assert (result.tasks, result.invalid) == (0, 6)
    assert (result.low, result.high) == (0.0, 1.0)
    assert summarise([(1, 1), (0, 0)], 1, 3.0).pass_at == {1: 1.0}


def test_sampling_groups(policy: Policy) -> None:
    config = TrainConfig.for_env(
        "rlvr/Arithmetic-v0",
        env={"settings": {"prompt": "terse"}},
        sampling={"prompts_per_step": 4, "group_size": 3},
    )
    env = settings(prompt="terse")
    source = env.problem.source(config.seed)
    right = {0, 1, 2, 3, 6}  # group 0 all, group 1 one of three, group 2 one of three, group 3 none
    engine = Scripted(policy, lambda row, turn, prompt: source[row // 3].answer if row in right else "x")
    sampler = Sampler(engine, env, TaskFeed(env.problem, config.seed), config)
    groups, everything = sampler.sample()
    assert groups == everything
    assert reward_matrix(groups).tolist() == [[1, 1, 1], [1, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert sampler.rows == 12
    metrics = sample_metrics(groups)
    assert metrics["reward"] == metrics["accuracy"] == pytest.approx(5 / 12)
    assert metrics["frac_reward_zero_std"] == 0.5
    assert metrics["reward_std"] == pytest.approx(2 * (1 / 3) ** 0.5 / 4)
    assert metrics["entropy"] == pytest.approx(0.5)
    assert metrics["rewards/correct/mean"] == pytest.approx(5 / 12)


def test_what_the_environment_counts_is_in_the_metrics(policy: Policy) -> None:
    env = settings("rlvr/GuessTheNumber-v0", largest=7)
    config = TrainConfig.for_env(
        "rlvr/GuessTheNumber-v0", sampling={"prompts_per_step": 1, "group_size": 4, "max_tokens": 12}
    )
    secret = env.problem.source(config.seed)[0].answer
    # row 0 is right at once, row 1 after one illegal guess, rows 2 and 3 make four of them
    engine = Scripted(
        policy, lambda row, turn, prompt: f"<answer>{secret if row <= min(turn, 1) else 'x'}</answer>"
    )
    groups, _ = Sampler(engine, env, TaskFeed(env.problem, config.seed), config).sample()
    metrics = sample_metrics(groups)
    assert metrics["env/illegal_guesses"] == (0 + 1 + 4 + 4) / 4
    assert metrics["turns"] == (1 + 2 + 4 + 4) / 4


def test_dynamic_sampling_goes_on_until_there_are_enough(policy: Policy) -> None:
    config = TrainConfig.for_env(
        "rlvr/Arithmetic-v0", algorithm="dapo", sampling={"prompts_per_step": 2, "group_size": 2}
    )
    env = settings(prompt="terse")
    source = env.problem.source(config.seed)
    mixed = {2, 5}  # of the groups of rows (0 1) (2 3) (4 5) (6 7): the second and the third
    engine = Scripted(policy, lambda row, turn, prompt: source[row // 2].answer if row in mixed else "x")
    sampler = Sampler(engine, env, TaskFeed(env.problem, config.seed), config)
    groups, everything = sampler.sample()
    assert [group.trajectories[0].episode.task for group in groups] == [source[1], source[2]]
    assert len(everything) == 4
    none, rounds = sampler.sample()  # nothing mixed from here on: gives up after max_resamples rounds
    assert none == []
    assert len(rounds) == 2 * config.algorithm.max_resamples


def test_a_failed_verification_is_no_reward(policy: Policy) -> None:
    env = settings(prompt="terse")
    env.verifier = Broken()
    config = TrainConfig.for_env(
        "rlvr/Arithmetic-v0", sampling={"prompts_per_step": 2, "group_size": 2, "max_tokens": 4}
    )
    groups: list[Group] = Sampler(RolloutEngine(policy), env, TaskFeed(env.problem, 0), config).sample()[0]
    assert reward_matrix(groups).isnan().all()
    assert sample_metrics(groups)["frac_invalid"] == 1


def test_training_never_meets_a_held_out_prompt() -> None:
    env = settings(prompt="terse", terms=2, digits=1, operations="+")
    held_out = held_out_tasks(env, 9, 60)
    prompts = {task.prompt for task in held_out}
    assert len(prompts) == 60  # of 100 there are
    feed = TaskFeed(env.problem, 0, held_out)
    assert not prompts & {feed.next().prompt for _ in range(200)}
    again = TaskFeed(env.problem, 0, held_out, feed.cursor)
    assert again.next() == feed.next()


def test_a_dialogue_may_ask_the_same_of_every_task() -> None:
    env = settings("rlvr/GuessTheNumber-v0", largest=7)
    held_out = held_out_tasks(env, 9, 3)
    secrets = {task.answer for task in held_out}
    assert len(secrets) == 3
    assert not secrets & {task.answer for task in TaskFeed(env.problem, 0, held_out).take(50)}


@dataclass(frozen=True, kw_only=True)
class Three(Problem):
    """Three tasks and no more."""

    def generate(self, rng: Any, difficulty: int) -> Task:
        raise NotImplementedError

    def source(self, seed: int) -> TaskSource:
        return ListSource([Task(prompt=str(i), answer=i) for i in range(3)])


def test_a_finite_source_begins_anew() -> None:
    feed = TaskFeed(Three(), 0, [Task(prompt="1", answer=1)])
    assert [feed.next().prompt for _ in range(5)] == ["0", "2", "0", "2", "0"]


def test_everything_held_out_is_told() -> None:
    feed = TaskFeed(Three(), 0, list(Three().source(0)))
    with pytest.raises(ConfigError, match=r"lower eval\.tasks"):
        feed.next()


class Patient(Verifier):
    """Takes its time, and says in which process and when."""

    def judge(self, completion: str, task: Task) -> Verdict:
        began = time.monotonic()
        time.sleep(0.05)
        return Verdict.wrong(process=os.getpid(), began=began)


def test_answers_are_verified_while_others_are_being_written(policy: Policy) -> None:
    env = settings(prompt="terse")
    tasks = [env.problem.source(0)[i] for i in range(24)]
    episodes = [env.begin(task) for task in tasks]
    engine = RolloutEngine(policy, max_rows=4)  # so that the last ones begin long after the first ones ended
    finished: list[float] = []
    collect = Decoder.collect

    def noted(decoder: Any) -> dict[int, Completion]:
        finished.append(time.monotonic())
        return collect(decoder)

    with ProcessExecutor(workers=1) as executor, pytest.MonkeyPatch.context() as patch:
        verify_all(Patient(), [""], tasks[:1], executor)  # the worker is ready before the first answer
        patch.setattr(Decoder, "collect", noted)
        params = SamplingParams(max_tokens=48)
        together = play(engine, episodes, params, Patient(), seed=3, executor=executor)
    first = min(t.verdict.details["began"] for t in together)
    assert first < finished[-1]
    assert {t.verdict.details["process"] for t in together}.isdisjoint({os.getpid()})
    alone = play(engine, [env.begin(task) for task in tasks], params, Patient(), seed=3)
    assert [t.tokens for t in together] == [t.tokens for t in alone]
