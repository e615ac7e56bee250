"""Leaves a POSIX message queue and named shared memory."""

import ctypes
import os

libc = ctypes.CDLL(None)
libc.mq_open(b"/rlvr-left", os.O_CREAT | os.O_RDWR, 0o666, None)
try:
    from multiprocessing import shared_memory

    shared_memory.SharedMemory("rlvr-left", create=True, size=10)
except Exception:
    pass
# --- next job ---
import ctypes
import os

if ctypes.CDLL(None).mq_open(b"/rlvr-left", os.O_RDWR) >= 0:
    print("BREACH: a message queue of an earlier job")
if os.path.exists("/dev/shm/rlvr-left"):
    print("BREACH: shared memory of an earlier job")
