"""Attacking a sandbox: runs programs that try to cheat, exhaust or escape, and sees what became of it."""

from __future__ import annotations

import ast
import contextlib
import os
import secrets
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rlvr_gym.errors import DataError
from rlvr_gym.sandbox import Limits, Sandbox, SandboxError, Status
from rlvr_gym.verdict import Reason
from rlvr_gym.verifiers.code import CodeSpec, function_cases, judge_program, stdin_cases

__all__ = ["Attack", "Outcome", "find_attacks", "load_attack", "run_attack", "run_attacks"]

_NEXT_JOB = "# --- next job ---"
_LIMITS = Limits(cpu_seconds=0.5, wall_seconds=2.0, memory_mb=128, processes=16)
_LEFT = ("rlvr-left", "rlvr-left.txt", "rlvr_left.py", ".rlvr-left")
_MOST_SECONDS = 90.0
_MOST_MEMORY_KB = 3 * 2**20


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: its name, what it tries, its program, and the program that looks for remains."""

    name: str
    description: str
    source: str
    next_job: str = ""

    @property
    def is_function(self) -> bool:
        """Whether it poses as a solution of a task of function calls."""
        return "def solve(" in self.source


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether an attack was stopped, and by what it got through or how it ended."""

    attack: Attack
    stopped: bool
    note: str
    seconds: float


def find_attacks(folder: Path | None = None) -> list[Attack]:
    """The attacks in a folder, by name; without one, those of the repository.

    Raises:
        DataError: if there are none.
    """
    place = folder or Path(__file__).resolve().parents[2] / "tests" / "security" / "attacks"
    files = sorted(place.glob("*.py"))
    if not files:
        raise DataError(f"There are no attacks in {place}; name their folder with --attacks.")
    return [load_attack(path) for path in files]


def load_attack(path: Path) -> Attack:
    """The attack in a file; the file is read, never imported."""
    source, _, next_job = path.read_text().partition(_NEXT_JOB)
    description = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
    return Attack(path.stem, description, source, next_job)


class _Host:
    """What the attacks aim at: a file, two servers and a process of the host, watched."""

    def __init__(self) -> None:
        self.secret = secrets.token_hex(16)
        # where every user can read it, as a careless data set would lie
        self.folder = Path(tempfile.mkdtemp(prefix="rlvr-gym-attack-"))
        self.folder.chmod(0o755)
        self.canary = self.folder / "canary.txt"
        self.canary.write_text(self.secret)
        self.canary.chmod(0o644)
        self.connections = 0
        self._tcp = socket.create_server(("0.0.0.0", 0))
        self._unix = socket.socket(socket.AF_UNIX)
        self._unix.bind(str(self.folder / "socket"))
        (self.folder / "socket").chmod(0o777)
        self._abstract = socket.socket(socket.AF_UNIX)
        self.port = int(self._tcp.getsockname()[1])
        self._abstract.bind(f"\0rlvr-abstract-{self.port}")
        for server in (self._unix, self._abstract):
            server.listen()
        for server in (self._tcp, self._unix, self._abstract):
            threading.Thread(target=self._count, args=(server,), daemon=True).start()

    def _count(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                server.accept()[0].close()
                self.connections += 1

    def fill_in(self, source: str) -> str:
        """The program with the targets' addresses."""
        names = {
            "@CANARY@": str(self.canary),
            "@SOCKET@": str(self.folder / "socket"),
            "@PORT@": str(self.port),
            "@HOST_PID@": str(os.getpid()),
        }
        for name, value in names.items():
            source = source.replace(name, value)
        return source

    def damage(self) -> str:
        """What has happened to the host; empty if nothing has."""
        if self.connections:
            return "a server of the host was reached"
        if sorted(p.name for p in self.folder.iterdir()) != ["canary.txt", "socket"]:
            return "files appeared on the host"
        if self.canary.read_text() != self.secret:
            return "a file of the host was changed"
        return ""

    def close(self) -> None:
        """Takes the targets away."""
        for server in (self._tcp, self._unix, self._abstract):
            server.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        for place in ("/tmp", "/var/tmp", "/dev/shm", "/run", "/"):  # what a plain subprocess could leave
            for name in _LEFT:
                with contextlib.suppress(OSError):
                    Path(place, name).unlink()


class _MemoryWatch:
    """The most memory that the machine has had in use beyond what it had at the start, in kB."""

    def __init__(self) -> None:
        self.most = 0
        self._stop = threading.Event()
        self._start = self._available()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @staticmethod
    def _available() -> int:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1])
        return 0

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self.most = max(self.most, self._start - self._available())

    def __enter__(self) -> _MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()


def _spec(attack: Attack) -> CodeSpec:
    """A task whose right answers cannot be guessed: random numbers that are only in this process."""
    if attack.is_function:
        cases = [([i], secrets.randbits(60)) for i in range(3)]
        return function_cases("solve", cases, limits=_LIMITS)
    return stdin_cases([("", secrets.token_hex(8))], limits=_LIMITS)


def _honest(sandbox: Sandbox) -> str:
    """Whether the sandbox still works: what is wrong with it, or nothing."""
    result = sandbox.run(
        "import os\nprint(sum(map(int, input().split())), os.listdir('.'))", "20 22", _LIMITS
    )
    if result.status is not Status.EXITED or result.stdout != b"42 []\n":
        return (
            f"an honest program failed afterwards: {result.status} {result.stdout!r} {result.stderr[-200:]!r}"
        )
    return ""


def run_attack(attack: Attack, sandbox: Sandbox, host: _Host) -> Outcome:
    """Submits an attack, runs its second program, and looks at the host and at the sandbox."""
    started = time.monotonic()
    with _MemoryWatch() as memory:
        try:
            note = next(filter(None, _steps(attack, sandbox, host)), "")
        except SandboxError as error:
            note = f"the sandbox was lost for good: {error}"
    seconds = time.monotonic() - started
    if not note and seconds > _MOST_SECONDS:
        note = f"it took {seconds:.0f} s"
    if not note and memory.most > _MOST_MEMORY_KB:
        note = f"the machine had {memory.most // 1024} MB more in use"
    return Outcome(attack, not note, note, seconds)


def _steps(attack: Attack, sandbox: Sandbox, host: _Host) -> Iterator[str]:
    """Each step's complaint; empty where there is none."""
    source = host.fill_in(attack.source)
    report = judge_program(source, _spec(attack), sandbox)
    yield "it was judged right" if report.reason is Reason.PASSED else ""
    yield _breach(sandbox, source + ("\n\nsolve(0)\n" if attack.is_function else ""), host)
    if attack.next_job:
        yield _breach(sandbox, host.fill_in(attack.next_job), host)
    yield host.damage()
    yield _honest(sandbox)


def _breach(sandbox: Sandbox, source: str, host: _Host) -> str:
    result = sandbox.run(source, limits=_LIMITS)
    output = (result.stdout + result.stderr).decode("utf-8", "replace")
    if host.secret in output:
        return "it read a file of the host"
    return next(
        (line.strip()[:120] for line in output.splitlines() if "BREACH" in line and "File" not in line), ""
    )


def run_attacks(
    attacks: list[Attack], sandbox: Sandbox, progress: Callable[[Outcome], None] = lambda outcome: None
) -> list[Outcome]:
    """Runs attacks one after another; ``sandbox`` has to have one worker, so that each follows on the same."""
    outcomes = []
    for attack in attacks:
        host = _Host()
        try:
            outcomes.append(run_attack(attack, sandbox, host))
        finally:
            host.close()
        progress(outcomes[-1])
    return outcomes
