from __future__ import annotations

from typing import Any

import pytest
import torch

from rlvr_gym.agents.config import TrainConfig


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    """Small matrices are not worth more, and tests run side by side."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def micro_config() -> TrainConfig:
    """A run of a second or two: one-digit sums, the smallest policy."""
    return TrainConfig.for_env(
        "rlvr/Arithmetic-v0",
        env={
            "settings": {"prompt": "terse", "terms": 2, "operations": "+", "digits": 1},
            "system_prompt": "tags",
        },
        policy="micro",
        reward={"correct": 1.0, "finished": 0.1, "length": 0.0},
        sft={"steps": 4, "batch_size": 8, "lr": 3e-3},
        sampling={"prompts_per_step": 4, "group_size": 4, "max_tokens": 24},
        optimiser={"micro_batch": 8, "warmup_steps": 1},
        eval={"tasks": 10, "every": 2},
        checkpoint={"every": 2, "keep": 2},
        logging={"rollouts_every": 2, "rollouts": 2, "tensorboard": False},
        steps=5,
        threads=1,
        device="cpu",
    )
