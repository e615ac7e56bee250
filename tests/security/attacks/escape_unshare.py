"""Makes namespaces of its own, in which it would be root."""

import ctypes
import os

libc = ctypes.CDLL(None)
for flag in (0x10000000, 0x10000000 | 0x00020000, 0x40000000, 0x20000000):
    if libc.unshare(flag) == 0:
        print("BREACH: unshared", hex(flag))
for flag in (0x10000000, 0x20000000):
    pid = libc.syscall(56, flag | 17, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    if pid > 0:
        print("BREACH: cloned into a new namespace")
