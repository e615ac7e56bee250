"""Signals its parent by the less known system calls: tkill, tgkill, pidfd, sigqueue."""

import ctypes
import os
import signal

libc = ctypes.CDLL(None)
parent = os.getppid()
for call in (
    (200, parent, 9),
    (234, parent, parent, 9),
    (129, parent, 9, None),
    (297, parent, parent, 9, None),
):
    libc.syscall(*call)
try:
    fd = os.pidfd_open(parent)
    signal.pidfd_send_signal(fd, signal.SIGKILL)
    print("BREACH: signalled the parent through a pidfd")
except OSError:
    pass
