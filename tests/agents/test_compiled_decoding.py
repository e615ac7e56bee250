"""The compiled decoding step: what the eager one samples, in few compilations, with the weights as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch._dynamo.utils import counters

from rlvr_gym.agents.cache import Rounding
from rlvr_gym.agents.compiled import CompiledStep
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.hf import HFPolicy
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.rollout import Completion, RolloutEngine, make_engine
from rlvr_gym.agents.sampling import SamplingParams
from rlvr_gym.agents.tokenizer import CharTokenizer
from rlvr_gym.agents.trainer import Trainer
from rlvr_gym.agents.transformer import Transformer, TransformerConfig
from rlvr_gym.errors import ConfigError

PARAMS = SamplingParams(max_tokens=40)
ON_A_GPU = Rounding(tokens=64, doubling=True, pairs=True)


@pytest.fixture(autouse=True)
def _nothing_compiled() -> Iterator[None]:
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


def compilations() -> int:
    return int(counters["stats"]["unique_graphs"])


def own() -> Policy:
    """Two layers: with one, a cache that is written in the wrong order would not show."""
    policy = Transformer(
        TransformerConfig(layers=2, width=32, heads=2, inner=64, max_context=256), CharTokenizer()
    )
    return louder(policy)


def hugging_face(kind: str) -> Policy:
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models

    sizes: dict[str, Any] = {
        "vocab_size": 40, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256,
        "eos_token_id": 0, "bos_token_id": 0,
    }  # fmt: skip
    config = transformers.LlamaConfig(**sizes) if kind == "llama" else transformers.Qwen2Config(**sizes)
    words = Tokenizer(models.WordLevel({"<eos>": 0, "a": 1}, unk_token="a"))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<eos>")
    torch.manual_seed(0)
    return louder(HFPolicy(transformers.AutoModelForCausalLM.from_config(config).eval(), tokenizer, kind))


@torch.no_grad()
def louder(policy: Policy) -> Policy:
    """So that what was said matters, as it does not to fresh weights."""
    for weight in policy.parameters():
        weight.mul_(5 if weight.ndim == 2 else 1)
    return policy


def compiled(policy: Policy, rounding: Rounding | None = None, **settings: Any) -> RolloutEngine:
    """Traced and run as it is: the tracing is what takes care, and the kernels are what takes time."""
    engine = RolloutEngine(policy, compile=True, **settings)
    engine._compiled = CompiledStep(policy.device, "aot_eager")
    engine._rounding = rounding or engine._compiled.rounding
    return engine


def ragged(samples: int) -> list[list[int]]:
    """Groups of prompts of 3, 12, 1 and 70 tokens."""
    drawn = np.random.default_rng(0).integers(3, 40, size=(4, 70)).tolist()
    return [row[:length] for row, length in zip(drawn, (3, 12, 1, 70), strict=True) for _ in range(samples)]


def assert_same(ours: list[Completion], eager: list[Completion], atol: float = 1e-4) -> None:
    assert [c.tokens for c in ours] == [c.tokens for c in eager]
    for one, other in zip(ours, eager, strict=True):
        np.testing.assert_allclose(one.logprobs, other.logprobs, atol=atol)


@pytest.mark.parametrize(
    ("make", "rounding"),
    [
        (own, None),
        (own, ON_A_GPU),
        (lambda: hugging_face("llama"), None),
        (lambda: hugging_face("qwen2"), ON_A_GPU),
    ],
    ids=["own", "own, rounded", "llama", "qwen2, rounded"],
)
def test_groups_queues_and_stops_as_in_eager_mode(make: Any, rounding: Rounding | None) -> None:
    policy = make()
    engine = compiled(policy, rounding, max_rows=9)
    # groups that are cut by the queue, rows that end at any time down to the last one, then every row on its own
    for prompts, seed in ((ragged(6), 0), (ragged(1), 1), (ragged(6)[:3], 2), (ragged(6)[13:14], 3)):
        eager = RolloutEngine(policy, max_rows=9).generate(prompts, PARAMS, seed=seed)
        assert_same(engine.generate(prompts, PARAMS, seed=seed), eager)
        if seed == 0:
            assert {c.finished for c in eager} == {True, False}
    assert compilations() <= 2


@pytest.mark.parametrize(
    "params",
    [
        SamplingParams(max_tokens=12, temperature=0.7, top_p=0.9, top_k=20),
        SamplingParams(max_tokens=12, temperature=0),
    ],
)
def test_ways_of_sampling(params: SamplingParams) -> None:
    policy = own()
    eager = RolloutEngine(policy).generate(ragged(2), params, seed=0)
    assert_same(compiled(policy).generate(ragged(2), params, seed=0), eager)


def test_kernels_of_inductor_and_a_step_of_an_optimiser() -> None:
    """The real compiler: one form, which reads the weights that there are."""
    policy, prompts, params = own(), ragged(3), SamplingParams(max_tokens=10, temperature=0.9)
    engine = RolloutEngine(policy, compile=True)
    before = RolloutEngine(policy).generate(prompts, params, seed=0)
    assert_same(engine.generate(prompts, params, seed=0), before)
    made = compilations()
    with torch.no_grad():
        for weight in policy.parameters():
            weight.add_(0.05 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(0)))
    after = RolloutEngine(policy).generate(prompts, params, seed=0)
    assert [c.tokens for c in after] != [c.tokens for c in before]
    assert_same(engine.generate(prompts, params, seed=0), after)
    assert compilations() == made


def test_a_copy_of_another_type_follows_the_weights() -> None:
    policy = own()
    engine = compiled(policy, dtype=torch.bfloat16)
    first = engine.generate(ragged(2), PARAMS, seed=0)
    with torch.no_grad():
        policy.get_parameter("norm.weight").mul_(0.5)
    eager = RolloutEngine(policy, dtype=torch.bfloat16).generate(ragged(2), PARAMS, seed=0)
    again = engine.generate(ragged(2), PARAMS, seed=0)
    assert_same(again, eager, atol=0.02)  # seats that are empty change the order in which products add up
    assert [c.tokens for c in again] != [c.tokens for c in first]
    assert compilations() <= 2


def test_without_a_compiler_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import config

    with config.patch({"cpp.cxx": ("/no/such/compiler",), "force_disable_caches": True}):
        engine = RolloutEngine(own(), compile=True)
        with pytest.raises(
            ConfigError, match=r"cannot be compiled .*\(g\+\+\).*Leave out sampling\.compile"
        ) as error:
            engine.generate(ragged(1), PARAMS, seed=0)
    assert "\n" not in str(error.value)


def test_vllm_is_not_compiled_by_us() -> None:
    with pytest.raises(ConfigError, match=r"leave it out with sampling\.engine: vllm"):
        make_engine("vllm", own(), 8, compile=True)


def test_a_setting_of_training(micro_config: TrainConfig, tmp_path: Any) -> None:
    trainer = Trainer(micro_config.replace(**{"sampling.compile": True}), tmp_path, resume=False, quiet=True)
    assert isinstance(trainer.engine._compiled, CompiledStep)
    assert Trainer(micro_config, tmp_path / "plain", resume=False, quiet=True).engine._compiled is None
