"""Conversations that keep their place in the cache, against reading each from its beginning in every turn.

    OMP_NUM_THREADS=2 OMP_WAIT_POLICY=PASSIVE python benchmarks/conversations.py [--model smollm2] [--turns 4] ...

Both ways lead the same conversations with the same weights, interleaved: groups of samples that share a prompt, each of
which says something, is told something, and so on. What is said is random (fixed lengths, no stop tokens), so that both
do the same work but for what they read: the prompt and all turns before, or only what is new.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Mapping

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from rich.console import Console
from rich.table import Table

from rlvr_gym.agents.policy import load_policy
from rlvr_gym.agents.rollout import Completion, RolloutEngine, in_turns
from rlvr_gym.agents.sampling import SamplingParams


def main() -> None:
    """Prints seconds and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="smollm2")
    for name, default, unit in (
        ("turns", 4, "turns of each conversation"),
        ("prompt", 256, "tokens of a prompt"),
        ("reply", 48, "tokens that are told between turns"),
        ("tokens", 24, "tokens that are said in a turn"),
        ("groups", 4, "different prompts"),
        ("samples", 8, "conversations that begin with each"),
        ("rounds", 3, "of both ways, after one that is not counted"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{unit} (default {default})")
    args = parser.parse_args()
    policy = load_policy(args.model)
    policy.tokenizer.stop_ids = ()  # every turn has its full length
    engine = RolloutEngine(policy)
    params = SamplingParams(max_tokens=args.tokens)
    prompts = [[5 + group + i % 80 for i in range(args.prompt)] for group in range(args.groups)]
    prompts = [prompt for prompt in prompts for _ in range(args.samples)]
    turns = [0] * len(prompts)

    def reply(ended: dict[int, Completion], wait: bool) -> Mapping[int, list[int] | None]:
        for number in ended:
            turns[number] += 1
        told = [[7 + (i + k) % 90 for k in range(args.reply)] for i in range(len(prompts))]
        return {i: told[i] if turns[i] < args.turns else None for i in ended}

    seconds: dict[str, list[float]] = {"kept": [], "read anew": []}
    for _ in range(args.rounds + 1):
        for name, lead in (("kept", RolloutEngine.converse), ("read anew", in_turns)):
            turns[:] = [0] * len(prompts)
            began = time.perf_counter()
            lead(engine, prompts, params, reply, seed=0, rows=range(len(prompts)))  # type: ignore[operator]
            seconds[name].append(time.perf_counter() - began)
    said = len(prompts) * args.turns * args.tokens
    table = Table("", "seconds", "tokens said / s")
    medians = {name: statistics.median(times[1:]) for name, times in seconds.items()}
    for name, median in medians.items():
        table.add_row(name, f"{median:.2f}", f"{said / median:,.0f}")
    console = Console()
    console.print(table)
    console.print(f"kept is {medians['read anew'] / medians['kept']:.2f} times as fast")


if __name__ == "__main__":
    main()
