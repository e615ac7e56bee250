"""Learning curves of every algorithm, and of TRL's GRPO, on the same environment, policy and budget.

    OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE python benchmarks/learning.py --out runs/learning [--seeds 5] [--jobs 2]

Sums of three one-digit numbers, written digit by digit by a small Llama (0.2 M weights, characters as tokens) that a
supervised warm start has brought to about a third of them. All algorithms begin, for each seed, at that same policy and
have the same learning rate, group size and samples; only what their names stand for differs. Accuracy is that on 200
held-out tasks, sampled at temperature 1. Cells that are done are kept in the folder and not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
from rich.console import Console
from rich.table import Table

ALGORITHMS = ("reinforce", "rloo", "ppo", "grpo", "dr_grpo", "dapo", "gspo", "cispo")
TRL = "TRL grpo"
PROMPTS, SAMPLES, NEW_TOKENS, LR, STEPS, EVERY = 64, 8, 28, 6e-4, 60, 6
BUDGET = PROMPTS * SAMPLES * STEPS
ENV = {
    "id": "rlvr/Arithmetic-v0",
    "settings": {"prompt": "terse", "terms": 3, "operations": "+", "digits": 1},
}
Curve = list[tuple[int, float]]
"""(samples so far, accuracy)"""


def config_of(policy: str, seed: int, **changes: Any) -> Any:
    """What all cells share."""
    from rlvr_gym.agents.config import TrainConfig

    settings: dict[str, Any] = {
        "env": {**ENV, "system_prompt": "tags"},
        "policy": policy,
        "sampling": {"prompts_per_step": PROMPTS, "group_size": SAMPLES, "max_tokens": NEW_TOKENS},
        "optimiser": {"lr": LR, "warmup_steps": 5, "betas": [0.9, 0.99]},
        "eval": {"tasks": 200, "every": EVERY},
        "checkpoint.every": 10**6,
        "logging": {"tensorboard": False, "rollouts": 0},
        "threads": 1,
        "device": "cpu",
        "seed": seed,
        "steps": STEPS,
    }
    return TrainConfig.parse({**settings, **changes})


def make_base(folder: Path, seed: int) -> Path:
    """A small Llama with random weights, warm-started; a folder that both sides load."""
    import torch
    import transformers
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    from rlvr_gym.agents.policy import load_policy
    from rlvr_gym.agents.trainer import train

    base = folder / f"base-{seed}"
    if (base / "config.json").is_file():
        return base
    characters = {c: i for i, c in enumerate(["<pad>", "<eos>", "<unk>", "\n", *map(chr, range(32, 127))])}
    inner = Tokenizer(models.WordLevel(characters, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    inner.decoder = decoders.Fuse()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<eos>", pad_token="<pad>", unk_token="<unk>"
    )
    tokenizer.add_tokens(["<think>", "</think>", "<answer>", "</answer>"])
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=96, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=256, tie_word_embeddings=True, bos_token_id=None, eos_token_id=1, pad_token_id=0,
    )  # fmt: skip
    fresh = folder / f"fresh-{seed}"
    transformers.LlamaForCausalLM(config).save_pretrained(fresh)
    tokenizer.save_pretrained(fresh)
    sft = {"steps": 600, "lr": 3e-3, "target_accuracy": 0.3, "check_every": 10, "check_tasks": 100}
    summary = train(
        config_of(f"hf:{fresh}", seed, sft=sft, steps=0, **{"eval.every": 0}),
        folder / f"sft-{seed}",
        quiet=True,
    )
    policy: Any = load_policy(f"ckpt:{summary.run_dir}")
    policy.model.save_pretrained(base)
    tokenizer.save_pretrained(base)
    return base


def run_ours(algorithm: str, seed: int, base: Path, out: Path) -> Curve:
    """A run of ours; samples are counted as they were drawn, also those that dynamic sampling threw away."""
    from rlvr_gym.agents.trainer import train

    train(config_of(f"hf:{base}", seed, algorithm=algorithm), out, resume=out.exists(), quiet=True)
    steps = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    drawn = np.cumsum([0] + [row["tokens"] / row["completions/mean_length"] for row in steps])
    evaluations = [json.loads(line) for line in (out / "eval.jsonl").read_text(encoding="utf-8").splitlines()]
    return [(round(drawn[max(row["step"], 0)]), row["pass@1"]) for row in evaluations]


def run_trl(seed: int, base: Path, out: Path) -> Curve:
    """TRL's GRPO with our verifier as its reward function, evaluated by our evaluation."""
    import torch
    import transformers
    import trl

    import datasets
    from rlvr_gym.agents.evaluate import evaluate
    from rlvr_gym.agents.hf import HFPolicy
    from rlvr_gym.agents.rollout import RolloutEngine
    from rlvr_gym.agents.sampling import SamplingParams
    from rlvr_gym.agents.seeds import derive_seed
    from rlvr_gym.agents.tasks import TaskFeed, held_out_tasks, make_settings

    torch.set_num_threads(1)
    config = config_of(f"hf:{base}", seed)
    settings = make_settings(config)
    held_out = held_out_tasks(settings, config.eval.seed, config.eval.tasks)
    feed = TaskFeed(settings.problem, seed, held_out)
    tasks = feed.take(PROMPTS * (STEPS + 1))
    by_id = {task.id: task for task in tasks}

    def prompt(task: Any) -> str:
        return "".join(message["content"] + "\n\n" for message in settings.begin(task).messages)

    def reward(completions: Sequence[str], task_id: Sequence[str], **_: Any) -> list[float]:
        chosen = [by_id[name] for name in task_id]
        return [verdict.score for verdict in settings.verifier.verify_batch(list(completions), chosen)]

    tokenizer = transformers.AutoTokenizer.from_pretrained(base, padding_side="left")
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    curve: Curve = []

    class Evaluate(transformers.TrainerCallback):  # type: ignore[misc]
        """Our evaluation of a copy of the model as it is."""

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step % EVERY == 0:
                self.measure(state.global_step)

        def measure(self, step: int) -> None:
            copy = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
            copy.load_state_dict(model.state_dict())
            engine = RolloutEngine(HFPolicy(copy.eval(), tokenizer, "TRL"))
            result = evaluate(
                engine, settings, held_out, SamplingParams(NEW_TOKENS), seed=derive_seed(seed, "evaluation")
            )
            curve.append((step * PROMPTS * SAMPLES, result.pass_at_1))

    trainer = trl.GRPOTrainer(
        model=model, reward_funcs=reward, processing_class=tokenizer, callbacks=[watch := Evaluate()],
        train_dataset=datasets.Dataset.from_list([{"prompt": prompt(t), "task_id": t.id} for t in tasks]),
        args=trl.GRPOConfig(
            output_dir=str(out), per_device_train_batch_size=PROMPTS * SAMPLES, num_generations=SAMPLES,
            max_completion_length=NEW_TOKENS, max_steps=STEPS, learning_rate=LR, lr_scheduler_type="constant_with_warmup",
            warmup_steps=5, adam_beta2=0.99, weight_decay=0.0, beta=0.0, loss_type="grpo", seed=seed, report_to=[],
            logging_steps=10**6, save_strategy="no", use_cpu=True, bf16=False, gradient_checkpointing=False,
            disable_tqdm=True, dataloader_pin_memory=False,
        ),
    )  # fmt: skip
    watch.measure(0)
    trainer.train()
    return curve


