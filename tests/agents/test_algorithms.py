"""Every algorithm by its name: who gets which credit, that accumulation changes nothing, what has no gradient."""

from __future__ import annotations

import copy
import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from rlvr_gym.agents import advantages as adv
from rlvr_gym.agents import learner as learner_module
from rlvr_gym.agents.algorithms import ALGORITHMS
from rlvr_gym.agents.batch import Batch
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.credit import Credit, term_weights, token_rewards, turn_reward_tensor
from rlvr_gym.agents.gae import gae
from rlvr_gym.agents.groups import Group
from rlvr_gym.agents.learner import Learner
from rlvr_gym.agents.play import Trajectory
from rlvr_gym.agents.policy import Policy, load_policy
from rlvr_gym.agents.rollout import Completion
from rlvr_gym.agents.scoring import Scores, sampled_logprobs, score
from rlvr_gym.agents.tasks import make_settings
from rlvr_gym.errors import ConfigError
from rlvr_gym.rewards import Reward, RewardDesign
from rlvr_gym.verdict import Reason, Verdict

NAMES = sorted(ALGORITHMS)
TURNS = [[3], [2, 1], [4], [1, 2, 2], [2], [3, 1], [5], [1]]
"""Tokens in the turns of eight episodes; two groups of four."""
REWARDS = [[1.0, 0.0, 0.5, math.nan], [0.0, 0.0, 1.0, 0.25]]


@pytest.fixture
def policy() -> Policy:
    return load_policy("micro", seed=1)


def config(algorithm: Any, **overrides: Any) -> TrainConfig:
    return TrainConfig.for_env("rlvr/Arithmetic-v0", algorithm=algorithm, **overrides)


