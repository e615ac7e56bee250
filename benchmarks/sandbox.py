"""How fast the sandboxes run programs: warm pools against a fresh interpreter in a container for each program.

    python benchmarks/sandbox.py [--programs 300] [--rounds 5] [--workers 2]

All contestants take turns, round by round, so that other work on the machine hits them alike. The pools run with the
very configuration that `rlvr-gym sandbox attack` attacks, cleaning up included; `docker exec` and `docker run` use the
same image and the same flags, with one process at a time per worker. Latency is that of a single program on an idle
pool. CPU is the time of the
host process, the sandboxes and Docker's daemons together; unlike the rates it hardly depends on what else the machine
is doing, and two processors can do no more than 2000 / CPU programs a second. (Of `docker run` it misses what ends
with the containers.)
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rlvr_gym.sandbox import Job, Sandbox, make_sandbox, sandbox_status
from rlvr_gym.sandbox.backends.base import GUEST_ENVIRONMENT
from rlvr_gym.sandbox.backends.docker import IMAGE

PROGRAM = """\
def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps

print(collatz(int(input())))
"""
GIVEN, EXPECTED = b"27\n", b"111\n"
FLAGS = [
    "--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--user=65534:65534",
    "--pids-limit=128", "--memory=1280m", "--memory-swap=1280m", "--cpus=1", "--tmpfs=/tmp:size=64m", "--ipc=none",
    *[f"--env={name}={value}" for name, value in GUEST_ENVIRONMENT.items()],
]  # fmt: skip


class Contestant:
    """A way to run a program, for one worker each."""

    def __init__(
        self, name: str, share: float, run: Callable[[int], None], close: Callable[[], None]
    ) -> None:
        self.name, self.share, self.run, self.close = name, share, run, close
        self.rates: list[float] = []
        self.cpu_ms: list[float] = []
        self.latencies: list[float] = []


def pool(name: str, workers: int) -> Contestant:
    """A backend's warm pool."""
    sandbox: Sandbox = make_sandbox(name, workers)
    sandbox.warm_up()
    job = Job(PROGRAM, stdin=GIVEN)

    def run(worker: int) -> None:
        assert sandbox.execute(job).stdout == EXPECTED

    return Contestant(f"{name} pool" if name == "docker" else name, 1.0, run, sandbox.close)


def docker_exec(workers: int) -> Contestant:
    """A warm container for each worker, a new process in it for each program."""
    names = [f"rlvr-gym-bench-{uuid.uuid4().hex[:8]}" for _ in range(workers)]
    sleep = "import time\nwhile True: time.sleep(1000)"
    for name in names:
        _docker("run", "--detach", "--rm", f"--name={name}", *FLAGS, IMAGE, "python3", "-c", sleep)

    def run(worker: int) -> None:
        assert (
            _docker("exec", "--interactive", names[worker], "python3", "-S", "-c", PROGRAM, given=GIVEN)
            == EXPECTED
        )

    return Contestant("docker exec", 0.05, run, lambda: [_docker("kill", name) for name in names] and None)


def docker_run() -> Contestant:
    """A new container for each program."""

    def run(worker: int) -> None:
        output = _docker(
            "run", "--rm", "--interactive", *FLAGS, IMAGE, "python3", "-S", "-c", PROGRAM, given=GIVEN
        )
        assert output == EXPECTED

    return Contestant("docker run", 0.02, run, lambda: None)


def _docker(*arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["docker", *arguments], input=given, capture_output=True, check=True).stdout


def _cpu_seconds() -> float:
    """CPU seconds of this process, of Docker's daemons, and of all their descendants, so far."""
    parents, names, ticks = {}, {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            head, _, tail = (folder / "stat").read_text().rpartition(")")
        except OSError:
            continue
        fields, pid = tail.split(), int(folder.name)
        parents[pid], names[pid] = int(fields[1]), head.partition("(")[2]
        ticks[pid] = sum(map(int, fields[11:15]))  # its own time, and that of its children who are gone
    roots = {os.getpid()} | {pid for pid, name in names.items() if name.startswith(("dockerd", "containerd"))}
    counted = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in counted} - counted:
        counted |= more
    return sum(ticks[pid] for pid in counted if pid in ticks) / os.sysconf("SC_CLK_TCK")


def play(contestant: Contestant, programs: int, workers: int) -> None:
    """One round: throughput with all workers, then the latency of single programs."""
    count = max(workers, int(programs * contestant.share))
    busy, start = _cpu_seconds(), time.perf_counter()
    with ThreadPoolExecutor(workers) as threads:
        lanes = [
            threads.submit(lambda w: [contestant.run(w) for _ in range(count // workers)], w)
            for w in range(workers)
        ]
        for lane in lanes:
            lane.result()
    seconds = time.perf_counter() - start
    done = count // workers * workers
    contestant.rates.append(done / seconds)
    contestant.cpu_ms.append((_cpu_seconds() - busy) / done * 1000)
    for _ in range(max(2, count // 10)):
        start = time.perf_counter()
        contestant.run(0)
        contestant.latencies.append((time.perf_counter() - start) * 1000)


def main() -> None:
    """Runs the rounds and prints a table and, as the last line, JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--programs", type=int, default=300, help="programs a round, for the pools")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    working = [found.name for found in sandbox_status() if found.ok]
    contestants = [pool(name, options.workers) for name in working]
    if "docker" in working:
        contestants += [docker_exec(options.workers), docker_run()]
    else:
        print("no Docker engine with the image: only what works here is measured", file=sys.stderr)
    try:
        for _ in range(options.rounds):
            for contestant in contestants:
                play(contestant, options.programs, options.workers)
    finally:
        for contestant in contestants:
            contestant.close()
    print(
        f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {options.workers} workers"
    )
    print(f"{'':<14}{'programs/s':>12}{'best round':>12}{'median ms':>12}{'CPU ms each':>13}")
    rows = {}
    for c in contestants:
        rows[c.name] = {
            "programs_per_s": round(statistics.median(c.rates), 1),
            "best_round": round(max(c.rates), 1),
            "median_ms": round(statistics.median(c.latencies), 2),
            "cpu_ms": round(statistics.median(c.cpu_ms), 2),
        }
        print(f"{c.name:<14}" + "".join(f"{value:>12}" for value in rows[c.name].values()))
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
