"""Attaches to its parent with ptrace."""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
ATTACH, SEIZE = 16, 0x4206
for pid in (os.getppid(), 1, int("@HOST_PID@")):
    for request in (ATTACH, SEIZE):
        if libc.ptrace(request, pid, None, None) == 0:
            print("BREACH: traces", pid)
