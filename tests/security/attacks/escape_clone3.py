"""Makes a user namespace by clone3, whose flags a filter cannot see."""

import ctypes
import os

libc = ctypes.CDLL(None)
arguments = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17)
pid = libc.syscall(435, ctypes.byref(arguments), 88)
if pid == 0:
    os._exit(0)
if pid > 0:
    print("BREACH: clone3 into a user namespace")
