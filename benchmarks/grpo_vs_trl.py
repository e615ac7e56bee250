"""One GRPO step, ours against TRL's, on the same model, prompts, rewards and number of samples.

    OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE python benchmarks/grpo_vs_trl.py [--steps 30]
    OMP_NUM_THREADS=2 OMP_WAIT_POLICY=PASSIVE python benchmarks/grpo_vs_trl.py --model smollm2 --steps 4 --warm-up 1

Both trainers run whole: prompts from their own data loaders, sampling, decoding to text, the reward function,
advantages, loss, backward pass, clipping, AdamW. TRL's steps and ours take turns (ours runs in a callback of
theirs), so that a noisy machine disturbs both alike; the ratio is that of the medians. Before anything is timed the
logits of both sides are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from rlvr_gym.agents.config import TrainConfig
from rlvr_gym.agents.policy import load_policy
from rlvr_gym.agents.trainer import Trainer
from rlvr_gym.problem import Problem
from rlvr_gym.registration import register
from rlvr_gym.task import Task
from rlvr_gym.verdict import Verdict
from rlvr_gym.verifier import Verifier, register_verifier

PROMPTS, SAMPLES, NEW_TOKENS = 8, 8, 32
VOCABULARY = 1_000
LR = 1e-6
MICRO = {"tiny": PROMPTS * SAMPLES, "smollm2": 8}
"""Sequences in one forward and backward pass, on both sides: 64 of SmolLM2 would need 18 GB."""


def share_of_vowels(text: str) -> float:
    """A reward with variance in every group."""
    return sum(c in "aeiou" for c in text) / max(len(text), 1)


@register_verifier("benchmark_share")
class ShareVerifier(Verifier):
    """Scores by :func:`share_of_vowels`."""

    def judge(self, completion: str, task: Task) -> Verdict:
        """The share is the score."""
        return Verdict.graded(share_of_vowels(completion))


@register("benchmark/Words-v0", family="benchmark")
@dataclass(frozen=True, kw_only=True)
class Words(Problem):
    """A prompt of random words; the more vowels in the answer the better."""

    verifier: ClassVar[str] = "benchmark_share"

    def generate(self, rng: np.random.Generator, difficulty: int) -> Task:
        """Twelve random words."""
        return Task(random_words(rng, 12), "", metadata={"hardness": 1.0})


def random_words(rng: np.random.Generator, count: int) -> str:
    """Words of consonant and vowel in turn."""
    syllables = rng.integers(0, [20, 5], (count, 3, 2))
    return " ".join("".join("bcdfghjklmnpqrstvwxz"[c] + "aeiou"[v] for c, v in word) for word in syllables)


def make_tiny(folder: Path) -> None:
    """A 2-layer Qwen2-like model, hidden 64, vocabulary 1,000, random weights, and a byte-pair tokenizer."""
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    rng = np.random.default_rng(0)
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    words.train_from_iterator(
        [random_words(rng, 50) for _ in range(400)],
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=["<pad>", "<eos>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="<eos>"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.Qwen2Config(
        vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=512, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=1, pad_token_id=0,
    )  # fmt: skip
    transformers.Qwen2ForCausalLM(config).save_pretrained(folder)


def make_smollm2(folder: Path) -> None:
    """SmolLM2-135M-Instruct in float32, as a folder that both sides load; without its chat template."""
    import transformers

    from rlvr_gym.agents.hf import load_smollm2

    policy = load_smollm2()
    config = transformers.AutoConfig.for_model(
        **{**policy.model.config.to_dict(), "quantization_config": None}
    )
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(policy.model.state_dict())
    model.save_pretrained(folder)
    tokenizer = policy.tokenizer.inner  # type: ignore[attr-defined]
    tokenizer.chat_template = None
    tokenizer.save_pretrained(folder)


def make_ours(kind: str, folder: Path, out: Path) -> Trainer:
    config = TrainConfig.parse(
        {
            "env": {"id": "benchmark/Words-v0", "settings": {}},
            "reward": {"score": 1.0},
            "policy": f"hf:{folder}",
            "sampling": {"prompts_per_step": PROMPTS, "group_size": SAMPLES, "max_tokens": NEW_TOKENS},
            "algorithm": {"name": "grpo", "track_kl": False},
            "optimiser.lr": LR,
            "optimiser.warmup_steps": 0,
            "optimiser.micro_batch": MICRO[kind],
            "eval.tasks": 0,
            "checkpoint.every": 10**6,
            "logging.tensorboard": False,
            "logging.rollouts": 0,
            "device": "cpu",
        }
    )
    return Trainer(config, out, resume=False, quiet=True)


@dataclass
class Step:
    """Seconds of one step, and the tokens that were sampled in it."""

    sampling: float
    training: float
    tokens: int

    @property
    def total(self) -> float:
        """Seconds of the whole step."""
        return self.sampling + self.training


def run_trl(
    kind: str, folder: Path, out: Path, steps: int, between: Callable[[], None]
) -> tuple[list[Step], Any]:
    """TRL's steps; ``between`` is called after each of them."""
    import transformers
    import trl

    import datasets

    measured: list[Step] = []

    class Timed(trl.GRPOTrainer):  # type: ignore[misc]
        """TRL's trainer with a clock around its two halves."""

        sampling = 0.0

        def _generate_and_score_completions(self, inputs: Any) -> Any:
            began = time.perf_counter()
            output = super()._generate_and_score_completions(inputs)
            self.sampling = time.perf_counter() - began
            self.tokens = int(output["completion_mask"].sum())
            return output

    class Turns(transformers.TrainerCallback):  # type: ignore[misc]
        """Measures whole steps, from their beginning to after the optimiser's, and gives us our turn."""

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.began = time.perf_counter()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            seconds = time.perf_counter() - self.began
            measured.append(Step(trainer.sampling, seconds - trainer.sampling, trainer.tokens))
            between()

    problem = Words()
    source = problem.source(0)
    rows = datasets.Dataset.from_list([{"prompt": source[i].prompt} for i in range(PROMPTS * (steps + 1))])

    def reward(completions: Sequence[str], **_: Any) -> list[float]:
        return [share_of_vowels(text) for text in completions]

    settings = trl.GRPOConfig(
        output_dir=str(out), per_device_train_batch_size=MICRO[kind], gradient_accumulation_steps=PROMPTS * SAMPLES // MICRO[kind], num_generations=SAMPLES,
        max_completion_length=NEW_TOKENS, max_steps=steps, learning_rate=LR, beta=0.0, loss_type="grpo",
        report_to=[], logging_steps=10**6, save_strategy="no", use_cpu=True, bf16=False, gradient_checkpointing=False,
        disable_tqdm=True, dataloader_pin_memory=False,
    )  # fmt: skip
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, padding_side="left")
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    trainer = Timed(
        model=model, reward_funcs=reward, args=settings, train_dataset=rows, processing_class=tokenizer,
        callbacks=[Turns()],
    )  # fmt: skip
    trainer.train()
    return measured, trainer


