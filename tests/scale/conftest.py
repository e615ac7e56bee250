"""A Ray cluster of two nodes on this machine, and what has become of processes."""

from __future__ import annotations

import contextlib
import inspect
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from rlvr_gym import ConfigError
from rlvr_gym.executor import Executor

_MARK = "RLVR_GYM_TEST_CLUSTER"
_START_SECONDS = 300
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # 15 otherwise: nothing, where others work too
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_local_fs_capacity_threshold": "1",  # objects may go to a disk that others have nearly filled
    # a crowded machine may need longer than Ray grants
    "RAY_agent_register_timeout_ms": str(1000 * _START_SECONDS),
    "RAY_worker_register_timeout_seconds": str(_START_SECONDS),
}

_UNUSED_PORTS = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class OneNode:
    """A head of one processor, to which other processes may connect."""

    def __init__(self, folder: str) -> None:
        from ray.cluster_utils import Cluster

        self._folder = folder
        self._cluster = Cluster(initialize_head=False)
        try:
            self._begin()
        except BaseException:
            self.end()
            raise

    def _begin(self) -> None:
        self._start(temp_dir=self._folder, include_dashboard=False, no_monitor=True)

    @property
    def address(self) -> str:
        """For other processes."""
        return self._cluster.address

    def _start(self, **settings: Any) -> Any:
        os.environ[_MARK] = self._folder  # every process of the cluster inherits it
        try:
            with _patience():
                return self._cluster.add_node(
                    num_cpus=1,
                    object_store_memory=100 << 20,
                    include_log_monitor=False,
                    runtime_env_agent_port=_free_port(),
                    **settings,
                )
        finally:
            del os.environ[_MARK]

    def end(self) -> None:
        """Ends every process of the cluster."""
        self._cluster.shutdown()
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if f"{_MARK}={self._folder}".encode() in path.read_bytes().split(b"\0"):
                    os.kill(int(path.parent.name), signal.SIGKILL)


class TwoNodes(OneNode):
    """A head, to which this process is connected, and a second node that may be killed.

    Each has one processor, so that of two actors that want a whole one, one is on each.
    """

    def _begin(self) -> None:
        import ray

        self.ray = ray
        self._second: Any = None
        super()._begin()
        self._second = self._start()
        ray.init(address=self.address, log_to_driver=False, logging_level="error")
        self._cluster.wait_for_nodes()

    def complete(self) -> TwoNodes:
        """Makes sure that there are two nodes, and nobody on them; killed actors need a moment to go."""
        if self._second is None:
            self._second = self._start()
            self._cluster.wait_for_nodes()
        deadline = time.monotonic() + 60
        while self.ray.available_resources().get("CPU", 0) < 2:
            assert time.monotonic() < deadline, "somebody still holds actors"
            time.sleep(0.05)
        return self

    def kill_second(self) -> None:
        """The second node dies as by a power cut: its raylet, and with it every process that it started."""
        node, self._second = self._second, None
        with contextlib.redirect_stdout(None):
            self._cluster.remove_node(node, allow_graceful=False)

    def end(self) -> None:
        """Disconnects first."""
        self.ray.shutdown()
        super().end()


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    """Lets a node start on a crowded machine.

    Ray gives up after 30 seconds on a node, and after 15 on each of its agents that tells its port in a file. Neither
    number can be set; so it is asked for longer, and the files of services that are not used are there beforehand.
    """
    from ray._private import services

    get_node, start_raylet, deadline = (
        services.get_node,
        services.start_raylet,
        time.monotonic() + _START_SECONDS,
    )

    def patient(*arguments: Any) -> Any:
        while True:
            try:
                return get_node(*arguments)
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def prepared(*arguments: Any, **settings: Any) -> Any:
        given = inspect.signature(start_raylet).bind(*arguments, **settings).arguments
        for name in _UNUSED_PORTS:
            Path(given["session_dir"], f"{name}_{given['node_id']}").write_text("-1")
        return start_raylet(*arguments, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "get_node", patient)
        patch.setattr(services, "start_raylet", prepared)
        yield


@pytest.fixture(scope="session")
def ray_settings() -> dict[str, str]:
    """Environment variables for a cluster on a machine that others use as well."""
    return _ENVIRONMENT


N = TypeVar("N", bound=OneNode)


@contextlib.contextmanager
def _running(kind: type[N]) -> Iterator[N]:
    """A cluster; its sockets lie in a folder of /tmp, for their paths have 107 bytes at most."""
    pytest.importorskip("ray", reason="NO RAY: pip install 'rlvr-gym[ray]'")
    folder = tempfile.mkdtemp(prefix="rg-", dir="/tmp")
    try:
        nodes = kind(folder)
        try:
            yield nodes
        finally:
            nodes.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _two_nodes() -> Iterator[TwoNodes]:
    os.environ |= _ENVIRONMENT
    with _running(TwoNodes) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def full_cluster() -> Iterator[OneNode]:
    """A node whose disk counts as full, so that what does not fit into its object store fits nowhere."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**_ENVIRONMENT, "RAY_local_fs_capacity_threshold": "0"}.items():
            patch.setenv(name, value)
        with _running(OneNode) as node:
            yield node


@pytest.fixture
def two_nodes(_two_nodes: TwoNodes) -> TwoNodes:
    """The cluster, whole and free."""
    return _two_nodes.complete()


@pytest.fixture(scope="module")
def ray_cluster(_two_nodes: TwoNodes) -> TwoNodes:
    """The cluster, whole and free, for a module that holds actors throughout."""
    return _two_nodes.complete()


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # nobody may be there to reap an orphan


def _gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not any(map(_alive, pids)):
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="session")
def alive() -> Callable[[int], bool]:
    """Whether a process runs."""
    return _alive


@pytest.fixture(scope="session")
def gone() -> Callable[[list[int]], bool]:
    """Whether all of these processes end within twenty seconds."""
    return _gone


@pytest.fixture
def closed_while_waiting() -> Callable[[Executor], None]:
    """Closes an executor of one worker while another thread waits for it, which has to be told."""

    def check(executor: Executor) -> None:
        executor.map(str, [0])
        raised = []

        def client() -> None:
            with pytest.raises(ConfigError, match="closed") as error:
                executor.map(time.sleep, [1000, 1000])
            raised.append(error.value)

        thread = threading.Thread(target=client)
        thread.start()
        while not executor._pool._batches:  # type: ignore[attr-defined]
            time.sleep(0.001)
        executor.close()
        thread.join(timeout=120)
        assert len(raised) == 1

    return check
