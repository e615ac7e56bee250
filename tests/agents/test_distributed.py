"""Two processes make the steps that one makes, whatever each keeps a part of only: metrics, weights, checkpoints."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rlvr_gym.agents.checkpoint import find_checkpoint, read_weights
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.logging import is_wall_clock
from rlvr_gym.agents.trainer import train

MakeConfig = Callable[..., TrainConfig]
RUN = """
import json, sys
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.trainer import train
train(TrainConfig.parse(json.loads(sys.argv[1])), sys.argv[2], resume=len(sys.argv) > 3, quiet=True)
"""

WATCH = """
import json, sys
from pathlib import Path
from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.trainer import Trainer

def held(tensors):
    storages = [(t.to_local() if hasattr(t, "to_local") else t).untyped_storage() for t in tensors]
    return sum({s.data_ptr(): s.nbytes() for s in storages}.values())

class Watched(Trainer):
    def _record(self, row, sampled):  # between two steps
        super()._record(row, sampled)
        learner = self.learner
        weights = [*self.policy.parameters(), *learner.value.parameters()]
        moments = [m for state in learner.optimiser.state.values() for m in state.values() if m.ndim]
        sizes = {
            "whole": sum(4 * w.numel() for w in weights),
            "weights": held(weights),
            "gradients": held([w.grad for w in weights]),
            "moments": held(moments) / 2,
            "reference": 2 * held(learner.reference.parameters()),  # the value model has a trunk as large
        }
        with (self.run_dir / f"held-{self.world.rank}.jsonl").open("a") as file:
            print(json.dumps(sizes), file=file)

def main():
    run = Watched(TrainConfig.parse(json.loads(sys.argv[1])), Path(sys.argv[2]), resume=False, quiet=True)
    run.run()
    run.close()

