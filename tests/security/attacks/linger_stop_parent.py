"""Stops, interrupts and terminates its parent."""

import os
import signal

for pid in (os.getppid(), 1):
    for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        try:
            os.kill(pid, number)
        except OSError:
            pass
