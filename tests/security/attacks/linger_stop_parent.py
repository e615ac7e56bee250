"""Stops its parent and every process it can signal."""
import os
import signal

for pid in (os.getppid(), 1, -1):
    for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM):
        try:
            os.kill(pid, number)
        except OSError:
            pass
