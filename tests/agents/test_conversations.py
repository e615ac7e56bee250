"""Conversations that keep their place in the cache: what comes out is what reading them anew each turn gives."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr_gym.agents import decoder, rollout
from rlvr_gym.agents.cache import SharedCache
from rlvr_gym.agents.compiled import CompiledStep
from rlvr_gym.agents.hf import HFPolicy
from rlvr_gym.agents.policy import Policy
from rlvr_gym.agents.rollout import Completion, RolloutEngine, in_turns
from rlvr_gym.agents.sampling import Chunking, SamplingParams
from rlvr_gym.agents.tokenizer import CharTokenizer
from rlvr_gym.agents.transformer import Transformer, TransformerConfig
from rlvr_gym.errors import ConfigError

PARAMS = SamplingParams(max_tokens=12)
Turns = dict[int, list[Completion]]
Lead = Callable[..., None]


@torch.no_grad()
def louder(policy: Policy) -> Policy:
    """So that what was said matters, as it does not to fresh weights."""
    generator = torch.Generator().manual_seed(0)
    for weight in policy.parameters():
        if weight.ndim == 2:
            weight.mul_(4).add_(torch.randn(weight.shape, generator=generator), alpha=0.02)
    return policy.eval()


def own() -> Policy:
    shape = TransformerConfig(layers=2, width=32, heads=4, inner=64, max_context=512)
    return louder(Transformer(shape, CharTokenizer()))


def hugging_face(adapters: bool) -> Policy:
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models

    config = transformers.Qwen2Config(
        vocab_size=40,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        eos_token_id=0,
        bos_token_id=0,
    )
    words = Tokenizer(models.WordLevel({"<eos>": 0, "a": 1}, unk_token="a"))
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<eos>")
    torch.manual_seed(0)
    policy = HFPolicy(transformers.AutoModelForCausalLM.from_config(config), tokenizer, "qwen2")
    if adapters:
        pytest.importorskip("peft")
        from rlvr_gym.agents.lora import LoraSettings, add_lora

        add_lora(policy, LoraSettings(rank=2))
    return louder(policy)


@pytest.fixture(scope="module", params=["own", "qwen2", "lora"])
def policy(request: pytest.FixtureRequest) -> Policy:
    return own() if request.param == "own" else hugging_face(request.param == "lora")


@pytest.fixture(scope="module")
def prompts() -> list[list[int]]:
    """Groups of four and of one; a prompt of one token has nothing in the cache."""
    different = [[5, 9, 7, 30], [8] * 40, [3], [6, 5, 4, 3, 2, 1]]
    return [prompt for prompt in different for _ in range(4)] + [[11, 12]]


def script(lengths: Sequence[Sequence[int]]) -> Callable[[int, int], list[int] | None]:
    """What conversation ``i`` is told after turn ``t``: so many tokens; nothing after the last turn."""

    def told(number: int, turn: int) -> list[int] | None:
        mine = lengths[number % len(lengths)]
        if turn >= len(mine):
            return None
        return [2 + (7 * number + 3 * turn + k) % 30 for k in range(mine[turn])]

    return told


MIXED = script([[3, 1, 17], [], [40], [2, 0, 2, 5], [1]])
"""Replies of no, one and many tokens, conversations of one to five turns."""


def led(
    engine: RolloutEngine,
    prompts: Sequence[Sequence[int]],
    told: Callable[[int, int], list[int] | None] = MIXED,
    params: SamplingParams = PARAMS,
    lead: Lead = RolloutEngine.converse,
    rows: Sequence[int] | None = None,
) -> Turns:
    """All turns of all conversations."""
    turns: Turns = {i: [] for i in range(len(prompts))}

    def reply(ended: dict[int, Completion], wait: bool) -> Mapping[int, list[int] | None]:
        replies = {}
        for number, completion in ended.items():
            replies[number] = told(number if rows is None else rows[number], len(turns[number]))
            turns[number].append(completion)
        return replies

    numbers = range(len(prompts)) if rows is None else rows
    lead(engine, prompts, params, reply, seed=5, rows=numbers)
    return turns


def assert_same(found: Turns, expected: Turns, tolerance: float = 1e-4) -> None:
    assert {i: [c.tokens for c in turns] for i, turns in found.items()} == {
        i: [c.tokens for c in turns] for i, turns in expected.items()
    }
    for i, turns in expected.items():
        for one, other in zip(found[i], turns, strict=True):
            np.testing.assert_allclose(one.logprobs, other.logprobs, atol=tolerance)
            assert (one.finished, one.text) == (other.finished, other.text)


def late(rng: random.Random) -> Lead:
    """Has every reply come some time after it was asked for, in any order."""

    def lead(engine: RolloutEngine, prompts: Any, params: Any, reply: Any, **settings: Any) -> None:
        withheld: dict[int, list[int] | None] = {}

        def later(ended: dict[int, Completion], wait: bool) -> Mapping[int, list[int] | None]:
            withheld.update(reply(ended, wait))
            assert withheld, "it is asked only if something waits"
            least = 1 if wait else 0
            known = rng.sample(
                sorted(withheld), rng.randint(least, len(withheld)) if rng.random() < 0.4 else least
            )
            return {number: withheld.pop(number) for number in known}

        engine.converse(prompts, params, later, **settings)
        assert not withheld

    return lead


@pytest.fixture(scope="module")
def expected(policy: Policy, prompts: list[list[int]]) -> Turns:
    return led(RolloutEngine(policy), prompts, lead=in_turns)


def test_the_script_has_everything_in_it(expected: Turns) -> None:
    assert {len(turns) for turns in expected.values()} == {1, 2, 4, 5}
    completions = [c for turns in expected.values() for c in turns]
    assert {c.finished for c in completions} == {True, False}
    assert len({tuple(c.tokens) for c in completions}) > len(completions) / 2


@pytest.mark.parametrize("max_rows", [1, 3, 8, 512])
def test_as_if_read_anew_each_turn(
    policy: Policy, prompts: list[list[int]], expected: Turns, max_rows: int
) -> None:
    assert_same(led(RolloutEngine(policy, max_rows=max_rows), prompts), expected)


@pytest.mark.parametrize("max_rows", [2, 6, 512])
def test_replies_may_be_late(
    policy: Policy, prompts: list[list[int]], expected: Turns, max_rows: int
) -> None:
    engine = RolloutEngine(policy, max_rows=max_rows)
    assert_same(led(engine, prompts, lead=late(random.Random(max_rows))), expected)


@pytest.mark.parametrize("stride", [2, 8])
def test_rows_may_run_on_before_they_are_looked_at(
    policy: Policy, prompts: list[list[int]], expected: Turns, stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout, "_stride", lambda device: stride)
    assert_same(led(RolloutEngine(policy, max_rows=5), prompts), expected)


def test_replies_in_parts(
    policy: Policy, prompts: list[list[int]], expected: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "_TOKENS_AT_ONCE", 130)
    assert_same(led(RolloutEngine(policy), prompts), expected)


def test_a_kept_cache_leaves_no_trace(policy: Policy, prompts: list[list[int]], expected: Turns) -> None:
    engine = RolloutEngine(policy)
    led(engine, prompts[::-1], script([[60, 60], [9] * 6]))
    assert_same(led(engine, prompts), expected)
    part = [3, 9, 14]
    alone = led(engine, [prompts[i] for i in part], rows=part)
    assert_same(alone, {i: expected[row] for i, row in enumerate(part)})


def test_through_the_compiled_step(policy: Policy, prompts: list[list[int]], expected: Turns) -> None:
    engine = RolloutEngine(policy, compile=True, max_rows=7)
    engine._compiled = CompiledStep(policy.device, "aot_eager")
    engine._rounding = engine._compiled.rounding
    try:
        assert_same(led(engine, prompts), expected)
    finally:
        torch._dynamo.reset()


def test_from_a_copy_of_another_type(policy: Policy, prompts: list[list[int]], expected: Turns) -> None:
    copied = led(RolloutEngine(policy, dtype=torch.float64), prompts)
    assert_same(copied, expected)


conversations = st.lists(st.lists(st.integers(0, 50), max_size=4), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None)
@given(conversations, st.integers(1, 9), st.integers(1, 8), st.sampled_from([1, 3, 20]), st.randoms())
def test_whatever_is_said_whenever(
    lengths: list[list[int]], max_rows: int, stride: int, max_tokens: int, rng: random.Random
) -> None:
    policy, told, params = own(), script(lengths), SamplingParams(max_tokens=max_tokens)
    prompts = [[1 + i // 2, 9, 4] for i in range(9)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollout, "_stride", lambda device: stride)
        together = led(RolloutEngine(policy, max_rows=max_rows), prompts, told, params, late(rng))
    assert_same(together, led(RolloutEngine(policy), prompts, told, params, lead=in_turns))


def test_each_token_is_read_once(prompts: list[list[int]]) -> None:
    """What in_turns reads again and again."""
    policy = own()
    counted: dict[str, int] = {}
    run = policy.run

    def counting(tokens: torch.Tensor, *rest: Any) -> torch.Tensor:
        counted["read"] += tokens.numel()
        return run(tokens, *rest)

    policy.run = counting  # type: ignore[method-assign]
    told = script([[20, 20, 20]])
    for name, lead in (("once", RolloutEngine.converse), ("again", in_turns)):
        counted["read"] = 0
        turns = led(RolloutEngine(policy), [[8] * 101] * 8, told, lead=lead)
        counted[name] = counted["read"]
    said = sum(len(c.tokens) for conversation in turns.values() for c in conversation)
    # the prompt, 20 tokens three times over (and the last that was said, which no step read), padding of none
    assert counted["once"] == 100 + 8 * 3 * 20 + said
    assert counted["again"] > 8 * 3 * 100 + said


def test_memory_for_a_prompt_does_not_grow_with_turns_and_samples() -> None:
    policy = own()
    for samples in (2, 16):
        engine = RolloutEngine(policy)
        led(engine, [[8] * 200] * samples, script([[10, 10, 10]]))
        assert engine._cache is not None
        assert engine._cache.sizes[0] == 1
        assert engine._cache.prompts.shape[4] == 199


@pytest.mark.parametrize("max_rows", [2, 3, 6])
def test_it_waits_only_when_nothing_else_goes_on(max_rows: int) -> None:
    """Conversation 0 hears nothing until all others are over."""
    over: set[int] = set()
    waited: list[int] = []

    def reply(ended: dict[int, Completion], wait: bool) -> Mapping[int, list[int] | None]:
        over.update(ended)
        replies = {i: None for i in ended if i != 0}
        if wait and not replies:
            waited.append(len(over))
            return {0: None}
        return replies

    RolloutEngine(own(), max_rows=max_rows).converse([[5, 9]] * 6, PARAMS, reply, seed=0)
    assert waited == [6]


def test_the_cache_grows_by_doubling_and_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    widths: list[int] = []
    widen = SharedCache.widen

    def noted(cache: SharedCache, row_length: int) -> None:
        widths.append(row_length)
        widen(cache, row_length)

    monkeypatch.setattr(SharedCache, "widen", noted)
    engine = RolloutEngine(own())
    led(engine, [[8, 9]] * 4, script([[5] * 10]))
    assert len(widths) <= 5
    assert all(after >= 2 * before for before, after in pairwise(widths))
    widths.clear()
    led(engine, [[8, 9]] * 4, script([[5] * 10]))
    assert widths == []
    led(RolloutEngine(own()), [[8, 9]] * 4, script([[300, 100]]))
    assert widths[-1] == 512 + 1, "a row has no more tokens than the policy's context, and a step to spare"


def test_completions_in_chunks_go_turn_by_turn(prompts: list[list[int]]) -> None:
    params = SamplingParams(max_tokens=20, chunking=Chunking(8, 4))
    policy = own()
    found = led(RolloutEngine(policy), prompts, params=params)
    assert_same(found, led(RolloutEngine(policy), prompts, params=params, lead=in_turns))


def test_what_does_not_fit_is_told() -> None:
    engine = RolloutEngine(own())
    with pytest.raises(ConfigError, match="do not fit the policy's context of 512"):
        led(engine, [[8, 9]], script([[100] * 6]))
    with pytest.raises(ConfigError, match="at least one token"):
        led(engine, [[1], []])
    assert led(engine, []) == {}


def test_an_exception_out_of_a_reply_leaves_nothing_behind(prompts: list[list[int]]) -> None:
    policy = own()
    engine = RolloutEngine(policy)

    def stumble(ended: dict[int, Completion], wait: bool) -> Mapping[int, list[int]]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.converse(prompts, PARAMS, stumble, seed=5)
    assert_same(led(engine, prompts), led(RolloutEngine(policy), prompts, lead=in_turns))
