"""Losses, advantages, KL and importance weights against TRL's own code, run on random tensors.

A real ``GRPOTrainer`` of a random two-layer model is built; where a test says so, its forward pass, its generation
or its reward functions are replaced by given tensors. What is compared is what TRL computes from them.
"""

from __future__ import annotations

import copy
import math
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from rlvr_gym.agents import advantages as adv
from rlvr_gym.agents.losses import (
    cispo_loss,
    clipped_policy_loss,
    importance_weights,
    kl_divergence,
    token_weights,
)
from rlvr_gym.agents.scoring import score

trl = pytest.importorskip("trl")
transformers = pytest.importorskip("transformers")

P, G, T, LIMIT = 3, 4, 7, 9
B = P * G


def tiny_tokenizer() -> Any:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    words = {f"w{i}": i for i in range(60)} | {"<pad>": 60, "<eos>": 61, "<unk>": 62}
    inner = Tokenizer(WordLevel(words, unk_token="<unk>"))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )


def tiny_model() -> Any:
    config = transformers.Qwen2Config(
        vocab_size=63, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=64, pad_token_id=60, eos_token_id=61,
    )  # fmt: skip
    torch.manual_seed(0)
    return transformers.Qwen2ForCausalLM(config)


def build(name: str, folder: Path) -> Any:
    """A real trainer; ``name`` is GRPO or RLOO."""
    from datasets import Dataset

    arguments = getattr(trl, f"{name}Config")(
        output_dir=str(folder), report_to=[], use_cpu=True, bf16=False, per_device_train_batch_size=B,
        num_generations=G, max_completion_length=LIMIT, logging_strategy="no", save_strategy="no",
        beta=0.0,
    )  # fmt: skip
    trainer = getattr(trl, f"{name}Trainer")(
        model=tiny_model(),
        reward_funcs=lambda completions, **_: [0.0] * len(completions),
        args=arguments,
        train_dataset=Dataset.from_dict({"prompt": ["w1 w2"] * B}),
        processing_class=tiny_tokenizer(),
    )
    trainer.model.eval()
    return trainer


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return {name: build(name, tmp_path_factory.mktemp(name)) for name in ("GRPO", "RLOO")}


@pytest.fixture
def trainer(shared: dict[str, Any]) -> Any:
    fresh = copy.copy(shared["GRPO"])  # settings that a test changes are its own
    fresh.args = copy.copy(fresh.args)
    return fresh


@pytest.fixture
def rloo_trainer(shared: dict[str, Any]) -> Any:
    return copy.copy(shared["RLOO"])


class Given:
    """Random tensors of one batch, in float64."""

    def __init__(self, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)

        def draw(*shape: int) -> Tensor:
            return torch.randn(*shape, dtype=torch.float64, generator=generator)

        self.old = draw(B, T) / 2 - 2
        self.logprobs = (self.old + draw(B, T) / 3).requires_grad_()
        self.ref = self.old + draw(B, T) / 3
        self.entropy = draw(B, T).abs().requires_grad_()
        self.advantages = draw(B)
        lengths = torch.randint(1, T + 1, (B,), generator=generator)
        self.mask = (torch.arange(T) < lengths[:, None]).long()
        self.tool = (torch.rand(B, T, generator=generator) < 0.8).long()
        self.tool[:, 0] = 1  # nobody's completion is nothing but tool tokens

    def inputs(self, *, tools: bool = False) -> dict[str, Tensor]:
        chosen = self.mask * self.tool if tools else self.mask
        ids = torch.ones(B, T, dtype=torch.long)
        return {
            "prompt_ids": ids[:, :2], "prompt_mask": ids[:, :2], "completion_ids": ids, "completion_mask": self.mask,
            "advantages": self.advantages, "old_per_token_logps": self.old, "ref_per_token_logps": self.ref,
            "num_items_in_batch": chosen.sum(), **({"tool_mask": self.tool} if tools else {}),
        }  # fmt: skip


