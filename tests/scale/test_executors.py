"""What is asked of every executor that can kill, on real processes: of ``process``, and of ``ray`` over a cluster."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from rlvr_gym import ConfigError, RewardDesign, Task, get_verifier
from rlvr_gym.executor import make_executor
from rlvr_gym.verification import verify_all

GENEROUS = 60.0


@pytest.fixture(scope="module", params=["process", "ray"])
def shared(request):
    if request.param == "ray":
        request.getfixturevalue("ray_cluster")
    with make_executor(request.param, workers=2) as executor:
        yield executor


def failures(outcomes):
    return [outcome.failure for outcome in outcomes]


def test_values_in_order_under_random_delays(shared):
    def slow(item):
        number, delay = item

        time.sleep(delay)
        return number * number

    rng = random.Random(0)
    items = [(n, rng.random() * 0.01) for n in range(100)]
    outcomes = shared.map(slow, items, timeout=GENEROUS)
    assert [outcome.value for outcome in outcomes] == [n * n for n in range(100)]
    assert all(outcome.seconds >= delay for outcome, (_, delay) in zip(outcomes, items, strict=True))


def test_nothing_to_do(shared):
    assert shared.map(lambda x: x, []) == []


def test_closures_and_classes_of_a_function_travel(shared):
    offset = 10

    class Box:
        def __init__(self, value):
            self.value = value

    outcomes = shared.map(lambda box: Box(box.value + offset), [Box(1), Box(2)])
    assert [type(outcome.value) for outcome in outcomes] == [Box, Box]
    assert [outcome.value.value for outcome in outcomes] == [11, 12]


@pytest.mark.parametrize("stuck", ["python", "c"])
def test_what_hangs_is_killed_and_nothing_else_is(shared, stuck):
    def maybe_hang(item):
        if item == "python":
            while True:
                pass
        if item == "c":
            return len(str(10 ** (10**8)))  # one C call that holds the GIL for minutes
        return item

    outcomes = shared.map(maybe_hang, ["a", stuck, "b", "c2"], timeout=1.0)
    assert failures(outcomes) == [None, "timeout", None, None]
    assert [outcomes[i].value for i in (0, 2, 3)] == ["a", "b", "c2"]
    assert 1.0 <= outcomes[1].seconds < GENEROUS


def test_a_timeout_kills_the_whole_group_of_the_worker(shared, tmp_path, gone):
    def spawn_and_hang(path):

        child = subprocess.Popen(["sleep", "1000"])
        with open(path, "w") as file:
            file.write(str(child.pid))
        child.wait()

    path = tmp_path / "pid"
    assert failures(shared.map(spawn_and_hang, [str(path)], timeout=2.0)) == ["timeout"]
    assert gone([int(path.read_text())])


def test_crashes_lose_only_their_own_item(shared):
    def act(item):
        import os

        if item == "exit":
            os._exit(3)
        if item == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if item == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        return item

    outcomes = shared.map(act, ["a", "exit", "b", "kill", "segfault", "c"], timeout=GENEROUS)
    assert failures(outcomes) == [None, "crashed", None, "crashed", "crashed", None]
    assert "code 3" in outcomes[1].message
    assert "Killed" in outcomes[3].message
    assert "Segmentation fault" in outcomes[4].message


def test_exceptions_are_outcomes(shared):
    class Rude(Exception):
        def __str__(self):
            raise ValueError

    def act(item):
        import threading

        if item == "exit":
            sys.exit(4)
        if item == "lock":
            return threading.Lock()
        if item == "rude":
            raise Rude
        if item == "deep":
            return act_again(item)
        return 1 / item

    def act_again(item):
        return act_again(item)

    outcomes = shared.map(act, [0, 2, "exit", "lock", "rude", "deep", threading.Lock()], timeout=GENEROUS)
    assert failures(outcomes) == ["raised", None, "raised", "raised", "raised", "raised", "raised"]
    assert outcomes[0].message == "ZeroDivisionError: division by zero"
    assert outcomes[1].value == 0.5
    assert outcomes[2].message == "SystemExit: 4"
    assert "pickle" in outcomes[3].message
    assert outcomes[4].message == "Rude"
    assert outcomes[5].message.startswith("RecursionError")
    assert "pickle" in outcomes[6].message


def test_a_result_that_does_not_unpickle_here(shared):
    class Trap:
        def __reduce__(self):
            return int, ("no number",)

    (outcome,) = shared.map(lambda _: Trap(), [0])
    assert outcome.failure == "raised"
    assert "unpickled" in outcome.message


def test_prints_do_not_reach_the_connection(shared, capfd):
    def chatty(item):
        import os

        print("to stdout", item, flush=True)
        print("to stderr", item, file=sys.stderr, flush=True)
        os.write(1, b"straight to the descriptor\n")
        assert sys.stdin.read() == ""
        return item

    assert [outcome.value for outcome in shared.map(chatty, [1, 2, 3])] == [1, 2, 3]


def test_huge_items_and_results(shared):
    size = 64 << 20
    (outcome,) = shared.map(lambda data: data + b"!", [b"x" * size])
    assert outcome.failure is None
    assert len(outcome.value) == size + 1


def test_many_items_with_some_hangs(shared):
    def maybe_hang(n):

        if n % 50 == 7:
            time.sleep(1000)
        return n

    outcomes = shared.map(maybe_hang, list(range(500)), timeout=0.3)
    assert [n for n in range(500) if outcomes[n].failure == "timeout"] == list(range(7, 500, 50))
    assert all(outcomes[n].value == n for n in range(500) if n % 50 != 7)


def test_several_threads_share_an_executor(shared):
    results = {}

    def client(k):
        def work(n):
            import os

            if n == k:
                os._exit(1)
            return n * 100 + k

        results[k] = shared.map(work, list(range(30)), timeout=GENEROUS)

    # more functions than a worker keeps
    threads = [threading.Thread(target=client, args=(k,)) for k in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    for k in range(12):
        assert [n for n in range(30) if results[k][n].failure] == [k]
        assert all(results[k][n].value == n * 100 + k for n in range(30) if n != k)


def test_workers_use_one_thread_for_numerics(shared):
    (outcome,) = shared.map(lambda name: __import__("os").environ[name], ["OMP_NUM_THREADS"])
    assert outcome.value == "1"


def test_a_forked_child_is_refused_and_leaves_the_workers_alone(shared, alive):
    (before,) = shared.map(lambda _: __import__("os").getpid(), [0])
    child = os.fork()
    if child == 0:
        status = 1
        try:
            shared.map(lambda x: x, [1])
        except ConfigError as error:
            shared.close()
            status = 0 if "fork" in str(error) else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    (after,) = shared.map(lambda _: __import__("os").getpid(), [0])
    assert after.failure is None
    assert alive(before.value)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf")])
def test_wrong_timeouts(shared, timeout):
    with pytest.raises(ConfigError, match="timeout"):
        shared.map(lambda x: x, [1], timeout=timeout)


def test_a_function_that_cannot_be_sent(shared):
    lock = threading.Lock()
    with pytest.raises(ConfigError, match="cannot be sent"):
        shared.map(lambda x: lock, [1])


def test_a_function_that_cannot_be_loaded(shared):
    class Trap:
        def __reduce__(self):
            return int, ("no number",)

        def __call__(self, item):
            return item

    outcomes = shared.map(Trap(), [1, 2])
    assert failures(outcomes) == ["raised", "raised"]
    assert "cannot be loaded" in outcomes[0].message


def test_verdicts_of_lost_items_are_invalid_and_never_rewards(shared):
    from rlvr_gym import Rollout, Verdict, Verifier

    class Fragile(Verifier):
        def judge(self, completion, task):
            import os

            if completion == "hang":
                time.sleep(1000)
            if completion == "crash":
                os._exit(1)
            return Verdict.right(completion)

    task = Task(prompt="?", answer="x")
    completions = ["fine", "hang", "crash", "fine"]
    verdicts = verify_all(Fragile(), completions, [task] * 4, shared, timeout=0.5)
    assert [(v.valid, str(v.reason)) for v in verdicts] == [
        (True, "correct"),
        (False, "timeout"),
        (False, "worker_crashed"),
        (True, "correct"),
    ]
    group = [Rollout(task, c, v, 1) for c, v in zip(completions, verdicts, strict=True)]
    totals = [reward.total for reward in RewardDesign.parse("binary")(group)]
    assert totals[0] == totals[3] == 1.0
    assert totals[1] != totals[1]
    assert totals[2] != totals[2]


def test_a_lost_item_is_tried_again(shared, tmp_path):
    from rlvr_gym import Verdict, Verifier

    class CrashesOnce(Verifier):
        def judge(self, completion, task):
            import os

            try:
                os.mkdir(completion)
            except FileExistsError:
                return Verdict.right()
            os._exit(1)

    (verdict,) = verify_all(
        CrashesOnce(), [str(tmp_path / "seen")], [Task("?", "x")], shared, timeout=GENEROUS
    )
    assert verdict.correct


def test_a_real_verifier_gives_the_same_verdicts_here_and_there(shared):
    task = Task(prompt="1+1", answer="2")
    completions = ["<answer>2</answer>", "\\boxed{3}", "", "2 or 3", "<answer>2"]
    verifier = get_verifier("rational")
    here = verify_all(verifier, completions, [task] * 5)
    assert verify_all(verifier, completions, [task] * 5, shared) == here
