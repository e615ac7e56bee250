"""One running sandbox, seen from the host: jobs go in, results come out, one at a time."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import signal
from collections.abc import Callable
from typing import Any

from rlvr_gym.sandbox.channel import HELLO_ID, Channel
from rlvr_gym.sandbox.errors import BackendUnavailableError, SandboxLostError
from rlvr_gym.sandbox.guest import bootstrap
from rlvr_gym.sandbox.job import Job, RunResult, Status

__all__ = ["Conversation", "Worker"]

START_SECONDS, SLOW_START_SECONDS = 30.0, 120.0
"""How long a sandbox may take to come up; the second, if it imports packages at its start."""
GRACE_SECONDS = 10.0
"""How much longer than the job's own limits the host waits for the result: cleaning up takes its time."""
MAX_LINE = 4 * 2**20


class Worker:
    """A sandbox that is up.

    Args:
        channel: to its server.
        config: for the guest (see :func:`rlvr_gym.sandbox.guest.bootstrap.payload`).
        kill: ends the sandbox and everything in it, and frees what it holds; called once.
        describe: the sandbox's last words, for error messages.

    Raises:
        BackendUnavailableError: if the guest does not come up.
    """

    def __init__(
        self, channel: Channel, config: dict[str, Any], kill: Callable[[], None], describe: Callable[[], str]
    ) -> None:
        self._channel = channel
        self._kill = kill
        self._closed = False
        self.clean = True
        """Whether the last job left nothing behind; a sandbox that is not clean is not used again."""
        try:
            channel.send_bytes(bootstrap.payload(config), START_SECONDS)
            patience = SLOW_START_SECONDS if config.get("modules") else START_SECONDS
            self.hello = channel.receive(HELLO_ID, patience)
        except SandboxLostError as error:
            last_words = describe().strip() or "it said nothing"
            self.close()
            raise BackendUnavailableError(
                f"A sandbox does not start: {error} Its last words: {last_words}"
            ) from None

    def run(self, job: Job) -> RunResult:
        """Runs a job to its end.

        Raises:
            SandboxLostError: if the sandbox dies, falls silent or breaks the protocol. It is then to be closed.
        """
        job_id = self._begin(job)
        cases = len(job.calls or ())
        message = self._channel.receive(job_id, job.limits.session_seconds(cases) + GRACE_SECONDS)
        return self._conclude(message)

    def converse(self, job: Job, max_calls: int) -> Conversation:
        """Starts a job whose calls come one by one."""
        return Conversation(self, self._begin(job, max_calls), job, max_calls)

    def _begin(self, job: Job, max_calls: int = 0) -> bytes:
        self._channel.expect_silence()
        job_id = secrets.token_bytes(16)
        cases = max_calls if job.calls is None else len(job.calls)
        request: dict[str, Any] = {
            "mode": job.mode,
            "program": job.program,
            "limits": job.limits.on_the_wire(cases),
        }
        if job.stdin:
            request["stdin"] = base64.b64encode(job.stdin).decode()
        if job.mode in ("calls", "tests"):
            request |= {"entry": job.entry, "calls": job.calls, "tests": job.tests}
        self._channel.send(job_id, request)
        return job_id

    def _conclude(self, message: dict[str, Any]) -> RunResult:
        try:
            result = _result(message)
            self.clean = message["clean"] is True
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise SandboxLostError(f"A sandbox sent a result of the wrong form: {error!r}.") from None
        return result

    def close(self) -> None:
        """Ends the sandbox; may be called more than once."""
        if not self._closed:
            self._closed = True
            self._channel.close()
            self._kill()


class Conversation:
    """A job that talks: lines go to the program and come from it."""

    def __init__(self, worker: Worker, job_id: bytes, job: Job, max_calls: int) -> None:
        self._worker, self._id = worker, job_id
        self._patience = job.limits.session_seconds(max_calls) + GRACE_SECONDS
        self._last = ""
        self.result: RunResult | None = None

    def tell(self, line: str) -> None:
        """Sends a line to the program."""
        if self.result is None:
            self._worker._channel.send(self._id, {"line": line})

    def hear(self) -> str | None:
        """The program's next line; None once it has ended, and ``result`` then says how."""
        if self.result is not None:
            return None
        message = self._worker._channel.receive(self._id, self._patience)
        line = message.get("line")
        if line is None:
            # how the program says that it ended, if it did, came as a line like any other
            self.result = self._worker._conclude(message | {"records": f"{self._last}\n"})
            return None
        if not isinstance(line, str) or len(line) > MAX_LINE:
            raise SandboxLostError("A sandbox sent a line of the wrong form.")
        self._last = line
        return line

    def finish(self) -> RunResult:
        """Ends the program if it still runs; how it ended."""
        if self.result is None:
            self._worker._channel.send(self._id, {"end": True})
            while self.hear() is not None:
                pass
        assert self.result is not None
        return self.result


def _number(message: dict[str, Any], key: str) -> float:
    value = message[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(key)
    return float(value)


def _result(message: dict[str, Any]) -> RunResult:
    records = str(message["records"]).split("\n")
    lines = tuple(records[:-1])  # what follows the last newline was cut off
    code = int(_number(message, "code"))
    claim = _claim(lines)
    status, error = _status(str(message["status"]), code, claim)
    if claim:
        lines = lines[:-1]
    return RunResult(
        status=status,
        stdout=base64.b64decode(message["out"]),
        stderr=base64.b64decode(message["err"]),
        records=lines,
        error=error,
        exit_code=code,
        cpu_seconds=_number(message, "cpu"),
        wall_seconds=_number(message, "wall"),
        delay_seconds=_number(message, "delay"),
    )


def _claim(records: tuple[str, ...]) -> dict[str, Any]:
    """What the program's harness says about its end, if the last line is that."""
    try:
        claim = json.loads(records[-1])
    except (ValueError, IndexError, RecursionError):
        return {}
    return claim if isinstance(claim, dict) and claim.keys() & {"syntax", "error"} else {}


def _status(said: str, code: int, claim: dict[str, Any]) -> tuple[Status, str]:
    """The status, and what went wrong. The program's own word only chooses between kinds of failure."""
    if said in ("timeout", "memory", "output_limit"):
        return Status(said), ""
    if said not in ("exited", "ended"):
        raise ValueError(said)
    if "syntax" in claim:
        return Status.SYNTAX_ERROR, str(claim["syntax"])[:300]
    if code == 0 or said == "ended":
        return Status.EXITED, ""
    error = str(claim.get("error", ""))[:100]
    if error == "MemoryError" or code == -signal.SIGKILL:  # killed, and not by the server: memory ran out
        return Status.MEMORY, error
    if code == -signal.SIGXCPU:
        return Status.TIMEOUT, error
    return Status.RUNTIME_ERROR, error