@torch.no_grad()
def check_same_logits(folder: Path) -> None:
    """Raises AssertionError unless both sides compute the same function."""
    import transformers

    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ours = load_policy(f"hf:{folder}")
    tokens = torch.randint(4, ours.tokenizer.vocab_size, (3, 24), generator=torch.Generator().manual_seed(1))
    # SmolLM2's logits go up to 36, and differ from those in float64 by up to 3e-4 on both sides
    torch.testing.assert_close(ours.logits(ours.hidden(tokens)), theirs(tokens).logits, atol=1e-3, rtol=1e-4)


def compare(kind: str, steps: int, warm_up: int) -> dict[str, list[Step]]:
    """Steps of both, taken in turns; those of the warm-up are left out."""
    ours: list[Step] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (make_tiny if kind == "tiny" else make_smollm2)(folder / "model")
        check_same_logits(folder / "model")
        trainer = make_ours(kind, folder / "model", folder / "ours")
        rows = folder / "ours" / "metrics.jsonl"

        def our_turn() -> None:
            trainer._step()
            row = json.loads(rows.read_text(encoding="utf-8").splitlines()[-1])
            ours.append(Step(row["time/sampling"], row["time/training"], int(row["tokens"])))

        theirs, _ = run_trl(kind, folder / "model", folder / "trl", steps + warm_up, our_turn)
        trainer.close()
    return {"rlvr-gym": ours[warm_up:], "TRL": theirs[warm_up:]}


def report(steps: dict[str, list[Step]], kind: str) -> dict[str, Any]:
    """Prints the table; returns what is in it."""
    table = Table(title=f"GRPO, {kind}: {PROMPTS} prompts x {SAMPLES} samples x {NEW_TOKENS} tokens")
    for column in ("", "step s", "sampling s", "training s", "tokens/s"):
        table.add_column(column, justify="right")
    medians = {}
    for name, rows in steps.items():
        median = {
            "step": statistics.median(s.total for s in rows),
            "sampling": statistics.median(s.sampling for s in rows),
            "training": statistics.median(s.training for s in rows),
            "tokens_per_second": statistics.median(s.tokens / s.total for s in rows),
        }
        medians[name] = median
        table.add_row(
            name,
            *(f"{median[k]:.3f}" for k in ("step", "sampling", "training")),
            f"{median['tokens_per_second']:,.0f}",
        )
    ours, theirs = medians["rlvr-gym"], medians["TRL"]
    ratio = {key: theirs[key] / ours[key] for key in ("step", "sampling", "training")}
    ratio["tokens_per_second"] = ours["tokens_per_second"] / theirs["tokens_per_second"]
    table.add_row(
        "ratio", *(f"{ratio[k]:.2f}x" for k in ("step", "sampling", "training", "tokens_per_second"))
    )
    Console().print(table)
    Console().print(
        f"{len(steps['TRL'])} steps each, medians; torch {torch.__version__}, {torch.get_num_threads()} thread(s), {platform.machine()}"
    )
    return {"medians": medians, "ratio": ratio}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=("tiny", "smollm2"), default="tiny")
    parser.add_argument("--steps", type=int, default=30, help="steps of each side, after the warm-up")
    parser.add_argument("--warm-up", type=int, default=3, help="steps that are not counted")
    parser.add_argument("--json", type=Path, help="also write the numbers here")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    numbers = report(compare(options.model, options.steps, options.warm_up), options.model)
    if options.json:
        options.json.write_text(json.dumps(numbers, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
