"""The recipes of several turns: short conversations, masks, metrics, and a few steps of each from end to end."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.groups import Sampler, sample_metrics
from rlvr_gym.agents.rollout import Completion, RolloutEngine
from rlvr_gym.agents.run import make_policy
from rlvr_gym.agents.sft import demonstrate
from rlvr_gym.agents.tasks import TaskFeed, make_settings
from rlvr_gym.agents.trainer import train

RECIPES = Path(__file__).parents[2] / "recipes"
NAMES = ("game", "search")


def recipe(name: str) -> TrainConfig:
    return TrainConfig.from_yaml(RECIPES / f"{name}.yaml")


class Oracles(RolloutEngine):
    """Says in turn t of row r what the oracle of that row's task says; ``spoil`` may change it."""

    def __init__(self, config: TrainConfig, spoil: Any = lambda row, turn, text: text) -> None:
        self.settings = make_settings(config)
        super().__init__(make_policy(config, self.settings))
        feed = TaskFeed(self.settings.problem, config.seed)
        self.spoil, self.scripts = spoil, list[list[str]]()
        for task in feed.take(config.sampling.prompts_per_step):
            self.scripts += [self._script(task)] * config.sampling.group_size

    def _script(self, task: Any) -> list[str]:
        shown = demonstrate(self.settings, task, self.policy.tokenizer)
        turns: list[list[int]] = [[]]
        for token, own in zip(shown.tokens, shown.mask, strict=True):
            if own:
                turns[-1].append(token)
                if token == self.policy.tokenizer.eos_id:
                    turns.append([])
        return [self.policy.tokenizer.decode(turn) for turn in turns[:-1]]

    def generate(self, prompts: Any, params: Any, *, rows: Any, turn: int = 0, **_: Any) -> list[Completion]:
        tokenizer = self.policy.tokenizer
        texts = [self.spoil(row, turn, (self.scripts[row] * 9)[turn]) for row in rows]
        tokens = [tokenizer.encode_completion(text) for text in texts]
        assert max(map(len, tokens)) <= params.max_tokens
        return [
            Completion(ids, [-0.1] * len(ids), True, text) for ids, text in zip(tokens, texts, strict=True)
        ]


def sampled(config: TrainConfig, **options: Any) -> tuple[Oracles, Any]:
    engine = Oracles(config, **options)
    sampler = Sampler(engine, engine.settings, TaskFeed(engine.settings.problem, config.seed), config)
    return engine, sampler.sample()[0]


@pytest.mark.parametrize("name", NAMES)
def test_only_what_the_policy_says_is_trained_on(name: str) -> None:
    config = recipe(name).replace(**{"sampling.prompts_per_step": 6, "sampling.group_size": 2})
    engine, groups = sampled(config)
    tokenizer = engine.policy.tokenizer
    trajectories = [t for group in groups for t in group.trajectories]
    assert sum(t.episode.turns for t in trajectories) > 1.5 * len(trajectories)
    for trajectory in trajectories:
        assert trajectory.verdict.correct
        own = [token for token, mine in zip(trajectory.tokens, trajectory.mask, strict=True) if mine]
        said = [m["content"] for m in trajectory.episode.messages if m["role"] == "assistant"]
        assert own == [token for text in said for token in tokenizer.encode_completion(text)]
        others = [token for token, mine in zip(trajectory.tokens, trajectory.mask, strict=True) if not mine]
        told = "".join(m["content"] for m in trajectory.episode.messages[:-1] if m["role"] != "assistant")
        assert tokenizer.decode(others) == told
        assert tokenizer.eos_id not in others
        assert len(trajectory.tokens) < 110  # what makes a few minutes enough


def test_calls_and_illegal_moves_are_counted() -> None:
    small = {"sampling.prompts_per_step": 4, "sampling.group_size": 2}
    metrics = sample_metrics(sampled(recipe("search").replace(**small))[1])
    assert metrics["env/tool_calls"] == 2  # one a hop
    assert metrics["env/tool_errors"] == 0
    assert metrics["env/tool_result_chars"] > 10
    assert metrics["accuracy"] == 1
    game = recipe("game").replace(**small)
    _, groups = sampled(game, spoil=lambda row, turn, text: "<answer>z</answer>" if row == 0 else text)
    turns = groups[0].trajectories[0].episode.turns
    assert sample_metrics(groups)["env/illegal_moves"] == turns / 8
    assert not groups[0].trajectories[0].verdict.correct


def test_the_search_cannot_be_skipped() -> None:
    """The question holds nothing of the answer: of equal questions no answer is frequent."""
    problem = make_settings(recipe("search")).problem
    tasks = [problem.source(0)[index] for index in range(2000)]
    assert not any(task.answer in task.prompt for task in tasks)
    answers: dict[str, Counter[str]] = {}
    for task in tasks:
        answers.setdefault(task.prompt, Counter())[task.answer] += 1
    best = sum(max(counts.values()) for counts in answers.values())
    assert best / len(tasks) < 0.25  # of some 13 tasks with the same question, by chance


@pytest.mark.parametrize("name", NAMES)
def test_the_recipe_runs_from_end_to_end(name: str, tmp_path: Path) -> None:
    config = recipe(name).replace(
        **{
            "policy": "micro",
            "sft.steps": 3,
            "sft.batch_size": 4,
            "sampling.prompts_per_step": 2,
            "sampling.group_size": 2,
            "eval.tasks": 4,
            "eval.every": 1,
            "logging.tensorboard": False,
            "logging.rollouts_every": 1,
            "steps": 2,
        }
    )
    summary = train(config, tmp_path / "run", quiet=True)
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2]
    assert all(row["turns"] >= 1 for row in rows)
    assert summary.to_dict()["steps"] == 2
