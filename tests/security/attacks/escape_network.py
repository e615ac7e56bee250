"""Connects to a server on the host."""

import socket

for family, address in (
    (socket.AF_INET, ("127.0.0.1", int("@PORT@"))),
    (socket.AF_INET, ("172.17.0.1", int("@PORT@"))),
    (socket.AF_INET6, ("::1", int("@PORT@"))),
):
    try:
        with socket.socket(family) as sock:
            sock.settimeout(0.5)
            sock.connect(address)
            sock.sendall(b"BREACH")
            print("BREACH: connected to", address)
    except OSError:
        pass