main()
"""


@pytest.fixture
def config(tiny_run: dict[str, Any]) -> MakeConfig:
    """A tiny run that ends with a checkpoint, whose shares are of different sizes."""
    further = {"eval": {"tasks": 7, "every": 2}, "optimiser": {"micro_batch": 2, "lr": 1e-3}, "steps": 4}
    sampling = {**tiny_run["sampling"], "max_rows": 4}
    return lambda **changes: TrainConfig.parse({**tiny_run, **further, "sampling": sampling, **changes})


def run_on_two(config: TrainConfig, folder: Path, *resume: str, program: str = RUN) -> None:
    """What torchrun does: two processes, told of each other by the environment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    command = [sys.executable, "-c", program, json.dumps(config.to_dict()), str(folder), *resume]
    processes = [
        subprocess.Popen(
            command, env={**shared, "RANK": str(r), "LOCAL_RANK": str(r)}, stderr=subprocess.PIPE, text=True
        )
        for r in range(2)
    ]
    try:
        for process in processes:
            _, errors = process.communicate(timeout=500)
            assert process.returncode == 0, errors[-3000:]
    finally:
        for process in processes:
            process.kill()


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def assert_alike(one: Path, two: Path) -> None:
    for name in ("metrics.jsonl", "eval.jsonl", "sft.jsonl"):
        a, b = rows(one, name), rows(two, name)
        assert len(a) == len(b) > 0
        for left, right in zip(a, b, strict=True):
            assert left.keys() == right.keys()
            for key in left:
                if isinstance(left[key], str):
                    assert right[key] == left[key]
                elif not is_wall_clock(key):
                    assert right[key] == pytest.approx(left[key], abs=1e-4, rel=1e-3), (name, key)
    first, second = (read_weights(find_checkpoint(folder)) for folder in (one, two))
    for name, weight in first.items():
        torch.testing.assert_close(second[name], weight, atol=2e-5, rtol=1e-3)


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A two-layer Qwen2 with random weights, whose head is its embedding, and a character tokenizer."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("qwen")
    vocab = {c: i for i, c in enumerate(["<unk>", "<eos>", "\n", *map(chr, range(32, 127))])}
    inner = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<eos>", unk_token="<unk>"
    ).save_pretrained(folder)
    shape = transformers.Qwen2Config(
        vocab_size=99, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=512, initializer_range=0.1, eos_token_id=1,
        tie_word_embeddings=True,
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.Qwen2ForCausalLM(shape).save_pretrained(folder)
    return f"hf:{folder}"


CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "grpo": ({"name": "grpo", "minibatches": 2, "beta": 0.05}, {}),
    "ppo": ({"name": "ppo", "epochs": 2, "kl_in": "reward", "beta": 0.05}, {}),
    "dapo": ({"name": "dapo", "max_resamples": 2, "recompute_old": True, "importance_cap": 2.0}, {}),
    "grpo, spread": ({"name": "grpo", "minibatches": 2, "beta": 0.05}, {"gradient_checkpointing": True}),
    "ppo, spread": ({"name": "ppo", "epochs": 2, "kl_in": "reward", "beta": 0.05}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_two_processes_make_the_steps_of_one(case: str, tmp_path: Path, config: MakeConfig) -> None:
    algorithm, further = CASES[case]
    sharding = "full" if "spread" in case else "none"
    optimiser = {"micro_batch": 2, "lr": 1e-3, "sharding": sharding, **further}
    settings = config(algorithm=algorithm, optimiser=optimiser)
    train(settings, tmp_path / "one", quiet=True)
    run_on_two(settings, tmp_path / "two")
    assert_alike(tmp_path / "one", tmp_path / "two")
    assert len(rows(tmp_path / "two", "rollouts.jsonl")) == len(rows(tmp_path / "one", "rollouts.jsonl"))


@pytest.mark.parametrize(("executor", "sharding"), [("inline", "full"), ("process", "none")])
def test_conversations(executor: str, sharding: str, tmp_path: Path, config: MakeConfig) -> None:
    """One process keeps them in its cache, each at its own pace; two lead them turn by turn, and verify their shares."""
    settings = config(
        env={"id": "rlvr/GuessTheNumber-v0", "settings": {"largest": 63}, "executor": executor},
        algorithm={"name": "grpo"},
        optimiser={"micro_batch": 2, "lr": 1e-3, "sharding": sharding},
        sft={"steps": 30, "batch_size": 9, "lr": 3e-3},
    )
    train(settings, tmp_path / "one", quiet=True)
    run_on_two(settings, tmp_path / "two")
    assert_alike(tmp_path / "one", tmp_path / "two")
    assert max(row["turns"] for row in rows(tmp_path / "one", "metrics.jsonl")) > 1.5


@pytest.mark.parametrize("sharding", ["none", "optimiser", "full"])
def test_two_processes_resume_and_one_goes_on(tmp_path: Path, sharding: str, config: MakeConfig) -> None:
    """A checkpoint holds everything, however it was spread."""
    optimiser = {"micro_batch": 2, "lr": 1e-3, "weight_decay": 0.1, "sharding": sharding}
    settings = config(algorithm={"name": "grpo"}, optimiser=optimiser, steps=6)
    train(settings, tmp_path / "one", quiet=True)
    run_on_two(settings.replace(steps=2), tmp_path / "two")
    run_on_two(settings.replace(steps=4), tmp_path / "two", "resume")
    train(settings, tmp_path / "two", resume=True, quiet=True)
    assert_alike(tmp_path / "one", tmp_path / "two")


def test_two_processes_spread_what_one_left_behind(tmp_path: Path, config: MakeConfig) -> None:
    algorithm = {"name": "ppo", "value": {"trunk": "own", "lr_scale": 2.0}}
    optimiser = {"micro_batch": 2, "lr": 1e-3, "sharding": "full"}
    settings = config(algorithm=algorithm, optimiser=optimiser)
    train(settings, tmp_path / "one", quiet=True)
    train(settings.replace(steps=2), tmp_path / "two", quiet=True)
    run_on_two(settings, tmp_path / "two", "resume")
    assert_alike(tmp_path / "one", tmp_path / "two")


@pytest.mark.parametrize("lora", [None, {"rank": 4}], ids=["all weights", "adapters"])
def test_a_hugging_face_model_is_spread(
    lora: dict[str, Any] | None, qwen: str, tmp_path: Path, config: MakeConfig
) -> None:
    if lora is not None:
        pytest.importorskip("peft")
    optimiser = {"micro_batch": 2, "lr": 1e-3, "sharding": "full", "gradient_checkpointing": lora is not None}
    few = {"sft": {"steps": 2, "batch_size": 3}, "steps": 2}
    settings = config(
        algorithm={"name": "grpo", "beta": 0.05}, optimiser=optimiser, policy=qwen, lora=lora, **few
    )
    train(settings, tmp_path / "one", quiet=True)
    run_on_two(settings, tmp_path / "two")
    assert_alike(tmp_path / "one", tmp_path / "two")


def test_each_process_holds_half_and_waits_for_none_without_rows(tmp_path: Path, config: MakeConfig) -> None:
    """The second process has nothing to decode, to verify, to learn from: it has to make the same passes all the same."""
    settings = config(
        algorithm={"name": "ppo", "beta": 0.05, "value": {"trunk": "own"}},
        optimiser={"lr": 1e-3, "sharding": "full"},
        sampling={"prompts_per_step": 1, "group_size": 1, "max_tokens": 12},
        sft={"steps": 1, "batch_size": 1},
        eval={"tasks": 1, "every": 2},
    )
    train(settings, tmp_path / "one", quiet=True)
    run_on_two(settings, tmp_path / "two", program=WATCH)
    assert_alike(tmp_path / "one", tmp_path / "two")
    sizes = [rows(tmp_path / "two", f"held-{rank}.jsonl") for rank in range(2)]
    assert len(sizes[0]) == len(sizes[1]) == settings.steps
    for step in zip(*sizes, strict=True):
        for name in ("weights", "gradients", "moments", "reference"):
            for held in step:
                assert 0.4 * held["whole"] < held[name] < 0.6 * held["whole"], name
            assert sum(held[name] for held in step) == pytest.approx(step[0]["whole"], rel=0.05)