def run_cell(name: str, seed: int, folder: Path) -> tuple[str, int, Curve]:
    """The curve of one algorithm under one seed, out of the folder if it is there."""
    warnings.filterwarnings("ignore")
    kept = folder / "curves" / f"{name.replace(' ', '_')}-{seed}.json"
    if not kept.is_file():
        base, out = folder / f"base-{seed}", folder / "runs" / f"{name.replace(' ', '_')}-{seed}"
        curve = run_trl(seed, base, out) if name == TRL else run_ours(name, seed, base, out)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(curve), encoding="utf-8")
    return name, seed, json.loads(kept.read_text(encoding="utf-8"))


def on_grid(curve: Curve, grid: np.ndarray) -> np.ndarray:
    """The accuracy at each of these numbers of samples, in between by straight lines."""
    samples, accuracy = zip(*sorted(curve), strict=True)
    return np.interp(grid, samples, accuracy)


def interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over seeds (axis 0) and half the width of its 95 % t interval."""
    from scipy import stats

    n = len(values)
    half = (
        stats.t.ppf(0.975, n - 1) * values.std(axis=0, ddof=1) / np.sqrt(n)
        if n > 1
        else np.zeros(values.shape[1])
    )
    return values.mean(axis=0), half


def report(curves: dict[str, list[Curve]], folder: Path) -> None:
    """The table, and the plot as SVG."""
    grid = np.linspace(0, BUDGET, 61)
    table = Table(title=f"Held-out accuracy after {BUDGET:,} samples; mean and 95 % t interval over seeds")
    for column in ("algorithm", "before", "half of the samples", "all samples", "mean over the run"):
        table.add_column(column, justify="right")
    bands = {}
    for name, rows in curves.items():
        values = np.array([on_grid(curve, grid) for curve in rows])
        bands[name] = interval(values)
        area, area_half = interval(values.mean(axis=1, keepdims=True))
        mean, half = bands[name]
        cells = [f"{mean[i]:.3f} ± {half[i]:.3f}" for i in (0, 30, 60)]
        table.add_row(name, *cells, f"{area[0]:.3f} ± {area_half[0]:.3f}")
    Console(width=110).print(table)
    _plot(grid, bands, folder / "learning.svg")
    Console().print(f"plot: {folder / 'learning.svg'}; {len(next(iter(curves.values())))} seeds")


def _plot(grid: np.ndarray, bands: dict[str, tuple[np.ndarray, np.ndarray]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "learning"  # the same numbers give the same file
    columns = 3
    figure, axes = plt.subplots(
        -(-len(bands) // columns), columns, figsize=(9, 7.5), sharex=True, sharey=True, layout="constrained"
    )
    for axis, (name, (mean, half)) in zip(axes.flat, bands.items(), strict=False):
        for other, (their_mean, _) in bands.items():
            axis.plot(grid, their_mean, color="0.85", linewidth=1, zorder=1 if other != name else 0)
        axis.fill_between(grid, mean - half, mean + half, color="#3366aa", alpha=0.25, linewidth=0)
        axis.plot(grid, mean, color="#3366aa", linewidth=2)
        axis.set_title(name, fontsize=10)
        axis.grid(alpha=0.3)
    figure.supxlabel("samples")
    figure.supylabel("held-out accuracy, mean and 95 % band; the others in grey")
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for runs, curves and the plot")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2, help="cells side by side, one thread each")
    parser.add_argument("--algorithms", nargs="+", default=[*ALGORITHMS, TRL])
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    options.out.mkdir(parents=True, exist_ok=True)
    seeds = range(options.seeds)
    curves: dict[str, list[Curve]] = {name: [] for name in options.algorithms}
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        list(pool.map(make_base, [options.out] * len(seeds), seeds))
        cells = [
            pool.submit(run_cell, name, seed, options.out) for seed in seeds for name in options.algorithms
        ]
        for cell in cells:
            name, seed, curve = cell.result()
            curves[name].append(curve)
            print(f"{name:>10} seed {seed}: {curve[0][1]:.3f} -> {curve[-1][1]:.3f}", flush=True)
    report(curves, options.out)


if __name__ == "__main__":
    main()
