"""Leaves a key in the kernel's keyring."""

import ctypes

libc = ctypes.CDLL(None)
ADD_KEY = 248
libc.syscall(ADD_KEY, b"user", b"rlvr-left", b"secret", 6, -4)
# --- next job ---
import ctypes

if ctypes.CDLL(None).syscall(249, b"user", b"rlvr-left", None, 0) >= 0:
    print("BREACH: a key of an earlier job")
