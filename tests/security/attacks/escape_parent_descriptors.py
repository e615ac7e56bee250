"""Takes the descriptors of its parent: through /proc and pidfd_getfd."""

import ctypes
import os

libc = ctypes.CDLL(None)
for pid in (os.getppid(), 1):
    for fd in range(16):
        try:
            os.open(f"/proc/{pid}/fd/{fd}", os.O_RDWR)
            print("BREACH: opened a descriptor of", pid)
        except OSError:
            pass
    pidfd = libc.syscall(434, pid, 0)
    if pidfd >= 0 and libc.syscall(438, pidfd, 3, 0) >= 0:
        print("BREACH: took a descriptor of", pid)
