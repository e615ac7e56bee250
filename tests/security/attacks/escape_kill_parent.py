"""Kills its parent, the host, and everything it can see."""
import os
import signal

for pid in (os.getppid(), int("@HOST_PID@"), 1):
    try:
        os.kill(pid, signal.SIGKILL)
        if pid == int("@HOST_PID@"):
            print("BREACH: could signal the host")
    except OSError:
        pass
for pid in filter(str.isdigit, os.listdir("/proc")):
    if int(pid) != os.getpid():
        try:
            os.kill(int(pid), signal.SIGTERM)
        except OSError:
            pass
