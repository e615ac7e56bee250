"""What a second worker on Ray brings, and what Ray costs: verification of programs and of formulas.

    python benchmarks/ray_scaling.py [--rounds 5] [--programs 150] [--formulas 1500] [--address auto]

Executors of one and of two workers take turns, round by round and in alternating order, so that other work on the
machine hits them alike; the process executor takes its turns too, as what a machine does without Ray. Efficiency is
the throughput of two workers over twice that of one: the median over rounds of the ratio within a round. ``idle`` are
items that cost nothing: what they cost after all is the way there and back, and bounds what one driver can hand out.

The last line is JSON: rates, efficiencies, CPU of the driver for each item, bytes of an item and a verdict on their way,
the time of a call, and how fast weights are broadcast.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from rlvr_gym import Task, get_verifier
from rlvr_gym.cluster import connect
from rlvr_gym.executor import Executor, make_executor
from rlvr_gym.executor.wire import dumps
from rlvr_gym.verification import Judge
from rlvr_gym.verifiers.code import stdin_cases

Work = tuple[Callable[[Any], Any], list[Any]]

PROGRAM = """\
```python
n, steps = int(input()), 0
while n != 1:
    n, steps = n // 2 if n % 2 == 0 else 3 * n + 1, steps + 1
print(steps)
```"""


def collatz(n: int) -> int:
    """What the program should print."""
    steps = 0
    while n != 1:
        n, steps = n // 2 if n % 2 == 0 else 3 * n + 1, steps + 1
    return steps


def programs(count: int) -> Work:
    """The same program in a sandbox, with an input of its own each time."""
    specs = [stdin_cases([(f"{n}\n", f"{collatz(n)}\n")]) for n in range(2, count + 2)]
    return Judge(get_verifier("code")), [(PROGRAM, Task("Collatz.", spec.to_dict())) for spec in specs]


def formulas(count: int) -> Work:
    """Pairs of formulas, half of them equal, no two the same: caches do not help."""
    rng = random.Random(0)
    items = []
    for number in range(count):
        a, b, c = rng.randint(2, 99), rng.randint(2, 99), number + 2
        gold, answer = [
            (f"(x+{a})(x+{b})+{c}", f"x^2+{a + b}x+{a * b + c}"),
            (f"\\frac{{{a}}}{{{b}}}+{c}", f"\\frac{{{a + b * c}}}{{{b}}}"),
            (f"{a}\\sqrt{{{b}}}+{c}", f"{c}+\\sqrt{{{a * a * b}}}"),
        ][number % 3]
        wrong = "+1" if rng.random() < 0.5 else ""
        items.append((f"The answer is $\\boxed{{{answer}{wrong}}}$.", Task("?", gold)))
    return Judge(get_verifier("math")), items


def rate(executor: Executor, work: Work) -> tuple[float, float]:
    """Items a second, and CPU milliseconds of this process for each."""
    function, items = work
    busy, start = time.process_time(), time.perf_counter()
    outcomes = executor.map(function, items, timeout=60)
    seconds = time.perf_counter() - start
    assert not any(outcome.failure for outcome in outcomes)
    return len(items) / seconds, (time.process_time() - busy) / len(items) * 1000


def warm_up(executor: Executor, workers: int) -> None:
    """Waits until every worker is there: an actor takes seconds to start, and the others do its work until then."""

    def work(_: int) -> int:
        time.sleep(0.02)
        return os.getpid()

    while len({outcome.value for outcome in executor.map(work, range(6 * workers))}) < workers:
        pass


def measure(executors: dict[str, Executor], work: Work, rounds: int) -> dict[str, Any]:
    """Medians over rounds; the first one warms up and does not count."""
    rates: dict[str, list[float]] = {name: [] for name in executors}
    driver: dict[str, list[float]] = {name: [] for name in executors}
    for number in range(rounds + 1):
        for name in sorted(executors, reverse=bool(number % 2)):
            found, cpu = rate(executors[name], work)
            if number:
                rates[name].append(found)
                driver[name].append(cpu)
    row: dict[str, Any] = {name: round(statistics.median(values), 1) for name, values in rates.items()}
    for kind in ("process", "ray"):
        pairs = zip(rates[f"{kind} 1"], rates[f"{kind} 2"], strict=True)
        row[f"{kind} efficiency"] = round(statistics.median(two / (2 * one) for one, two in pairs), 3)
    row["driver cpu ms"] = round(statistics.median(driver["ray 2"]), 3)
    function, items = work
    outcomes = executors["process 1"].map(function, items[:50])
    row["item bytes"] = round(statistics.mean(len(dumps(item)) for item in items))
    row["result bytes"] = round(statistics.mean(len(dumps(outcome.value)) for outcome in outcomes))
    return row


def transport(ray: Any) -> dict[str, float]:
    """A call there and back, and weights of 64 MB to a worker that has not seen them."""

    class Echo:
        def size(self, data: Any) -> int:
            return 0 if data is None else int(data.sum())  # reads all of it

    actor = ray.remote(num_cpus=0.01)(Echo).remote()
    ray.get(actor.size.remote(None))
    calls, broadcasts = [], []
    for _ in range(200):
        start = time.perf_counter()
        ray.get(actor.size.remote(None))
        calls.append(time.perf_counter() - start)
    weights = np.ones(16 << 20, np.float32)
    for _ in range(5):
        start = time.perf_counter()
        ray.get(actor.size.remote(ray.put(weights)))
        broadcasts.append(time.perf_counter() - start)
    ray.kill(actor)
    return {
        "call ms": round(statistics.median(calls) * 1000, 2),
        "broadcast MB/s": round(weights.nbytes / 1e6 / statistics.median(broadcasts)),
    }


def main() -> None:
    """Runs the rounds, and prints a table and JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--programs", type=int, default=150, help="of a round")
    parser.add_argument("--formulas", type=int, default=1500, help="of a round")
    parser.add_argument("--address", help="of a cluster; one of this machine alone by default")
    options = parser.parse_args()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # as the process executor has it; 15 otherwise
    os.environ.setdefault("RLVR_GYM_SANDBOX_WORKERS", "1")  # each worker runs one program at a time anyway
    ray = connect(options.address, purpose="benchmarks/ray_scaling.py")
    works = {
        "sandbox": programs(options.programs),
        "math": formulas(options.formulas),
        "idle": (abs, list(range(5000))),
    }
    executors: dict[str, Executor] = {}
    for count in (1, 2):
        executors[f"process {count}"] = make_executor("process", workers=count)
        # what Ray reserves is not what is used: all executors have a place, and one works at a time
        executors[f"ray {count}"] = make_executor("ray", workers=count, cpus=0.1)
    rows: dict[str, Any] = {}
    try:
        for name, executor in executors.items():
            warm_up(executor, int(name.split()[1]))
        for name, work in works.items():
            rows[name] = measure(executors, work, options.rounds)
        rows["transport"] = transport(ray)
    finally:
        for executor in executors.values():
            executor.close()
        ray.shutdown()
    show(rows)


def show(rows: dict[str, Any]) -> None:
    """The table."""
    print(f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, items a second")
    columns = ["process 1", "process 2", "ray 1", "ray 2", "process efficiency", "ray efficiency"]
    print(f"{'':<10}" + "".join(f"{column:>20}" for column in columns))
    for name in ("sandbox", "math", "idle"):
        print(f"{name:<10}" + "".join(f"{rows[name][column]:>20}" for column in columns))
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
