"""Decoding speed of the rollout engine against what the machine allows.

    OMP_NUM_THREADS=2 OMP_WAIT_POLICY=PASSIVE python benchmarks/decode.py [--model small smollm2] [--rows 1 16 64 256]
    python benchmarks/decode.py --device cuda --model shape-0.5b          # random weights, bf16

A decoding step has to read every weight once and every live key and value once, and to multiply. The bound is the
longer of ``(weights + live KV bytes) / copy bandwidth`` and ``floating-point operations / speed of a large matrix
product``, both measured here just before (the product by the faster of torch's libraries); the KV bytes count a
prompt once whoever shares it. The ratio is the measured time of a step over the bound: 1.0 cannot be beaten.

Each number of rows is decoded step by step (eager) and through torch.compile; ``--steps`` chooses. The column
"products" is what the step's products with weights take alone, one after another: what their shapes leave of the
speed of a large product. On a machine of one's own, ``GOMP_SPINCOUNT=10000`` lets threads wait a moment before they
sleep, which saves waking them; under load that costs more than it brings.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import platform
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from rich.console import Console
from rich.table import Table

from rlvr_gym.agents.linear import linear, packed_weights
from rlvr_gym.agents.policy import Policy, load_policy
from rlvr_gym.agents.rollout import RolloutEngine
from rlvr_gym.agents.sampling import SamplingParams

PROMPT_TOKENS, SAMPLES = 64, 16
ROUNDS = 4


def synchronise(device: torch.device) -> None:
    """Waits for a GPU; a CPU is always done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def fastest(device: torch.device, work: object, repeats: int = 5) -> float:
    """Seconds of the fastest of some calls."""
    seconds = []
    for _ in range(repeats + 1):
        synchronise(device)
        began = time.perf_counter()
        work()  # type: ignore[operator]
        synchronise(device)
        seconds.append(time.perf_counter() - began)
    return min(seconds[1:])


def read_bandwidth(device: torch.device) -> float:
    """Bytes a second that a copy reads and writes."""
    source = torch.ones(2**28 if device.type == "cuda" else 2**26, dtype=torch.float32, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / fastest(device, lambda: target.copy_(source))


def matmul_speed(device: torch.device, dtype: torch.dtype) -> float:
    """Floating-point operations a second of a large matrix product."""
    n = 8192 if device.type == "cuda" else 1024
    a, b = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
    layer = torch.nn.Linear(n, n, bias=False, device=device, dtype=dtype)
    with torch.inference_mode():
        return 2 * n**3 / min(fastest(device, lambda: a @ b), fastest(device, lambda: linear(layer, a)))


def products_seconds(policy: Policy, rows: int, dtype: torch.dtype | None) -> float:
    """Seconds of the products with weights that a step of so many rows has."""
    head = policy.head()
    layers = [m for m in policy.modules() if isinstance(m, torch.nn.Linear) and m is not head]
    twins = [m if dtype is None else copy.deepcopy(m).to(dtype) for m in layers]
    inputs = {
        m.in_features: torch.randn(rows, m.in_features, device=policy.device, dtype=m.weight.dtype)
        for m in twins
    }
    weight = next(head.parameters())
    hidden = torch.randn(rows, weight.shape[1], device=policy.device, dtype=weight.dtype)

    def work() -> None:
        for layer in twins:
            linear(layer, inputs[layer.in_features])
        policy.logits(hidden)

    with torch.inference_mode(), packed_weights(policy):
        return fastest(policy.device, work)


def make_policy(name: str, device: torch.device) -> Policy:
    """A policy by name; ``shape-0.5b`` is of Qwen2.5-0.5B's shape with random weights."""
    if name != "shape-0.5b":
        return load_policy(name, device=device)
    import transformers

    from rlvr_gym.agents.hf import HFPolicy, load_smollm2

    config = transformers.Qwen2Config(
        vocab_size=151_936, hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14,
        num_key_value_heads=2, max_position_embeddings=4096, tie_word_embeddings=True, eos_token_id=0,
    )  # fmt: skip
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    with torch.device(device):
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=dtype).eval()
    return HFPolicy(model, load_smollm2().tokenizer.inner, name)  # type: ignore[attr-defined]


