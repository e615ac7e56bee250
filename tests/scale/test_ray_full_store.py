"""Ray's object store full, and the disk too: every item has an outcome that says so, and nothing waits for ever."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

PROGRAM = """
import json, sys
import numpy as np
import ray

ray.init(address=sys.argv[1], log_to_driver=False, logging_level="error")
from rlvr_gym.agents.distributed.fleet import Fleet
from rlvr_gym.agents.guards import TrainingError
from rlvr_gym.executor import make_executor

huge = 200 << 20  # bytes; the store holds half of it
ballast = bytes(huge)
with make_executor("ray", workers=1) as executor:
    told = {
        "items": executor.map(len, [bytes(huge), b"abc", b"de"]),
        "results": executor.map(bytes, [3, huge, 2]),
        "function": executor.map(lambda n: len(ballast) + n, [1, 2]),
        "afterwards": executor.map(len, [b"abcd"]),
    }
told = {
    case: [[len(o.value) if isinstance(o.value, bytes) else o.value, o.failure, o.message] for o in outcomes]
    for case, outcomes in told.items()
}
fleet = Fleet.__new__(Fleet)  # no worker is needed to put weights into the store
fleet._ray, fleet._weights = ray, {}
try:
    fleet.publish(7, {"weight": np.zeros(huge, np.uint8)}, set())
except TrainingError as error:
    told["weights"] = str(error)
print(json.dumps(told))
"""
MENDED_BY = "free some of the disk, or start Ray with a larger object_store_memory"


@pytest.fixture(scope="module")
def told(full_cluster: Any) -> dict[str, Any]:
    """What became of three batches and of weights, in a process of its own: this one may be connected elsewhere."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, full_cluster.address],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.parametrize(("case", "values"), [("items", [None, 3, 2]), ("results", [3, None, 2])])
def test_what_finds_no_room_has_crashed_and_the_others_have_not(
    told: dict[str, Any], case: str, values: list[int | None]
) -> None:
    assert [value for value, _, _ in told[case]] == values
    assert [failure for _, failure, _ in told[case]] == [None if value else "crashed" for value in values]
    (message,) = [message for _, failure, message in told[case] if failure]
    assert "3 times" in message
    assert message.endswith(MENDED_BY)


def test_a_function_that_finds_no_room(told: dict[str, Any]) -> None:
    assert [(value, failure) for value, failure, _ in told["function"]] == [(None, "crashed")] * 2
    assert all(message.endswith(MENDED_BY) for _, _, message in told["function"])


def test_the_executor_works_on(told: dict[str, Any]) -> None:
    assert told["afterwards"] == [[4, None, ""]]


def test_weights_that_find_no_room_end_the_run_in_a_sentence(told: dict[str, Any]) -> None:
    assert told["weights"].startswith("Version 7 of the weights could not be put into Ray (")
    assert MENDED_BY in told["weights"]
