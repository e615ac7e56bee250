"""Reward models: the loss by hand and against TRL's, scores, order learnt on pairs, and PPO's value from them."""

from __future__ import annotations

import math
import types
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import torch

from rlvr_gym.agents.algorithms import ValueConfig
from rlvr_gym.agents.best_of_n import Attempt
from rlvr_gym.agents.config import OptimiserConfig, TrainConfig
from rlvr_gym.agents.fitting import FitConfig, fit
from rlvr_gym.agents.policy import load_policy
from rlvr_gym.agents.ppo import ValueModel
from rlvr_gym.agents.preferences import Pair
from rlvr_gym.agents.reward_model import RewardModel, bradley_terry_loss, pair_accuracy, reward_gradient
from rlvr_gym.agents.trainer import train
from rlvr_gym.errors import ConfigError

USER = [{"role": "user", "content": "2+2="}]


def told(text: str, *, correct: bool) -> Attempt:
    tokenizer = load_policy("micro").tokenizer
    prompt, said = tokenizer.encode_prompt(USER), tokenizer.encode_completion(text)
    mask = [False] * len(prompt) + [True] * len(said)
    return Attempt([], prompt + said, mask, correct, True, True)


def pairs(texts: list[tuple[str, str]]) -> list[Pair]:
    return [Pair(told(better, correct=True), told(worse, correct=False)) for better, worse in texts]


def test_by_hand() -> None:
    chosen, rejected = torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 0.0])
    expected = [math.log(1 + math.exp(-2)), math.log(2)]
    torch.testing.assert_close(bradley_terry_loss(chosen, rejected), torch.tensor(expected))
    centred = bradley_terry_loss(torch.tensor([1.0]), torch.tensor([2.0]), centre=0.1)
    assert float(centred) == pytest.approx(math.log(1 + math.e) + 0.1 * 9)


def test_gradcheck() -> None:
    inputs = [torch.randn(4, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    assert torch.autograd.gradcheck(lambda a, b: bradley_terry_loss(a, b, 0.3), inputs)


@pytest.mark.parametrize("centre", [None, 0.07])
def test_equal_to_trl(centre: float | None) -> None:
    """TRL's own ``compute_loss`` on given rewards."""
    trl = pytest.importorskip("trl")
    rewards = torch.randn(10, generator=torch.Generator().manual_seed(0))
    trainer = types.SimpleNamespace(
        model=types.SimpleNamespace(training=False),
        args=types.SimpleNamespace(center_rewards_coefficient=centre),
        accelerator=types.SimpleNamespace(gather=lambda x: x, gather_for_metrics=lambda x: x),
        _metrics=defaultdict(lambda: defaultdict(list)),
        _total_train_tokens=0,
    )

    def model(**_: Any) -> Any:
        return types.SimpleNamespace(logits=rewards[:, None])

    theirs = trl.RewardTrainer.compute_loss(trainer, model, {})
    ours = bradley_terry_loss(rewards[:5], rewards[5:], centre or 0.0).mean()
    torch.testing.assert_close(ours, theirs)


def test_scores_are_read_off_the_last_token_whatever_else_is_in_the_batch() -> None:
    model = RewardModel(load_policy("micro", seed=1), seed=2)
    texts = ["4", "a much longer text", ""]
    together = model.score([USER] * 3, texts)
    assert together == pytest.approx([model.score([USER], [text])[0] for text in texts], abs=1e-5)
    row = told("4", correct=True).tokens
    with torch.no_grad():
        hidden = model.trunk.hidden(torch.tensor([row]))[0, -1]
        by_hand = model.value.head.weight[0] @ hidden + model.value.head.bias[0]
    assert together[0] == pytest.approx(float(by_hand), abs=1e-5)
    assert len(set(together)) == 3
    assert model.score([], []) == []


def test_scores_need_prompts_and_room() -> None:
    model = RewardModel(load_policy("micro"))
    with pytest.raises(ConfigError, match="got 1 prompts, 2 completions"):
        model.score([USER], ["a", "b"])
    with pytest.raises(ConfigError, match="the reward model's context is 4096"):
        model.score([USER], ["a" * 5000])


def test_micro_batches_change_nothing() -> None:
    rows = pairs([("4", "5"), ("4!", "a long wrong answer"), ("=4", "")])

    def gradient(size: int) -> tuple[dict[str, float], list[torch.Tensor]]:
        model = RewardModel(load_policy("micro", seed=1), seed=2)
        return reward_gradient(model, rows, size, centre=0.1), [
            p.grad for p in model.parameters() if p.grad is not None
        ]

    (expected, whole), (metrics, parts) = gradient(100), gradient(2)
    assert metrics == pytest.approx(expected, abs=1e-6)
    assert len(parts) == len(whole) > 2
    for a, b in zip(parts, whole, strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-4)


def test_it_learns_an_order_that_holds_for_pairs_it_has_not_seen(tmp_path: Path) -> None:
    """Better: the text ends with a mark, wherever else marks stand."""
    words = [f"{a}{b}" for a in "abcdefgh" for b in "stuvwxyz"]
    rows = pairs([(f"{word}+-", f"{word}-+") for word in words])
    model = RewardModel(load_policy("micro", seed=1), seed=2)
    config = FitConfig(epochs=8, batch_size=16, lr=1e-2, warmup_steps=0)

    def gradient(part: list[Pair]) -> dict[str, float]:
        return reward_gradient(model, part, 32, centre=0.01)

    fit(model, rows[:48], gradient, config, OptimiserConfig(), seed=0, folder=tmp_path)
    rate = pair_accuracy(model, rows[48:])
    assert rate.mean == 1.0
    assert 0.7 < rate.low < 1.0
    upside_down = [Pair(pair.rejected, pair.chosen) for pair in rows[48:]]
    assert pair_accuracy(model, upside_down).mean == 0.0


def test_saved_and_loaded(tmp_path: Path) -> None:
    model = RewardModel(load_policy("micro", seed=1), seed=2)
    model.save(tmp_path / "rm")
    again = RewardModel.load(tmp_path / "rm")
    assert again.score([USER], ["4"]) == model.score([USER], ["4"])
    value = ValueModel(load_policy("micro"), ValueConfig(trunk="own", init=f"ckpt:{tmp_path / 'rm'}"))
    assert torch.equal(value.head.weight, model.value.head.weight)
    with pytest.raises(ConfigError, match="nothing"):
        RewardModel.load(tmp_path / "nothing")


@pytest.mark.parametrize("trunk", ["own", "shared"])
def test_ppo_begins_from_it(micro_config: TrainConfig, tmp_path: Path, trunk: str) -> None:
    RewardModel(load_policy("micro", seed=1), seed=2).save(tmp_path / "rm")
    value = {"trunk": trunk, "init": f"ckpt:{tmp_path / 'rm'}"}
    config = micro_config.replace(steps=1, algorithm={"name": "ppo", "value": value}, **{"eval.tasks": 0})
    assert train(config, tmp_path / "run", quiet=True).steps == 1


def test_the_policy_it_begins_from_is_left_alone() -> None:
    policy = load_policy("micro", seed=1)
    before = {key: weight.clone() for key, weight in policy.state_dict().items()}
    model = RewardModel(policy)
    reward_gradient(model, pairs([("4", "5")]), 2)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(1.0)
    assert all(torch.equal(policy.state_dict()[key], weight) for key, weight in before.items())
    assert all(p.grad is None for p in policy.parameters())