def measure(
    policy: Policy,
    engine: RolloutEngine,
    rows: int,
    tokens: int,
    bandwidth: float,
    flops: float,
    dtype: torch.dtype | None,
) -> dict[str, float]:
    """Seconds of a step, in the fastest of the rounds, and the bound."""
    generator = torch.Generator().manual_seed(0)
    count = max(1, rows // SAMPLES)
    drawn = torch.randint(
        3, min(policy.tokenizer.vocab_size, 90), (count, PROMPT_TOKENS), generator=generator
    )
    prompts = [drawn[i * count // rows].tolist() for i in range(rows)]
    stops, policy.tokenizer.stop_ids = policy.tokenizer.stop_ids, ()  # no row ends early
    seconds = {}
    try:
        for length in (tokens, 2 * tokens):  # the difference is without prefill and packing of weights
            params = SamplingParams(max_tokens=length)
            engine.generate(prompts, params, seed=0)
            taken = []
            for _ in range(ROUNDS):
                synchronise(policy.device)
                began = time.perf_counter()
                engine.generate(prompts, params, seed=0)
                synchronise(policy.device)
                taken.append(time.perf_counter() - began)
            seconds[length] = min(taken)
    finally:
        policy.tokenizer.stop_ids = stops
    step = (seconds[2 * tokens] - seconds[tokens]) / tokens
    layers, heads, dim = policy.cache_shape
    own = next(policy.parameters()).element_size()
    size = own if dtype is None else dtype.itemsize
    head = sum(p.numel() for p in policy.head().parameters())  # stays in its own type
    live = 2 * layers * heads * dim * size * (count * PROMPT_TOKENS + rows * tokens * 1.5)
    weights = (policy.num_parameters - head) * size + head * own
    bound = max((weights + live) / bandwidth, 2 * policy.num_parameters * rows / flops)
    return {
        "rows": rows,
        "step_ms": 1e3 * step,
        "bound_ms": 1e3 * bound,
        "products_ms": 1e3 * products_seconds(policy, rows, dtype),
        "tokens_per_second": rows / step,
        "ratio": step / bound,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", nargs="+", default=["small", "smollm2"], help="policies, or shape-0.5b")
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 16, 64, 256])
    parser.add_argument(
        "--tokens", type=int, default=16, help="steps that are measured, after as many others"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", nargs="+", choices=["eager", "compiled"], default=["eager", "compiled"])
    parser.add_argument("--bf16", action="store_true", help="sample from a copy in bfloat16")
    parser.add_argument("--json", type=Path, help="also write the numbers here")
    options = parser.parse_args()
    device, console, numbers = torch.device(options.device), Console(), {}
    for name in options.model:
        policy = make_policy(name, device)
        own = next(policy.parameters()).dtype
        dtype = torch.bfloat16 if options.bf16 and own != torch.bfloat16 else None
        bandwidth, flops = read_bandwidth(device), matmul_speed(device, dtype or own)
        table = Table(
            title=f"{name}: {policy.num_parameters / 1e6:.1f} M weights, {dtype or own}; copy {bandwidth / 1e9:.1f} GB/s, "
            f"matmul {flops / 1e9:,.0f} GFLOP/s"
        )
        for column in ("rows", "step", "step ms", "bound ms", "products ms", "tokens/s", "step / bound"):
            table.add_column(column, justify="right")
        most = max(options.rows)
        engines = {
            kind: RolloutEngine(policy, max_rows=most, dtype=dtype, compile=kind == "compiled")
            for kind in options.steps
        }
        numbers[name] = [
            {"kind": kind, **measure(policy, engine, rows, options.tokens, bandwidth, flops, dtype)}
            for rows in options.rows
            for kind, engine in engines.items()
        ]
        for row in numbers[name]:
            table.add_row(
                f"{row['rows']:.0f}", row["kind"], f"{row['step_ms']:.2f}", f"{row['bound_ms']:.2f}",
                f"{row['products_ms']:.2f}",
                f"{row['tokens_per_second']:,.0f}", f"{row['ratio']:.2f}",
            )  # fmt: skip
        console.print(table)
    card = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else platform.processor() or platform.machine()
    )
    console.print(
        f"{card}, {torch.get_num_threads()} threads, torch {torch.__version__}, {time.strftime('%Y-%m-%d')}"
    )
    if options.json:
        options.json.write_text(json.dumps(numbers, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
