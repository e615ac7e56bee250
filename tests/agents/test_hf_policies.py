"""Hugging Face models of other architectures, and with LoRA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rlvr_gym.agents.checkpoint import save_policy
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.hf import HFPolicy
from rlvr_gym.agents.lora import LoraSettings, add_lora, merged_weights
from rlvr_gym.agents.policy import Policy, load_policy
from rlvr_gym.agents.rollout import RolloutEngine
from rlvr_gym.agents.sampling import SamplingParams
from rlvr_gym.agents.scoring import sampled_logprobs
from rlvr_gym.agents.trainer import train
from rlvr_gym.errors import ConfigError


def logits(policy: Policy, tokens: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return policy.logits(policy.hidden(tokens))


OWN_LOGITS: dict[str, dict[str, Any]] = {
    "Cohere": {},
    "Granite": {"logits_scaling": 4.0},
    "Gemma2": {"final_logit_softcapping": 0.5, "attn_logit_softcapping": None},
}
"""Architectures that scale or cap what their head gives."""


@pytest.mark.parametrize("kind", ["Qwen2", "Qwen3", "Mistral", "GPT2", *OWN_LOGITS])
def test_architectures_compute_what_transformers_computes(kind: str, hf_folder: Path, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    sizes = {"vocab_size": 128, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    if kind != "GPT2":
        sizes |= {"intermediate_size": 48, "num_key_value_heads": 2, "max_position_embeddings": 128}
        sizes |= {"head_dim": 8} if kind not in ("Qwen2", "Granite") else {}
        sizes |= OWN_LOGITS.get(kind, {})
    config = getattr(transformers, f"{kind}Config")(
        **sizes,
        initializer_range=0.3,
        eos_token_id=2,
        bos_token_id=1,
        sliding_window=128 if kind == "Gemma2" else None,
    )
    torch.manual_seed(1)
    name = "GPT2LMHeadModel" if kind == "GPT2" else f"{kind}ForCausalLM"
    model = getattr(transformers, name)(config).eval()
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(hf_folder)
    tokens = torch.randint(3, 128, (2, 15), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = model(tokens).logits
    policy = HFPolicy(model, tokenizer, kind)
    torch.testing.assert_close(logits(policy, tokens), expected, atol=1e-4, rtol=1e-4)
    assert (policy._lean is None) == (kind in ("GPT2", *OWN_LOGITS))
    assert (policy.plain_head() is None) == (kind in OWN_LOGITS)
    trained = sampled_logprobs(policy, tokens, torch.ones(2, 15))[:, 1:]
    chosen = expected[:, :-1].log_softmax(-1).gather(2, tokens[:, 1:, None])[..., 0]
    torch.testing.assert_close(trained, chosen, atol=1e-4, rtol=1e-4)
    prompt = tokens[0, :9].tolist()
    for completion in RolloutEngine(policy).generate([prompt] * 3, SamplingParams(max_tokens=6), seed=0):
        whole = logits(policy, torch.tensor([prompt + completion.tokens]))[0, 8:-1].log_softmax(-1)
        picked = whole.gather(1, torch.tensor(completion.tokens)[:, None])[:, 0]
        np.testing.assert_allclose(completion.logprobs, picked, atol=1e-4)


def test_attention_that_is_capped_is_refused(hf_folder: Path) -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.Gemma2Config(
        vocab_size=128, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
        intermediate_size=48, eos_token_id=2, bos_token_id=1,
    )  # fmt: skip
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(hf_folder)
    with pytest.raises(ConfigError, match="caps its attention"):
        HFPolicy(transformers.Gemma2ForCausalLM(config).eval(), tokenizer, "capped")


def test_logits_that_nobody_knows_are_refused(hf_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlvr_gym.agents.hf._tempering", lambda config: (0.5, None))
    with pytest.raises(ConfigError, match="logits in a way of its own"):
        load_policy(f"hf:{hf_folder}")


def test_lora_changes_nothing_at_first_and_trains_only_its_own(hf_folder: Path, tmp_path: Path) -> None:
    tokens = torch.arange(20, 40)[None]
    mask = (torch.arange(20) >= 8).float()[None]
    policy = load_policy(f"hf:{hf_folder}")
    before = logits(policy, tokens)
    frozen = {name: p.clone() for name, p in policy.named_parameters()}
    add_lora(policy, LoraSettings(rank=4), seed=1)
    assert torch.equal(logits(policy, tokens), before)
    (sampled_logprobs(policy, tokens, mask) * torch.arange(20)).sum().backward()
    trained = [name for name, p in policy.named_parameters() if p.grad is not None]
    assert trained
    assert all("lora_" in name for name in trained)
    optimiser = torch.optim.SGD([p for p in policy.parameters() if p.requires_grad], lr=1.0)
    optimiser.step()
    assert not torch.allclose(logits(policy, tokens), before)
    kept = {
        name.replace(".base_layer", ""): p for name, p in policy.named_parameters() if "lora_" not in name
    }
    assert all(torch.equal(kept[name], frozen[name]) for name in frozen)
    plain = load_policy(f"hf:{hf_folder}")
    plain.model.load_state_dict(dict(merged_weights(policy)))
    torch.testing.assert_close(logits(plain, tokens), logits(policy, tokens), atol=1e-4, rtol=1e-4)
    save_policy(policy, tmp_path / "kept")
    torch.testing.assert_close(
        logits(load_policy(f"ckpt:{tmp_path / 'kept'}"), tokens), logits(policy, tokens)
    )
    with pytest.raises(ConfigError, match="from-scratch ones train whole"):
        add_lora(load_policy("micro"), LoraSettings())
    with pytest.raises(ConfigError, match="no layer named"):
        add_lora(load_policy(f"hf:{hf_folder}"), LoraSettings(targets=["nothing"]))


def test_training_with_adapters_and_gradient_checkpointing(hf_folder: Path, tmp_path: Path) -> None:
    config = TrainConfig.for_env(
        "rlvr/Arithmetic-v0",
        policy=f"hf:{hf_folder}",
        steps=2,
        reward={"length": -0.01, "score": 1.0},
        lora={"rank": 2},
        **{
            "sampling": {"prompts_per_step": 2, "group_size": 4, "max_tokens": 8},
            "optimiser": {"lr": 1e-2, "gradient_checkpointing": True, "warmup_steps": 0},
            "eval.tasks": 2,
            "logging.tensorboard": False,
            "device": "cpu",
        },
    )
    train(config.replace(steps=1, **{"checkpoint.every": 1}), tmp_path / "run", quiet=True)
    train(config.replace(**{"checkpoint.every": 1}), tmp_path / "run", quiet=True, resume=True)
    before, after = load_policy(f"hf:{hf_folder}"), load_policy(f"ckpt:{tmp_path / 'run'}")
    kept = dict(before.named_parameters())
    for name, weight in after.named_parameters():
        assert "lora_" in name or torch.equal(weight, kept[name.replace(".base_layer", "")])
    assert any("lora_B" in name and weight.abs().max() > 0 for name, weight in after.named_parameters())


def test_adapters_of_layers_that_keep_their_weights_transposed(hf_folder: Path) -> None:
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(hf_folder)
    config = transformers.GPT2Config(
        vocab_size=128, n_embd=32, n_layer=1, n_head=2, bos_token_id=1, eos_token_id=2
    )
    plain, adapted = (
        HFPolicy(transformers.GPT2LMHeadModel(config).eval(), tokenizer, "gpt2") for _ in range(2)
    )
    add_lora(adapted, LoraSettings(rank=2, targets=["c_attn", "c_proj"]))  # one of them square
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_" in name:
                weight.normal_()
    plain.model.load_state_dict(dict(merged_weights(adapted)))
    tokens = torch.arange(20, 40)[None]
    torch.testing.assert_close(logits(plain, tokens), logits(adapted, tokens), atol=1e-4, rtol=1e-4)