def make_groups(policy: Policy) -> list[Group]:
    """Episodes of one to three turns, with the log-probabilities that the policy itself gives, a bit off."""
    settings = make_settings(config("grpo"))
    task = settings.problem.source(0)[0]
    generator = torch.Generator().manual_seed(0)
    trajectories = []
    for i, turns in enumerate(TURNS):
        episode = settings.begin(task)
        episode.turn_metrics = [{"good": float(i + 10 * k), "noise": 1.0} for k in range(len(turns))]
        valid = not math.isnan(REWARDS[i // 4][i % 4])
        episode.verdict = Verdict.wrong() if valid else Verdict.failed(Reason.TIMEOUT)
        trajectory = Trajectory(episode, torch.randint(5, 90, (4,), generator=generator).tolist())
        for k, count in enumerate(turns):
            if k:
                trajectory.add_context([7, 8])
            tokens = torch.randint(5, 90, (count,), generator=generator).tolist()
            logprobs = (torch.randn(count, generator=generator) / 5 - 4.6).tolist()
            trajectory.add_completion(Completion(tokens, logprobs, finished=i != 2, text=""))
        trajectories.append(trajectory)
    rewards = [
        Reward(r, {} if math.isnan(r) else {"correct": r, "finished": float(j)})
        for row in REWARDS
        for j, r in enumerate(row)
    ]
    return [Group(trajectories[i : i + 4], rewards[i : i + 4]) for i in (0, 4)]


def assigner(policy: Policy, algorithm: Any, design: Any = "binary") -> Credit:
    policy = copy.deepcopy(policy)
    reference = copy.deepcopy(policy)
    with torch.no_grad():
        for weight in reference.parameters():
            weight.mul_(1.1)
    settings = config(algorithm)
    return Credit(settings, Learner(policy, settings, reference), RewardDesign.parse(design))


def rewards_tensor() -> Tensor:
    return torch.tensor(REWARDS, dtype=torch.float64)


def first_and_last(batch: Batch) -> list[tuple[int, int]]:
    """The first and last sampled position of each row that has one."""
    ends = []
    for row in batch.mask:
        at = torch.nonzero(row)[:, 0].tolist()
        ends.append((at[0], at[-1]) if at else (-1, -1))
    return ends


@pytest.mark.parametrize("name", ["grpo", "bnpo", "dr_grpo", "dapo", "rloo", "gspo", "cispo"])
def test_group_algorithms_give_each_sequence_its_advantage(policy: Policy, name: str) -> None:
    credit = assigner(policy, name)
    batch, metrics = credit.assign(make_groups(policy))
    expected = adv.ADVANTAGES[credit.algorithm.advantage](rewards_tensor()).flatten()
    torch.testing.assert_close(batch.advantages[:, 0], expected.float())
    assert batch.prompts is not None
    assert batch.prompts.tolist() == [0] * 4 + [1] * 4
    assert not metrics


@pytest.mark.parametrize("name", NAMES)
def test_an_invalid_sample_has_no_credit_and_no_tokens(policy: Policy, name: str) -> None:
    extra = {"beta": 0.1, "kl_in": "reward"} if name != "gdpo" else {}
    credit = assigner(policy, {"name": name, **extra}, {"correct": 1.0, "finished": 0.5})
    batch, _ = credit.assign(make_groups(policy))
    assert not batch.mask[3].any()
    assert not batch.advantages[3].any()
    assert batch.advantages.isfinite().all()
    others = [0, 1, 2, 4, 5, 6, 7]
    assert (batch.mask[others].sum(1) > 0).all()
    if batch.advantages.shape[1] > 1:
        assert not batch.advantages[batch.mask == 0].any()


def test_the_kl_in_the_reward_of_a_completion(policy: Policy) -> None:
    credit = assigner(policy, {"name": "rloo", "beta": 0.1, "kl_in": "reward", "kl_estimator": "k1"})
    batch, metrics = credit.assign(make_groups(policy))
    ref = credit.learner.reference_logprobs(batch)
    kl = ((batch.old - ref) * batch.mask).sum(1).reshape(2, 4).double()
    expected = adv.rloo(rewards_tensor() - 0.1 * kl)
    torch.testing.assert_close(batch.advantages[:, 0].double().reshape(2, 4), expected, atol=1e-6, rtol=1e-5)
    assert metrics["rewards/kl/mean"] == pytest.approx(-0.1 * float(kl.mean()), rel=1e-5)


def test_the_kl_in_the_reward_of_tokens(policy: Policy) -> None:
    algorithm = {
        "name": "reinforce",
        "baseline": "none",
        "beta": 0.1,
        "kl_in": "reward",
        "kl_estimator": "k1",
    }
    credit = assigner(policy, algorithm)
    batch, _ = credit.assign(make_groups(policy))
    ref = credit.learner.reference_logprobs(batch)
    # episode 1: two turns; what is still to come of the reward and of the KL
    at = torch.nonzero(batch.mask[1])[:, 0]
    kl = (batch.old - ref)[1, at]
    expected = 0.0 - 0.1 * torch.stack([kl[i:].sum() for i in range(len(at))])
    torch.testing.assert_close(batch.advantages[1, at], expected, atol=1e-6, rtol=1e-5)


def test_reinforce_with_each_baseline(policy: Policy) -> None:
    groups = make_groups(policy)
    mean = (1 + 0 + 0.5 + 0 + 0 + 1 + 0.25) / 7
    for baseline, expected in (("none", 0.0), ("mean", mean), ("moving_average", 0.0)):
        batch, _ = assigner(policy, {"name": "reinforce", "baseline": baseline}).assign(groups)
        for row, reward in enumerate(rewards_tensor().flatten().nan_to_num().tolist()):
            at = batch.mask[row] > 0
            torch.testing.assert_close(
                batch.advantages[row, at], torch.full((int(at.sum()),), reward - expected)
            )


def test_the_moving_baseline_is_that_of_earlier_steps(policy: Policy) -> None:
    credit = assigner(policy, "reinforce")
    groups, mean = make_groups(policy), 2.75 / 7
    credit.assign(groups)
    assert credit.learner.state.baseline.value == pytest.approx(mean)
    batch, _ = credit.assign(groups)
    first, _last = first_and_last(batch)[0]
    assert float(batch.advantages[0, first]) == pytest.approx(1 - mean)


def test_turn_rewards_are_rewards_to_go(policy: Policy) -> None:
    algorithm = {"name": "reinforce", "baseline": "none", "turn_rewards": {"good": 0.1}, "gamma": 0.5}
    batch, _ = assigner(policy, algorithm).assign(make_groups(policy))
    # episode 5: turns of 3 and 1 tokens, good = 5 and 15, outcome 0
    at = torch.nonzero(batch.mask[5])[:, 0]
    at_turn_end = 0.5 + 0.5 * 1.5
    expected = torch.tensor([at_turn_end / 4, at_turn_end / 2, at_turn_end, 1.5])
    torch.testing.assert_close(batch.advantages[5, at], expected)


def test_token_rewards_by_hand() -> None:
    mask = torch.tensor([[0.0, 1, 1, 0, 1, 0], [0, 1, 0, 0, 0, 0]])
    result = token_rewards(
        torch.tensor([5.0, 7.0]),
        mask,
        torch.tensor([[1.0, 2.0], [3.0, 9.0]]),
        torch.tensor([[9.0, 0.1, 0.2, 9.0, 0.3, 9.0], [9.0, 0.5, 9.0, 9.0, 9.0, 9.0]]),
    )
    expected = [[0, -0.1, 1 - 0.2, 0, 2 + 5 - 0.3, 0], [0, 3 + 7 - 0.5, 0, 0, 0, 0]]
    torch.testing.assert_close(result, torch.tensor(expected))


def test_gae_of_the_value_model(policy: Policy) -> None:
    credit = assigner(policy, {"name": "ppo", "whiten": False, "lam": 0.9, "value": {"init": "random"}})
    batch, _ = credit.assign(make_groups(policy))
    assert batch.values is not None
    assert batch.returns is not None
    assert batch.values.any()
    rewards = torch.zeros_like(batch.mask)
    for row, (_, last) in enumerate(first_and_last(batch)):
        if last >= 0:
            rewards[row, last] = REWARDS[row // 4][row % 4]
    advantages, returns = gae(rewards, batch.values, batch.mask, lam=0.9)
    torch.testing.assert_close(batch.advantages, advantages)
    torch.testing.assert_close(batch.returns, returns)


def test_whitened_advantages(policy: Policy) -> None:
    batch, _ = assigner(policy, "reinforce_pp").assign(make_groups(policy))
    inside = batch.advantages[batch.mask > 0]
    assert float(inside.mean()) == pytest.approx(0, abs=1e-6)
    assert float(inside.std(unbiased=False)) == pytest.approx(1, rel=1e-5)


def test_turn_level_credit_lands_on_its_turn(policy: Policy) -> None:
    algorithm = {"name": "mt_grpo", "turn_rewards": {"good": 1.0}, "turn_decay": 0.5}
    groups = make_groups(policy)
    batch, _ = assigner(policy, algorithm).assign(groups)
    credit = adv.turn_level(turn_reward_tensor(groups, {"good": 1.0}), rewards_tensor(), 0.5).flatten(0, 1)
    for row, turns in enumerate(TURNS):
        if row == 3:
            continue
        expected = torch.cat([credit[row, k].expand(count) for k, count in enumerate(turns)])
        torch.testing.assert_close(batch.advantages[row, batch.mask[row] > 0], expected.float())


def test_turn_rewards_by_hand(policy: Policy) -> None:
    turns = turn_reward_tensor(make_groups(policy), {"good": 2.0, "noise": -1.0, "unheard of": 5.0})
    assert turns.shape == (2, 4, 3)
    assert turns[0, 1, :2].tolist() == [2 * 1 - 1, 2 * 11 - 1]
    assert turns[0, 1, 2].isnan()


def test_an_episode_knows_what_each_turn_counted() -> None:
    settings = make_settings(TrainConfig.for_env("rlvr/GuessTheNumber-v0"))
    episode = settings.begin(settings.problem.source(0)[0])
    episode.act("<guess>50</guess>")
    episode.act("nonsense")
    episode.act("nonsense again")
    assert len(episode.turn_metrics) == episode.turns == 3
    summed: dict[str, float] = {}
    for counted in episode.turn_metrics:
        for name, value in counted.items():
            summed[name] = summed.get(name, 0.0) + value
    assert summed == episode.metrics
    assert episode.turn_metrics[1] == episode.turn_metrics[2] == {"illegal_guesses": 1.0}


def test_gdpo_reads_the_designs_weights(policy: Policy) -> None:
    design = {"correct": 1.0, "finished": 0.25, "length": 0.0}
    batch, _ = assigner(policy, "gdpo", design).assign(make_groups(policy))
    finished = torch.tensor([[0.0, 1.0, 2.0, math.nan], [0.0, 1.0, 2.0, 3.0]], dtype=torch.float64)
    expected = adv.gdpo(torch.stack([rewards_tensor(), finished], dim=-1), torch.tensor([1.0, 0.25]))
    torch.testing.assert_close(batch.advantages[:, 0], expected.flatten().float())


def test_term_weights() -> None:
    assert term_weights(RewardDesign.parse({"correct": 1.0, "length": 0.0, "finished": -2.0})) == {
        "correct": 1.0,
        "finished": -2.0,
    }
    assert term_weights(RewardDesign.parse({"term": "correct"})) == {"correct": 1.0}
    for design in (
        {"op": "product", "of": ["correct", "finished"]},
        {"op": "sum", "of": ["correct", {"op": "clip", "low": 0, "of": "length"}]},
        {"op": "gate", "if": "correct", "then": "finished"},
    ):
        with pytest.raises(ConfigError, match="weighted sum of terms"):
            term_weights(RewardDesign.parse(design))


def test_the_eos_trick(policy: Policy) -> None:
    credit = assigner(policy, {"name": "reinforce", "baseline": "none", "missing_eos": -1.0})
    batch, _ = credit.assign(make_groups(policy))
    totals = [float(batch.advantages[row].min() + batch.advantages[row].max()) for row in range(8)]
    assert totals[2] == -1.0  # in place of 0.5; position 0 adds the 0
    assert totals[0] == 1.0
    assert not batch.advantages[3].any()


@pytest.mark.parametrize("how", ["batch", "running"])
def test_normalised_rewards(policy: Policy, how: str) -> None:
    credit = assigner(policy, {"name": "reinforce", "baseline": "none", "reward_norm": how})
    rewards = rewards_tensor()
    valid = rewards[~rewards.isnan()]
    mean, std = float(valid.mean()), float(valid.std(unbiased=False))
    batch, _ = credit.assign(make_groups(policy))
    first, _ = first_and_last(batch)[0]
    expected = (1 - mean) / std + mean if how == "batch" else 1 / std
    assert float(batch.advantages[0, first]) == pytest.approx(expected, rel=1e-5)


def test_recomputed_old_logprobs_and_their_importance(policy: Policy) -> None:
    credit = assigner(policy, {"name": "grpo", "recompute_old": True, "importance_cap": 1.1})
    batch, _ = credit.assign(make_groups(policy))
    sampled = assigner(policy, "grpo").assign(make_groups(policy))[0]
    own = sampled_logprobs(policy, batch.tokens, batch.mask)
    torch.testing.assert_close(batch.old, own, atol=1e-5, rtol=1e-5)
    expected = (own - sampled.old).exp().clamp(max=1.1) * batch.mask
    assert batch.importance is not None
    torch.testing.assert_close(batch.importance, expected, atol=1e-5, rtol=1e-5)
    assert (batch.importance[batch.mask > 0] < 1.1).any()
    assert (batch.importance == torch.tensor(1.1)).any()


VARIANTS: list[dict[str, Any]] = [
    *({"name": name} for name in NAMES),
    {"name": "grpo", "beta": 0.1, "kl_unbiased": True},
    {"name": "grpo", "entropy_coef": 0.1},
    {"name": "grpo", "loss": "prompt"},
    {"name": "grpo", "recompute_old": True, "importance_cap": 1.1},
    {"name": "ppo", "value": {"trunk": "own", "init": "random"}},
    {"name": "dapo", "dual_clip": 3.0},
]


def label(algorithm: dict[str, Any]) -> str:
    return "-".join([algorithm["name"], *(key for key in algorithm if key != "name")])


def gradients(learner: Learner) -> dict[str, Tensor]:
    return {str(i): p.grad.clone() for i, p in enumerate(learner._weights) if p.grad is not None}


@pytest.mark.parametrize("algorithm", VARIANTS, ids=label)
def test_accumulation_changes_nothing(policy: Policy, algorithm: dict[str, Any]) -> None:
    groups, found = make_groups(policy), []
    for size in (100, 1, 3):
        settings = config(
            {**algorithm, "epochs": 1}, **{"optimiser.micro_batch": size, "optimiser.max_grad_norm": 1e9}
        )
        mine = copy.deepcopy(policy)
        learner = Learner(mine, settings, copy.deepcopy(policy))
        design = RewardDesign.parse({"correct": 1.0, "finished": 0.5})
        batch, _ = Credit(settings, learner, design).assign(groups)
        learner.update(batch, 1)
        found.append(gradients(learner))
    for other in found[1:]:
        assert other.keys() == found[0].keys()
        for key, value in other.items():
            torch.testing.assert_close(value, found[0][key], atol=1e-6, rtol=1e-4)
    assert any(value.any() for value in found[0].values())


@pytest.mark.parametrize("algorithm", VARIANTS, ids=label)
def test_no_gradient_from_prompt_tool_or_padding_tokens(
    policy: Policy, algorithm: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The forward pass is replaced by leaves, so that each token's own gradient can be looked at."""
    credit = assigner(policy, {**algorithm, "epochs": 1}, {"correct": 1.0, "finished": 0.5})
    batch, _ = credit.assign(make_groups(policy))
    generator = torch.Generator().manual_seed(4)
    leaves = {
        name: (base + torch.randn(batch.mask.shape, generator=generator) / 10).requires_grad_()
        for name, base in (("logprobs", batch.old), ("entropy", 3.0), ("values", 0.0))
    }

    def given(*_: Any, entropy: bool = False, value: Any = None, **__: Any) -> Scores:
        return Scores(
            leaves["logprobs"], leaves["entropy"] if entropy else None, leaves["values"] if value else None
        )

    monkeypatch.setattr(learner_module, "score", given)
    learner = credit.learner
    weights = learner_module.token_weights(batch.mask, credit.algorithm.loss, 64, batch.prompts)
    evenly = learner_module.token_weights(batch.mask, "bnpo", 64)
    learner._loss(batch, weights, evenly, learner_module._Totals()).backward()
    used = [leaf.grad for leaf in leaves.values() if leaf.grad is not None]
    assert len(used) == 1 + (credit.algorithm.entropy_coef > 0) + credit.algorithm.has_value
    for gradient in used:
        assert gradient.any()
        assert not gradient[batch.mask == 0].any()


@pytest.mark.parametrize("name", NAMES)
def test_good_tokens_get_likelier(policy: Policy, name: str) -> None:
    """A few steps on one batch move the policy towards what was better than the rest."""
    extra = {"dynamic_sampling": False, "eps_low": 0.5, "eps_high": 0.5}
    settings = config({"name": name, **extra}, **{"optimiser.lr": 1e-3, "optimiser.warmup_steps": 0})
    learner = Learner(policy, settings, copy.deepcopy(policy))
    batch, _ = Credit(settings, learner, RewardDesign.parse({"term": "correct"})).assign(make_groups(policy))
    before = sampled_logprobs(policy, batch.tokens, batch.mask).sum(1)
    for step in range(5):
        learner.update(dataclasses.replace(batch), step)
    change = sampled_logprobs(policy, batch.tokens, batch.mask).sum(1) - before
    assert change[6] > 0  # the one that was right, in a group of which the others were not
    assert change[6] > change[4]


def test_the_penalty_and_beta_adapt(policy: Policy) -> None:
    algorithm = {
        "name": "ppo_penalty", "penalty": 1.0, "penalty_target": 1e-9, "beta": 0.2, "kl_target": 1e-9,
        "kl_horizon": 80, "epochs": 2,
    }  # fmt: skip
    credit = assigner(policy, algorithm)
    batch, _ = credit.assign(make_groups(policy))
    metrics = credit.learner.update(batch, 1)
    assert metrics["penalty"] == 2.0
    assert metrics["beta"] == pytest.approx(0.2 * (1 + 0.2 * 8 / 80))
    again = credit.learner.update(batch, 2)
    assert again["penalty"] == 4.0
    assert again["kl_step"] > 0


def test_entropy_is_that_of_the_distribution(policy: Policy) -> None:
    batch, _ = assigner(policy, "grpo").assign(make_groups(policy))
    scores = score(policy, batch.tokens, batch.mask, temperature=0.7, entropy=True)
    hidden = policy.hidden(batch.tokens[:1])
    log = (policy.logits(hidden)[0] / 0.7).log_softmax(-1)
    expected = -(log.exp() * log).sum(-1)
    at = torch.nonzero(batch.mask[0])[:, 0]
    assert scores.entropy is not None
    torch.testing.assert_close(scores.entropy[0, at], expected[at - 1], atol=1e-5, rtol=1e-5)


def test_the_entropy_bonus_raises_entropy(policy: Policy) -> None:
    measured: dict[float, float] = {}
    for coefficient in (0.0, 1.0):
        mine = copy.deepcopy(policy)
        with torch.no_grad():
            mine.embedding.weight.mul_(20)  # a policy that is sure of itself
        settings = config({"name": "grpo", "entropy_coef": coefficient}, **{"optimiser.lr": 1e-3})
        learner = Learner(mine, settings)
        batch, _ = Credit(settings, learner, RewardDesign.parse("binary")).assign(make_groups(policy))
        for step in range(5):
            learner.update(batch, step)
        entropy = score(mine, batch.tokens, batch.mask, entropy=True).entropy
        assert entropy is not None
        measured[coefficient] = float(entropy.detach().sum())
    assert measured[1.0] > measured[0.0]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "grpo", "importance_cap": 2.0}, "set recompute_old"),
    ({"name": "grpo", "kl_target": 0.1}, "start it above 0"),
    ({"name": "grpo", "penalty_target": 0.1}, "objective: penalty"),
    ({"name": "grpo", "dual_clip": 1.1}, "above 1 \\+ eps_high"),
    ({"name": "grpo", "turn_rewards": {"x": 1.0}}, "mt_grpo, reinforce, gae"),
    ({"name": "gdpo", "missing_eos": -1.0}, "no place"),
    ({"name": "gdpo", "beta": 0.1, "kl_in": "reward"}, "kl_in: loss"),
    ({"name": "grpo", "kl_unbiased": True, "kl_in": "reward"}, "kl_in: loss"),
    ({"name": "ppo", "value": {"init": "one"}}, "algorithm.value.init"),
]


@pytest.mark.parametrize(("algorithm", "message"), WRONG, ids=[m for _, m in WRONG])
def test_settings_that_do_not_go_together(algorithm: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config(algorithm)


def test_another_algorithm_brings_its_own_settings() -> None:
    changed = config({"name": "dapo", "minibatches": 3}).replace(algorithm="gspo")
    assert changed.algorithm == config({"name": "gspo", "minibatches": 3}).algorithm
    assert changed.replace(seed=4).algorithm == changed.algorithm
