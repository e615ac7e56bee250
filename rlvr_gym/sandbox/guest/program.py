"""The child's side of a job: one process that runs one untrusted program, and is believed nothing.

It speaks through a pipe, one JSON object a line. Whatever it writes there is read as the program's own claim: it can
make the program fail, and otherwise only states values, which the judge compares outside.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
import threading
import traceback
import types
from collections.abc import Callable
from typing import Any, NoReturn

from rlvr_gym.sandbox.guest import jail
from rlvr_gym.sandbox.guest.literals import LiteralError, decode, encode

__all__ = ["RECORDS_FD", "REQUESTS_FD", "run_child"]

RECORDS_FD, REQUESTS_FD = 3, 4
_FILENAME = "<program>"


class _SolutionError(BaseException):
    """In the tests' process: the solution gave no value. Not an Exception, so that tests do not catch it."""


def _say(record: dict[str, Any]) -> None:
    line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
    view = memoryview(line)
    while view:
        view = view[os.write(RECORDS_FD, view) :]


def _enter_jail(
    job: dict[str, Any], workdir: str, code: bytes | None, base_processes: int, base_size: int
) -> None:
    os.setsid()
    os.chdir(workdir)
    jail.set_dumpable(True)  # it is its own master: /proc/self works as everywhere
    with contextlib.suppress(OSError):
        score = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(score, b"1000")  # if memory runs out, the job goes and not the server
        os.close(score)
    jail.apply_limits(job["limits"], len(job.get("calls") or ()) or 1, base_processes, base_size)
    if code is not None and not jail.install_filter(code):
        raise OSError("the kernel refused the system call filter")


def _compile(source: str) -> types.CodeType | None:
    """The program's code; None, with the error reported, if it is not Python."""
    try:
        return compile(source, _FILENAME, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, OverflowError) as error:
        _say({"syntax": f"{type(error).__name__}: {error}"[:300]})
        traceback.print_exc(limit=0)
        return None


def _report(error: BaseException) -> None:
    """The traceback, without the frames of this file, and the exception's name."""
    try:
        _say({"error": type(error).__name__[:100]})
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != _FILENAME:
            trace = trace.tb_next
        traceback.print_exception(type(error), error, trace)
    except BaseException:  # hostile exceptions, or no memory left: the exit code says enough
        os._exit(1)


def _exit_code(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    print(error.code, file=sys.stderr)
    return 1


def _module(name: str) -> dict[str, Any]:
    module = types.ModuleType(name)
    sys.modules[name] = module
    return module.__dict__


def _guarded(action: Callable[[], None], wait_for_threads: bool) -> int:
    """Runs what an interpreter runs; the exit code that an interpreter would give."""
    code = 0
    try:
        action()
        if wait_for_threads and threading.active_count() > 1:
            threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as an interpreter does at its end
    except SystemExit as error:
        code = _exit_code(error)
    except BaseException as error:
        _report(error)
        code = 1
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        code = code or 1
    return code


def _run_script(job: dict[str, Any]) -> int:
    code = _compile(job["program"])
    if code is None:
        return 1
    return _guarded(lambda: exec(code, _module("__main__")), wait_for_threads=True)


def _resolve(namespace: dict[str, Any], entry: str) -> Callable[..., Any]:
    """``name``, or ``Class.method`` of an instance made without arguments."""
    first, *rest = entry.split(".")
    target = namespace[first]
    for part in rest:
        target = getattr(target() if isinstance(target, type) else target, part)
    if not callable(target):
        raise TypeError(f"{entry} is not callable")
    return target  # type: ignore[no-any-return]


def _answer(function: Callable[..., Any], line: str) -> dict[str, Any]:
    try:
        args, kwargs = decode(json.loads(line))
        return {"value": encode(function(*args, **kwargs))}
    except BaseException as error:  # sys.exit() in a function is a failed call, too
        record: dict[str, Any] = {"raised": type(error).__name__[:100]}
        if not isinstance(error, MemoryError):
            _print_short(error)
        return record


def _print_short(error: BaseException) -> None:
    try:
        traceback.print_exception(type(error), error, error.__traceback__, limit=-2)
    except BaseException:
        return


def _run_calls(job: dict[str, Any]) -> int:
    """Defines the program's functions, then answers one call for each line of requests."""
    code = _compile(job["program"])
    if code is None:
        return 1

    def serve() -> None:
        namespace = _module("solution")
        exec(code, namespace)
        function = _resolve(namespace, job["entry"])
        with open(REQUESTS_FD, encoding="ascii", closefd=False) as requests:
            for line in requests:
                _say(_answer(function, line))

    return _guarded(serve, wait_for_threads=False)


def _run_tests(job: dict[str, Any]) -> int:
    """Runs a task's own tests; ``candidate`` and the entry's name call the solution, which is in another sandbox."""
    requests = open(REQUESTS_FD, encoding="ascii", closefd=False)  # noqa: SIM115

    def candidate(*args: Any, **kwargs: Any) -> Any:
        _say({"call": encode([args, kwargs])})
        reply = json.loads(next(requests, '{"raised":"gone"}'))
        if "value" not in reply:
            raise _SolutionError(reply.get("raised"))
        return decode(reply["value"])

    def run() -> None:
        namespace = _module("__main__")
        exec(compile(job["program"], "<tests>", "exec"), namespace)
        namespace["candidate"] = namespace[job["entry"]] = candidate
        exec(compile(job["tests"], "<tests>", "exec"), namespace)
        _say({"passed": True})

    try:
        run()
    except _SolutionError:
        _say({"passed": False})
    except AssertionError as error:
        _say({"passed": False, "assertion": str(error)[:200]})
    except Exception as error:  # a value that the tests could not handle
        _say({"passed": False, "assertion": f"{type(error).__name__}: {error}"[:200]})
    return 0


def _run_lint(job: dict[str, Any]) -> int:
    from rlvr_gym.sandbox.guest.lint import lint

    try:
        _say({"findings": [[f.line, f.code, f.message[:200]] for f in lint(job["program"])[:200]]})
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        _say({"syntax": f"{type(error).__name__}: {error}"[:300]})
    return 0


_MODES = {"script": _run_script, "calls": _run_calls, "tests": _run_tests, "lint": _run_lint}


def run_child(
    job: dict[str, Any],
    descriptors: tuple[int, int, int, int, int],
    workdir: str,
    code: bytes | None,
    base_processes: int,
    base_size: int,
) -> NoReturn:
    """Becomes the program. Called in the forked child; never returns.

    The standard streams are the interpreter's own, which the server has never used: over the new descriptors 0 to 2,
    in UTF-8.

    Args:
        job: the request.
        descriptors: what becomes 0 to 4: input, output, errors, records, requests.
        workdir: an empty directory of its own.
        code: the system call filter, or None.
        base_processes: processes that this user has besides the job's.
        base_size: the server's address space, in bytes.
    """
    status = 1
    try:
        # first out of the way of 0 to 4, so that no copy overwrites one that is still needed
        high = [os.dup2(fd, 100 + i) for i, fd in enumerate(descriptors)]
        for i, fd in enumerate(high):
            os.dup2(fd, i, inheritable=True)
        os.closerange(5, os.sysconf("SC_OPEN_MAX"))
        _enter_jail(job, workdir, code, base_processes, base_size)
        gc.enable()
        status = _MODES[job["mode"]](job)
    except LiteralError:
        status = 1
    finally:
        os._exit(status)
