"""Warm containers of a Docker engine."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlvr_gym.errors import MissingExtraError
from rlvr_gym.sandbox import rootfs
from rlvr_gym.sandbox.backends.base import GUEST_ENVIRONMENT, Availability, Backend, private_uid
from rlvr_gym.sandbox.channel import Channel
from rlvr_gym.sandbox.errors import BackendUnavailableError
from rlvr_gym.sandbox.guest import bootstrap
from rlvr_gym.sandbox.job import MAX_MEMORY_MB
from rlvr_gym.sandbox.worker import Worker

if TYPE_CHECKING:
    import docker

__all__ = ["IMAGE", "DockerBackend", "build_image_from_host", "container_settings"]

logger = logging.getLogger(__name__)

IMAGE = "rlvr-gym-sandbox:latest"
_OWNER = "rlvr-gym.owner"
_PING_TIMEOUT_S, _TIMEOUT_S = 10, 60


def _connect() -> docker.DockerClient:
    """A client of the engine that the environment names.

    Raises:
        MissingExtraError: without the package ``docker``.
        BackendUnavailableError: if no engine answers.
    """
    try:
        import docker
    except ImportError:
        raise MissingExtraError("docker", "docker", "The Docker sandbox") from None
    try:
        client = docker.from_env(timeout=_PING_TIMEOUT_S)
        client.ping()
        client.api.timeout = _TIMEOUT_S
    except (docker.errors.DockerException, OSError) as error:
        raise BackendUnavailableError(
            f"No Docker engine answers ({str(error)[:200]}); start one, set DOCKER_HOST, or choose the backend "
            "'bubblewrap'."
        ) from None
    return client


def container_settings(uid: int) -> dict[str, Any]:
    """The flags of a sandbox's container, as the engine's HostConfig takes them; the same for tests and speed.

    Args:
        uid: the user in it. One of its own for each container: the kernel counts processes for each user.
    """
    memory = (MAX_MEMORY_MB + 256) * 2**20
    return {
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],  # and the engine's default seccomp profile
        "pids_limit": 128,
        "mem_limit": memory,
        "memswap_limit": memory,  # no swap beyond the memory
        "cpu_period": 100_000,
        "cpu_quota": 100_000,
        "tmpfs": {"/tmp": f"size=64m,nr_inodes=8k,mode=0700,uid={uid},gid=65534,nosuid,nodev,noexec"},
        "ipc_mode": "none",
        "auto_remove": True,
        "log_config": {"type": "none", "config": {}},
        "ulimits": [{"name": "core", "soft": 0, "hard": 0}],
    }


def _identity() -> str:
    """This process, so that nobody takes its containers for abandoned: host name, id and start time."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def _started(pid: int) -> str:
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return ""


def _abandoned(owner: str) -> bool:
    """Whether a container's owner was a process of this host that is gone."""
    host, _, rest = owner.partition(":")
    pid, _, started = rest.partition(":")
    return host == socket.gethostname() and pid.isdigit() and started != _started(int(pid))


class DockerBackend(Backend):
    """Containers without network, capabilities, writable root or swap; see :func:`container_settings`.

    Args:
        image: has a ``python3``; made by ``rlvr-gym sandbox build`` or from the ``Dockerfile``.
    """

    name = "docker"

    def __init__(self, image: str = IMAGE, modules: Sequence[str] = ()) -> None:
        super().__init__(modules)
        self.image = image
        self._client: docker.DockerClient | None = None

    def check(self) -> Availability:
        """Asks for the engine and the image."""
        try:
            client = _connect()
        except (BackendUnavailableError, MissingExtraError) as error:
            return Availability(self.name, False, str(error))
        try:
            if not client.images.list(name=self.image):
                return Availability(self.name, False, self._no_image())
            version = client.version().get("Version", "?")
        except Exception as error:
            return Availability(self.name, False, f"the engine answers, but with an error: {error}")
        finally:
            client.close()
        return Availability(self.name, True, f"engine {version} answers and has the image {self.image}")

    def _no_image(self) -> str:
        return f"The engine has no image {self.image}; build it: rlvr-gym sandbox build --from-host."

    def start(self) -> Worker:
        """A new container, attached to before it starts so that nothing is lost."""
        import docker
        import requests

        if self._client is None:
            self._client = _connect()
            self._remove_abandoned(self._client)
        try:
            return self._start(self._client)
        except docker.errors.ImageNotFound:
            raise BackendUnavailableError(self._no_image()) from None
        except (docker.errors.DockerException, requests.RequestException, OSError) as error:
            self.close()  # the next try connects anew
            raise BackendUnavailableError(f"The Docker engine failed: {str(error)[:300]}") from None

    def _start(self, client: docker.DockerClient) -> Worker:
        api = client.api
        uid = private_uid()
        container = api.create_container(
            self.image,
            command=["python3", "-S", "-s", "-c", bootstrap.COMMAND],
            user=f"{uid}:65534",
            environment={**GUEST_ENVIRONMENT, "PATH": "/usr/local/bin:/usr/bin"},
            working_dir="/tmp",
            network_disabled=True,
            hostname="sandbox",
            stdin_open=True,  # closed by the engine when the one attachment ends: the guest then ends, too
            labels={_OWNER: _identity()},
            host_config=api.create_host_config(**container_settings(uid)),
        )["Id"]
        kill = partial(_remove, client, container)
        try:
            stream = api.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
            api.start(container)
        except BaseException:
            kill()
            raise
        channel = Channel(getattr(stream, "_sock", stream), multiplexed=True)
        config = {"workdir": "/tmp", "protected": [1], "filter": True}
        return Worker(
            channel, config, partial(_hang_up, stream, kill), lambda: channel.stderr.decode(errors="replace")
        )

    def _remove_abandoned(self, client: docker.DockerClient) -> None:
        """Removes containers that killed processes of this host have left; the guest ends by itself, normally."""
        with contextlib.suppress(Exception):
            for container in client.api.containers(all=True, filters={"label": _OWNER}):
                if _abandoned(container["Labels"].get(_OWNER, "")):
                    _remove(client, container["Id"])

    def close(self) -> None:
        """Hangs up on the engine."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):
                client.close()


def _hang_up(stream: Any, kill: partial[None]) -> None:
    with contextlib.suppress(Exception):
        stream.close()
    kill()


def _remove(client: docker.DockerClient, container: str) -> None:
    # gone already, on its way out, or the engine is dead: in any case it is not ours to wait for
    with contextlib.suppress(Exception):
        client.api.remove_container(container, force=True, v=True)


def build_image_from_host(tag: str = IMAGE) -> str:
    """Packs the host's Python into an image, without a registry; its id.

    Raises:
        BackendUnavailableError: if no engine answers, or it refuses.
    """
    import docker

    client = _connect()
    files = [entry.target for entry in rootfs.entries()]
    repository, _, version = tag.partition(":")
    changes = [f"ENV LD_LIBRARY_PATH={rootfs.library_path(files)}", "WORKDIR /tmp", "USER 65534:65534"]
    try:
        client.api.import_image_from_data(
            rootfs.rootfs_tar(), repository=repository, tag=version, changes=changes
        )
        return str(client.images.get(tag).id)
    except docker.errors.DockerException as error:
        raise BackendUnavailableError(f"The engine did not take the image: {error}") from None
    finally:
        client.close()
