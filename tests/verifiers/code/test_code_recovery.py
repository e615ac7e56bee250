"""A real engine is killed in the middle of a batch: no verdict is lost, and none is wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rlvr_gym.sandbox import Job, SandboxError, make_sandbox
from rlvr_gym.sandbox.backends.bubblewrap import BubblewrapBackend
from rlvr_gym.sandbox.backends.docker import build_image_from_host

pytestmark = [pytest.mark.docker, pytest.mark.slow]


class Engine:
    """An engine of the test's own, that can be killed without harm to any other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = f"unix://{folder}/docker.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self.folder / "pid").unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    "dockerd", "--host", self.host, "--data-root", f"{self.folder}/data", "--exec-root",
                    f"{self.folder}/exec", "--pidfile", f"{self.folder}/pid", "--iptables=false", "--bridge=none",
                    "--storage-driver=vfs",
                ],
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        for _ in range(120):
            if self.answers():
                return
            time.sleep(0.25)
        pytest.skip(
            f"NO DOCKER ENGINE: a private one does not start: {(self.folder / 'log').read_text()[-500:]}"
        )

    def answers(self) -> bool:
        import docker

        try:
            docker.DockerClient(base_url=self.host, timeout=5).ping()
        except Exception:
            return False
        return True

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """In order: a killed engine is started again, to take its containerd and containers with it."""
        if self.process is not None and self.process.poll() is not None:
            self.start()
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=60)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    if os.getuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("NO DOCKER ENGINE: a private one needs root and dockerd")
    # not pytest's folder: a socket's path may have 107 characters
    folder = Path(tempfile.mkdtemp(prefix="rlvr-engine-", dir="/var/tmp"))
    engine = Engine(folder)
    try:
        engine.start()
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        build_image_from_host()
        yield engine
    finally:
        engine.stop()
        for line in reversed(Path("/proc/mounts").read_text().splitlines()):
            if line.split()[1].startswith(str(folder)):  # the engine binds its data folder to itself
                subprocess.run(["umount", "--lazy", line.split()[1]], check=False)
        shutil.rmtree(folder, ignore_errors=True)


JOBS = [Job("print(int(input()) ** 2)", stdin=str(i).encode()) for i in range(500)]
RIGHT = [b"%d\n" % (i * i) for i in range(500)]


def outputs(results: list) -> list[bytes | str]:
    return [str(r) if isinstance(r, SandboxError) else r.stdout for r in results]


def test_the_engine_is_killed_and_comes_back(engine):
    killed = threading.Event()

    def progress(done: int, total: int) -> None:
        if done == 150 and not killed.is_set():
            killed.set()
            engine.kill()
            threading.Timer(2.0, engine.start).start()

    with make_sandbox("docker", 2, patience=60.0) as sandbox:
        results = sandbox.run_many(JOBS, progress)
    assert killed.is_set()
    assert outputs(results) == RIGHT
    _nothing_left(engine)


def _nothing_left(engine: Engine) -> None:
    import docker

    client = docker.DockerClient(base_url=engine.host, timeout=30)
    deadline = time.monotonic() + 20
    while client.containers.list(all=True) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert client.containers.list(all=True) == []


def test_the_engine_is_killed_and_the_fallback_takes_over(engine):
    if not BubblewrapBackend().check().ok:
        pytest.skip("NO BUBBLEWRAP SANDBOX to fall back to")

    def progress(done: int, total: int) -> None:
        if done == 150:
            engine.kill()

    with make_sandbox("docker", 2, fallback="bubblewrap", patience=1.0) as sandbox:
        results = sandbox.run_many(JOBS, progress)
    assert outputs(results) == RIGHT
