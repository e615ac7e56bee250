"""Every attack against every backend: Docker and bubblewrap stop all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rlvr_gym.cli.attacks import Outcome, find_attacks, run_attacks
from rlvr_gym.sandbox import make_sandbox
from rlvr_gym.sandbox.select import BACKENDS

ATTACKS = find_attacks()

CONCEDED = {
    # it shares the host's files and process table
    "cheat_read_tests_from_disk",
    "cheat_search_disk",
    "escape_dev_shm",
    "escape_host_processes",
    "exhaust_disk",
    "linger_files",
    "linger_queue",
    # and, unless the host is root, the host's user
    "escape_kill_parent",
    "escape_parent_memory",
    "escape_proc_sys",
    "escape_write_code",
}
"""What the subprocess backend may let through; everything else it has to stop as well."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(n, marks=[pytest.mark.slow, *([pytest.mark.docker] if n == "docker" else [])])
        for n in BACKENDS
    ],
)
def outcomes(request: pytest.FixtureRequest) -> Iterator[tuple[str, list[Outcome]]]:
    found = BACKENDS[request.param]().check()
    if not found.ok:
        pytest.skip(f"NO {request.param.upper()} SANDBOX: {found.why}")
    with make_sandbox(request.param, workers=1) as sandbox:
        yield request.param, run_attacks(ATTACKS, sandbox)


def test_there_are_many():
    assert len(ATTACKS) >= 60
    assert all(attack.description for attack in ATTACKS)
    assert sum(attack.is_function for attack in ATTACKS) >= 25
    assert sum(bool(attack.next_job) for attack in ATTACKS) >= 8


def test_attacks_are_stopped(outcomes):
    name, results = outcomes
    through = {outcome.attack.name: outcome.note for outcome in results if not outcome.stopped}
    if name == "subprocess":
        through = {attack: note for attack, note in through.items() if attack not in CONCEDED}
    assert through == {}


def test_the_sandbox_survives_without_being_lost(outcomes):
    """No attack turns into an infrastructure error: that would spare a policy its zero."""
    _, results = outcomes
    assert [o.attack.name for o in results if "lost" in o.note] == []
