"""Small operations take one thread, large ones all, and whatever happens the process has as many as before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from rlvr_gym.agents.policy import load_policy
from rlvr_gym.agents.rollout import RolloutEngine
from rlvr_gym.agents.sampling import SamplingParams
from rlvr_gym.agents.threads import all_threads, one_thread


@pytest.fixture(autouse=True)
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_one_and_all() -> None:
    with all_threads():
        assert torch.get_num_threads() == 3
    with one_thread():
        assert torch.get_num_threads() == 1
        with all_threads():
            assert torch.get_num_threads() == 3
        with all_threads(False):
            assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3
    with one_thread(False):
        assert torch.get_num_threads() == 3


def test_as_before_when_something_fails() -> None:
    with pytest.raises(KeyError), one_thread(), all_threads():
        raise KeyError
    assert torch.get_num_threads() == 3
    with all_threads():  # not left within the one above
        torch.set_num_threads(2)
    assert torch.get_num_threads() == 2


def test_decoding_gives_the_same_tokens_with_any_number() -> None:
    engine = RolloutEngine(load_policy("tiny"))
    prompt = engine.policy.tokenizer.encode_prompt([{"role": "user", "content": "2+2="}])
    drawn = []
    for threads in (3, 1):
        torch.set_num_threads(threads)
        drawn.append([c.tokens for c in engine.generate([prompt] * 9, SamplingParams(max_tokens=20), seed=0)])
        assert torch.get_num_threads() == threads
    assert drawn[0] == drawn[1]