def theirs(trainer: Any, given: Given, **inputs: Any) -> Tensor:
    """TRL's loss on given log-probabilities."""

    def forward(self: Any, *_: Any, **__: Any) -> tuple[Tensor, Tensor, None]:
        return given.logprobs, given.entropy, None

    trainer._get_per_token_logps_and_entropies = types.MethodType(forward, trainer)
    return trainer.compute_loss(trainer.model, {**given.inputs(), **inputs})


def same(ours: Tensor, other: Tensor, *leaves: Tensor) -> None:
    """Equal in value and in gradient."""
    torch.testing.assert_close(ours, other.double(), atol=1e-6, rtol=1e-6)
    for leaf in leaves:
        a, b = (torch.autograd.grad(x, leaf, retain_graph=True)[0] for x in (ours, other))
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-6)
        assert a.any()


def aggregate(per_token: Tensor, mask: Tensor, loss: str) -> Tensor:
    return (token_weights(mask.double(), loss, LIMIT) * per_token).sum()


@pytest.mark.parametrize(("beta", "unbiased"), [(0.0, False), (0.07, False), (0.07, True)])
@pytest.mark.parametrize("tools", [False, True])
@pytest.mark.parametrize("loss", ["grpo", "bnpo", "dr_grpo", "dapo"])
def test_clipped_losses_and_kl(trainer: Any, loss: str, tools: bool, beta: float, unbiased: bool) -> None:
    given = Given(1)
    trainer.args.use_bias_correction_kl = unbiased
    trainer.loss_type, trainer.beta = loss, beta
    trainer.epsilon_low, trainer.epsilon_high = 0.2, 0.28
    mask = given.mask * given.tool if tools else given.mask
    per_token, _ = clipped_policy_loss(
        given.logprobs, given.old, given.advantages[:, None], eps_low=0.2, eps_high=0.28
    )
    kl = kl_divergence(given.logprobs, given.ref, "k3", old=given.old if unbiased else None)
    ours = aggregate(per_token + beta * kl, mask, loss)
    same(ours, theirs(trainer, given, **given.inputs(tools=tools)), given.logprobs)


def test_dual_clip(trainer: Any) -> None:
    given = Given(2)
    trainer.loss_type, trainer.beta, trainer.args.delta = "grpo", 0.0, 1.2
    trainer.epsilon_low, trainer.epsilon_high = 0.1, 0.1
    per_token, clips = clipped_policy_loss(
        given.logprobs, given.old, given.advantages[:, None], eps_low=0.1, eps_high=0.1, dual_clip=1.2
    )
    assert (clips["clip_ratio/dual"] * given.mask).any()
    same(aggregate(per_token, given.mask, "grpo"), theirs(trainer, given), given.logprobs)


def test_gspo(trainer: Any) -> None:
    given = Given(3)
    trainer.loss_type, trainer.beta, trainer.importance_sampling_level = "grpo", 0.0, "sequence"
    trainer.epsilon_low, trainer.epsilon_high = 0.1, 0.15
    mask = given.mask.double()
    per_token, clips = clipped_policy_loss(
        given.logprobs, given.old, given.advantages[:, None], eps_low=0.1, eps_high=0.15, mask=mask
    )
    cut = (clips["clip_ratio/low"] + clips["clip_ratio/high"]).amax(1)
    assert cut.any()
    assert not cut.all()
    same(aggregate(per_token, given.mask, "grpo"), theirs(trainer, given), given.logprobs)


def test_cispo(trainer: Any) -> None:
    given = Given(4)
    trainer.loss_type, trainer.beta, trainer.epsilon_high = "cispo", 0.0, 1.2
    per_token, clips = cispo_loss(given.logprobs, given.old, given.advantages[:, None], ratio_max=1.2)
    assert clips["clip_ratio/high"].any()
    same(aggregate(per_token, given.mask, "dapo"), theirs(trainer, given), given.logprobs)


def test_advantages_of_tokens(trainer: Any) -> None:
    given = Given(5)
    trainer.loss_type, trainer.beta = "dapo", 0.0
    advantages = torch.randn(B, T, dtype=torch.float64, generator=torch.Generator().manual_seed(6))
    per_token, _ = clipped_policy_loss(given.logprobs, given.old, advantages, eps_low=0.2, eps_high=0.2)
    other = theirs(trainer, given, advantages=advantages)
    same(aggregate(per_token, given.mask, "dapo"), other, given.logprobs)


