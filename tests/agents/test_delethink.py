"""Thinking in chunks of constant context: what is sampled, what it costs, and what is learnt from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.layout import Chunks
from rlvr_gym.agents.policy import Policy, load_policy
from rlvr_gym.agents.rollout import RolloutEngine
from rlvr_gym.agents.sampling import Chunking, SamplingParams
from rlvr_gym.agents.scoring import sampled_logprobs
from rlvr_gym.agents.trainer import train
from rlvr_gym.errors import ConfigError

CHUNKING = Chunking(size=8, carry=3)
PARAMS = SamplingParams(max_tokens=20, chunking=CHUNKING)


@pytest.fixture(scope="module")
def prompts(sharp_policy: Policy) -> list[list[int]]:
    texts = ["2+2=", "2+2=", "what is the sum?", "a"]
    return [sharp_policy.tokenizer.encode_prompt([{"role": "user", "content": text}]) for text in texts]


def test_bounds() -> None:
    assert CHUNKING.bounds(20) == [(0, 8), (8, 13), (13, 18), (18, 20)]  # C, then C - m each
    assert CHUNKING.bounds(8) == [(0, 8)]
    assert CHUNKING.bounds(9) == [(0, 8), (8, 9)]
    assert CHUNKING.bounds(0) == [(0, 0)]
    for carry in (0, 8, 9):
        with pytest.raises(ConfigError, match="0 < carry < size"):
            Chunking(8, carry)


def test_a_chunk_sees_the_prompt_and_the_end_of_the_chunk_before(
    sharp_policy: Policy, prompts: list[list[int]]
) -> None:
    completions = RolloutEngine(sharp_policy, max_rows=3).generate(prompts, PARAMS, seed=4)
    assert any(len(c.tokens) > 13 for c in completions)
    for prompt, completion in zip(prompts, completions, strict=True):
        assert completion.text == sharp_policy.tokenizer.decode(completion.tokens)
        for low, high in CHUNKING.bounds(len(completion.tokens)):
            context = prompt + completion.tokens[max(low - 3, 0) : low]
            sequence = torch.tensor([context + completion.tokens[low:high]])
            with torch.no_grad():
                logits = sharp_policy.logits(sharp_policy.hidden(sequence))[0, len(context) - 1 : -1]
            own = torch.tensor(completion.tokens[low:high])[:, None]
            expected = logits.log_softmax(-1).gather(1, own)[:, 0]
            np.testing.assert_allclose(completion.logprobs[low:high], expected, atol=2e-5)


def test_the_first_chunk_is_that_of_a_plain_rollout(sharp_policy: Policy, prompts: list[list[int]]) -> None:
    engine = RolloutEngine(sharp_policy)
    plain = engine.generate(prompts, SamplingParams(max_tokens=8), seed=4)
    chunked = engine.generate(prompts, PARAMS, seed=4)
    assert [c.tokens[:8] for c in chunked] == [c.tokens for c in plain]


def test_training_scores_what_was_sampled(sharp_policy: Policy, prompts: list[list[int]]) -> None:
    completions = RolloutEngine(sharp_policy).generate(prompts, PARAMS, seed=4)
    rows = [prompt + c.tokens for prompt, c in zip(prompts, completions, strict=True)]
    width = max(map(len, rows))
    tokens = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    mask, sampled = torch.zeros(len(rows), width), torch.zeros(len(rows), width)
    for i, (prompt, c) in enumerate(zip(prompts, completions, strict=True)):
        mask[i, len(prompt) : len(rows[i])] = 1
        sampled[i, len(prompt) : len(rows[i])] = torch.tensor(c.logprobs)
    scored = sampled_logprobs(sharp_policy, tokens, mask, chunking=CHUNKING)
    torch.testing.assert_close(scored.detach(), sampled, atol=2e-5, rtol=1e-4)
    assert not torch.allclose(sampled_logprobs(sharp_policy, tokens, mask), scored, atol=1e-3)


def test_no_row_is_longer_than_the_prompt_and_a_chunk() -> None:
    tokens, mask = torch.arange(60).reshape(1, 60), (torch.arange(60) >= 10).float()[None]
    layout = Chunks(tokens, mask, CHUNKING)
    assert layout.tokens.shape == (10, 10 + 8)
    assert layout.tokens[1].tolist() == [*range(10), 15, 16, 17, 18, 19, 20, 21, 22]
    assert layout.mask.sum() == 50
    assert torch.equal(layout.put_back(layout.tokens.float() * layout.mask)[0, 10:], tokens[0, 10:].float())


def test_a_context_that_does_not_grow_fits_where_the_completion_does_not() -> None:
    policy = load_policy("micro")
    policy.max_context = 24
    engine = RolloutEngine(policy)
    prompt = policy.tokenizer.encode_prompt([{"role": "user", "content": "1+1="}])
    long = SamplingParams(max_tokens=40, chunking=CHUNKING)
    assert len(engine.generate([prompt], long, seed=0)[0].tokens) <= 40
    with pytest.raises(ConfigError, match="do not fit the policy's context"):
        engine.generate([prompt], SamplingParams(max_tokens=40), seed=0)


def test_it_trains(tmp_path: Path) -> None:
    config = TrainConfig.for_env(
        "rlvr/Arithmetic-v0",
        policy="micro",
        steps=2,
        **{
            "sampling": {"prompts_per_step": 4, "group_size": 4, "max_tokens": 20, "chunk": 8, "carry": 3},
            "reward": {"length": -0.01, "score": 1.0},
            "eval.tasks": 4,
            "logging.tensorboard": False,
            "device": "cpu",
        },
    )
    summary = train(config, tmp_path / "run", quiet=True)
    assert summary.steps == 2
    with pytest.raises(ConfigError, match="several turns"):
        train(config.replace(**{"env": {"id": "rlvr/GuessTheNumber-v0"}}), tmp_path / "dialogue", quiet=True)
