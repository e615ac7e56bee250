"""Text steps per second: TextVectorEnv against Gymnasium's SyncVectorEnv over the same environment.

    python benchmarks/env_steps.py [--env rlvr/Arithmetic-v0] [--num-envs 1 8 64 256] [--seconds 2] [--json FILE]

Both sides run the same tasks and get the same actions, right and wrong ones in turn, and their observations,
rewards and infos are compared before anything is timed. The sides take turns within each round, so that a noisy
machine disturbs both alike; the ratio is the median over the rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from rich.console import Console
from rich.table import Table

import rlvr_gym
from rlvr_gym.env import TextEnv

ROUNDS = 5


def make_ours(env_id: str, num_envs: int) -> VectorEnv[Any, Any, Any]:
    return rlvr_gym.TextVectorEnv(env_id, num_envs=num_envs)


def make_sync(env_id: str, num_envs: int) -> VectorEnv[Any, Any, Any]:
    """Over bare environments: the wrappers that ``gymnasium.make`` adds would only slow it down."""
    return SyncVectorEnv(
        [lambda: TextEnv(env_id)] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP, copy=False
    )


def completions(count: int) -> list[str]:
    """What a policy might write; the same for both sides."""
    right = "First I add the numbers, then I look at the sum again.\n<answer>{}</answer>"
    return [right.format(n) if n % 2 else "I do not know." for n in range(count)]


def check_same(env_id: str, num_envs: int) -> None:
    """Raises AssertionError unless both sides give the same results."""
    results = []
    for make in (make_ours, make_sync):
        envs = make(env_id, num_envs)
        outputs = [envs.reset(seed=7)] + [envs.step(completions(num_envs)) for _ in range(5)]
        envs.close()
        results.append(outputs)
    np.testing.assert_equal(results[0], results[1])


def steps_per_second(envs: VectorEnv[Any, Any, Any], actions: Sequence[str], seconds: float) -> float:
    """Steps of sub-environments (each with the generation of the next task) in a second of CPU time."""
    steps, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        envs.step(actions)
        steps += len(actions)
    return steps / spent


def compare(env_id: str, num_envs: int, seconds: float) -> dict[str, float]:
    """Medians over the rounds."""
    check_same(env_id, num_envs)
    makers: dict[str, Callable[[str, int], VectorEnv[Any, Any, Any]]] = {"ours": make_ours, "sync": make_sync}
    sides = {name: make(env_id, num_envs) for name, make in makers.items()}
    actions = completions(num_envs)
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for envs in sides.values():
        envs.reset(seed=0)
    for _ in range(ROUNDS):
        for name, envs in sides.items():
            rates[name].append(steps_per_second(envs, actions, seconds / ROUNDS / 2))
    ratio = statistics.median(a / b for a, b in zip(rates["ours"], rates["sync"], strict=True))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    return {"num_envs": num_envs, **medians, "ratio": ratio}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--env", default="rlvr/Arithmetic-v0")
    parser.add_argument("--num-envs", type=int, nargs="+", default=[1, 8, 64, 256])
    parser.add_argument("--seconds", type=float, default=4.0, help="for each row")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    arguments = parser.parse_args()
    rows = [compare(arguments.env, n, arguments.seconds) for n in arguments.num_envs]
    table = Table(title=f"Text steps per second of CPU time, {arguments.env}")
    for column in ("num_envs", "TextVectorEnv", "SyncVectorEnv", "ratio"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            f"{row['num_envs']:,}", f"{row['ours']:,.0f}", f"{row['sync']:,.0f}", f"{row['ratio']:.2f}"
        )
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
