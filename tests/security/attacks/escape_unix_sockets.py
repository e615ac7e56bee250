"""Connects to sockets in the file system and in the abstract name space, Docker's among them."""

import socket

for path in ("@SOCKET@", "/var/run/docker.sock", "/run/docker.sock", "\0rlvr-abstract-@PORT@"):
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(0.5)
            sock.connect(path)
            print("BREACH: connected to", repr(path))
    except OSError:
        pass