def test_entropy_bonus(trainer: Any) -> None:
    given = Given(7)
    trainer.loss_type, trainer.beta = "grpo", 0.0
    trainer._entropy_bonus_enabled, trainer.entropy_coef, trainer.use_adaptive_entropy = True, 0.05, False
    per_token, _ = clipped_policy_loss(
        given.logprobs, given.old, given.advantages[:, None], eps_low=0.2, eps_high=0.2
    )
    bonus = 0.05 * aggregate(given.entropy, given.mask, "bnpo")
    ours = aggregate(per_token, given.mask, "grpo") - bonus
    same(ours, theirs(trainer, given), given.logprobs, given.entropy)


def scored(trainer: Any, rewards: Tensor, given: Given | None = None, rollout: Tensor | None = None) -> Any:
    """What TRL makes of rewards ``[B, K]``: its generation and its reward functions are given."""

    def generate(self: Any, prompts: list[str]) -> tuple[Any, ...]:
        ids = [[1] * T for _ in prompts]
        logprobs = None if rollout is None else rollout.tolist()
        return [[1, 2] for _ in prompts], ids, None, [""] * len(prompts), logprobs, {}, None, None

    def calculate(self: Any, *_: Any) -> Tensor:
        return rewards

    def forward(self: Any, *_: Any, **__: Any) -> tuple[Tensor, None, None]:
        assert given is not None
        return given.old, None, None

    trainer._generate = types.MethodType(generate, trainer)
    trainer._calculate_rewards = types.MethodType(calculate, trainer)
    if given is not None:
        trainer._get_per_token_logps_and_entropies = types.MethodType(forward, trainer)
    trainer.reward_weights = torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64)[: rewards.shape[1]]
    trainer.reward_func_names = [f"r{k}" for k in range(rewards.shape[1])]
    trainer.reward_funcs = [None] * rewards.shape[1]
    return trainer._generate_and_score_completions([{"prompt": "w1 w2"} for _ in range(B)])


def some_rewards(columns: int, *, invalid: bool) -> Tensor:
    rewards = torch.rand(B, columns, dtype=torch.float64, generator=torch.Generator().manual_seed(8))
    rewards[G : 2 * G] = rewards[G]  # a group that is all alike
    if invalid:
        rewards[2] = math.nan
    return rewards


