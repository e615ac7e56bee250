"""A sandbox of every kind that works here; the others are skipped, and say why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rlvr_gym.sandbox import Sandbox, make_sandbox
from rlvr_gym.sandbox.select import BACKENDS

_open: dict[str, Sandbox] = {}
_PARAMETERS = [
    pytest.param(name, marks=pytest.mark.docker) if name == "docker" else name for name in BACKENDS
]


def sandbox_of(name: str) -> Sandbox:
    """The test session's sandbox of a kind; skips the test where it does not work."""
    if name not in _open:
        found = BACKENDS[name]().check()
        if not found.ok:
            pytest.skip(f"NO {name.upper()} SANDBOX: {found.why}")
        _open[name] = make_sandbox(name, workers=2)
    return _open[name]


@pytest.fixture(params=_PARAMETERS)
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    return sandbox_of(request.param)


@pytest.fixture
def any_sandbox() -> Sandbox:
    """One that works: for tests of what all have in common."""
    name = next((name for name in ("bubblewrap", "subprocess") if BACKENDS[name]().check().ok), None)
    if name is None:
        pytest.skip("NO SANDBOX WORKS HERE")
    return sandbox_of(name)


@pytest.fixture
def working_sandboxes() -> list[Sandbox]:
    """All that work."""
    return [sandbox_of(name) for name, cls in BACKENDS.items() if cls().check().ok]


@pytest.fixture(scope="session", autouse=True)
def _close_all() -> Iterator[None]:
    yield
    while _open:
        _open.popitem()[1].close()
