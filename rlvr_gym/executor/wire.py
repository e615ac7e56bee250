"""What an executor and its worker processes say to each other: a fixed header, then bytes, over a socket pair."""

from __future__ import annotations

import pickle
import socket
import struct
from typing import Any, NamedTuple

__all__ = [
    "FUNCTION",
    "FUNCTION_CACHE",
    "ITEM",
    "KEY_BYTES",
    "RAISED",
    "VALUE",
    "Frame",
    "dumps",
    "receive",
    "send",
]

FUNCTION, ITEM = b"F", b"I"
"""To a worker: key + pickled function; key of the function to call + pickled item."""
VALUE, RAISED = b"V", b"R"
"""From a worker: a pickled result; the text of an exception."""

KEY_BYTES = 16
FUNCTION_CACHE = 8
"""Functions that a worker keeps; both sides forget all of them when one more comes, and so stay in step."""

_HEADER = struct.Struct("!cdQ")  # kind, seconds, length of what follows
_STALL_SECONDS = 60.0


class Frame(NamedTuple):
    """One message."""

    kind: bytes
    seconds: float
    payload: bytearray


def dumps(value: Any) -> bytes:
    """Pickles by value what only this process can import: lambdas, closures, and all that lives in ``__main__``.

    Plain pickle comes first because it is several times faster than cloudpickle. It writes the classes of
    ``__main__`` by reference, and another process has another ``__main__``.
    """
    try:
        data = pickle.dumps(value, protocol=5)
    except Exception:
        data = b"__main__"
    if b"__main__" in data:
        import cloudpickle

        data = bytes(cloudpickle.dumps(value, protocol=5))
    return data


def send(connection: socket.socket, kind: bytes, payload: bytes, seconds: float = 0.0) -> None:
    """Sends one message; a timeout of ``connection`` is for all of it."""
    header = _HEADER.pack(kind, seconds, len(payload))
    if len(payload) < 65536:
        connection.sendall(header + payload)
    else:
        connection.sendall(header)
        connection.sendall(payload)


def receive(connection: socket.socket) -> Frame:
    """Waits for one message.

    A timeout of ``connection`` is for the beginning of the message; a long one may take as long as it needs,
    as long as bytes keep coming.

    Raises:
        EOFError: if the other side is gone.
        TimeoutError: if nothing comes.
    """
    kind, seconds, length = _HEADER.unpack(_exactly(connection, _HEADER.size))
    if length and connection.gettimeout() is not None:
        connection.settimeout(_STALL_SECONDS)
    return Frame(kind, seconds, _exactly(connection, length))


def _exactly(connection: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = connection.recv_into(view)
        if count == 0:
            raise EOFError("The other side of the connection is gone.")
        view = view[count:]
    return data
