"""Sees processes of the host."""

import os

try:
    with open("/proc/@HOST_PID@/cmdline", "rb") as file:
        if b"python" in file.read() or b"rlvr" in file.read():
            print("BREACH: sees the host's process")
except OSError:
    pass
