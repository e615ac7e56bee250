"""Jobs for a sandbox and what comes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Literal

from rlvr_gym.errors import ConfigError

__all__ = ["MAX_MEMORY_MB", "Job", "Limits", "RunResult", "Status"]

MAX_MEMORY_MB = 1024
"""The memory of one sandbox; a job may have up to this."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use.

    Attributes:
        cpu_seconds: processor time of a case; runs out first.
        wall_seconds: elapsed time of a case, generous: for programs that sleep or wait.
        total_seconds: elapsed time of all cases together.
        memory_mb: address space of each process, beyond the interpreter's own; all together a quarter more.
        output_mb: output, error output and returned values, each.
        file_mb: size of one file.
        processes: processes and threads, together.
        open_files: open descriptors.
    """

    cpu_seconds: float = 4.0
    wall_seconds: float = 12.0
    total_seconds: float = 60.0
    memory_mb: int = 256
    output_mb: float = 1.0
    file_mb: float = 16.0
    processes: int = 16
    open_files: int = 64

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
                raise ConfigError(f"The limit {f.name} is a positive number; got {value!r}.")
        if self.memory_mb > MAX_MEMORY_MB:
            raise ConfigError(f"A sandbox has {MAX_MEMORY_MB} MB of memory; got memory_mb={self.memory_mb}.")
        if self.output_mb > 8:
            raise ConfigError(f"At most 8 MB of output come back; got output_mb={self.output_mb}.")

    def to_dict(self) -> dict[str, Any]:
        """The limits that differ from the defaults, as JSON."""
        return {key: value for key, value in asdict(self).items() if value != getattr(_DEFAULTS, key)}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Limits:
        """The inverse of :meth:`to_dict`.

        Raises:
            ConfigError: for an unknown key.
        """
        known = {f.name for f in fields(cls)}
        if not row.keys() <= known:
            raise ConfigError(f"Limits are {', '.join(sorted(known))}; got {sorted(row)}.")
        return cls(**row)

    def on_the_wire(self, cases: int) -> dict[str, float]:
        """The form that the guest reads: seconds and bytes."""
        return {
            "cpu": self.cpu_seconds,
            "wall": self.wall_seconds,
            "session": self.session_seconds(cases),
            "memory": self.memory_mb * 2**20,
            "output": self.output_mb * 2**20,
            "file": self.file_mb * 2**20,
            "processes": self.processes,
            "files": self.open_files,
        }

    def session_seconds(self, cases: int) -> float:
        """The longest that a job of several cases can take."""
        return min(self.wall_seconds * max(cases, 1), max(self.total_seconds, self.wall_seconds)) + 1.0


_DEFAULTS = Limits()

Mode = Literal["script", "calls", "tests", "lint"]


@dataclass(frozen=True, slots=True)
class Job:
    """One program and what to do with it.

    Attributes:
        program: its source.
        mode: ``script`` runs it with ``stdin``; ``calls`` defines its names and calls ``entry`` for every one of
            ``calls``; ``tests`` runs trusted tests against a solution in another sandbox; ``lint`` parses it.
        stdin: what it reads.
        entry: the function, or ``Class.method``.
        calls: the calls' arguments as lines (see :mod:`rlvr_gym.sandbox.guest.literals`); None for a conversation
            in which they come one by one.
        tests: the source of the tests.
        limits: what it may use.
    """

    program: str
    mode: Mode = "script"
    stdin: bytes = b""
    entry: str = ""
    calls: tuple[str, ...] | None = ()
    tests: str = ""
    limits: Limits = field(default_factory=Limits)


class Status(StrEnum):
    """How a program ended."""

    EXITED = "exited"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT_LIMIT = "output_limit"
    SYNTAX_ERROR = "syntax_error"
    RUNTIME_ERROR = "runtime_error"


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a program did. Everything in it is the program's own claim, except status and times.

    Attributes:
        status: how it ended; an exit code other than 0, a signal or an uncaught exception is a runtime error.
        stdout: its output.
        stderr: its error output, at most 16 kB.
        records: the lines that it wrote to the judge (mode ``calls``: one a call), undecoded.
        error: the exception's name, or what is wrong with the syntax.
        exit_code: as of a process; minus the signal.
        cpu_seconds: processor time, measured from outside the program.
        wall_seconds: elapsed time.
        delay_seconds: how long it waited for a processor, if it ran out of time: how loaded the machine was.
    """

    status: Status
    stdout: bytes = b""
    stderr: bytes = b""
    records: tuple[str, ...] = ()
    error: str = ""
    exit_code: int = 0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    delay_seconds: float = 0.0

    @property
    def was_starved(self) -> bool:
        """Whether it ran out of time while it often waited for a processor: then the timeout says little about it."""
        return self.status is Status.TIMEOUT and self.delay_seconds > 0.1 * self.wall_seconds
