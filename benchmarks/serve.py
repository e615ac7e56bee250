"""How much a server takes: many of OpenEnv's clients at once, with and without hostile ones beside them.

    python benchmarks/serve.py [--env Countdown] [--sessions 1 16 64] [--episodes 640] [--executor process] [--json FILE]

One server takes all rows. ``new`` opens a connection for each episode, ``kept`` plays all episodes of a client
on one. Clients know the answers, and give right and wrong ones in turn; every reply is held against what it must be
(task, turn, reward, verdict), and in the end the server's own counts against the clients'. Latencies are the clients', of
one call (reset or step) each; ``CPU`` is what the server's process spent for a call, without the workers that verify.

The hostile ones run in a process of their own: half requests, megabyte messages, broken JSON, sessions that are opened
and left, and a client that asks and never reads.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import queue
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from openenv.core import GenericEnvClient
from rich.console import Console
from rich.table import Table

import rlvr_gym

warnings.filterwarnings("ignore", category=DeprecationWarning)  # of the peer's use of websockets
WARM_UP = 8


@dataclass(frozen=True, slots=True)
class Episode:
    """A seed, what the client says, and what it must get."""

    seed: int
    task_id: str
    message: str
    reward: float


@dataclass(slots=True)
class Seen:
    """What the clients saw; lists are appended to by several threads."""

    seconds: list[float] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def make_episodes(env: str, count: int) -> list[Episode]:
    problem = rlvr_gym.load_problem(env)
    episodes = []
    for seed in range(count):
        task = problem.source(seed)[0]
        right = seed % 2 == 0
        message = f"<answer>{problem.answer_text(task) if right else 'no idea'}</answer>"
        episodes.append(Episode(seed, task.id, message, float(right)))
    return episodes


class Server:
    """A server process."""

    def __init__(self, env: str, sessions: int, executor: str) -> None:
        command = [sys.executable, "-m", "rlvr_gym", "serve", env, "--port", "0", "--executor", executor]
        self.process = subprocess.Popen(
            [*command, "--max-sessions", str(sessions)], stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.process.stderr.readline())
        assert found, "the server did not start"
        self.log: list[str] = []
        self._reader = threading.Thread(target=self.log.extend, args=(self.process.stderr,), daemon=True)
        self._reader.start()
        self.port = int(found[1])

    def count(self, name: str) -> int:
        """A metric, or the sum of all that begin so."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
            text = answer.read().decode()
        return int(sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name)))

    def cpu_seconds(self) -> float:
        """What it has spent itself; 0 where the system does not say."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """SIGTERM, and a proper end."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, "the server did not end as it should"
        self._reader.join()
        if self.log:
            print("The server's log:", *self.log[:20], sep="\n", file=sys.stderr)


def play(port: int, episodes: queue.SimpleQueue[Episode], kept: bool, seen: Seen) -> None:
    """One client: takes episodes until there are no more."""
    client = GenericEnvClient(f"http://127.0.0.1:{port}")
    try:
        while True:
            try:
                episode = episodes.get_nowait()
            except queue.Empty:
                return
            start = time.perf_counter()
            first = client.reset(seed=episode.seed)
            middle = time.perf_counter()
            last = client.step({"message": episode.message})
            end = time.perf_counter()
            seen.seconds += [middle - start, end - middle]
            for told in (first.observation["task_id"], last.observation["task_id"]):
                if told != episode.task_id:
                    seen.faults.append(f"asked for {episode.task_id}, got {told}")
            if (last.observation["turn"], last.done, last.reward) != (1, True, episode.reward):
                seen.faults.append(f"{episode.task_id}: {last}")
            seen.ended.append(episode.seed)
            if not kept:
                client.close()
    except Exception as error:
        seen.faults.append(f"{type(error).__name__}: {error}")
    finally:
        client.close()


