from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.policy import Policy, load_policy

CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
RUN = """
import json, sys
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.trainer import train
train(TrainConfig.parse(json.load(open(sys.argv[1]))), sys.argv[2], quiet=True)
"""


@pytest.fixture(autouse=True)
def _one_thread(one_torch_thread: None) -> None:
    """For all of them."""


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


@pytest.fixture
def run_and_kill(tmp_path: Path) -> Callable[[TrainConfig], Path]:
    """Trains in another process, which is killed when it has written eight rows of metrics; returns its folder."""

    def run(config: TrainConfig) -> Path:
        (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))
        folder = tmp_path / "killed"
        metrics = folder / "metrics.jsonl"
        command = [sys.executable, "-c", RUN, str(tmp_path / "config.json"), str(folder)]
        process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
        until = time.monotonic() + 240
        while process.poll() is None and time.monotonic() < until:
            if metrics.exists() and metrics.read_text().count("\n") >= 8:
                break
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it was to be killed in the middle"
        return folder

    return run


@pytest.fixture(scope="module")
def sharp_policy() -> Policy:
    """A policy whose weights are so large that the context matters."""
    policy = load_policy("tiny", seed=3)
    with torch.no_grad():
        for weight in policy.parameters():
            weight.mul_(5 if weight.ndim == 2 else 1)
    return policy


def _make_hf_folder(folder: Path, *, template: bool = True) -> Path:
    """A two-layer Llama with grouped queries and random weights, with a character-level tokenizer."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    characters = ["\n", *map(chr, range(32, 127))]
    vocab = {c: i for i, c in enumerate(["<unk>", "<|im_start|>", "<|im_end|>", *characters])}
    inner = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<|im_end|>", bos_token="<|im_start|>", unk_token="<unk>"
    )
    tokenizer.chat_template = CHAT_TEMPLATE if template else None
    config = transformers.LlamaConfig(
        vocab_size=128, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, initializer_range=0.4, eos_token_id=2, bos_token_id=1,
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def make_hf_folder() -> Callable[..., Path]:
    """Writes a Hugging Face model into a folder, with or without a chat template."""
    return _make_hf_folder


@pytest.fixture(scope="session")
def hf_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Hugging Face model."""
    return _make_hf_folder(tmp_path_factory.mktemp("hf"))
