"""The rollout engine: what is sampled does not depend on how it is batched, and its log-probabilities are right."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch

from rlvr_gym.agents import step
from rlvr_gym.agents.attention import Prefill
from rlvr_gym.agents.cache import SharedCache
from rlvr_gym.agents.policy import Policy, load_policy
from rlvr_gym.agents.rollout import Completion, RolloutEngine, make_engine
from rlvr_gym.agents.sampling import SamplingParams, row_uniforms, sample, stream_seed
from rlvr_gym.agents.transformer import Transformer
from rlvr_gym.errors import ConfigError, MissingExtraError

PARAMS = SamplingParams(max_tokens=24)


@pytest.fixture(scope="module")
def policy() -> Transformer:
    policy = load_policy("tiny", seed=3)
    assert isinstance(policy, Transformer)
    with torch.no_grad():
        for (
            weight
        ) in policy.blocks.parameters():  # so that the context matters, as it does not in a fresh policy
            weight.mul_(6 if weight.ndim == 2 else 1)
        policy.embedding.weight.mul_(4)
    return policy


@pytest.fixture(scope="module")
def hf_model(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models

    from rlvr_gym.agents.hf import HFPolicy

    config = transformers.LlamaConfig(
        vocab_size=8, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2
    )
    words = Tokenizer(models.WordLevel({"<eos>": 0, "a": 1}, unk_token="a"))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<eos>")
    return HFPolicy(transformers.LlamaForCausalLM(config).eval(), tokenizer, "a model")


@pytest.fixture(scope="module")
def prompts(policy: Transformer) -> list[list[int]]:
    texts = ["2+2=", "what is the sum of 17 and 4?", "a", "12345*6789="]
    return [policy.tokenizer.encode_prompt([{"role": "user", "content": t}]) for t in texts for _ in range(6)]


@pytest.fixture(scope="module")
def completions(policy: Transformer, prompts: list[list[int]]) -> list[Completion]:
    return RolloutEngine(policy).generate(prompts, PARAMS, seed=5)


def tokens(completions: list[Completion]) -> list[list[int]]:
    return [completion.tokens for completion in completions]


def test_some_end_and_some_are_cut_off(completions: list[Completion], policy: Transformer) -> None:
    assert {c.finished for c in completions} == {True, False}
    for c in completions:
        stops = [t in policy.tokenizer.stop_ids for t in c.tokens]
        assert len(c.tokens) == len(c.logprobs) <= PARAMS.max_tokens
        assert not any(stops[:-1])
        assert stops[-1] == c.finished
        assert c.finished or len(c.tokens) == PARAMS.max_tokens
        assert c.text == policy.tokenizer.decode(c.tokens)


def test_alone_as_in_a_batch(
    policy: Transformer, prompts: list[list[int]], completions: list[Completion]
) -> None:
    engine = RolloutEngine(policy)
    for row in range(0, len(prompts), 5):
        alone = engine.generate([prompts[row]], PARAMS, seed=5, rows=[row])[0]
        assert alone.tokens == completions[row].tokens
        np.testing.assert_allclose(alone.logprobs, completions[row].logprobs, atol=1e-5)


def test_any_order(policy: Transformer, prompts: list[list[int]], completions: list[Completion]) -> None:
    order = np.random.default_rng(0).permutation(len(prompts)).tolist()
    shuffled = RolloutEngine(policy).generate([prompts[i] for i in order], PARAMS, seed=5, rows=order)
    assert tokens(shuffled) == [completions[i].tokens for i in order]


@pytest.mark.parametrize("max_rows", [1, 4, 7, 23])
def test_refilling_from_the_queue(
    policy: Transformer, prompts: list[list[int]], completions: list[Completion], max_rows: int
) -> None:
    few = RolloutEngine(policy, max_rows=max_rows).generate(prompts, PARAMS, seed=5)
    assert tokens(few) == tokens(completions)


def test_logits_in_pieces(
    policy: Transformer,
    prompts: list[list[int]],
    completions: list[Completion],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(step, "_LOGITS_AT_ONCE", 5 * policy.tokenizer.vocab_size)
    assert tokens(RolloutEngine(policy).generate(prompts, PARAMS, seed=5)) == tokens(completions)


def test_a_kept_cache_leaves_no_trace(
    policy: Transformer, prompts: list[list[int]], completions: list[Completion]
) -> None:
    engine = RolloutEngine(policy)
    engine.generate(prompts[::-1], SamplingParams(max_tokens=40), seed=9)
    assert tokens(engine.generate(prompts, PARAMS, seed=5)) == tokens(completions)


def test_another_seed_row_or_turn_is_another_stream(policy: Transformer, prompts: list[list[int]]) -> None:
    engine = RolloutEngine(policy)
    first = tokens(engine.generate(prompts[:6], PARAMS, seed=5))
    assert len({tuple(t) for t in first}) == 6  # the same prompt, six rows
    assert tokens(engine.generate(prompts[:6], PARAMS, seed=6)) != first
    assert tokens(engine.generate(prompts[:6], PARAMS, seed=5, turn=1)) != first


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_logprobs_are_those_of_a_full_forward(
    policy: Transformer, prompts: list[list[int]], temperature: float
) -> None:
    params = SamplingParams(max_tokens=24, temperature=temperature, top_p=0.9, top_k=20)
    for prompt, completion in zip(
        prompts, RolloutEngine(policy).generate(prompts, params, seed=1), strict=True
    ):
        sequence = torch.tensor([prompt + completion.tokens])
        with torch.no_grad():
            logits = policy.logits(policy.hidden(sequence))[0, len(prompt) - 1 : -1]
        expected = (
            (logits / temperature).log_softmax(-1).gather(1, torch.tensor(completion.tokens)[:, None])[:, 0]
        )
        np.testing.assert_allclose(completion.logprobs, expected, atol=2e-5)


def test_greedy(policy: Transformer, prompts: list[list[int]]) -> None:
    params = SamplingParams(max_tokens=8, temperature=0)
    completion = RolloutEngine(policy).generate(prompts[:1], params, seed=0)[0]
    sequence = list(prompts[0])
    for token in completion.tokens:
        with torch.no_grad():
            assert int(policy.logits(policy.hidden(torch.tensor([sequence])))[0, -1].argmax()) == token
        sequence.append(token)


def test_one_prefill_for_a_group(
    policy: Transformer, prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    prefixes: list[int] = []
    write_prompts = SharedCache.write_prompts

    def counted(cache: SharedCache, prefill: Prefill, first: int) -> None:
        prefixes.append(prefill.keys[0].shape[0])
        write_prompts(cache, prefill, first)

    monkeypatch.setattr(SharedCache, "write_prompts", counted)
    for max_rows in (512, 9):  # 9 is no multiple of the group's 6: one group comes in two parts
        prefixes.clear()
        RolloutEngine(policy, max_rows=max_rows).generate(prompts, PARAMS, seed=5)
        assert sum(prefixes) == 4


def test_memory_for_prompts_does_not_grow_with_the_samples_of_each(policy: Transformer) -> None:
    prompt = [7] * 200
    bytes_of = {}
    for samples in (2, 32):
        engine = RolloutEngine(policy)
        engine.generate([prompt] * samples, SamplingParams(max_tokens=2), seed=0)
        assert engine._cache is not None
        bytes_of[samples] = engine._cache.prompts.nbytes, engine._cache.rows.nbytes
    assert bytes_of[2][0] == bytes_of[32][0]
    assert bytes_of[2][1] * 16 == bytes_of[32][1]


def test_finished_rows_cost_nothing(policy: Transformer, prompts: list[list[int]]) -> None:
    engine, rows = RolloutEngine(policy), []
    run = policy.run

    def counted(tokens: torch.Tensor, *rest: object) -> torch.Tensor:
        if tokens.shape[1] == 1:
            rows.append(tokens.shape[0])
        return run(tokens, *rest)  # type: ignore[arg-type]

    policy.run = counted  # type: ignore[method-assign]
    try:
        sampled = engine.generate(prompts, PARAMS, seed=5)
    finally:
        del policy.run
    assert sum(rows) == sum(len(c.tokens) for c in sampled)


def test_what_does_not_fit_is_told(policy: Transformer) -> None:
    engine = RolloutEngine(policy)
    with pytest.raises(ConfigError, match="do not fit the policy's context of 4096"):
        engine.generate([[1] * 4090], PARAMS, seed=0)
    with pytest.raises(ConfigError, match="at least one token"):
        engine.generate([[1], []], PARAMS, seed=0)
    assert engine.generate([], PARAMS, seed=0) == []


def test_row_streams() -> None:
    first = row_uniforms(7, [3, 4], 5)
    assert first.shape == (2, 5)
    np.testing.assert_array_equal(first[1], row_uniforms(7, [4], 9)[0, :5])
    expected = np.random.Generator(np.random.PCG64(np.random.SeedSequence([7, 3]))).random(
        5, dtype=np.float32
    )
    np.testing.assert_array_equal(first[0], expected)
    assert not np.array_equal(first, row_uniforms(8, [3, 4], 5))


def test_samples_follow_the_distribution() -> None:
    probs = torch.tensor([0.5, 0.0, 0.3, 0.2])
    uniforms = torch.from_numpy(np.random.default_rng(0).random(20_000, dtype=np.float32))
    logits = (probs + 1e-30).log().expand(20_000, -1)
    drawn, logprobs = sample(logits, uniforms, SamplingParams())
    shares = torch.bincount(drawn, minlength=4) / 20_000
    torch.testing.assert_close(shares, probs, atol=0.015, rtol=0)
    assert shares[1] == 0
    torch.testing.assert_close(logprobs.exp(), probs[drawn])


@pytest.mark.parametrize("width", [2**14, 20_001, 49_152])
def test_large_vocabularies_are_sampled_by_blocks_and_exactly(width: int) -> None:
    generator = torch.Generator().manual_seed(width)
    logits = 4 * torch.randn(6, width, generator=generator)
    logits[0, :-1] = -torch.inf  # all in the last block
    logits[1, 1:] = -torch.inf
    logits[2, 5_000:15_000] = -torch.inf  # blocks without mass
    for u in (0.0, 0.1, 0.5, 0.77, 1 - 2**-24):
        drawn, logprobs = sample(logits, torch.full((6,), u), SamplingParams())
        exact = logits.double().log_softmax(-1)
        above = exact.exp().cumsum(-1)
        own = drawn[:, None]
        assert (exact.gather(-1, own) > -torch.inf).all()
        assert (above.gather(-1, own) >= u - 1e-5).all()
        assert ((above - exact.exp()).gather(-1, own) <= u + 1e-5).all()
        torch.testing.assert_close(logprobs.double(), exact.gather(-1, own)[:, 0], atol=2e-6, rtol=1e-6)


def test_truncation_of_a_large_vocabulary() -> None:
    logits = torch.zeros(500, 20_001)
    logits[:, [3, 17_000, 20_000]] = torch.tensor([5.0, 6.0, 5.5])
    uniforms = torch.linspace(0, 1 - 2**-24, 500)
    drawn, _ = sample(logits, uniforms, SamplingParams(top_k=3))
    assert drawn.unique().tolist() == [3, 17_000, 20_000]
    assert sample(logits, uniforms, SamplingParams(top_k=2))[0].unique().tolist() == [17_000, 20_000]


@pytest.mark.parametrize(
    ("params", "allowed"),
    [
        (SamplingParams(top_k=2), {0, 2}),
        (SamplingParams(top_p=0.5), {0}),
        (SamplingParams(top_p=0.51), {0, 2}),
        (SamplingParams(top_p=0.79), {0, 2}),
        (SamplingParams(top_p=0.81), {0, 2, 3}),
        (SamplingParams(top_p=0.99, top_k=1), {0}),
        (SamplingParams(temperature=0), {0}),
    ],
)
def test_truncation_by_hand(params: SamplingParams, allowed: set[int]) -> None:
    probs = torch.tensor([0.5, 0.0, 0.3, 0.2])
    uniforms = torch.linspace(0, 1 - 2**-24, 1000)
    drawn, logprobs = sample((probs + 1e-30).log().expand(1000, -1), uniforms, params)
    assert set(drawn.tolist()) == allowed
    torch.testing.assert_close(logprobs.exp(), probs[drawn])  # of the distribution before truncation


@pytest.mark.parametrize("setting", [{"max_tokens": 0}, {"temperature": -1}, {"top_p": 0}, {"top_k": -1}])
def test_bad_parameters_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        SamplingParams(**setting)  # type: ignore[arg-type]


@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="vLLM is installed")
def test_without_vllm_one_sentence_says_what_to_do(policy: Transformer, hf_model: Policy) -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'rlvr-gym\[vllm\]'"):
        make_engine("vllm", hf_model, 8)
    with pytest.raises(ConfigError, match="vLLM runs Hugging Face policies"):
        make_engine("vllm", policy, 8)


def test_seeds_of_streams_differ() -> None:
    seeds = {stream_seed(s, r, t, c) for s in (0, 1) for r in range(9) for t in (0, 1) for c in (0, 1)}
    assert len(seeds) == 2 * 9 * 2 * 2
    assert all(0 <= seed < 2**63 for seed in seeds)
