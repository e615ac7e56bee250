"""What only the executor on Ray has to stand: nodes and actors that are lost in the middle of a batch.

What it has in common with the process executor is in ``test_executors.py``.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from rlvr_gym import (
    ConfigError,
    MissingExtraError,
    TextVectorEnv,
    UnknownNameError,
    get_verifier,
    load_problem,
)
from rlvr_gym.executor import InlineExecutor, make_executor
from rlvr_gym.executor.base import Outcome
from rlvr_gym.verification import verify_all

GENEROUS = 120.0


@pytest.fixture
def executor(two_nodes: Any) -> Any:
    """Two actors, one on each node, both at work."""

    def work(_: int) -> int:
        import os
        import time

        time.sleep(0.02)
        return os.getpid()

    with make_executor("ray", workers=2) as executor:
        deadline = time.monotonic() + GENEROUS
        while len(set(values(executor.map(work, range(12))))) < 2:
            assert time.monotonic() < deadline
        yield executor


def values(outcomes: list[Outcome]) -> list[Any]:
    assert [outcome.failure for outcome in outcomes] == [None] * len(outcomes)
    return [outcome.value for outcome in outcomes]


def started(folder: Path, count: int) -> None:
    deadline = time.monotonic() + GENEROUS
    while len(list(folder.iterdir())) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_node_that_dies_in_the_middle_of_a_batch(executor: Any, two_nodes: Any, tmp_path: Path) -> None:
    """Nothing lost, nothing doubled, and the results are those of running inline."""

    def work(item: tuple[int, str]) -> tuple[int, int]:
        import os
        import time
        import uuid

        number, folder = item
        open(f"{folder}/{number}-{os.getpid()}-{uuid.uuid4().hex}", "w").close()
        time.sleep(0.02)
        return number, number**2

    items = [(n, str(tmp_path)) for n in range(400)]
    result: list[Any] = []
    client = threading.Thread(target=lambda: result.extend(executor.map(work, items, timeout=GENEROUS)))
    client.start()
    started(tmp_path, 60)
    two_nodes.kill_second()
    client.join(timeout=300)
    assert values(result) == values(InlineExecutor().map(lambda item: (item[0], item[0] ** 2), items))
    runs = [path.name.split("-")[:2] for path in tmp_path.iterdir()]
    assert {int(number) for number, _ in runs} == set(range(400))
    assert len({pid for _, pid in runs}) == 2, "the lost node had worked, too"
    assert len(runs) <= 400 + 2 * 64, "only what was on its way to the lost node ran again"


def test_real_verdicts_survive_a_node(executor: Any, two_nodes: Any) -> None:
    problem = load_problem("rlvr/Arithmetic-v0", difficulty=3)
    tasks = [problem.source(5)[i] for i in range(300)]
    answers = [t.answer if i % 3 else f"<answer>{i}</answer>" for i, t in enumerate(tasks)]
    verifier = get_verifier("rational")
    expected = verify_all(verifier, answers, tasks)
    killer = threading.Timer(0.2, two_nodes.kill_second)
    killer.start()
    for _ in range(5):
        assert verify_all(verifier, answers, tasks, executor) == expected
    killer.join()


def test_an_actor_that_dies_costs_nothing(executor: Any, tmp_path: Path) -> None:
    """The items that were at the actor are run again, those behind them as well."""

    def work(item: tuple[int, str]) -> int:
        import os
        import signal

        number, folder = item
        if number == 5:
            try:
                os.mkdir(f"{folder}/once")
            except FileExistsError:
                return number
            os.kill(os.getppid(), signal.SIGKILL)  # the actor that owns this worker
        return number

    assert values(executor.map(work, [(n, str(tmp_path)) for n in range(60)])) == list(range(60))


def test_an_item_that_always_takes_its_actor_along_is_not_tried_for_ever(executor: Any) -> None:
    def work(number: int) -> int:
        import os
        import signal

        if number == 7:
            os.kill(os.getppid(), signal.SIGKILL)
        return number

    outcomes = executor.map(work, list(range(20)), timeout=GENEROUS)
    assert [n for n in range(20) if outcomes[n].failure] == [7]
    assert outcomes[7].failure == "crashed"
    assert "lost 3 times" in outcomes[7].message
    assert [o.value for n, o in enumerate(outcomes) if n != 7] == [n for n in range(20) if n != 7]


def test_workers_stay_warm_and_in_flight_is_bounded(executor: Any) -> None:
    def count(_: int) -> tuple[int, int]:
        import os
        import sys

        sys.warm = getattr(sys, "warm", 0) + 1
        return os.getpid(), sys.warm

    first, second = values(executor.map(count, range(20))), values(executor.map(count, range(20)))
    assert {pid for pid, _ in second} <= {pid for pid, _ in first}
    assert min(n for _, n in second) > 1
    assert max(len(lane.sent) for lane in executor._pool._threads) <= 2


def test_close_leaves_no_process(two_nodes: Any, gone: Any) -> None:
    executor = make_executor("ray", workers=2)
    pids = values(executor.map(lambda _: (__import__("os").getpid(), __import__("os").getppid()), range(20)))
    executor.close()
    executor.close()
    assert gone([pid for pair in pids for pid in pair])
    with pytest.raises(ConfigError, match="closed"):
        executor.map(str, [1])


def test_close_while_another_thread_waits(two_nodes: Any, closed_while_waiting: Any) -> None:
    closed_while_waiting(make_executor("ray", workers=1))


def test_no_room_in_the_cluster_is_an_outcome(two_nodes: Any) -> None:
    with make_executor("ray", workers=1, cpus=64, patience=1.0) as executor:
        (outcome,) = executor.map(str, [1])
    assert outcome.failure == "crashed"
    assert "had room" in outcome.message


def test_environments_take_it_by_name(two_nodes: Any) -> None:
    with make_executor("ray", workers=1) as executor:
        here, there = (
            TextVectorEnv("rlvr/Arithmetic-v0", num_envs=4, executor=e) for e in ("inline", executor)
        )
        assert here.reset(seed=1)[0] == there.reset(seed=1)[0]
        ours, theirs = here.step(["1", "2", "", "\\boxed{4}"]), there.step(["1", "2", "", "\\boxed{4}"])
    assert ours[0] == theirs[0]
    assert ours[1].tolist() == theirs[1].tolist()
    assert ours[4]["final_info"]["verdict"].tolist() == theirs[4]["final_info"]["verdict"].tolist()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"workers": 0}, "workers"),
        ({"memory_mb": 1.5}, "memory_mb"),
        ({"in_flight": 0}, "in_flight"),
        ({"cpus": 0}, "cpus"),
        ({"patience": float("nan")}, "patience"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], text: str) -> None:
    pytest.importorskip("ray")
    with pytest.raises(ConfigError, match=text):
        make_executor("ray", **settings)


def test_without_ray_work_runs_inline_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlvr_gym.cluster.ray_is_installed", lambda: False)
    with pytest.warns(RuntimeWarning, match=r"Ray is not installed.*rlvr-gym\[ray\]"):
        executor = make_executor("ray", workers=2)
    assert isinstance(executor, InlineExecutor)
    assert executor.map(str, [1]) == [Outcome("1", seconds=pytest.approx(0, abs=1))]
    with pytest.raises(UnknownNameError, match="did you mean ray"):
        make_executor("rey")


def test_without_ray_the_rest_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from rlvr_gym.vector_ray import RayVectorEnv

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"RayVectorEnv needs .* pip install 'rlvr-gym\[ray\]'"):
        RayVectorEnv("rlvr/Arithmetic-v0")


def test_a_cluster_that_is_not_there() -> None:
    ray = pytest.importorskip("ray")
    if ray.is_initialized():
        pytest.skip("this process is connected already")
    with pytest.raises(ConfigError, match=r"No Ray cluster answers at 127\.0\.0\.1:1"):
        make_executor("ray", address="127.0.0.1:1")


def test_an_interrupt_kills_what_runs(two_nodes: Any, tmp_path: Path, gone: Any) -> None:
    """Ctrl-C reaches the caller, the item is killed with its group, and the executor goes on."""

    def hang(path: str) -> None:
        import os
        import time

        with open(path + ".partial", "w") as file:
            file.write(str(os.getpid()))
        os.rename(path + ".partial", path)
        time.sleep(1000)

    def interrupt() -> None:
        started(tmp_path, 1)
        while not path.exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    path = tmp_path / "pid"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with make_executor("ray", workers=1) as executor:
            threading.Thread(target=interrupt).start()
            with pytest.raises(KeyboardInterrupt):
                executor.map(hang, [str(path)])
            assert values(executor.map(lambda x: x + 1, [1, 2, 3])) == [2, 3, 4]
            assert gone([int(path.read_text())])
    finally:
        signal.signal(signal.SIGINT, before)
