"""Kills its parent, the host's process, and the first process."""

import os
import signal

for pid in (os.getppid(), int("@HOST_PID@"), 1):
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, number)
            if pid == int("@HOST_PID@"):
                print("BREACH: could signal the host")
        except OSError:
            pass
