"""Leaves System V shared memory, which outlives its process."""

import ctypes

libc = ctypes.CDLL(None)
segment = libc.shmget(0x5EC2E7, 4096, 0o1666)
if segment >= 0:
    libc.shmat.restype = ctypes.c_void_p
    address = libc.shmat(segment, None, 0)
    if address and address != ctypes.c_void_p(-1).value:
        ctypes.memmove(address, b"left", 4)
# --- next job ---
import ctypes

if ctypes.CDLL(None).shmget(0x5EC2E7, 4096, 0o666) >= 0:
    print("BREACH: shared memory of an earlier job")