def load(port: int, episodes: list[Episode], clients: int, kept: bool) -> tuple[Seen, float]:
    """All episodes by so many clients at once; also the seconds."""
    waiting: queue.SimpleQueue[Episode] = queue.SimpleQueue()
    for episode in episodes:
        waiting.put(episode)
    seen = Seen()
    threads = [threading.Thread(target=play, args=(port, waiting, kept, seen)) for _ in range(clients)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen, time.perf_counter() - start


def be_hostile(port: int) -> None:
    """Does its worst until it is killed, about fifty times a second."""
    half: list[socket.socket] = []
    mute = socket.create_connection(("127.0.0.1", port))
    for turn in itertools.count():
        with contextlib.suppress(OSError):
            half.append(socket.create_connection(("127.0.0.1", port), timeout=5))
            half[-1].sendall(
                b"POST /reset HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"[: 10 + turn % 60]
            )
            half[:-30] = []
        with contextlib.suppress(OSError):
            mute.setblocking(False)
            mute.sendall(b"GET /schema HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        with contextlib.suppress(Exception), GenericEnvClient(f"http://127.0.0.1:{port}") as client:
            if turn % 3 == 0:
                client.step({"message": "x" * 2_000_000})
            elif turn % 3 == 1:
                client.connect()
                client._ws.send("[" * 100_000)  # type: ignore[union-attr]
            else:
                client.reset()
                client._ws.socket.close()  # type: ignore[union-attr]
        if turn % 50 == 0:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/reset", data=b"{}", timeout=5)  # and left
            mute = socket.create_connection(("127.0.0.1", port))
        time.sleep(0.02)


@contextlib.contextmanager
def hostility(port: int, wanted: bool):  # type: ignore[no-untyped-def]
    if not wanted:
        yield
        return
    process = subprocess.Popen([sys.executable, __file__, "--attack", str(port)], stderr=subprocess.DEVNULL)
    time.sleep(3)
    try:
        yield
        assert process.poll() is None, "the hostile clients gave up"
    finally:
        process.kill()
        process.wait()


def measure(
    server: Server, episodes: list[Episode], clients: int, kept: bool, hostile: bool
) -> dict[str, object]:
    """One row."""
    with hostility(server.port, hostile):
        before, spent = server.count("rlvr_gym_episodes_total"), server.cpu_seconds()
        seen, seconds = load(server.port, episodes, clients, kept)
        spent = server.cpu_seconds() - spent
        counted = server.count("rlvr_gym_episodes_total") - before
    cuts = statistics.quantiles(seen.seconds, n=100)
    return {
        "clients": clients,
        "connections": "kept" if kept else "new",
        "hostile": hostile,
        "sessions_per_s": (0 if kept else len(seen.ended)) / seconds,
        "calls_per_s": len(seen.seconds) / seconds,
        "p50_ms": 1000 * cuts[49],
        "p99_ms": 1000 * cuts[98],
        "cpu_ms": 1000 * spent / len(seen.seconds),
        "episodes": len(seen.ended),
        "lost": len(episodes) - min(counted, len(set(seen.ended))),
        "doubled": len(seen.ended) - len(set(seen.ended)) + max(0, counted - len(episodes)),
        "faults": seen.faults[:5],
    }


def show(options: argparse.Namespace, rows: list[dict[str, object]]) -> None:
    table = Table(title=f"{options.env}, {options.episodes} episodes a row, verification {options.executor}")
    for name in ("clients", "connections", "hostile", "sessions/s", "calls/s", "p50 ms", "p99 ms", "CPU ms", "lost", "doubled", "faults"):  # fmt: skip
        table.add_column(name, justify="right")
    for row in rows:
        rates = f"{row['sessions_per_s']:.0f}" if row["sessions_per_s"] else "", f"{row['calls_per_s']:.0f}"
        times = [f"{row[name]:.1f}" for name in ("p50_ms", "p99_ms")] + [f"{row['cpu_ms']:.2f}"]
        ends = str(row["lost"]), str(row["doubled"]), str(len(row["faults"]))  # type: ignore[arg-type]
        told = "beside" if row["hostile"] else ""
        table.add_row(str(row["clients"]), str(row["connections"]), told, *rates, *times, *ends)
    Console(width=120).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--env", default="Countdown", help="an environment of one turn")
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 16, 64], help="clients at once")
    parser.add_argument("--episodes", type=int, default=640, help="in each row")
    parser.add_argument("--executor", default="process", choices=["process", "inline"])
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument("--attack", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.attack:
        be_hostile(options.attack)
    episodes = make_episodes(options.env, options.episodes + WARM_UP)
    server, rows = Server(options.env, max(options.sessions) + 64, options.executor), []
    try:
        load(server.port, episodes[options.episodes :], 4, kept=True)
        for hostile, clients, kept in itertools.product((False, True), options.sessions, (True, False)):
            rows.append(measure(server, episodes[: options.episodes], clients, kept, hostile))
            print(rows[-1], file=sys.stderr)
    finally:
        server.stop()
    show(options, rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")
    if any(row["lost"] or row["doubled"] or row["faults"] for row in rows):
        sys.exit("Something was lost, doubled or wrong.")


if __name__ == "__main__":
    main()
