"""Leaves a daemon behind: two forks and a session of its own."""

import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open("/proc/self/comm", "w") as file:
            file.write("rlvr-left")
        for fd in range(64):
            try:
                os.close(fd)
            except OSError:
                pass
        time.sleep(600)
    os._exit(0)
time.sleep(0.1)
# --- next job ---
import os

for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/comm") as file:
            if file.read() == "rlvr-left\n":
                print("BREACH: a process of an earlier job", pid)
    except OSError:
        pass
