"""The process executor, with real processes that hang, crash, and outlive nobody; see also ``test_executors.py``."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from rlvr_gym import ConfigError, UnknownNameError
from rlvr_gym.executor import InlineExecutor, make_executor
from rlvr_gym.executor.process import ProcessExecutor

GENEROUS = 60.0


def failures(outcomes):
    return [outcome.failure for outcome in outcomes]


def test_a_worker_that_dies_while_idle_costs_nothing(gone):
    with ProcessExecutor(workers=1) as executor:
        (first,) = executor.map(lambda _: __import__("os").getpid(), [0])
        os.kill(first.value, signal.SIGKILL)
        assert gone([first.value])
        (second,) = executor.map(lambda _: __import__("os").getpid(), [0])
    assert second.failure is None
    assert second.value != first.value


def test_output_of_workers_stays_out_of_stdout():
    script = """
        from rlvr_gym.executor import make_executor
        with make_executor("process", workers=1) as executor:
            executor.map(lambda x: print("noise", flush=True), [0])
        print("clean")
    """
    done = run_script(script)
    assert done.stdout == "clean\n"
    assert "noise" in done.stderr


def test_the_memory_limit_is_an_exception_in_the_function():
    with ProcessExecutor(workers=1, memory_mb=2000) as executor:
        outcomes = executor.map(lambda size: len(bytearray(size)), [1 << 20, 4 << 30, 1 << 21])
    assert [outcome.value for outcome in outcomes] == [1 << 20, None, 1 << 21]
    assert outcomes[1].message.startswith("MemoryError")


def test_workers_that_never_start_end_the_call(tmp_path):
    class Deadly:
        def __reduce__(self):
            return os._exit, (5,)

        def __call__(self, item):
            return item

    with ProcessExecutor(workers=2) as executor:
        outcomes = executor.map(Deadly(), list(range(1000)))  # a thousand starts would take minutes
    assert set(failures(outcomes)) == {"crashed"}
    assert all("could be started: it exited with code 5" in outcome.message for outcome in outcomes)


def test_a_small_call_does_not_wait_for_a_large_one():
    with ProcessExecutor(workers=1) as executor:
        executor.map(lambda x: x, [0])
        large = threading.Thread(target=lambda: executor.map(time.sleep, [0.01] * 100))
        large.start()
        while not executor._pool._batches:
            time.sleep(0.001)
        executor.map(lambda x: x, [1])
        assert large.is_alive()
        large.join()


def test_workers_start_on_demand_and_are_kept():
    with ProcessExecutor(workers=4) as executor:
        pids = {executor.map(lambda _: __import__("os").getpid(), [0])[0].value for _ in range(5)}
    assert len(pids) == 1


def test_close_leaves_no_process_and_may_be_repeated(alive):
    executor = ProcessExecutor(workers=2)
    pids = [o.value for o in executor.map(lambda _: __import__("os").getpid(), [0] * 20)]
    executor.close()
    assert not any(map(alive, pids))
    executor.close()
    with pytest.raises(ConfigError, match="closed"):
        executor.map(lambda x: x, [1])


def test_close_while_another_thread_waits(closed_while_waiting):
    closed_while_waiting(ProcessExecutor(workers=1))


def test_a_dropped_executor_frees_its_workers(gone):
    executor = ProcessExecutor(workers=1)
    (outcome,) = executor.map(lambda _: __import__("os").getpid(), [0])
    del executor
    assert gone([outcome.value])


@pytest.mark.parametrize(
    ("settings", "text"),
    [({"workers": 0}, "workers"), ({"workers": 1.5}, "workers"), ({"memory_mb": 0}, "memory_mb")],
)
def test_wrong_settings(settings, text):
    with pytest.raises(ConfigError, match=text):
        ProcessExecutor(**settings)


def test_executors_by_name():
    assert isinstance(make_executor("inline"), InlineExecutor)
    with make_executor("process", workers=1) as executor:
        assert isinstance(executor, ProcessExecutor)
    with pytest.raises(UnknownNameError, match="did you mean process"):
        make_executor("proces")


# -- how a parent may end -----------------------------------------------------------------------------------------

PARENT = """
    import os, signal, sys, threading, time
    signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background are born ignoring it
    from rlvr_gym.executor import make_executor

    class Item:  # lives in __main__, as in a script or a notebook
        def __init__(self, kind, path):
            self.kind, self.path = kind, path

    def work(item):
        with open(item.path, "w") as file:
            file.write(str(os.getpid()))
        os.rename(item.path, item.path + ".pid")
        if item.kind == "c":
            len(str(9 ** 9 ** 9))
        elif item.kind == "python":
            while True:
                pass
        return item

    kinds, folder, ending = sys.argv[1].split(","), sys.argv[2], sys.argv[3]
    items = [Item(kind, f"{folder}/{i}") for i, kind in enumerate(kinds)]
    executor = make_executor("process", workers=len(items))
    outcomes = executor.map(work, items) if ending != "thread" else []
    assert all(isinstance(outcome.value, Item) for outcome in outcomes)
    if ending == "raise":
        raise ValueError("unhandled")
    if ending == "thread":
        threading.Thread(target=executor.map, args=(work, items), daemon=True).start()
        while len([name for name in os.listdir(folder) if name.endswith(".pid")]) < len(items):
            time.sleep(0.01)
    if ending == "_exit":
        os._exit(0)
