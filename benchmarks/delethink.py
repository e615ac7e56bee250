"""The cost of long thinking: one context that grows against Delethink's chunks of constant context.

    OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE python benchmarks/delethink.py [--lengths 512 1024 2048 4096 8192]

Seconds to sample and to take one training step's gradient on completions of a given length, and the memory of the
cache. Plain attention costs length squared; chunks cost the length. Both are run in turn in each round.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from rich.console import Console
from rich.table import Table

from rlvr_gym.agents.rollout import RolloutEngine
from rlvr_gym.agents.sampling import Chunking, SamplingParams
from rlvr_gym.agents.scoring import sampled_logprobs
from rlvr_gym.agents.tokenizer import CharTokenizer
from rlvr_gym.agents.transformer import Transformer, TransformerConfig

SHAPE = TransformerConfig(layers=4, width=192, heads=6, inner=512, max_context=2**15)
PROMPT = 32


def measure(policy: Transformer, rows: int, length: int, chunking: Chunking | None) -> dict[str, float]:
    """One round: seconds of sampling and of a gradient, bytes of the cache."""
    engine = RolloutEngine(policy)
    prompts = [[5 + (i + j) % 80 for j in range(PROMPT)] for i in range(rows)]
    began = time.perf_counter()
    completions = engine.generate(prompts, SamplingParams(length, chunking=chunking), seed=0)
    sampled = time.perf_counter()
    tokens = torch.tensor([p + c.tokens for p, c in zip(prompts, completions, strict=True)])
    mask = (torch.arange(tokens.shape[1]) >= PROMPT).float().expand(rows, -1)
    sampled_logprobs(policy, tokens, mask, chunking=chunking).sum().backward()
    policy.zero_grad()
    cache = engine._cache
    assert cache is not None
    return {"sampling": sampled - began, "training": time.perf_counter() - sampled, "cache": cache.nbytes}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lengths", nargs="+", type=int, default=[512, 1024, 2048, 4096])
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--chunk", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path, help="also write the numbers here")
    options = parser.parse_args()
    policy = Transformer(SHAPE, CharTokenizer(), seed=0)
    policy.tokenizer.stop_ids = ()  # every completion has its full length
    ways = {"plain": None, "chunks": Chunking(options.chunk, options.chunk // 2)}
    table = Table(
        title=f"{options.rows} completions, {policy.num_parameters / 1e6:.1f} M weights; chunks of {options.chunk}, "
        f"carrying {options.chunk // 2}; µs a token"
    )
    for column in ("length", "", "sampling", "training", "cache MB"):
        table.add_column(column, justify="right")
    numbers = []
    for length in options.lengths:
        rounds = [
            {name: measure(policy, options.rows, length, way) for name, way in ways.items()}
            for _ in range(options.rounds)
        ]
        for name in ways:
            row = {
                key: statistics.median(r[name][key] for r in rounds)
                for key in ("sampling", "training", "cache")
            }
            tokens = options.rows * length
            numbers.append({"length": length, "way": name, **row})
            table.add_row(
                f"{length:,}", name, f"{1e6 * row['sampling'] / tokens:.0f}", f"{1e6 * row['training'] / tokens:.0f}",
                f"{row['cache'] / 2**20:.1f}",
            )  # fmt: skip
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(numbers, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
