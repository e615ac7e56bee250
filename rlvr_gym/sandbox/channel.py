"""Frames between the host and one sandbox, over a socket: length, job id, JSON."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import time
from typing import Any

from rlvr_gym.sandbox.errors import SandboxLostError

__all__ = ["HELLO_ID", "ID_BYTES", "Channel"]

ID_BYTES = 16
HELLO_ID = bytes(ID_BYTES)
MAX_FRAME = 64 * 2**20


class Channel:
    """The host's end. Whatever comes out of a sandbox is checked before it is believed.

    Args:
        sock: the connected socket.
        multiplexed: the stream is Docker's: blocks of a stream number, a length and data.
    """

    def __init__(self, sock: socket.socket, *, multiplexed: bool = False) -> None:
        self._sock = sock
        self._multiplexed = multiplexed
        self._buffer = bytearray()
        self._raw = bytearray()
        self.stderr = bytearray()
        sock.setblocking(False)

    def send_bytes(self, data: bytes, seconds: float) -> None:
        """Sends all of it.

        Raises:
            SandboxLostError: if the sandbox is gone, or does not read.
        """
        view = memoryview(data)
        deadline = time.monotonic() + seconds
        while view:
            try:
                view = view[self._sock.send(view) :]
            except BlockingIOError:
                if not self._ready(select.POLLOUT, deadline - time.monotonic()):
                    raise SandboxLostError("A sandbox does not read what it is sent.") from None
            except OSError as error:
                raise SandboxLostError(f"A sandbox is gone: {error}.") from None

    def send(self, job_id: bytes, message: dict[str, Any], seconds: float = 20.0) -> None:
        """Sends a frame."""
        body = json.dumps(message, separators=(",", ":")).encode()
        self.send_bytes(len(body).to_bytes(4, "big") + job_id + body, seconds)

    def receive(self, job_id: bytes, seconds: float) -> dict[str, Any]:
        """The next frame, which has to be of this job.

        Raises:
            SandboxLostError: if none comes in time, or one that is not of the protocol.
        """
        deadline = time.monotonic() + seconds
        self._fill(4 + ID_BYTES, deadline)
        size = int.from_bytes(self._buffer[:4], "big")
        if size > MAX_FRAME or bytes(self._buffer[4 : 4 + ID_BYTES]) != job_id:
            raise SandboxLostError("A sandbox sent a frame that is not of its job.")
        end = 4 + ID_BYTES + size
        self._fill(end, deadline)
        body = bytes(self._buffer[4 + ID_BYTES : end])
        del self._buffer[:end]
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            raise SandboxLostError("A sandbox sent a frame that is not JSON.") from None
        if not isinstance(message, dict):
            raise SandboxLostError("A sandbox sent a frame of the wrong form.")
        return message

    def expect_silence(self) -> None:
        """Between jobs nothing may come.

        Raises:
            SandboxLostError: if something has.
        """
        if self._buffer or self._ready(select.POLLIN, 0.0):
            raise SandboxLostError("A sandbox sent something out of turn.")

    def _ready(self, event: int, seconds: float) -> bool:
        poller = select.poll()  # unlike select, at ease with descriptors above 1,023
        poller.register(self._sock, event)
        return bool(poller.poll(max(0.0, seconds) * 1000))

    def _fill(self, size: int, deadline: float) -> None:
        while len(self._buffer) < size:
            if not self._ready(select.POLLIN, deadline - time.monotonic()):
                raise SandboxLostError("A sandbox did not answer in time.")
            try:
                data = self._sock.recv(1 << 18)
            except BlockingIOError:
                continue
            except OSError as error:
                raise SandboxLostError(f"A sandbox is gone: {error}.") from None
            if not data:
                raise SandboxLostError("A sandbox ended early.")
            self._take(data)

    def _take(self, data: bytes) -> None:
        if not self._multiplexed:
            self._buffer += data
            return
        self._raw += data
        while len(self._raw) >= 8:
            stream, size = self._raw[0], int.from_bytes(self._raw[4:8], "big")
            if len(self._raw) < 8 + size:
                break
            part = self._raw[8 : 8 + size]
            del self._raw[: 8 + size]
            if stream == 1:
                self._buffer += part
            else:
                self.stderr = (self.stderr + part)[-4000:]

    def close(self) -> None:
        """Hangs up: the server in the sandbox ends when it reads the end of the stream."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._sock.close()