@pytest.mark.parametrize("invalid", [False, True])
@pytest.mark.parametrize(("scale", "name"), [("group", "grpo"), ("none", "dr_grpo"), ("batch", "batch")])
def test_group_advantages(trainer: Any, scale: str, name: str, invalid: bool) -> None:
    trainer.scale_rewards, trainer.multi_objective_aggregation = scale, "sum_then_normalize"
    trainer.beta = 0.0
    rewards = some_rewards(1, invalid=invalid)
    other = scored(trainer, rewards)["advantages"].reshape(P, G)
    torch.testing.assert_close(adv.ADVANTAGES[name](rewards.reshape(P, G)), other, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("invalid", [False, True])
def test_gdpo(trainer: Any, invalid: bool) -> None:
    trainer.multi_objective_aggregation, trainer.beta = "normalize_then_sum", 0.0
    rewards = some_rewards(3, invalid=invalid)
    other = scored(trainer, rewards)["advantages"].reshape(P, G)
    ours = adv.gdpo(rewards.reshape(P, G, 3), trainer.reward_weights)
    torch.testing.assert_close(ours, other, atol=1e-6, rtol=1e-6)


def test_truncated_importance_sampling(trainer: Any) -> None:
    given = Given(9)
    rollout = given.old + torch.randn(B, T, dtype=torch.float64, generator=torch.Generator().manual_seed(10))
    trainer.use_vllm, trainer.vllm_importance_sampling_correction = True, True
    trainer.vllm_importance_sampling_mode = "token_truncate"
    trainer.vllm_importance_sampling_clip_min, trainer.vllm_importance_sampling_clip_max = None, 2.0
    trainer.beta, trainer.loss_type, trainer.epsilon_low, trainer.epsilon_high = 0.0, "dapo", 0.2, 0.2
    output = scored(trainer, some_rewards(1, invalid=False), given, rollout)
    weights = importance_weights(given.old, rollout, cap=2.0)
    torch.testing.assert_close(output["importance_sampling_ratio"].double(), weights, atol=1e-6, rtol=1e-6)
    assert (weights == 2).any()
    per_token, _ = clipped_policy_loss(
        given.logprobs, given.old, given.advantages[:, None], eps_low=0.2, eps_high=0.2
    )
    ours = aggregate(per_token * weights, given.mask, "dapo")
    same(ours, theirs(trainer, given, importance_sampling_ratio=weights), given.logprobs)


@pytest.mark.parametrize("invalid", [False, True])
def test_rloo_advantages(rloo_trainer: Any, invalid: bool) -> None:
    given = Given(11)
    rewards = some_rewards(1, invalid=invalid)

    def generate(self: Any, prompts: list[str]) -> tuple[Any, ...]:
        return [[1, 2] for _ in prompts], [[1] * T for _ in prompts], [""] * len(prompts)

    def forward(self: Any, *_: Any, **__: Any) -> tuple[Tensor, None, None]:
        return given.old, None, None

    rloo_trainer._generate = types.MethodType(generate, rloo_trainer)
    rloo_trainer._calculate_rewards = types.MethodType(lambda self, *_: rewards, rloo_trainer)
    rloo_trainer._get_per_token_logps_and_entropies = types.MethodType(forward, rloo_trainer)
    rloo_trainer.beta, rloo_trainer.normalize_advantages, rloo_trainer.reward_clip_range = 0.0, False, None
    rloo_trainer.reward_weights = torch.ones(1, dtype=torch.float64)
    output = rloo_trainer._generate_and_score_completions([{"prompt": "w1 w2"} for _ in range(B)])
    ours = adv.rloo(rewards.reshape(P, G))
    torch.testing.assert_close(ours, output["advantages"].reshape(P, G), atol=1e-6, rtol=1e-6)


def test_logprobs_and_entropies_of_a_real_forward(trainer: Any) -> None:
    """TRL's own forward pass, left-padded prompts and all, against ours on the same model."""
    from rlvr_gym.agents.hf import HFPolicy

    policy = HFPolicy(trainer.model, tiny_tokenizer(), "tiny").eval()
    generator = torch.Generator().manual_seed(12)
    prompts = [torch.randint(60, (n,), generator=generator) for n in (2, 4, 3)]
    answers = [torch.randint(60, (n,), generator=generator) for n in (5, 1, 3)]
    left = torch.stack([torch.cat([torch.full((4 - len(p),), 60), p]) for p in prompts])
    right = torch.stack([torch.cat([a, torch.full((5 - len(a),), 60)]) for a in answers])
    seen = torch.cat(
        [
            torch.stack([(torch.arange(4) >= 4 - len(p)).long() for p in prompts]),
            torch.stack([(torch.arange(5) < len(a)).long() for a in answers]),
        ],
        dim=1,
    )
    trainer.temperature = 1.0
    other, entropy, _ = trainer._get_per_token_logps_and_entropies(
        trainer.model, torch.cat([left, right], dim=1), seen, 5, compute_entropy=True
    )
    rows = [torch.cat([p, a]) for p, a in zip(prompts, answers, strict=True)]
    tokens = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=60)
    mask = torch.zeros(tokens.shape)
    for row, (p, a) in enumerate(zip(prompts, answers, strict=True)):
        mask[row, len(p) : len(p) + len(a)] = 1
    ours = score(policy, tokens, mask, entropy=True)
    assert ours.entropy is not None
    for row, (p, a) in enumerate(zip(prompts, answers, strict=True)):
        at = slice(len(p), len(p) + len(a))
        torch.testing.assert_close(ours.logprobs[row, at], other[row, : len(a)], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(ours.entropy[row, at], entropy[row, : len(a)], atol=1e-5, rtol=1e-5)