"""


def run_script(script: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", textwrap.dedent(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def worker_pids(folder: Path, count: int) -> list[int]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = list(folder.glob("*.pid"))
        if len(found) == count:
            return [int(path.read_text()) for path in found]
        time.sleep(0.02)
    raise AssertionError("The workers did not start.")


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_parent_that_is_killed_leaves_no_process(tmp_path, sent, alive, gone):
    """One worker is idle, one loops in Python, one is stuck in C with the GIL held."""
    command = [sys.executable, "-c", textwrap.dedent(PARENT), "idle,python,c", str(tmp_path), "wait"]
    parent = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    pids = worker_pids(tmp_path, 3)
    assert all(map(alive, pids))
    parent.send_signal(sent)
    try:
        _, errors = parent.communicate(timeout=60)
    finally:
        parent.kill()
    assert gone(pids)
    assert ("KeyboardInterrupt" in errors) == (sent == signal.SIGINT)


@pytest.mark.parametrize("ending", ["return", "raise", "_exit", "thread"])
def test_a_parent_that_ends_without_closing_leaves_no_process(tmp_path, ending, gone):
    kinds = "python,c" if ending == "thread" else "idle,idle"
    done = run_script(PARENT, kinds, str(tmp_path), ending)
    assert done.returncode == (ending == "raise"), done.stderr
    assert gone(worker_pids(tmp_path, 2))


def test_an_interrupt_kills_what_runs_and_leaves_the_executor_usable(tmp_path):
    script = """
        import os, signal, sys, threading, time
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from rlvr_gym.executor import make_executor

        def hang(path):
            with open(path, "w") as file:
                file.write(str(os.getpid()))
            time.sleep(1000)

        def interrupt():
            while not all(os.path.exists(p) and open(p).read() for p in paths):
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)

        paths = [sys.argv[1] + "/a", sys.argv[1] + "/b"]
        executor = make_executor("process", workers=2)
        threading.Thread(target=interrupt).start()
        try:
            executor.map(hang, paths)
        except KeyboardInterrupt:
            print("interrupted")
        print([outcome.value for outcome in executor.map(lambda x: x + 1, [1, 2, 3])])
        time.sleep(0.5)
        for path in paths:
            try:
                os.kill(int(open(path).read()), 0)
                print("alive")
            except ProcessLookupError:
                print("gone")
    """
    done = run_script(script, str(tmp_path))
    assert done.stdout.split("\n")[:-1] == ["interrupted", "[2, 3, 4]", "gone", "gone"], done.stderr
